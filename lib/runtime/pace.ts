import { SessionBrokerError } from '../errors.ts';
import type { Timing } from './timing.ts';

/** How often, and how many at a time. */
export interface PaceLimits {
  readonly callsPerSecond: number;
  readonly callsAtOnce: number;
}

/** What waits for what: a renewal is never behind calls of another kind. */
export type Urgency = 'renewal' | 'other';

/** Starts calls no faster than its limits, renewals first, and else in the order in which they came. */
export type Pace = <Result>(call: () => Promise<Result>, signal: AbortSignal, urgency: Urgency) => Promise<Result>;

/** What may start at once after a rest: the calls of this many seconds. Timers are about a millisecond late. */
const BURST_SECONDS = 0.02;

/** A call that is throttled divides the rate by this. */
const SLOWDOWN = 2;

/** The slowest, in calls a second. */
const LEAST_RATE = 1;

/** From nothing the rate would be back at its limit after this many seconds. */
const RECOVERY_SECONDS = 60;

/** A call that waits. */
interface Waiting {
  readonly start: () => void;
  /** Set when it was given up. */
  isGone: boolean;
  next: Waiting | undefined;
}

/** First come, first served. */
interface Queue {
  first: Waiting | undefined;
  last: Waiting | undefined;
}

/**
 * A generic cell rate algorithm with two queues: each call that starts moves the time of the next by one interval,
 * and that time lies at most one burst behind the clock. Others use the same quota: a call that is throttled halves
 * the rate, which then grows evenly back to its limit. Calls that had started before the rate fell do not count.
 */
export function createPace({ callsPerSecond, callsAtOnce }: PaceLimits, { elapsed, schedule }: Timing): Pace {
  const queues: Readonly<Record<Urgency, Queue>> = { renewal: createQueue(), other: createQueue() };
  let running = 0;
  let nextStart = Number.NEGATIVE_INFINITY;
  let waitingCount = 0;
  let cancelTimer: (() => void) | undefined;
  let slowRate = callsPerSecond;
  let slowedAt = Number.NEGATIVE_INFINITY;

  const rateAt = (time: number): number =>
    Math.min(callsPerSecond, slowRate + ((time - slowedAt) / 1000) * (callsPerSecond / RECOVERY_SECONDS));

  const slowDown = (): void => {
    const time = elapsed();
    slowRate = Math.max(LEAST_RATE, rateAt(time) / SLOWDOWN);
    slowedAt = time;
  };

  const leave = (): void => {
    waitingCount -= 1;
    if (waitingCount > 0) return;
    cancelTimer?.();
    cancelTimer = undefined;
  };

  const startWaiting = (): void => {
    while (waitingCount > 0 && running < callsAtOnce) {
      const time = elapsed();
      if (nextStart > time) {
        cancelTimer ??= schedule(() => {
          cancelTimer = undefined;
          startWaiting();
        }, nextStart - time);
        return;
      }
      const interval = 1000 / rateAt(time);
      const burst = Math.max(BURST_SECONDS * 1000, interval) - interval;
      nextStart = Math.max(nextStart, time - burst) + interval;
      running += 1;
      (take(queues.renewal) ?? take(queues.other))?.start();
    }
  };

  const wait = (signal: AbortSignal, queue: Queue): Promise<void> =>
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
      join(queue, waiting);
      waitingCount += 1;
      startWaiting();
    });

  return async (call, signal, urgency) => {
    await wait(signal, queues[urgency]);
    const startedAt = elapsed();
    try {
      return await call();
    } catch (error) {
      if (startedAt > slowedAt && isThrottled(error)) slowDown();
      throw error;
    } finally {
      running -= 1;
      startWaiting();
    }
  };
}

function isThrottled(error: unknown): boolean {
  return error instanceof SessionBrokerError && error.code === 'Throttled';
}

function createQueue(): Queue {
  return { first: undefined, last: undefined };
}

function join(queue: Queue, waiting: Waiting): void {
  if (queue.last === undefined) queue.first = waiting;
  else queue.last.next = waiting;
  queue.last = waiting;
}

/** The first that still waits. */
function take(queue: Queue): Waiting | undefined {
  for (;;) {
    const { first } = queue;
    queue.first = first?.next;
    if (queue.first === undefined) queue.last = undefined;
    if (first === undefined || !first.isGone) return first;
  }
}
