import { describe, expect, test } from 'vitest';
import { type ErrorCode, SessionBrokerError } from '../../lib/errors.ts';
import { readTrailEvent, type TrailEvent } from '../../lib/verify/events.ts';
import type { EventPage } from '../../lib/verify/reader.ts';
import type { EventStep } from '../../lib/verify/step.ts';
import { watchEvents } from '../../lib/verify/watch.ts';
import { createSimulatedTime, type SimulatedTime } from '../runtime/support/simulated-time.ts';
import { NAME } from './fixture.ts';

const MINUTE = 60_000;
const WINDOW = { start: new Date(0), end: new Date(1000) };

const pending = (step: EventStep['step'], eventName: EventStep['eventName'], requestId: string): EventStep => ({
  step,
  outcome: 'not exercised',
  evidence: 'CloudTrail was not read',
  eventName,
  requestId,
});
const CALL = pending('event-of-call', 'GetCallerIdentity', 'call');
const REFUSED = pending('event-of-refused-no-identity', 'AssumeRole', 'refused');

const event = (more: object): TrailEvent =>
  readTrailEvent(JSON.stringify({ eventID: 'e1', eventTime: 't', ...more })) as TrailEvent;
const callEvent = event({
  eventName: 'GetCallerIdentity',
  requestID: 'call',
  userIdentity: { sessionContext: { sourceIdentity: NAME } },
});
const refusedEvent = event({ eventName: 'AssumeRole', requestID: 'refused', errorCode: 'AccessDenied' });

type LookUp = (name: EventStep['eventName'], next: string | undefined) => EventPage;

/** Watches, with a CloudTrail that a test makes up, until all is over. */
async function watch(expected: readonly EventStep[], lookUp: LookUp, time: SimulatedTime = createSimulatedTime()) {
  const looks: { readonly at: number; readonly name: string; readonly next: string | undefined }[] = [];
  const lines: string[] = [];
  const end = new AbortController();
  let seen: readonly EventStep[] = expected;
  let isOver = false;
  const watching = watchEvents(expected, {
    sourceIdentity: NAME,
    window: WINDOW,
    reader: {
      lookUp: async (name, window, next) => {
        expect(window).toBe(WINDOW);
        looks.push({ at: time.elapsed(), name, next });
        return lookUp(name, next);
      },
    },
    timing: time,
    signal: end.signal,
    seen: (steps) => {
      seen = steps;
    },
    tell: (line) => lines.push(line),
  }).finally(() => {
    isOver = true;
  });
  watching.catch(() => {});
  while (!isOver && time.elapsed() < 60 * MINUTE) await time.advance(250);
  return { steps: watching, seen: () => seen, looks, lines, end };
}

const NOTHING: EventPage = { events: [], next: undefined };

describe('a watch', () => {
  test('ends when all events are there, and says how far it is', async () => {
    const time = createSimulatedTime();
    const { steps, lines, looks } = await watch(
      [CALL, REFUSED],
      (name) => {
        const isCall = name === 'GetCallerIdentity';
        if (time.elapsed() < (isCall ? MINUTE : 3 * MINUTE)) return NOTHING;
        return { events: [isCall ? callEvent : refusedEvent], next: undefined };
      },
      time,
    );

    expect((await steps).map(({ outcome }) => outcome)).toEqual(['passed', 'passed']);
    expect(lines[0]).toBe('CloudTrail shows 0 of 2 events after 0:06 of 20 minutes');
    expect(lines.at(-1)).toMatch(/^CloudTrail shows 2 of 2 events after 3:\d\d of 20 minutes$/);
    // What is there is not looked for again.
    expect(looks.filter(({ name, at }) => name === 'GetCallerIdentity' && at > 2 * MINUTE)).toEqual([]);
  });

  test('looks soon, then ever less often, and never twice within half a second', async () => {
    const { looks } = await watch([CALL, REFUSED], () => NOTHING);
    const times = looks.map(({ at }) => at);
    expect(times[0]).toBe(5000);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(60_500);
    expect(looks.length).toBeLessThan(60);
  });

  test('fails nobody whose events did not appear within 20 minutes, and looks a last time at the end', async () => {
    const { steps, looks, seen } = await watch([CALL], () => NOTHING);
    expect(await steps).toEqual([{ ...CALL, evidence: 'did not appear within 20 minutes' }]);
    expect(seen()).toEqual([CALL]);
    expect(looks.at(-1)?.at).toBe(20 * MINUTE);
  });

  test('reads page after page, and no further than it must', async () => {
    const pages: Readonly<Record<string, EventPage>> = {
      first: { events: [], next: 'second' },
      second: { events: [callEvent], next: 'third' },
    };
    const { steps, looks } = await watch([CALL], (_, next = 'first') => pages[next] as EventPage);
    expect((await steps)[0]?.outcome).toBe('passed');
    expect(looks.map(({ next }) => next)).toEqual([undefined, 'second']);
  });

  test('ends in time, though the pages do not', async () => {
    const { looks } = await watch([CALL], (_, next = '') => ({ events: [], next: `${next}x` }));
    expect(looks.at(-1)?.at).toBeLessThanOrEqual(20 * MINUTE);
  });

  test.each<ErrorCode>(['Throttled', 'Unavailable', 'ResponseInvalid'])(
    'goes on after %s, and says so',
    async (code) => {
      let failures = 3;
      const { steps, lines } = await watch([CALL], () => {
        failures -= 1;
        if (failures >= 0) throw new SessionBrokerError(code, 'not now');
        return { events: [callEvent], next: undefined };
      });
      expect((await steps)[0]?.outcome).toBe('passed');
      expect(lines.slice(0, 3).every((line) => line.endsWith('of 20 minutes; not now'))).toBe(true);
      expect(lines).toHaveLength(4);
    },
  );

  test.each<ErrorCode>(['AccessDenied', 'CredentialsRejected', 'RequestRejected'])(
    'fails with %s, which no time mends, and keeps what it has seen',
    async (code) => {
      const { steps, seen } = await watch([CALL, REFUSED], (name) => {
        if (name === 'AssumeRole') throw new SessionBrokerError(code, 'never');
        return { events: [callEvent], next: undefined };
      });
      await expect(steps).rejects.toMatchObject({ code });
      expect(seen().map(({ outcome }) => outcome)).toEqual(['passed', 'not exercised']);
    },
  );

  test('fails at once with the reason of an interrupt', async () => {
    const stop = new AbortController();
    const simulated = createSimulatedTime();
    const watching = watchEvents([CALL], {
      sourceIdentity: NAME,
      window: WINDOW,
      reader: { lookUp: async () => NOTHING },
      timing: simulated,
      signal: stop.signal,
      seen: () => {},
      tell: () => stop.abort(new Error('interrupted')),
    });
    watching.catch(() => {});
    await simulated.advance(10_000);
    await expect(watching).rejects.toThrow('interrupted');
    expect(simulated.timers()).toEqual([]);
  });

  test('looks for nothing where all is there', async () => {
    const { looks, steps } = await watch([{ ...CALL, outcome: 'passed' }], () => NOTHING);
    expect([looks, (await steps).length]).toEqual([[], 1]);
  });
});
