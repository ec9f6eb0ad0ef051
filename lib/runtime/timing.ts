/** Runs something later. The timer holds no process open. @returns what cancels it */
export type Schedule = (run: () => void, milliseconds: number) => () => void;

/** Clocks, timers and chance, so that tests need neither wait nor hope. */
export interface Timing {
  /** The time of day: milliseconds since the epoch. It may be wrong, and it may be set. */
  readonly now: () => number;
  /** Milliseconds from any beginning, which nobody sets back. */
  readonly elapsed: () => number;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly schedule: Schedule;
}

/** What of it is given; a clock that is given counts as one that nobody sets. */
export function createTiming(given: {
  readonly now?: (() => number) | undefined;
  readonly random?: (() => number) | undefined;
  readonly schedule?: Schedule | undefined;
}): Timing {
  return {
    now: given.now ?? Date.now,
    elapsed: given.now ?? (() => performance.now()),
    random: given.random ?? Math.random,
    schedule: given.schedule ?? scheduleUnheld,
  };
}

/** Milliseconds after which one attempt is given up, whatever it is that does not answer. */
export const LONGEST_ATTEMPT = 20_000;

function scheduleUnheld(run: () => void, milliseconds: number): () => void {
  const timer = setTimeout(run, milliseconds);
  timer.unref();
  return () => clearTimeout(timer);
}

/** Longest time of a timer, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

let awaited = 0;
let hold: NodeJS.Timeout | undefined;

/** Passes on a result that somebody waits for. The process stays until it is there, though no timer holds it. */
export async function keepingAlive<Result>(result: Promise<Result>): Promise<Result> {
  awaited += 1;
  hold ??= setInterval(() => {}, LONGEST_TIMER);
  try {
    return await result;
  } finally {
    awaited -= 1;
    if (awaited === 0) {
      clearInterval(hold);
      hold = undefined;
    }
  }
}

/**
 * Resolves after a time, or fails with the reason of the signal at once.
 * @throws the signal's reason
 */
export function pause(milliseconds: number, { schedule }: Timing, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const stop = (): void => {
      cancel();
      reject(signal.reason);
    };
    const cancel = schedule(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Runs what may never end. When the time is up or the outer signal is aborted it is over, and its own signal aborted.
 * @throws the outer signal's reason; an error named TimeoutError, as the SDK names its own
 */
export async function within<Result>(
  milliseconds: number,
  { schedule }: Timing,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  outer?.throwIfAborted();
  const end = new AbortController();
  const { signal } = end;
  const over = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const stop = (): void => end.abort(outer?.reason);
  outer?.addEventListener('abort', stop, { once: true });
  const cancel = schedule(() => {
    const late = new Error(`no answer within ${milliseconds / 1000} seconds`);
    end.abort(Object.assign(late, { name: 'TimeoutError' }));
  }, milliseconds);
  try {
    return await Promise.race([over, run(signal)]);
  } finally {
    cancel();
    outer?.removeEventListener('abort', stop);
  }
}
