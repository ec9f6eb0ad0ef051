import type { SessionBrokerOptions } from '../../../lib/runtime/index.ts';
import { LONGEST_ATTEMPT, type Schedule, type Timing } from '../../../lib/runtime/timing.ts';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Clocks and timers that only a test moves. */
export interface SimulatedTime extends Timing {
  /** Moves on, and runs each timer at its time, in order, when all that came before it is settled. */
  advance(milliseconds: number): Promise<void>;
  /** Sets the time of day, not the other clock. */
  set(now: number): void;
  /** Milliseconds from now to each timer, in order. */
  timers(): readonly number[];
  chance: number;
}

/** The options that put a session broker into simulated time. */
export function optionsOf(time: SimulatedTime): Required<Pick<SessionBrokerOptions, 'now' | 'random' | 'schedule'>> {
  return { now: time.now, random: () => time.random(), schedule: time.schedule };
}

/** Timers that are due at once, but for the ends of attempts. */
export const immediately: Schedule = (run, milliseconds) => {
  if (milliseconds >= LONGEST_ATTEMPT) return () => {};
  const timer = setImmediate(run);
  return () => clearImmediate(timer);
};

interface Simulation {
  /** Whether something real is under way, such as a request. */
  readonly isBusy?: () => boolean;
  /** Timers run at multiples of this many milliseconds alone, those of one tick together. */
  readonly tick?: number;
}

/** @param begin milliseconds since the epoch */
export function createSimulatedTime(begin = 0, { isBusy = () => false, tick }: Simulation = {}): SimulatedTime {
  const timers: Timer[] = [];
  let elapsed = 0;
  let offset = begin;

  const settle = async (): Promise<void> => {
    do await new Promise(setImmediate);
    while (isBusy());
  };
  return {
    chance: 0,
    now: () => elapsed + offset,
    elapsed: () => elapsed,
    random() {
      return this.chance;
    },
    schedule(run, milliseconds) {
      const due = elapsed + milliseconds;
      const timer = { at: tick === undefined ? due : Math.ceil(due / tick) * tick, run };
      timers.splice(placeOf(timer, timers), 0, timer);
      return () => {
        const index = timers.indexOf(timer);
        if (index >= 0) timers.splice(index, 1);
      };
    },
    async advance(milliseconds) {
      const end = elapsed + milliseconds;
      await settle();
      for (let next = timers[0]; next !== undefined && next.at <= end; next = timers[0]) {
        timers.shift();
        elapsed = Math.max(elapsed, next.at);
        next.run();
        if (tick === undefined || timers[0]?.at !== next.at) await settle();
      }
      elapsed = end;
    },
    set(now) {
      offset = now - elapsed;
    },
    timers: () => timers.map(({ at }) => at - elapsed),
  };
}

/** Behind all timers that are due before it or with it. */
function placeOf({ at }: Timer, timers: readonly Timer[]): number {
  let low = 0;
  let high = timers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((timers[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
