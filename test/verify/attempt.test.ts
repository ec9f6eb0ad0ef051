import { describe, expect, test } from 'vitest';
import { SessionBrokerError } from '../../lib/errors.ts';
import { createSessionIdentity, parseRoleArn } from '../../lib/identity/index.ts';
import type { Account } from '../../lib/sdk/account.ts';
import { attemptAssumeRole, judgeRefusal } from '../../lib/verify/attempt.ts';
import { callerIdentityStep } from '../../lib/verify/caller.ts';
import { chainSteps } from '../../lib/verify/chain.ts';
import { type Hop, withoutCallerPolicyStep } from '../../lib/verify/hop.ts';
import { ACME_ROLE, DATA_ROLE } from '../local/fixture.ts';
import { rejectionOf } from '../support/refusal.ts';
import { NAME, SESSION } from './fixture.ts';

/** Answers that AWS does not give, one for each call. */
function answering(...answers: readonly (object | Error)[]): Account {
  const left = [...answers];
  const sts = async () => {
    const answer = left.shift() ?? new Error('one call too many');
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { sts } as unknown as Account;
}

const CREDENTIALS = { AccessKeyId: 'ASIACANARY', SecretAccessKey: 'canary', SessionToken: 'canary' };
const session = (SourceIdentity?: string) => ({
  SourceIdentity,
  Credentials: CREDENTIALS,
  $metadata: { requestId: 'r1' },
});
const refusal = (awsCode: string, message = 'no') =>
  new SessionBrokerError('AccessDenied', 'denied', {
    cause: new Error(message),
    detail: { awsCode, requestId: 'r2' },
  });

describe('an attempt', () => {
  test('that is admitted keeps nothing of the credentials', async () => {
    const attempt = await attemptAssumeRole(answering(session(NAME)), { RoleArn: ACME_ROLE, RoleSessionName: 'x' });
    expect(attempt).toEqual({ sourceIdentity: NAME, requestId: 'r1' });
  });

  test.each(['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'])(
    'that is refused says which action AWS names: %s',
    async (action) => {
      const message = `User: x is not authorized to perform: ${action} on resource: y with an explicit deny`;
      const attempt = await attemptAssumeRole(answering(refusal('AccessDenied', message)), {
        RoleArn: ACME_ROLE,
        RoleSessionName: 'x',
      });
      expect(attempt).toEqual({ denial: { code: 'AccessDenied', action, message }, requestId: 'r2' });
    },
  );

  test.each(['Throttled', 'Unavailable', 'CredentialsRejected', 'ClockSkew', 'RegionDisabled'] as const)(
    'fails with %s where AWS decides nothing',
    async (code) => {
      const account = answering(new SessionBrokerError(code, 'out of order'));
      const attempt = attemptAssumeRole(account, { RoleArn: ACME_ROLE, RoleSessionName: 'x' });
      expect((await rejectionOf(attempt)).code).toBe(code);
    },
  );

  test('that is refused for the wrong reason fails', () => {
    const denial = { code: 'ExpiredToken', message: 'late' };
    expect(
      judgeRefusal({ denial }, { step: 'refuse-no-identity', asked: 'a session', code: 'AccessDenied', remedy: '' }),
    ).toEqual({
      step: 'refuse-no-identity',
      outcome: 'failed',
      evidence: 'STS refused a session with ExpiredToken: "late"; it must refuse it with AccessDenied',
      denial,
    });
  });
});

describe('a chain', () => {
  const role = parseRoleArn(DATA_ROLE);
  const named = { identity: createSessionIdentity({ tenant: 'acme', session: SESSION }), sourceIdentity: NAME };
  const chained = async (...answers: readonly (object | Error)[]) =>
    (await chainSteps(named, answering(...answers), role)).steps.map(({ outcome, evidence }) => [outcome, evidence]);

  test('fails in which the name is lost or changed', async () => {
    expect(await chained(session('agent.acme.s2'), session('agent.acme.verify-other'), session())).toEqual([
      ['failed', `STS gave a session of ${DATA_ROLE} as "agent.acme.s2", it must still be ${NAME}`],
      [
        'failed',
        `ADMITTED: STS gave a session of ${DATA_ROLE} that changes its name to agent.acme.verify-other, whose credentials were thrown away at once; AWS documents that a source identity cannot be changed: check the endpoint, and report it`,
      ],
      ['failed', `STS gave a session of ${DATA_ROLE} that must be ${NAME}, and is nobody`],
    ]);
  });

  test('says nothing where STS does not say the name, and takes the refusal of the same name for an answer', async () => {
    expect(await chained(session(), refusal('InvalidParameterValue'), refusal('AccessDenied'))).toEqual([
      [
        'not exercised',
        `STS gave a session of ${DATA_ROLE} and did not say under which source identity; the events of that session in CloudTrail do`,
      ],
      [
        'passed',
        `STS refused a session of ${DATA_ROLE} that changes its name to agent.acme.verify-other with InvalidParameterValue: "no"`,
      ],
      ['passed', `STS refused it for ${DATA_ROLE} with AccessDenied: "no"`],
    ]);
  });
});

test.each(['', 'arn:aws:sts::111122223333:assumed-role/hub-acme-tenant/dispatcher'])(
  'the caller identity fails if it is another: %s',
  (arn) => {
    expect(callerIdentityStep({ role: parseRoleArn(ACME_ROLE), sourceIdentity: NAME }, { arn })).toEqual({
      step: 'caller-identity',
      outcome: 'failed',
      evidence: `GetCallerIdentity must say arn:aws:sts::111122223333:assumed-role/hub-acme-session/${NAME}, it says ${arn || 'nothing'}`,
    });
  },
);

test("the hop without the caller's policy fails if it gives a session without its name", async () => {
  const hop = { dispatcher: answering(session()), role: parseRoleArn(ACME_ROLE), sourceIdentity: NAME } as Hop;
  expect(await withoutCallerPolicyStep(hop)).toEqual({
    step: 'hop-without-caller-policy',
    outcome: 'failed',
    evidence: `STS gave a session that must be ${NAME}, and is nobody; check the endpoint`,
  });
});
