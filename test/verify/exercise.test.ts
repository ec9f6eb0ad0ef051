import { DetachRolePolicyCommand } from '@aws-sdk/client-iam';
import { beforeEach, describe, expect, test } from 'vitest';
import { createScope, parseRoleArn } from '../../lib/identity/index.ts';
import type { LocalAccount } from '../../lib/local/index.ts';
import { renderTrustPolicy } from '../../lib/policy/index.ts';
import { exercise } from '../../lib/verify/exercise.ts';
import { iamClient } from '../local/clients.ts';
import {
  ACCOUNT,
  ACME_ROLE,
  ACME_TENANT_ROLE,
  CONFIG,
  DATA_ROLE,
  REGION,
  REMOTE_ROLE,
  startFixture,
  templatesOf,
  writeAssembly,
} from '../local/fixture.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { rejectionOf } from '../support/refusal.ts';
import { evidenceOf, exerciseAcme, hopOf, NAME, outcomesOf, setEnvironment, trust } from './fixture.ts';

isolateEnvironment();

let account: LocalAccount;
beforeEach(async () => {
  account = await startFixture();
  setEnvironment(account.dispatcherEnvironment('hub', 'acme'));
});

const DISPATCHER = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`;
const SESSION_ARN = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/${NAME}`;
const REQUEST_ID = expect.stringMatching(/^[0-9a-f-]{36}$/);

/** What the local account says to somebody who may not. */
const denied = (arn: string, action: string, resource: string) =>
  `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}`;

const allow = (Action: string | readonly string[], Condition?: object) => ({
  Effect: 'Allow',
  Principal: { AWS: ACME_TENANT_ROLE },
  Action,
  ...(Condition && { Condition }),
});

describe('what a dispatcher exercises', () => {
  test('passes on what the configuration synthesizes to', async () => {
    const { dispatcher, steps, events } = await exerciseAcme();

    expect(dispatcher).toEqual({
      arn: DISPATCHER,
      account: ACCOUNT,
      endpoint: account.endpoint,
      requestId: REQUEST_ID,
    });
    const denial = {
      code: 'AccessDenied',
      action: 'sts:AssumeRole',
      message: denied(DISPATCHER, 'sts:AssumeRole', ACME_ROLE),
    };
    const tooLong =
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.';
    expect(steps).toEqual([
      {
        step: 'hop',
        outcome: 'passed',
        evidence: expect.stringMatching(
          new RegExp(
            `^STS gave credentials of ${ACME_ROLE} as ${NAME}, access key ASIA\\.\\.\\.[A-Z2-7]{4}, until 2\\d{3}-\\S+Z$`,
          ),
        ),
      },
      { step: 'caller-identity', outcome: 'passed', evidence: `GetCallerIdentity says ${SESSION_ARN}` },
      {
        step: 'refuse-no-identity',
        outcome: 'passed',
        evidence: `STS refused a session without a source identity with AccessDenied, which names sts:AssumeRole: "${denial.message}"`,
        denial,
      },
      {
        step: 'refuse-other-tenant',
        outcome: 'passed',
        evidence: `STS refused a session under the name agent.acme-x.verify of another tenant with AccessDenied, which names sts:AssumeRole: "${denial.message}"`,
        denial,
      },
      {
        step: 'refuse-long-session',
        outcome: 'passed',
        evidence: `STS refused a session of 3601 seconds with ValidationError: "${tooLong}"`,
        denial: { code: 'ValidationError', action: undefined, message: tooLong },
      },
      {
        step: 'refuse-other-session-name',
        outcome: 'not exercised',
        evidence: "whether the tenant's role session names are bound was not given (--bound, or --config FILE)",
      },
      {
        step: 'chain-keeps-name',
        outcome: 'not exercised',
        evidence: 'no role to go on to was given (--chain-to ARN, or --config FILE)',
      },
    ]);
    const unread = { outcome: 'not exercised', evidence: 'CloudTrail was not read' };
    expect(events).toEqual([
      { step: 'event-of-hop', ...unread, eventName: 'AssumeRole', requestId: REQUEST_ID },
      { step: 'event-of-call', ...unread, eventName: 'GetCallerIdentity', requestId: REQUEST_ID },
      { step: 'event-of-refused-no-identity', ...unread, eventName: 'AssumeRole', requestId: REQUEST_ID },
      { step: 'event-of-refused-other-tenant', ...unread, eventName: 'AssumeRole', requestId: REQUEST_ID },
    ]);
  });

  test('is what STS was asked, call by call, and no more', async () => {
    const before = account.events().length;
    await exerciseAcme();
    const calls = account.events().slice(before);
    expect(calls.map(({ eventName, errorCode }) => [eventName, errorCode])).toEqual([
      ['GetParameter', undefined],
      ['GetCallerIdentity', undefined],
      ['AssumeRole', undefined],
      ['GetCallerIdentity', undefined],
      ['AssumeRole', 'AccessDenied'],
      ['AssumeRole', 'AccessDenied'],
      ['AssumeRole', 'ValidationError'],
    ]);
  });

  test('lies in a window by the clock of STS, with little around it', async () => {
    const { window } = await exerciseAcme();
    const times = account
      .events()
      .slice(-5)
      .map(({ eventTime }) => Date.parse(eventTime));
    expect(window.start.getTime()).toBeLessThan(Math.min(...times));
    expect(window.end.getTime()).toBeGreaterThan(Math.max(...times));
    expect(window.end.getTime() - window.start.getTime()).toBeLessThan(60_000);
  });
});

