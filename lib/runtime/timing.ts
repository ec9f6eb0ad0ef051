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
