import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatResult, nextOf, parseResult, type Result, verdictOf } from '../../lib/verify/result.ts';
import type { Outcome } from '../../lib/verify/step.ts';
import { ACCOUNT, ACME_ROLE, OTHER_ACCOUNT, REGION } from '../local/fixture.ts';
import { codeOf, refusalOf } from '../support/refusal.ts';
import { SEED } from '../support/seed.ts';
import { NAME } from './fixture.ts';

const RESULT: Result = {
  format: 'session-broker verify 1',
  version: '0.1.0',
  startedAt: '2026-03-01T12:00:00.000Z',
  account: ACCOUNT,
  region: REGION,
  endpoint: 'https://sts.us-west-2.amazonaws.com',
  role: ACME_ROLE,
  dispatcher: `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`,
  sourceIdentity: NAME,
  window: { start: '2026-03-01T11:59:50.000Z', end: '2026-03-01T12:00:12.000Z' },
  steps: [
    { step: 'hop', outcome: 'passed', evidence: 'yes' },
    {
      step: 'refuse-no-identity',
      outcome: 'passed',
      evidence: 'no',
      denial: { code: 'AccessDenied', action: 'sts:AssumeRole', message: 'not authorized' },
    },
  ],
  events: [
    {
      step: 'event-of-refused-no-identity',
      outcome: 'not exercised',
      evidence: 'not read',
      eventName: 'AssumeRole',
      requestId: 'r1',
    },
  ],
};

describe('a result', () => {
  test('is read as it was written, without what follows from it', () => {
    const text = formatResult(RESULT, 'result.json');
    expect(parseResult(text, 'result.json')).toEqual(RESULT);
    expect(Object.keys(JSON.parse(text)).slice(-2)).toEqual(['points', 'next']);
  });

  test('makes anew what follows from it, whatever its file says', () => {
    const forged = JSON.stringify({ ...RESULT, points: 'all settled', next: 'rm -rf /' });
    expect(JSON.parse(formatResult(parseResult(forged, 'r'), 'result.json'))).toMatchObject({
      points: expect.arrayContaining([expect.objectContaining({ point: 'denied-event', settled: false })]),
      next: 'session-broker verify --resume result.json --reader-profile NAME',
    });
  });

  test.each<[string | undefined, string]>([
    ['result.json', 'result.json'],
    ['out/result.json', 'out/result.json'],
    ["it's mine.json", "'it'\\''s mine.json'"],
    ['$(reboot)', "'$(reboot)'"],
    [undefined, 'RESULT.json'],
  ])('names the command that reads the rest, fit for a shell: %s', (path, shown) => {
    expect(nextOf(RESULT, path)).toBe(`session-broker verify --resume ${shown} --reader-profile NAME`);
  });

  test('names none where nothing is left', () => {
    expect(nextOf({ ...RESULT, events: [] })).toBeUndefined();
  });

  test.each<[Outcome, Outcome, string]>([
    ['passed', 'passed', 'passed'],
    ['passed', 'not exercised', 'pending'],
    ['not exercised', 'passed', 'passed'],
    ['failed', 'not exercised', 'failed'],
    ['passed', 'failed', 'failed'],
  ])('whose call %s and whose event %s: %s', (call, event, verdict) => {
    const [step] = RESULT.steps;
    const [trail] = RESULT.events;
    if (step === undefined || trail === undefined) throw new Error('no step');
    expect(verdictOf({ ...RESULT, steps: [{ ...step, outcome: call }], events: [{ ...trail, outcome: event }] })).toBe(
      verdict,
    );
  });
});

describe('a result fails with ResultInvalid', () => {
  const broken = (change: object): string => JSON.stringify({ ...RESULT, ...change });
  const [event] = RESULT.events;

  test.each<[string, string, string]>([
    ['that is empty', '', 'it is no JSON'],
    ['that was cut off', formatResult(RESULT, undefined).slice(0, 500), 'it is no JSON'],
    ['that is too long', ' '.repeat(200_001), 'it has 200001 characters, over 200000'],
    ['that is something else', '[]', 'format is not what verify writes'],
    ['of another form', broken({ format: 'session-broker verify 2' }), 'format is not what verify writes'],
    ['with more than verify writes', broken({ extra: 1 }), 'extra is not what verify writes'],
    ['without an account', broken({ account: undefined }), 'account is not what verify writes'],
    ['with another account than its role', broken({ account: OTHER_ACCOUNT }), 'role is not in account'],
    ['with no role', broken({ role: `arn:aws:iam::${ACCOUNT}:root` }), 'role is not what verify writes'],
    ['with no Region', broken({ region: 'us-west-2.evil.example' }), 'region is not what verify writes'],
    ['with a Region of another partition', broken({ region: 'cn-north-1' }), 'role is not in the partition of region'],
    ['with no name of ours', broken({ sourceIdentity: 'root' }), 'sourceIdentity is not what verify writes'],
    ['with a time that is none', broken({ startedAt: 'now' }), 'startedAt is not what verify writes'],
    [
      'with a window that ends before it begins',
      broken({ window: { start: RESULT.window.end, end: RESULT.window.start } }),
      'window is not the time of one run',
    ],
    [
      'with a window of days',
      broken({ window: { ...RESULT.window, end: '2026-03-05T12:00:00.000Z' } }),
      'window is not the time of one run',
    ],
    [
      'with a step that there is not',
      broken({ steps: [{ step: 'rm', outcome: 'passed', evidence: '' }] }),
      'steps.0.step is not what verify writes',
    ],
    [
      "with a terminal's escapes in its evidence",
      broken({ steps: [{ step: 'hop', outcome: 'passed', evidence: '\u001b[2Jall passed' }] }),
      'steps.0.evidence is not what verify writes',
    ],
    [
      'with an event of another kind',
      broken({ events: [{ ...event, eventName: 'CreateUser' }] }),
      'events.0.eventName is not what verify writes',
    ],
  ])('%s', (_, text, why) => {
    const error = refusalOf(() => parseResult(text, 'r.json'));
    expect(error.code).toBe('ResultInvalid');
    expect(error.message).toBe(
      `result must be a file that session-broker verify wrote: "r.json" is not, ${why}; give the file as it was written, or run verify again`,
    );
  });

  test('for whatever else a file may hold', () => {
    const change = fc.record({ key: fc.constantFrom(...Object.keys(RESULT)), value: fc.jsonValue() });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          change.map(({ key, value }) => broken({ [key]: value })),
        ),
        (text) => {
          const code = codeOf(() => parseResult(text, 'r.json'));
          expect(code === undefined || code === 'ResultInvalid').toBe(true);
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });
});
