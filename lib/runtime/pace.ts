import type { Timing } from './timing.ts';

/** How often, and how many at a time. */
export interface PaceLimits {
  readonly callsPerSecond: number;
  readonly callsAtOnce: number;
}

/** Starts calls in the order in which they came, no faster than its limits. */
export type Pace = <Result>(call: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

/** What may start at once after a rest: the calls of this many seconds. Timers are about a millisecond late. */
const BURST_SECONDS = 0.02;

/** A call that waits. */
interface Waiting {
  readonly start: () => void;
  /** Set when it was given up. */
  isGone: boolean;
  next: Waiting | undefined;
}

/**
 * A generic cell rate algorithm with a queue: each call that starts moves the time of the next by one interval, and
 * that time lies at most one burst behind the clock.
 */
export function createPace({ callsPerSecond, callsAtOnce }: PaceLimits, { elapsed, schedule }: Timing): Pace {
  const interval = 1000 / callsPerSecond;
  const burst = Math.max(BURST_SECONDS * 1000, interval) - interval;
  let first: Waiting | undefined;
  let last: Waiting | undefined;
  let running = 0;
  let nextStart = Number.NEGATIVE_INFINITY;
  let waitingCount = 0;
  let cancelTimer: (() => void) | undefined;

  const leave = (): void => {
    waitingCount -= 1;
    if (waitingCount > 0) return;
    cancelTimer?.();
    cancelTimer = undefined;
  };

  const startWaiting = (): void => {
    while (first !== undefined && running < callsAtOnce) {
      if (first.isGone) {
        first = first.next;
        continue;
      }
      const time = elapsed();
      if (nextStart > time) {
        cancelTimer ??= schedule(() => {
          cancelTimer = undefined;
          startWaiting();
        }, nextStart - time);
        return;
      }
      nextStart = Math.max(nextStart, time - burst) + interval;
      running += 1;
      const { start, next } = first;
      first = next;
      start();
    }
    if (first === undefined) last = undefined;
  };

  const wait = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const stop = (): void => {
        waiting.isGone = true;
        leave();
        reject(signal.reason);
      };
      const start = (): void => {
        signal.removeEventListener('abort', stop);
        leave();
        resolve();
      };
      const waiting: Waiting = { start, isGone: false, next: undefined };
      signal.addEventListener('abort', stop, { once: true });
      if (last === undefined) first = waiting;
      else last.next = waiting;
      last = waiting;
      waitingCount += 1;
      startWaiting();
    });

  return async (call, signal) => {
    await wait(signal);
    try {
      return await call();
    } finally {
      running -= 1;
      startWaiting();
    }
  };
}
