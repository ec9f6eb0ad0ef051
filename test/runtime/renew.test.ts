import { beforeEach, describe, expect, test } from 'vitest';
import { type ErrorCode, SessionBrokerError } from '../../lib/errors.ts';
import { type RenewalRequest, renewing } from '../../lib/runtime/renew.ts';
import { rejectionOf } from '../support/refusal.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Numbered {
  readonly number: number;
  readonly expiration: Date;
}

let time: number;
let chance: number;
let calls: { readonly finish: (outcome?: ErrorCode) => Promise<void> }[];
let provide: (request?: RenewalRequest) => Promise<Numbered>;

/** Credentials of `life`, numbered, each obtained when the test says so. */
function start(life = HOUR): void {
  time = 0;
  chance = 0;
  calls = [];
  const obtain = (): Promise<Numbered> =>
    new Promise((resolve, reject) => {
      const number = calls.length + 1;
      calls.push({
        finish: async (outcome) => {
          if (outcome === undefined) resolve({ number, expiration: new Date(time + life) });
          else reject(new SessionBrokerError(outcome, `renewal ${number} failed`));
          await new Promise(setImmediate);
        },
      });
    });
  provide = renewing(obtain, { now: () => time, random: () => chance, longestLife: life });
}

/** Starts, and obtains the first credentials at time 0. */
async function begin(life = HOUR): Promise<void> {
  start(life);
  const first = provide();
  await finish(1);
  expect(await first).toMatchObject({ number: 1 });
}

async function finish(number: number, outcome?: ErrorCode): Promise<void> {
  const call = calls[number - 1];
  if (call === undefined) throw new Error(`there is no call ${number}`);
  await call.finish(outcome);
}

describe('the first call', () => {
  beforeEach(() => start());

  test('is one for any number of waiting callers', async () => {
    const callers = Array.from({ length: 1000 }, () => provide());
    await finish(1);
    const credentials = await Promise.all(callers);
    expect(new Set(credentials)).toEqual(new Set([credentials[0]]));
    expect(calls).toHaveLength(1);
  });

  test('fails for all waiting callers, and the next caller tries again', async () => {
    const callers = [provide(), provide()].map(rejectionOf);
    await finish(1, 'Throttled');
    for (const error of await Promise.all(callers)) expect(error.message).toBe('renewal 1 failed');
    const next = provide();
    await finish(2);
    expect(await next).toMatchObject({ number: 2 });
  });
});

describe('renewal', () => {
  test.each([
    ['an hour: half of it', HOUR, 0, 30 * MINUTE],
    ['half an hour: 16 minutes before the end', 30 * MINUTE, 0, 14 * MINUTE],
    ['an hour, jittered: up to a tenth of it earlier', HOUR, 0.5, 27 * MINUTE],
  ])('begins in time for a life of %s', async (_, life, jitter, begins) => {
    start(life);
    chance = jitter;
    const first = provide();
    await finish(1);
    await first;
    time = begins - 1;
    await provide();
    expect(calls).toHaveLength(1);
    time = begins;
    await provide();
    expect(calls).toHaveLength(2);
  });

  test('runs once behind what is held, which is returned at once', async () => {
    await begin();
    time = 31 * MINUTE;
    expect(await Promise.all([provide(), provide(), provide()])).toMatchObject([
      { number: 1 },
      { number: 1 },
      { number: 1 },
    ]);
    expect(calls).toHaveLength(2);
    await finish(2);
    expect(await provide()).toMatchObject({ number: 2 });
    expect(calls).toHaveLength(2);
  });

  test.each([15 * MINUTE, MINUTE, 1])('is waited for when %d ms remain', async (left) => {
    await begin();
    time = HOUR - left;
    const callers = [provide(), provide()];
    await finish(2);
    expect(await Promise.all(callers)).toMatchObject([{ number: 2 }, { number: 2 }]);
    expect(calls).toHaveLength(2);
  });

  test('that already runs is waited for when 15 minutes or less remain', async () => {
    await begin();
    time = 31 * MINUTE;
    await provide();
    time = 46 * MINUTE;
    const caller = provide();
    await finish(2);
    expect(await caller).toMatchObject({ number: 2 });
    expect(calls).toHaveLength(2);
  });

  test('goes on for as long as it is asked for', async () => {
    await begin();
    for (let round = 2; round <= 50; round += 1) {
      time += 31 * MINUTE;
      await provide();
      await finish(round);
      expect(await provide()).toMatchObject({ number: round });
    }
  });
});