describe('what a dispatcher exercises fails', () => {
  const GAVE = (what: string) =>
    new RegExp(`^ADMITTED: STS gave ${what}, whose credentials were thrown away at once; `);

  test('where the trust policy admits a session without a source identity', async () => {
    await trust(
      account,
      'hub-acme-session',
      allow(['sts:AssumeRole', 'sts:SetSourceIdentity'], {
        StringLikeIfExists: { 'sts:SourceIdentity': 'agent.acme.?*' },
      }),
    );
    const exercised = await exerciseAcme();
    expect(outcomesOf(exercised)).toMatchObject({
      hop: 'passed',
      'refuse-no-identity': 'failed',
      'refuse-other-tenant': 'passed',
      'refuse-long-session': 'passed',
    });
    expect(evidenceOf(exercised, 'refuse-no-identity')).toBe(
      "ADMITTED: STS gave a session without a source identity, whose credentials were thrown away at once; deploy the tenant's stack again, which restores the role's trust policy",
    );
    expect(exercised.events.map(({ step }) => step)).toEqual([
      'event-of-hop',
      'event-of-call',
      'event-of-refused-other-tenant',
    ]);
  });

  test("where it admits another tenant's names, of one whose name begins alike", async () => {
    await trust(
      account,
      'hub-acme-session',
      allow(['sts:AssumeRole', 'sts:SetSourceIdentity'], {
        StringLike: { 'sts:SourceIdentity': 'agent.acme*' },
      }),
    );
    const exercised = await exerciseAcme();
    expect(outcomesOf(exercised)).toMatchObject({ 'refuse-no-identity': 'passed', 'refuse-other-tenant': 'failed' });
    expect(evidenceOf(exercised, 'refuse-other-tenant')).toMatch(
      GAVE('a session under the name agent\\.acme-x\\.verify of another tenant'),
    );
  });

  test('where sessions may be longer than an hour', async () => {
    const templates = templatesOf(CONFIG);
    const { Role } = templates['SessionBroker-hub-acme']?.Resources ?? {};
    Object.assign(Role?.Properties ?? {}, { MaxSessionDuration: 43_200 });
    account = await startFixture({ assembly: writeAssembly(templates) });
    // Not chained: a user.
    setEnvironment({ ...account.administratorEnvironment(ACCOUNT), AWS_SESSION_TOKEN: '' });
    await trust(account, 'hub-acme-session', {
      ...allow(['sts:AssumeRole', 'sts:SetSourceIdentity'], { StringLike: { 'sts:SourceIdentity': 'agent.acme.?*' } }),
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/administrator` },
    });
    const exercised = await exerciseAcme();
    expect(outcomesOf(exercised)).toMatchObject({ hop: 'passed', 'refuse-long-session': 'failed' });
    expect(evidenceOf(exercised, 'refuse-long-session')).toMatch(GAVE('a session of 3601 seconds'));
  });

  test('where the hop is refused, and then takes no other refusal for a good one', async () => {
    await trust(account, 'hub-acme-session', allow('sts:AssumeRole'));
    const exercised = await exerciseAcme();
    expect(outcomesOf(exercised)).toEqual({
      hop: 'failed',
      'caller-identity': 'not exercised',
      'refuse-no-identity': 'not exercised',
      'refuse-other-tenant': 'not exercised',
      'refuse-long-session': 'not exercised',
    });
    expect(evidenceOf(exercised, 'hop')).toMatch(
      /^sts:SetSourceIdentity was denied for "agent\.acme\.\w+" on .* \[SetSourceIdentityDenied\]$/,
    );
    expect(exercised.events).toEqual([]);
    expect(account.events().at(-1)).toMatchObject({ eventName: 'AssumeRole', errorCode: 'AccessDenied' });
  });
});

describe('a role session name', () => {
  const scope = createScope({ tenant: 'acme' });
  const bind = () =>
    trust(
      account,
      'hub-acme-session',
      ...renderTrustPolicy({ scope, principals: [ACME_TENANT_ROLE], roleSessionName: 'bound' }).Statement,
    );

  test('that is bound passes where it is the source identity, and is refused where it is not', async () => {
    await bind();
    const exercised = await exerciseAcme({ isBound: true });
    expect(outcomesOf(exercised)).toMatchObject({ hop: 'passed', 'refuse-other-session-name': 'passed' });
    expect(evidenceOf(exercised, 'refuse-other-session-name')).toBe(
      `STS refused a session whose role session name is not its source identity with AccessDenied, which names sts:AssumeRole: "${denied(DISPATCHER, 'sts:AssumeRole', ACME_ROLE)}"`,
    );
  });

  test('fails if it should be bound and is not', async () => {
    const exercised = await exerciseAcme({ isBound: true });
    expect(outcomesOf(exercised)['refuse-other-session-name']).toBe('failed');
    expect(evidenceOf(exercised, 'refuse-other-session-name')).toMatch(/^ADMITTED: .* or set roleSessionName to free$/);
  });

  test('that is free is not exercised', async () => {
    const exercised = await exerciseAcme({ isBound: false });
    expect(outcomesOf(exercised)['refuse-other-session-name']).toBe('not exercised');
    expect(evidenceOf(exercised, 'refuse-other-session-name')).toBe("the tenant's role session names are free");
  });
});

describe('a role that sessions go on to', () => {
  test('keeps the name, refuses another and takes the same again, in each account', async () => {
    const exercised = await exerciseAcme({ chainTo: [DATA_ROLE, REMOTE_ROLE].map(parseRoleArn) });
    const denial = (arn: string) => ({
      code: 'AccessDenied',
      action: 'sts:SetSourceIdentity',
      message: denied(SESSION_ARN, 'sts:SetSourceIdentity', arn),
    });
    expect(exercised.steps.slice(-6)).toEqual(
      [DATA_ROLE, REMOTE_ROLE].flatMap((arn) => [
        { step: 'chain-keeps-name', outcome: 'passed', evidence: `STS gave a session of ${arn} that is still ${NAME}` },
        {
          step: 'chain-refuses-other-name',
          outcome: 'passed',
          evidence: `STS refused a session of ${arn} that changes its name to agent.acme.verify-other with AccessDenied, which names sts:SetSourceIdentity: "${denial(arn).message}"`,
          denial: denial(arn),
        },
        { step: 'chain-same-name-again', outcome: 'passed', evidence: `STS gave a session of ${arn} as ${NAME}` },
      ]),
    );
    expect(exercised.events.map(({ step }) => step)).toContain('event-of-chain');
  });

  test('fails if it does not let the session in, and then takes no other refusal for a good one', async () => {
    await trust(account, 'data-reader', allow('sts:AssumeRole'));
    const exercised = await exerciseAcme({ chainTo: [parseRoleArn(DATA_ROLE)] });
    expect(outcomesOf(exercised)).not.toHaveProperty('chain-refuses-other-name');
    expect(exercised.steps.at(-1)).toMatchObject({
      step: 'chain-keeps-name',
      outcome: 'failed',
      evidence: `STS refused to go on to ${DATA_ROLE} with AccessDenied, which names sts:AssumeRole: "${denied(SESSION_ARN, 'sts:AssumeRole', DATA_ROLE)}"; have its trust policy allow sts:AssumeRole and sts:SetSourceIdentity to the session-broker role`,
    });
    expect(exercised.events.map(({ step }) => step)).not.toContain('event-of-chain');
  });
});

describe("the hop without the caller's policy", () => {
  const policyArn = `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`;
  const detach = () =>
    iamClient(account).send(new DetachRolePolicyCommand({ RoleName: 'hub-acme-tenant', PolicyArn: policyArn }));
  const tried = async (roleArn = ACME_ROLE) =>
    exercise(await hopOf({ roleArn }), { chainTo: [], withoutCallerPolicy: true });

  test('settles that the policy is needed where STS names sts:SetSourceIdentity, and makes no other call', async () => {
    await detach();
    const before = account.events().length;
    const { steps, events } = await tried();
    expect(steps).toMatchObject([
      {
        step: 'hop-without-caller-policy',
        outcome: 'passed',
        evidence: `STS refused it with AccessDenied, which names sts:SetSourceIdentity: "${denied(DISPATCHER, 'sts:SetSourceIdentity', ACME_ROLE)}"`,
        denial: { action: 'sts:SetSourceIdentity' },
      },
    ]);
    expect(events).toEqual([]);
    expect(
      account
        .events()
        .slice(before)
        .map(({ eventName }) => eventName),
    ).toEqual(['GetCallerIdentity', 'AssumeRole']);
  });

  test('settles that it is not where the hop works', async () => {
    const { steps } = await tried();
    expect(steps).toEqual([
      {
        step: 'hop-without-caller-policy',
        outcome: 'passed',
        evidence: `STS gave a session of ${ACME_ROLE} as ${NAME}`,
      },
    ]);
  });

  test.each(['sts:AssumeRole', 'sts:SetSourceIdentity'])(
    'fails where the trust denies %s by itself',
    async (action) => {
      await detach();
      await trust(account, 'hub-acme-session', allow(['sts:AssumeRole', 'sts:SetSourceIdentity']), {
        ...allow(action),
        Effect: 'Deny',
      });
      const { steps } = await tried();
      expect(steps).toMatchObject([
        {
          outcome: 'failed',
          evidence: expect.stringContaining('that says nothing of a missing sts:SetSourceIdentity'),
          denial: { action },
        },
      ]);
    },
  );

  test('is not exercised from another account, where it is documented', async () => {
    expect(outcomesOf(await tried(REMOTE_ROLE))).toEqual({ 'hop-without-caller-policy': 'not exercised' });
  });
});

describe('a hop fails before it makes a session', () => {
  test('with ParameterAccessDenied where the role cannot be found', async () => {
    expect((await rejectionOf(hopOf({ tenant: 'umbrella' }))).code).toBe('ParameterAccessDenied');
    expect(account.events().some(({ eventName }) => eventName === 'AssumeRole')).toBe(false);
  });

  test('with DispatcherCredentialsMissing where there are none', async () => {
    setEnvironment({ AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_SESSION_TOKEN: '', AWS_REGION: REGION });
    expect((await rejectionOf(hopOf())).code).toBe('DispatcherCredentialsMissing');
  });
});
