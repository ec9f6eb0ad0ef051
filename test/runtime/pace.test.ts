import { beforeEach, describe, expect, test } from 'vitest';
import { SessionBrokerError } from '../../lib/errors.ts';
import { createPace, type Pace } from '../../lib/runtime/pace.ts';
import { createSimulatedTime, type SimulatedTime } from './support/simulated-time.ts';

/** The signal of a call that nobody gives up. */
const never = () => new AbortController().signal;

let time: SimulatedTime;
let started: { readonly number: number; readonly at: number; readonly finish: (error?: Error) => void }[];
beforeEach(() => {
  time = createSimulatedTime();
  started = [];
});

/** A call that notes when it starts, and ends when the test says so. */
const call = (number: number) => (): Promise<number> =>
  new Promise((resolve, reject) => {
    started.push({ number, at: time.now(), finish: (error) => (error ? reject(error) : resolve(number)) });
  });

/** A call that ends as soon as it starts. */
const quick = (number: number) => async (): Promise<void> => {
  started.push({ number, at: time.now(), finish: () => {} });
};

const startAll = (pace: Pace, count: number, make: (number: number) => () => Promise<unknown>) =>
  Array.from({ length: count }, (_, number) => pace(make(number), never(), 'other'));

describe('a pace', () => {
  test.each([1, 20, 300, 600])('starts at most %d calls in any second, and a little burst', async (callsPerSecond) => {
    const pace = createPace({ callsPerSecond, callsAtOnce: 1000 }, time);
    const calls = Promise.all(startAll(pace, 2 * callsPerSecond, quick));
    await time.advance(2000);
    await calls;
    const most = callsPerSecond + Math.max(1, callsPerSecond / 50);
    started.forEach(({ at }, index) => {
      expect((started[index + most]?.at ?? Number.POSITIVE_INFINITY) - at).toBeGreaterThanOrEqual(1000);
    });
    expect(started.at(-1)?.at).toBeGreaterThan(2000 - 21 - 1000 / callsPerSecond);
  });

  test('starts calls in the order in which they came', async () => {
    const pace = createPace({ callsPerSecond: 100, callsAtOnce: 3 }, time);
    const calls = startAll(pace, 50, quick);
    await time.advance(1000);
    await Promise.all(calls);
    expect(started.map(({ number }) => number)).toEqual(Array.from({ length: 50 }, (_, number) => number));
  });

  test('starts renewals before all else, whatever came first', async () => {
    const pace = createPace({ callsPerSecond: 100, callsAtOnce: 50 }, time);
    const given = new AbortController();
    void startAll(pace, 10, quick);
    void pace(quick(100), never(), 'renewal');
    const calls = [pace(quick(101), given.signal, 'renewal'), pace(quick(102), never(), 'renewal')] as const;
    given.abort(new Error('given up'));
    await expect(calls[0]).rejects.toThrow('given up');
    await time.advance(1000);
    expect(started.map(({ number }) => number)).toEqual([0, 1, 100, 102, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  describe('when calls are throttled', () => {
    const throttled = (number: number) => async (): Promise<void> => {
      started.push({ number, at: time.now(), finish: () => {} });
      await new Promise<void>((resolve) => void time.schedule(resolve, 100));
      throw new SessionBrokerError('Throttled', 'too many');
    };
    const startedFrom = (begin: number, milliseconds: number) =>
      started.filter(({ at }) => at >= begin && at < begin + milliseconds).length;

    test('halves its rate once for all that were under way, and grows back to its limit in time', async () => {
      const pace = createPace({ callsPerSecond: 300, callsAtOnce: 50 }, time);
      const refused = Promise.allSettled(startAll(pace, 30, throttled));
      await time.advance(1000);
      expect((await refused).every(({ status }) => status === 'rejected')).toBe(true);
      started.length = 0;
      const calls = startAll(pace, 20_000, quick);
      await time.advance(60_000);
      expect(startedFrom(1000, 1000)).toBeGreaterThan(150);
      expect(startedFrom(1000, 1000)).toBeLessThan(170);
      expect(startedFrom(59_000, 1000)).toBeGreaterThan(295);
      expect(startedFrom(59_000, 1000)).toBeLessThanOrEqual(306);
      await time.advance(60_000);
      await Promise.all(calls);
    });

    test('never starts fewer than one a second', async () => {
      const pace = createPace({ callsPerSecond: 1, callsAtOnce: 50 }, time);
      const refused = Promise.allSettled(startAll(pace, 10, throttled));
      await time.advance(10_000);
      await refused;
      expect(started).toHaveLength(10);
    });

    test('takes no other failure for a reason', async () => {
      const pace = createPace({ callsPerSecond: 100, callsAtOnce: 50 }, time);
      const failing = () => () => Promise.reject(new SessionBrokerError('Unavailable', 'away'));
      await Promise.allSettled(startAll(pace, 1, failing));
      void startAll(pace, 200, quick);
      await time.advance(1000);
      expect(started.length).toBeGreaterThan(98);
    });
  });

  test('saves up no more than a burst while nothing is asked', async () => {
    const pace = createPace({ callsPerSecond: 300, callsAtOnce: 1000 }, time);
    await time.advance(3_600_000);
    void startAll(pace, 300, quick);
    await time.advance(0);
    expect(started.length).toBeGreaterThan(4);
    expect(started.length).toBeLessThan(7);
  });

  test('makes up for timers that are late, no more than a burst', async () => {
    const pace = createPace({ callsPerSecond: 300, callsAtOnce: 1000 }, { ...time, schedule: lateBy(10) });
    const calls = startAll(pace, 300, quick);
    await time.advance(1010);
    await Promise.all(calls);
    expect(started).toHaveLength(300);
  });

  const lateBy =
    (late: number): SimulatedTime['schedule'] =>
    (run, milliseconds) =>
      time.schedule(run, milliseconds + late);

  test('has no more calls under way than its limit, and goes on as they end, however they end', async () => {
    const pace = createPace({ callsPerSecond: 600, callsAtOnce: 2 }, time);
    const [first, second, third] = startAll(pace, 3, call);
    await time.advance(1000);
    expect(started.map(({ number }) => number)).toEqual([0, 1]);
    started[0]?.finish(new Error('refused'));
    await expect(first).rejects.toThrow('refused');
    await time.advance(0);
    expect(started.map(({ number }) => number)).toEqual([0, 1, 2]);
    started[1]?.finish();
    started[2]?.finish();
    expect(await Promise.all([second, third])).toEqual([1, 2]);
  });

  test('lets a waiting call be given up, and the next takes its turn', async () => {
    const pace = createPace({ callsPerSecond: 1, callsAtOnce: 1 }, time);
    const given = new AbortController();
    const calls = [
      pace(quick(0), never(), 'other'),
      pace(quick(1), given.signal, 'other'),
      pace(quick(2), never(), 'other'),
    ] as const;
    given.abort(new Error('given up'));
    await expect(calls[1]).rejects.toThrow('given up');
    await time.advance(1000);
    expect(started).toMatchObject([
      { number: 0, at: 0 },
      { number: 2, at: 1000 },
    ]);
    await expect(pace(quick(3), given.signal, 'other')).rejects.toThrow('given up');
  });

  test('takes calls again after all that waited were given up', async () => {
    const pace = createPace({ callsPerSecond: 1, callsAtOnce: 1 }, time);
    const given = new AbortController();
    const calls = [pace(quick(0), never(), 'other'), pace(quick(1), given.signal, 'other')] as const;
    await time.advance(0);
    expect(time.timers()).toHaveLength(1);
    given.abort(new Error('given up'));
    await expect(calls[1]).rejects.toThrow('given up');
    expect(time.timers()).toEqual([]);
    await time.advance(5000);
    await pace(quick(2), never(), 'other');
    expect(started.map(({ number }) => number)).toEqual([0, 2]);
  });
});