describe('fails to renew', () => {
  test('and what is held is returned as long as it lives', async () => {
    await begin();
    time = HOUR - 1;
    const caller = provide();
    await finish(2, 'Throttled');
    expect(await caller).toMatchObject({ number: 1 });
  });

  test('behind what is held without an unhandled rejection, and tries again after a pause that grows', async () => {
    await begin();
    time = 31 * MINUTE;
    await provide();
    for (const pause of [2, 4, 8, 16, 32, 60, 60]) {
      const { length } = calls;
      await finish(length, 'Unavailable');
      time += pause * 1000 - 1;
      expect(await provide()).toMatchObject({ number: 1 });
      expect(calls).toHaveLength(length);
      time += 1;
      expect(await provide()).toMatchObject({ number: 1 });
      expect(calls).toHaveLength(length + 1);
    }
  });

  test('and pauses up to half less by chance', async () => {
    await begin();
    time = 31 * MINUTE;
    chance = 0.999;
    await provide();
    await finish(2, 'Unavailable');
    time += 1002;
    await provide();
    expect(calls).toHaveLength(3);
  });

  test('in a pause of the last 15 minutes, what is held is returned without a wait', async () => {
    await begin();
    time = 50 * MINUTE;
    const caller = provide();
    await finish(2, 'Throttled');
    await caller;
    time += 1000;
    expect(await provide()).toMatchObject({ number: 1 });
    expect(calls).toHaveLength(2);
  });

  test('and a success ends the pauses', async () => {
    await begin();
    time = 31 * MINUTE;
    await provide();
    await finish(2, 'Unavailable');
    time += 2000;
    await provide();
    await finish(3);
    time += 31 * MINUTE;
    await provide();
    await finish(4, 'Unavailable');
    time += 2000;
    await provide();
    expect(calls).toHaveLength(5);
  });

  test.each<ErrorCode>(['AssumeRoleDenied', 'SetSourceIdentityDenied', 'SourceIdentityMismatch'])(
    'with %s and is not tried again before expiry',
    async (code) => {
      await begin();
      time = 31 * MINUTE;
      await provide();
      await finish(2, code);
      time = HOUR - 1;
      expect(await provide()).toMatchObject({ number: 1 });
      expect(calls).toHaveLength(2);
      time = HOUR;
      const caller = rejectionOf(provide());
      await finish(3, code);
      expect((await caller).code).toBe(code);
    },
  );

  test('by the time of expiry, and then with the error and nothing else', async () => {
    await begin();
    time = HOUR - MINUTE;
    const caller = rejectionOf(provide());
    time = HOUR;
    await finish(2, 'Unavailable');
    expect(await caller).toMatchObject({ code: 'Unavailable', message: 'renewal 2 failed' });
    time = HOUR + 1;
    const late = rejectionOf(provide());
    await finish(3, 'Throttled');
    expect(await late).toMatchObject({ code: 'Throttled', message: 'renewal 3 failed' });
  });
});

describe('a forced refresh', () => {
  test('obtains new credentials whatever is left, in a pause too', async () => {
    await begin();
    time = 31 * MINUTE;
    await provide();
    await finish(2, 'AssumeRoleDenied');
    const caller = provide({ forceRefresh: true });
    await finish(3);
    expect(await caller).toMatchObject({ number: 3 });
    expect(await provide({ forceRefresh: false })).toMatchObject({ number: 3 });
  });

  test('shares a renewal that runs', async () => {
    await begin();
    time = 31 * MINUTE;
    await provide();
    const caller = provide({ forceRefresh: true });
    await finish(2);
    expect(await caller).toMatchObject({ number: 2 });
    expect(calls).toHaveLength(2);
  });

  test('fails with the error, and what is held stays', async () => {
    await begin();
    time = MINUTE;
    const caller = rejectionOf(provide({ forceRefresh: true }));
    await finish(2, 'Throttled');
    expect((await caller).code).toBe('Throttled');
    expect(await provide()).toMatchObject({ number: 1 });
  });
});
