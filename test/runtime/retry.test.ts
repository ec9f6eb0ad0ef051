import { beforeEach, describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode, SessionBrokerError } from '../../lib/errors.ts';
import { createRetry } from '../../lib/runtime/retry.ts';
import { rejectionOf } from '../support/refusal.ts';
import { createSimulatedTime, type SimulatedTime } from './support/simulated-time.ts';

let time: SimulatedTime;
let attempts: number[];
beforeEach(() => {
  time = createSimulatedTime();
  time.chance = 0.999;
  attempts = [];
});

/** The signal of a call that nobody gives up. */
const never = () => new AbortController().signal;

/** A call that fails in turn with these codes and then succeeds; notes when it is attempted. */
const failing = (codes: Iterable<ErrorCode>) => {
  const outcomes = codes[Symbol.iterator]();
  return async (): Promise<string> => {
    attempts.push(time.now());
    const { value, done } = outcomes.next();
    if (done) return 'done';
    throw new SessionBrokerError(value, `attempt ${attempts.length}`);
  };
};

function* always(code: ErrorCode): Generator<ErrorCode, undefined> {
  for (;;) yield code;
}

const MINUTE = 60_000;

describe('a call that failed', () => {
  test('for too many calls is tried again after waits that double, by chance, up to 8 seconds', async () => {
    const call = createRetry(time)(failing(Array(6).fill('Throttled')), never());
    await time.advance(MINUTE);
    expect(await call).toBe('done');
    const waits = attempts.slice(1).map((at, index) => Math.round(at - (attempts[index] ?? 0)));
    expect(waits).toEqual([500, 1000, 1999, 3998, 7996, 7996]);
  });

  test('for too many calls is tried again after half of the wait at least', async () => {
    time.chance = 0;
    const call = createRetry(time)(failing(['Throttled']), never());
    await time.advance(250);
    expect(await call).toBe('done');
    expect(attempts).toEqual([0, 250]);
  });

  test.each([0, 0.25, 0.5, 0.75, 0.999])(
    'for too many calls is given up within 30 seconds, by chance %d',
    async (chance) => {
      time.chance = chance;
      const call = rejectionOf(createRetry(time)(failing(always('Throttled')), never()));
      await time.advance(MINUTE);
      expect((await call).message).toBe(`attempt ${attempts.length}`);
      expect(attempts.at(-1)).toBeLessThanOrEqual(30_000);
      expect(attempts.at(-1)).toBeGreaterThan(22_000);
    },
  );

  test('for too many calls is tried again however long it waited for its turn', async () => {
    const turns = failing(['Throttled', 'Throttled']);
    const call = createRetry(time)(async () => {
      await new Promise<void>((resolve) => void time.schedule(resolve, MINUTE));
      return turns();
    }, never());
    await time.advance(4 * MINUTE);
    expect(await call).toBe('done');
  });

  test.each<ErrorCode>(['Unavailable', 'ResponseInvalid'])('with %s is tried three times in all', async (code) => {
    const call = createRetry(time)(failing([code, code]), never());
    await time.advance(MINUTE);
    expect(await call).toBe('done');
    expect(attempts.map(Math.round)).toEqual([0, 200, 600]);
    const lost = rejectionOf(createRetry(time)(failing([code, code, code]), never()));
    await time.advance(MINUTE);
    expect((await lost).code).toBe(code);
    expect(attempts).toHaveLength(6);
  });

  test('in different ways is tried as often as each allows', async () => {
    const call = rejectionOf(
      createRetry(time)(failing(['Unavailable', 'Throttled', 'ClockSkew', 'ResponseInvalid', 'Unavailable']), never()),
    );
    await time.advance(MINUTE);
    expect((await call).message).toBe('attempt 5');
  });

  test.each<ErrorCode>(['ClockSkew', 'DispatcherCredentialsRejected'])(
    'with %s is tried once more, at once',
    async (code) => {
      const call = createRetry(time)(failing([code]), never());
      await time.advance(0);
      expect(await call).toBe('done');
      const lost = rejectionOf(createRetry(time)(failing([code, code]), never()));
      await time.advance(0);
      expect((await lost).message).toBe('attempt 4');
    },
  );

  const TRIED_AGAIN: readonly string[] = [
    'Throttled',
    'Unavailable',
    'ResponseInvalid',
    'ClockSkew',
    'DispatcherCredentialsRejected',
  ];
  test('with any other code is not tried again', async () => {
    for (const code of (Object.keys(ERRORS) as ErrorCode[]).filter((name) => !TRIED_AGAIN.includes(name))) {
      expect((await rejectionOf(createRetry(time)(failing([code]), never()))).code).toBe(code);
    }
    expect(time.timers()).toEqual([]);
  });

  test('with an error of another kind is not tried again', async () => {
    const call = createRetry(time)(() => Promise.reject(new TypeError('a bug')), never());
    await expect(call).rejects.toThrow('a bug');
  });

  test('is given up at once when the reason to make it ends, and leaves no timer', async () => {
    const end = new AbortController();
    const call = createRetry(time)(failing(always('Throttled')), end.signal);
    await time.advance(100);
    expect(time.timers()).toHaveLength(1);
    end.abort(new Error('closed'));
    await expect(call).rejects.toThrow('closed');
    expect(time.timers()).toEqual([]);
  });

  test('while the reason to make it ended is not made again', async () => {
    const end = new AbortController();
    const call = createRetry(time)(async () => {
      end.abort(new Error('closed'));
      throw new SessionBrokerError('Throttled', 'too many');
    }, end.signal);
    await expect(call).rejects.toThrow('closed');
  });
});
