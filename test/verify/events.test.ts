import { describe, expect, test } from 'vitest';
import { judgeEvents, readTrailEvent } from '../../lib/verify/events.ts';
import type { EventStep } from '../../lib/verify/step.ts';
import { ACME_ROLE } from '../local/fixture.ts';
import { NAME } from './fixture.ts';

const TITLE = { eventID: 'e1', eventTime: '2026-03-01T12:00:00Z', requestID: 'r1' };

/** What a step is after a look at these events. */
function judged(
  step: EventStep['step'],
  eventName: EventStep['eventName'],
  ...events: readonly object[]
): Pick<EventStep, 'outcome' | 'evidence' | 'request'> {
  const pending: EventStep = { step, outcome: 'not exercised', evidence: 'not yet', eventName, requestId: 'r1' };
  const read = events.flatMap((event) => readTrailEvent(JSON.stringify(event)) ?? []);
  const { outcome, evidence, request } = judgeEvents(pending, read, NAME);
  return { outcome, evidence, request };
}

const HOP = {
  ...TITLE,
  eventName: 'AssumeRole',
  requestParameters: { roleSessionName: NAME, sourceIdentity: NAME },
};
const CALL = {
  ...TITLE,
  eventName: 'GetCallerIdentity',
  userIdentity: { type: 'AssumedRole', sessionContext: { sourceIdentity: NAME } },
  requestParameters: null,
};

describe('the event of the hop', () => {
  test('passes with the name in its request, whoever shows as its caller', () => {
    const crossAccount = { ...HOP, userIdentity: { type: 'AWSAccount', accountId: '444455556666' } };
    expect(judged('event-of-hop', 'AssumeRole', crossAccount)).toEqual({
      outcome: 'passed',
      evidence: `AssumeRole "e1" of "2026-03-01T12:00:00Z" has requestParameters.sourceIdentity "${NAME}"`,
    });
  });

  test.each<[string, object, string]>([
    ['no name', { requestParameters: { roleSessionName: NAME } }, 'none'],
    ['no request', { requestParameters: null }, 'none'],
    ["another's name", { requestParameters: { sourceIdentity: 'agent.initech.s1' } }, '"agent.initech.s1"'],
    ['something else as a name', { requestParameters: { sourceIdentity: { a: 1 } } }, '{"a":1}'],
  ])('fails with %s', (_, change, shown) => {
    expect(judged('event-of-hop', 'AssumeRole', { ...HOP, ...change })).toEqual({
      outcome: 'failed',
      evidence: `AssumeRole "e1" of "2026-03-01T12:00:00Z" must have requestParameters.sourceIdentity "${NAME}", it has ${shown}`,
    });
  });

  test('is no event of another call', () => {
    const others = [
      { ...HOP, requestID: 'r2' },
      { ...HOP, eventName: 'AssumeRoleWithWebIdentity' },
    ];
    expect(judged('event-of-hop', 'AssumeRole', ...others)).toEqual({ outcome: 'not exercised', evidence: 'not yet' });
  });
});

describe('the event of a call', () => {
  test('passes with the name in the context of its session', () => {
    expect(judged('event-of-call', 'GetCallerIdentity', { ...CALL, requestID: 'r0', userIdentity: {} }, CALL)).toEqual({
      outcome: 'passed',
      evidence: `GetCallerIdentity "e1" of "2026-03-01T12:00:00Z" has userIdentity.sessionContext.sourceIdentity "${NAME}"`,
    });
  });

  test('fails without it', () => {
    expect(
      judged('event-of-call', 'GetCallerIdentity', { ...CALL, userIdentity: { sessionContext: {} } }),
    ).toMatchObject({
      outcome: 'failed',
      evidence: expect.stringMatching(/must have userIdentity\.sessionContext\.sourceIdentity "[^"]+", it has none$/),
    });
  });

  test('passes for a call that goes on to another role by its caller, whatever the request shows', () => {
    const chain = { ...CALL, eventName: 'AssumeRole', requestParameters: { sourceIdentity: 'else' } };
    expect(judged('event-of-chain', 'AssumeRole', chain).outcome).toBe('passed');
  });
});

describe('the event of a refusal passes, and tells what it has of the request:', () => {
  const refused = { ...TITLE, eventName: 'AssumeRole', errorCode: 'AccessDenied', responseElements: null };

  test.each<[unknown, string]>([
    [null, 'null'],
    [undefined, 'null'],
    ['text', 'null'],
    [{ roleArn: ACME_ROLE }, 'without sourceIdentity'],
    [{ roleArn: ACME_ROLE, sourceIdentity: 'agent.acme-x.verify' }, 'with sourceIdentity'],
  ])('%j', (requestParameters, request) => {
    expect(judged('event-of-refused-other-tenant', 'AssumeRole', { ...refused, requestParameters })).toEqual({
      outcome: 'passed',
      evidence: `AssumeRole "e1" of "2026-03-01T12:00:00Z" has the errorCode "AccessDenied" and requestParameters ${request}`,
      request,
    });
  });

  test('it fails if the event shows no refusal', () => {
    const { errorCode: _, ...admitted } = refused;
    expect(judged('event-of-refused-no-identity', 'AssumeRole', admitted).outcome).toBe('failed');
  });
});

describe('what is no event is passed over:', () => {
  test.each(['', '{', 'null', '[]', '"text"', '{"userIdentity":null}', '{"eventName":7,"requestParameters":[]}'])(
    '%s',
    (text) => {
      const read = readTrailEvent(text);
      const pending: EventStep = {
        step: 'event-of-hop',
        outcome: 'not exercised',
        evidence: '',
        eventName: 'AssumeRole',
        requestId: '',
      };
      expect(judgeEvents(pending, read === undefined ? [] : [read], NAME)).toBe(pending);
    },
  );

  test('what it says is shown escaped', () => {
    const evil = { ...HOP, eventID: '\u001b[2J\u202e' };
    expect(judged('event-of-hop', 'AssumeRole', evil).evidence).toMatch(/^AssumeRole "\\u001b\[2J\\u202e" of /);
  });
});
