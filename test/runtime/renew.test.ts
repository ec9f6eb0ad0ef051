import { beforeEach, describe, expect, test } from 'vitest';
import { type ErrorCode, SessionBrokerError } from '../../lib/errors.ts';
import { Renewal, type RenewalRequest } from '../../lib/runtime/renew.ts';
import { createTiming } from '../../lib/runtime/timing.ts';
import { rejectionOf } from '../support/refusal.ts';
import { createSimulatedTime, type SimulatedTime } from './support/simulated-time.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What AWS says of something that every renewal repeats. */
const REFUSALS: readonly ErrorCode[] = [
  'AssumeRoleDenied',
  'SetSourceIdentityDenied',
  'SourceIdentityMismatch',
  'RequestRejected',
  'RegionDisabled',
  'SessionPolicyInvalid',
  'SessionPolicyTooLarge',
];

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
  const timing = createTiming({ now: () => time, random: () => chance, schedule: () => () => {} });
  const renewal = new Renewal({ obtain, timing, longestLife: life, isTimed: false });
  provide = (request) => renewal.provide(request);
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

  test.each<[ErrorCode]>([['ClockSkew'], ['DispatcherCredentialsRejected'], ['ParameterInvalid']])(
    'with %s, and what is held is renewed by a later call',
    async (code) => {
      await begin();
      time = 31 * MINUTE;
      await provide();
      await finish(2, code);
      time += 2000;
      await provide();
      await finish(3);
      expect(await provide()).toMatchObject({ number: 3 });
    },
  );

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

  test.each(REFUSALS)('with %s and is not tried again before expiry', async (code) => {
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
  });

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

describe('with a timer', () => {
  interface Call {
    readonly at: number;
    readonly isRenewal: boolean;
    readonly signal: AbortSignal;
    readonly finish: (outcome?: ErrorCode, lives?: number) => Promise<void>;
  }

  let clock: SimulatedTime;
  let asked: Call[];
  let renewal: Renewal<Numbered>;
  /** What STS does with a call by itself; undefined leaves it to the test. */
  let answer: (() => ErrorCode | 'success') | undefined;

  beforeEach(() => {
    clock = createSimulatedTime(Date.parse('2026-03-01T12:00:00Z'));
    asked = [];
    answer = undefined;
    renewal = new Renewal({ obtain, timing: clock, longestLife: HOUR, isTimed: true });
  });

  function obtain(signal: AbortSignal, isRenewal: boolean): Promise<Numbered> {
    return new Promise((resolve, reject) => {
      const number = asked.length + 1;
      const finish = async (outcome?: ErrorCode, lives = HOUR): Promise<void> => {
        if (outcome === undefined) resolve({ number, expiration: new Date(clock.now() + lives) });
        else reject(new SessionBrokerError(outcome, `call ${number} failed`));
        await clock.advance(0);
      };
      asked.push({ at: clock.elapsed(), isRenewal, signal, finish });
      const outcome = answer?.();
      if (outcome !== undefined) void finish(outcome === 'success' ? undefined : outcome);
    });
  }

  async function open(): Promise<void> {
    const first = renewal.provide();
    await asked[0]?.finish();
    await first;
  }

  const last = (): Call => asked.at(-1) as Call;

  test('nothing is asked before the first call', async () => {
    await clock.advance(24 * HOUR);
    expect(asked).toEqual([]);
    expect(renewal.current()).toBeUndefined();
    expect(renewal.expires).toBeUndefined();
  });

  test('a renewal begins at its time though nobody asks, again and again', async () => {
    answer = () => 'success';
    await renewal.provide();
    await clock.advance(24 * HOUR);
    expect(asked.map(({ at }) => at / MINUTE)).toEqual(Array.from({ length: 49 }, (_, index) => 30 * index));
    expect(asked.map(({ isRenewal }) => isRenewal)).toEqual([false, ...Array(48).fill(true)]);
    expect(renewal.current()).toMatchObject({ number: 49 });
    expect(clock.timers()).toHaveLength(1);
  });

  test('begins earlier by chance, by up to a tenth of the life', async () => {
    clock.chance = 0.5;
    await open();
    expect(clock.timers()).toEqual([27 * MINUTE]);
  });

  test('what is current has more than 15 minutes left, and is the same object for a call', async () => {
    await open();
    expect(renewal.current()).toBe(await renewal.provide());
    expect(renewal.expires).toBe(clock.now() + HOUR);
    await clock.advance(45 * MINUTE - 1);
    expect(renewal.current()).toMatchObject({ number: 1 });
    await clock.advance(1);
    expect(renewal.current()).toBeUndefined();
  });

  test('a cached call gives every caller the same promise', async () => {
    await open();
    expect(renewal.provide()).toBe(renewal.provide({ forceRefresh: false }));
  });

  test('a call does what a timer that does not run should have done', async () => {
    renewal = new Renewal({
      obtain,
      timing: { ...clock, schedule: () => () => {} },
      longestLife: HOUR,
      isTimed: true,
    });
    await open();
    await clock.advance(31 * MINUTE);
    expect(await renewal.provide()).toMatchObject({ number: 1 });
    await last().finish();
    expect(await renewal.provide()).toMatchObject({ number: 2 });
  });

  test('a renewal on a call moves the timer', async () => {
    await open();
    await clock.advance(10 * MINUTE);
    const forced = renewal.provide({ forceRefresh: true });
    expect(clock.timers()).toEqual([]);
    await last().finish();
    await forced;
    expect(clock.timers()).toEqual([30 * MINUTE]);
  });

  test('a fault that passes is tried again after pauses that grow, before expiry and after it', async () => {
    await open();
    answer = () => 'Unavailable';
    await clock.advance(70 * MINUTE);
    const pauses = asked.slice(2).map(({ at }, index) => (at - (asked[index + 1]?.at ?? 0)) / 1000);
    expect(pauses.slice(0, 7)).toEqual([2, 4, 8, 16, 32, 60, 60]);
    expect(new Set(pauses.slice(7))).toEqual(new Set([60]));
    expect(asked.length).toBeGreaterThan(40);
    answer = () => 'success';
    await clock.advance(MINUTE);
    expect(renewal.current()).toMatchObject({ number: asked.length });
  });

  test('a fault that passes at the first call is tried again, so that a session comes up by itself', async () => {
    const first = rejectionOf(renewal.provide());
    await last().finish('Throttled');
    expect((await first).code).toBe('Throttled');
    answer = () => 'success';
    await clock.advance(2000);
    expect(renewal.current()).toMatchObject({ number: 2 });
  });

  test.each(REFUSALS)(
    'a renewal that fails with %s is not tried again before expiry, and then only when somebody asks',
    async (code) => {
      await open();
      await clock.advance(30 * MINUTE);
      await last().finish(code);
      await clock.advance(10 * HOUR);
      expect(asked).toHaveLength(2);
      const caller = rejectionOf(renewal.provide());
      await last().finish(code);
      expect((await caller).message).toBe('call 3 failed');
      await clock.advance(10 * HOUR);
      expect(asked).toHaveLength(3);
    },
  );

  test.each<ErrorCode>(['DispatcherCredentialsRejected', 'DispatcherCredentialsMissing', 'ClockSkew'])(
    'with %s, which is put right meanwhile, it is tried again each minute, before expiry and after it',
    async (code) => {
      await open();
      answer = () => code;
      await clock.advance(3 * HOUR);
      expect(asked.length).toBeGreaterThan(150);
      answer = () => 'success';
      await clock.advance(MINUTE);
      expect(renewal.current()).toMatchObject({ number: asked.length });
    },
  );

  test('any other fault is tried again before expiry, and then only when somebody asks', async () => {
    await open();
    answer = () => 'ParameterNotFound';
    await clock.advance(HOUR + MINUTE);
    const { length } = asked;
    expect(length).toBeGreaterThan(30);
    await clock.advance(10 * HOUR);
    expect(asked).toHaveLength(length);
  });

  describe('with 15 minutes or less left', () => {
    /** What a caller has by now. */
    const by = async (caller: Promise<Numbered>, milliseconds: number): Promise<number | undefined> => {
      let number: number | undefined;
      void caller.then((credentials) => {
        number = credentials.number;
      });
      await clock.advance(milliseconds);
      return number;
    };

    /** A session whose timer does not run, so that the renewal begins with a call. */
    async function openUntimed(left: number): Promise<void> {
      renewal = new Renewal({ obtain, timing: clock, longestLife: HOUR, isTimed: false });
      await open();
      await clock.advance(HOUR - left);
    }

    test('a caller waits 5 seconds for a renewal, and then gets what is held', async () => {
      await openUntimed(10 * MINUTE);
      const caller = renewal.provide();
      expect(await by(caller, 4999)).toBeUndefined();
      expect(await by(caller, 1)).toBe(1);
      expect(await by(renewal.provide(), 0)).toBe(1);
      await last().finish();
      expect(await renewal.provide()).toMatchObject({ number: 2 });
      expect(asked).toHaveLength(2);
    });

    test('a caller waits for the next renewal as well, after one that took too long', async () => {
      await openUntimed(10 * MINUTE);
      expect(await by(renewal.provide(), 5000)).toBe(1);
      await last().finish();
      await clock.advance(50 * MINUTE);
      const caller = renewal.provide();
      await last().finish();
      expect(await caller).toMatchObject({ number: 3 });
    });

    test('a caller who comes later waits until 5 seconds after the renewal began', async () => {
      await open();
      await clock.advance(50 * MINUTE); // the timer has begun one
      expect(await by(renewal.provide(), 0)).toBe(1);
      expect(asked).toHaveLength(2);
    });

    test('any number of callers wait by one timer, which ends with the renewal', async () => {
      await openUntimed(10 * MINUTE);
      const callers = Array.from({ length: 100 }, () => renewal.provide());
      expect(clock.timers()).toEqual([5000]);
      await last().finish();
      expect(new Set(await Promise.all(callers)).size).toBe(1);
      expect(clock.timers()).toEqual([]);
    });

    test('a caller never gets what expires while it waits', async () => {
      await openUntimed(3000);
      const caller = renewal.provide();
      expect(await by(caller, MINUTE)).toBeUndefined();
      await last().finish();
      expect(await caller).toMatchObject({ number: 2 });
    });
  });

  test.each([
    ['1 to 5 seconds by chance: the least', 0, 1000],
    ['1 to 5 seconds by chance: the most', 0.99, 4960],
  ])('without live credentials a failure is the answer to further callers for %s', async (_, chance, remembered) => {
    clock.chance = chance;
    const first = rejectionOf(renewal.provide());
    await last().finish('AssumeRoleDenied');
    await first;
    await clock.advance(remembered - 1);
    for (let caller = 0; caller < 4; caller += 1) {
      expect((await rejectionOf(renewal.provide())).message).toBe('call 1 failed');
    }
    expect(asked).toHaveLength(1);
    await clock.advance(1);
    const next = rejectionOf(renewal.provide());
    await last().finish('AssumeRoleDenied');
    expect((await next).message).toBe('call 2 failed');
  });

  test('a forced refresh asks whatever has just failed', async () => {
    const first = rejectionOf(renewal.provide());
    await last().finish('AssumeRoleDenied');
    await first;
    const forced = renewal.provide({ forceRefresh: true });
    await last().finish();
    expect(await forced).toMatchObject({ number: 2 });
  });

  test('a failure from before is forgotten with the next success', async () => {
    clock.chance = 0.99;
    const first = rejectionOf(renewal.provide());
    await last().finish('Throttled');
    await first;
    const forced = renewal.provide({ forceRefresh: true });
    await last().finish();
    await forced;
    clock.set(clock.now() + 5 * HOUR);
    const caller = renewal.provide();
    await last().finish();
    expect(await caller).toMatchObject({ number: 3 });
  });

  test('what has 15 minutes or less from the beginning is never current', async () => {
    await open();
    expect(renewal.current()).toMatchObject({ number: 1 });
    const forced = renewal.provide({ forceRefresh: true });
    await last().finish(undefined, 10 * MINUTE);
    await forced;
    expect(renewal.current()).toBeUndefined();
    expect(await renewal.provide()).toMatchObject({ number: 2 });
    expect(renewal.current()).toBeUndefined();
  });

  describe('the time of day, when it is set', () => {
    test('back, prolongs no life', async () => {
      await open();
      await renewal.provide();
      answer = () => 'AssumeRoleDenied';
      clock.set(clock.now() - 24 * HOUR);
      await clock.advance(HOUR - 1);
      expect(await renewal.provide()).toMatchObject({ number: 1 });
      await clock.advance(1);
      expect((await rejectionOf(renewal.provide())).code).toBe('AssumeRoleDenied');
    });

    test('back, delays no renewal', async () => {
      answer = () => 'success';
      await renewal.provide();
      clock.set(clock.now() - 24 * HOUR);
      await clock.advance(30 * MINUTE);
      expect(renewal.current()).toMatchObject({ number: 2 });
      await clock.advance(30 * MINUTE);
      expect(renewal.current()).toMatchObject({ number: 3 });
    });

    test('forward by hours, as after sleep, ends what is held, and new credentials are obtained', async () => {
      await open();
      clock.set(clock.now() + 5 * HOUR);
      expect(renewal.current()).toBeUndefined();
      const caller = renewal.provide();
      await last().finish();
      expect(await caller).toMatchObject({ number: 2 });
      expect(renewal.current()).toMatchObject({ number: 2 });
    });

    test.each<ErrorCode>(['ClockSkew', 'AssumeRoleDenied', 'ParameterInvalid'])(
      'forward and back, loses no renewal, whatever failed meanwhile: %s',
      async (code) => {
        await open();
        await clock.advance(10 * MINUTE);
        clock.set(clock.now() + 2 * HOUR);
        const caller = rejectionOf(renewal.provide());
        await last().finish(code);
        expect((await caller).code).toBe(code);
        clock.set(clock.now() - 2 * HOUR);
        answer = () => 'success';
        await clock.advance(30 * MINUTE);
        expect(renewal.current()?.number).toBeGreaterThan(2);
        await clock.advance(24 * HOUR);
        expect(renewal.current()?.number).toBeGreaterThan(48);
      },
    );

    test('forward while it was behind, ends what is held no later than STS does', async () => {
      clock.set(clock.now() - HOUR);
      const first = renewal.provide();
      await asked[0]?.finish(undefined, 2 * HOUR);
      await first;
      clock.set(clock.now() + HOUR);
      const caller = renewal.provide();
      expect(asked).toHaveLength(2);
      await last().finish();
      expect(await caller).toMatchObject({ number: 2 });
    });
  });

  describe('closed', () => {
    const reason = new SessionBrokerError('SessionClosed', 'session "s" is closed');

    test('hands nothing out, at any call', async () => {
      await open();
      renewal.close(reason);
      expect(renewal.current()).toBeUndefined();
      expect(renewal.expires).toBeUndefined();
      for (const request of [undefined, {}, { forceRefresh: true }]) {
        expect(await rejectionOf(renewal.provide(request))).toBe(reason);
      }
      await clock.advance(24 * HOUR);
      expect(asked).toHaveLength(1);
    });

    test('leaves no timer', async () => {
      await open();
      expect(clock.timers()).toHaveLength(1);
      renewal.close(reason);
      expect(clock.timers()).toEqual([]);
    });

    test('ends the call under way, and every caller that waits for it, at once', async () => {
      const callers = [renewal.provide(), renewal.provide({ forceRefresh: true })].map(rejectionOf);
      renewal.close(reason);
      expect(await Promise.all(callers)).toEqual([reason, reason]);
      expect(last().signal.reason).toBe(reason);
      await last().finish();
      expect(renewal.current()).toBeUndefined();
      expect(clock.timers()).toEqual([]);
    });

    test.each<[string, ErrorCode | undefined]>([
      ['an answer arrives, throws it away', undefined],
      ['a failure arrives, leaves no timer', 'Throttled'],
    ])('in whatever instant %s', async (_, outcome) => {
      for (let steps = 0; steps < 8; steps += 1) {
        renewal = new Renewal({ obtain, timing: clock, longestLife: HOUR, isTimed: true });
        const caller = renewal.provide().catch(() => {});
        const finished = last().finish(outcome);
        for (let step = 0; step < steps; step += 1) await null;
        renewal.close(reason);
        await Promise.all([finished, caller]);
        expect(renewal.current()).toBeUndefined();
        expect(await rejectionOf(renewal.provide())).toBe(reason);
        expect(clock.timers()).toEqual([]);
      }
    });

    test('gives a caller that waits for a renewal nothing, though what was held still lives', async () => {
      renewal = new Renewal({
        obtain,
        timing: { ...clock, schedule: () => () => {} },
        longestLife: HOUR,
        isTimed: true,
      });
      await open();
      await clock.advance(50 * MINUTE);
      const caller = rejectionOf(renewal.provide());
      renewal.close(reason);
      expect(await caller).toBe(reason);
    });

    test('keeps its first reason', async () => {
      renewal.close(reason);
      renewal.close(new SessionBrokerError('SessionClosed', 'again'));
      expect(await rejectionOf(renewal.provide())).toBe(reason);
    });
  });
});
