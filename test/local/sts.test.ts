import { GetCallerIdentityCommand, GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { describe, expect, test } from 'vitest';
import { agent, assume, dispatcher, handedOut, notAuthorized, SESSION, sdkRefusal, stsClient } from './clients.ts';
import {
  ACCOUNT,
  ACME_ROLE,
  ACME_TENANT_ROLE,
  CONFIG,
  DATA_ROLE,
  OTHER_ACCOUNT,
  REMOTE_ROLE,
  startFixture,
  TestClock,
  templatesOf,
  writeAssembly,
} from './fixture.ts';
import { callForm, callQuery, elementOf, refusalIn } from './wire.ts';

const DISPATCHER = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`;
const AGENT = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/${SESSION}`;

describe('AssumeRole by a dispatcher', () => {
  test('gives a session with the source identity that was asked for', async () => {
    const account = await startFixture();

    const answer = await assume(dispatcher(account), { SourceIdentity: SESSION });

    expect(answer.SourceIdentity).toBe(SESSION);
    expect(answer.AssumedRoleUser?.Arn).toBe(AGENT);
    expect(answer.AssumedRoleUser?.AssumedRoleId).toMatch(/^AROA[A-Z2-7]{17}:agent\.acme\.s1$/);
    expect(answer.Credentials?.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(answer.Credentials?.SecretAccessKey).toHaveLength(40);
  });

  test.each([
    ['no source identity', undefined],
    ["another tenant's", 'agent.globex.s1'],
    ['a prefix sibling', 'agent.acme-2.s1'],
    ['an empty session', 'agent.acme.'],
    ['an extra dot', 'agent.acme.x.s1'],
    ['another case', 'Agent.acme.s1'],
    ['the internal class', 'internal.acme.s1'],
  ])('fails with %s', async (_, sourceIdentity) => {
    const account = await startFixture();

    const refusal = await sdkRefusal(assume(dispatcher(account), { SourceIdentity: sourceIdentity }));

    expect(refusal).toMatchObject({
      name: 'AccessDenied',
      status: 403,
      message: notAuthorized(DISPATCHER, 'sts:AssumeRole', ACME_ROLE),
    });
  });

  test('tells out of band why a call was refused', async () => {
    const account = await startFixture();

    const { requestId } = await sdkRefusal(assume(dispatcher(account)));

    expect(account.decisionOf(requestId)).toMatchObject({
      operation: 'sts:AssumeRole',
      allowed: false,
      errorCode: 'AccessDenied',
      reason: expect.stringContaining('AssumeAsAgent needs sts:SourceIdentity like "agent.acme.?*"'),
      steps: [{ action: 'sts:AssumeRole', resource: ACME_ROLE, verdict: { decision: 'implicit-deny' } }],
    });
    expect(account.decisions().at(-1)).toBe(account.decisionOf(requestId));
  });

  test("fails for another tenant's dispatcher, which the trust does not name", async () => {
    const account = await startFixture();
    const initech = stsClient(account, account.dispatcherCredentials('hub', 'initech'));

    const refusal = await sdkRefusal(assume(initech, { SourceIdentity: SESSION }));

    const caller = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-initech-tenant/dispatcher`;
    expect(refusal.message).toBe(notAuthorized(caller, 'sts:AssumeRole', ACME_ROLE));
  });

  test('fails for the administrator, whose policies cannot widen a trust', async () => {
    const account = await startFixture();
    const administrator = stsClient(account, account.administratorCredentials(ACCOUNT));

    const refusal = await sdkRefusal(assume(administrator, { SourceIdentity: SESSION }));

    const caller = `arn:aws:iam::${ACCOUNT}:user/administrator`;
    expect(refusal.message).toBe(notAuthorized(caller, 'sts:AssumeRole', ACME_ROLE));
  });

  test('fails alike for a role that does not exist, and does not say so', async () => {
    const account = await startFixture();
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/absent`;

    const refusal = await sdkRefusal(assume(dispatcher(account), { RoleArn: roleArn, SourceIdentity: SESSION }));

    expect(refusal).toMatchObject({
      name: 'AccessDenied',
      status: 403,
      message: notAuthorized(DISPATCHER, 'sts:AssumeRole', roleArn),
    });
  });

  test("fails without sts:SetSourceIdentity on the caller's own side", async () => {
    const templates = templatesOf(CONFIG);
    const policy = templates['SessionBroker-hub-acme']?.Resources['CallerPolicy'];
    if (policy === undefined) throw new Error('the fixture has no caller policy');
    policy.Properties['PolicyDocument'] = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }],
    };
    const account = await startFixture({ assembly: writeAssembly(templates) });

    const refusal = await sdkRefusal(assume(dispatcher(account), { SourceIdentity: SESSION }));

    expect(refusal.message).toBe(notAuthorized(DISPATCHER, 'sts:SetSourceIdentity', ACME_ROLE));
  });
});

describe('a permissions boundary', () => {
  const withBoundary = async (statement: object) => {
    const templates = templatesOf(CONFIG);
    const { Resources: resources } = templates['SessionBroker-hub-acme'] ?? { Resources: {} };
    const role = resources['Role'];
    if (role === undefined) throw new Error('the fixture has no role');
    role.Properties['PermissionsBoundary'] = { Ref: 'Boundary' };
    resources['Boundary'] = {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        ManagedPolicyName: 'boundary',
        PolicyDocument: { Version: '2012-10-17', Statement: [statement] },
      },
    };
    return startFixture({ assembly: writeAssembly(templates) });
  };

  test('that allows the hop lets it through', async () => {
    const account = await withBoundary({ Effect: 'Allow', Action: 'sts:*', Resource: '*' });

    const answer = await assume(await agent(account), { RoleArn: DATA_ROLE });

    expect(answer.SourceIdentity).toBe(SESSION);
  });

  test('fails a hop that it does not allow', async () => {
    const account = await withBoundary({ Effect: 'Allow', Action: 'bedrock:*', Resource: '*' });

    const refusal = await sdkRefusal(assume(await agent(account), { RoleArn: DATA_ROLE }));

    expect(refusal.message).toBe(notAuthorized(AGENT, 'sts:AssumeRole', DATA_ROLE));
    expect(account.decisionOf(refusal.requestId)?.steps[0]?.verdict.missing).toBe('boundary');
  });
});

describe('role chaining', () => {
  test.each([DATA_ROLE, REMOTE_ROLE])('carries the identity on without being asked: %s', async (roleArn) => {
    const account = await startFixture();

    const answer = await assume(await agent(account), { RoleArn: roleArn });

    expect(answer.SourceIdentity).toBe(SESSION);
    const next = stsClient(account, handedOut(answer));
    expect((await next.send(new GetCallerIdentityCommand({}))).Account).toBe(
      roleArn === REMOTE_ROLE ? OTHER_ACCOUNT : ACCOUNT,
    );
  });

  test('takes the same identity again', async () => {
    const account = await startFixture();

    const answer = await assume(await agent(account), { RoleArn: DATA_ROLE, SourceIdentity: SESSION });

    expect(answer.SourceIdentity).toBe(SESSION);
  });

  test('fails with a changed identity, though the trust would admit any name', async () => {
    const account = await startFixture();

    const refusal = await sdkRefusal(
      assume(await agent(account), { RoleArn: DATA_ROLE, SourceIdentity: 'agent.acme.s2' }),
    );

    expect(refusal).toMatchObject({
      name: 'AccessDenied',
      status: 403,
      message: notAuthorized(AGENT, 'sts:SetSourceIdentity', DATA_ROLE),
    });
    expect(account.decisionOf(refusal.requestId)?.reason).toBe(
      'STS lets no session change its source identity: it is "agent.acme.s1", the request asks for "agent.acme.s2"',
    );
  });

  test('fails towards a role that is not listed, by the guard', async () => {
    const account = await startFixture();

    const refusal = await sdkRefusal(assume(await agent(account), { RoleArn: ACME_TENANT_ROLE }));

    expect(refusal.message).toBe(
      `${notAuthorized(AGENT, 'sts:AssumeRole', ACME_TENANT_ROLE)} with an explicit deny in an identity-based policy`,
    );
  });
});

describe('DurationSeconds', () => {
  const CHAINED = 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.';

  test('of an hour is what a chained session gets without asking, and the most', async () => {
    const clock = new TestClock();
    const account = await startFixture({ clock: clock.read });
    const body = { Action: 'AssumeRole', RoleArn: ACME_ROLE, RoleSessionName: SESSION, SourceIdentity: SESSION };

    for (const asked of [{}, { DurationSeconds: '3600' }]) {
      const answer = await callQuery(
        account,
        'sts',
        account.dispatcherCredentials('hub', 'acme'),
        { ...body, ...asked },
        clock.read(),
      );
      expect(elementOf(answer, 'Expiration')).toBe('2026-03-01T13:00:00Z');
    }
  });

  test.each([3601, 43_200])('of %i fails, since the IRSA hop makes it role chaining', async (DurationSeconds) => {
    const templates = templatesOf(CONFIG);
    const role = templates['SessionBroker-hub-acme']?.Resources['Role'];
    if (role === undefined) throw new Error('the fixture has no role');
    role.Properties['MaxSessionDuration'] = 43_200;
    const account = await startFixture({ assembly: writeAssembly(templates) });

    const refusal = await sdkRefusal(assume(dispatcher(account), { SourceIdentity: SESSION, DurationSeconds }));

    expect(refusal).toMatchObject({ name: 'ValidationError', status: 400, message: CHAINED });
  });

  test("above the role's own maximum fails a caller that is not chained", async () => {
    const account = await startFixture();
    const administrator = account.administratorCredentials(ACCOUNT);
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'sts:AssumeRole' }],
    };
    await callQuery(account, 'iam', administrator, {
      Action: 'CreateRole',
      RoleName: 'operators',
      AssumeRolePolicyDocument: JSON.stringify(trust),
      MaxSessionDuration: '7200',
    });
    const client = stsClient(account, administrator);
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/operators`;

    expect((await assume(client, { RoleArn: roleArn, DurationSeconds: 7200 })).SourceIdentity).toBeUndefined();
    expect(await sdkRefusal(assume(client, { RoleArn: roleArn, DurationSeconds: 7201 }))).toMatchObject({
      name: 'ValidationError',
      status: 400,
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    });
  });
});

describe('parameters', () => {
  const PATTERN = 'failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*';
  const LONG = 'a'.repeat(65);

  test.each([
    ['roleSessionName', { RoleSessionName: 'a b' }, `Value 'a b' at 'roleSessionName' ${PATTERN}`],
    [
      'roleSessionName',
      { RoleSessionName: 'a' },
      "Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
    ],
    [
      'sourceIdentity',
      { SourceIdentity: LONG },
      `Value '${LONG}' at 'sourceIdentity' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ],
    ['sourceIdentity', { SourceIdentity: 'agent:acme:s1' }, `Value 'agent:acme:s1' at 'sourceIdentity' ${PATTERN}`],
    ['sourceIdentity', { SourceIdentity: 'aws:acme' }, `Value 'aws:acme' at 'sourceIdentity' ${PATTERN}`],
    ['sourceIdentity', { SourceIdentity: 'agent.acme.s1\n' }, `Value 'agent.acme.s1\n' at 'sourceIdentity' ${PATTERN}`],
    [
      'durationSeconds',
      { DurationSeconds: 899 },
      "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    ],
    [
      'durationSeconds',
      { DurationSeconds: 43_201 },
      "Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
    ],
  ])('fails for a bad %s: %j', async (_, input, message) => {
    const account = await startFixture();

    const refusal = await sdkRefusal(assume(dispatcher(account), { SourceIdentity: SESSION, ...input }));

    expect(refusal).toMatchObject({
      name: 'ValidationError',
      status: 400,
      message: `1 validation error detected: ${message}`,
    });
  });

  test('fails for all faults at once', async () => {
    const account = await startFixture();

    const answer = await callQuery(account, 'sts', account.dispatcherCredentials('hub', 'acme'), {
      Action: 'AssumeRole',
      SourceIdentity: 'x',
    });

    expect(refusalIn(answer)).toEqual({
      status: 400,
      code: 'ValidationError',
      message:
        "3 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null; Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null; Value 'x' at 'sourceIdentity' failed to satisfy constraint: Member must have length greater than or equal to 2",
    });
  });

  test('fails for an ARN that is not a role', async () => {
    const account = await startFixture();

    const refusal = await sdkRefusal(
      assume(dispatcher(account), { RoleArn: `arn:aws:iam::${ACCOUNT}:user/administrator` }),
    );

    expect(refusal).toMatchObject({ name: 'ValidationError', status: 400, message: 'Request ARN is invalid' });
  });

  test.each([
    ['SerialNumber', { SerialNumber: `arn:aws:iam::${ACCOUNT}:mfa/me`, TokenCode: '123456' }],
    [
      'ProvidedContexts.member.1.ProviderArn',
      { ProvidedContexts: [{ ProviderArn: 'arn:aws:iam::aws:contextProvider/x', ContextAssertion: 'abcd' }] },
    ],
  ])('fails for %s, which is not modelled, rather than pass over it', async (name, input) => {
    const account = await startFixture();

    const refusal = await sdkRefusal(assume(dispatcher(account), { SourceIdentity: SESSION, ...input }));

    expect(refusal).toMatchObject({
      name: 'NotModelled',
      status: 400,
      message: `the strict local account does not model the parameter ${name} of sts:AssumeRole; see docs/local-account.md`,
    });
  });

  test.each([
    'PolicyArns.1.arn',
    'PolicyArns.member.1',
    'PolicyArns.member.1.arn.x',
    'PolicyArns.member.1.Arn',
    'Policy.x',
    'Policy.member.1',
    'Tags.1.Key',
    'Tags.member.0.Key',
    'Tags.member.01.Key',
    'Tags.member.1x.Key',
    'Tags.member.1.Name',
    'TransitiveTagKeys.member',
    'TransitiveTagKeys.member.1.Key',
    'SourceIdentity.x',
  ])('fails for %s, which is no way to give what it seems to give', async (name) => {
    const account = await startFixture();

    const answer = await callQuery(account, 'sts', account.dispatcherCredentials('hub', 'acme'), {
      Action: 'AssumeRole',
      RoleArn: ACME_ROLE,
      RoleSessionName: SESSION,
      SourceIdentity: SESSION,
      [name]: 'a',
    });

    expect(refusalIn(answer)).toEqual({
      status: 400,
      code: 'NotModelled',
      message: `the strict local account does not model the parameter ${name} of sts:AssumeRole; see docs/local-account.md`,
    });
  });

  test.each([
    ['agent.globex.s1', SESSION],
    [SESSION, 'agent.globex.s1'],
    [SESSION, SESSION],
  ])('fails for one that is given twice: %s, %s', async (...identities) => {
    const account = await startFixture();
    const form = new URLSearchParams({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: ACME_ROLE,
      RoleSessionName: SESSION,
    });
    for (const identity of identities) form.append('SourceIdentity', identity);

    const answer = await callForm(account, 'sts', account.dispatcherCredentials('hub', 'acme'), form);

    expect(refusalIn(answer)).toEqual({
      status: 400,
      code: 'MalformedInput',
      message: 'The parameter "SourceIdentity" must be given once',
    });
  });

  test.each([
    ['Tags', 200],
    ['SerialNumber', 400],
    ['Tags.member', 400],
  ])('may be an empty list, as clients send one, and else not empty: %s', async (name, status) => {
    const account = await startFixture();

    const answer = await callQuery(account, 'sts', account.dispatcherCredentials('hub', 'acme'), {
      Action: 'AssumeRole',
      RoleArn: ACME_ROLE,
      RoleSessionName: SESSION,
      SourceIdentity: SESSION,
      [name]: '',
    });

    expect(answer.status).toBe(status);
  });
});

describe('a session policy', () => {
  test('takes away what it does not allow', async () => {
    const account = await startFixture();
    const policy = (resource: string) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'], Resource: resource }],
      });
    const client = dispatcher(account);
    const narrow = await assume(client, { SourceIdentity: SESSION, Policy: policy(DATA_ROLE) });
    const session = stsClient(account, handedOut(narrow));

    expect((await assume(session, { RoleArn: DATA_ROLE })).SourceIdentity).toBe(SESSION);
    const refusal = await sdkRefusal(assume(session, { RoleArn: REMOTE_ROLE }));
    expect(refusal.message).toBe(notAuthorized(AGENT, 'sts:AssumeRole', REMOTE_ROLE));
    expect(account.decisionOf(refusal.requestId)?.steps[0]?.verdict.missing).toBe('session');
  });

  test.each([
    ['that is no JSON', '{', 'MalformedPolicyDocumentException', 'This policy contains invalid Json'],
    [
      'of over 2048 characters',
      ' '.repeat(2049),
      'ValidationError',
      `1 validation error detected: Value '${' '.repeat(2049)}' at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048`,
    ],
  ])('fails %s', async (_, Policy, name, message) => {
    const account = await startFixture();

    const refusal = await sdkRefusal(assume(dispatcher(account), { SourceIdentity: SESSION, Policy }));

    expect(refusal).toMatchObject({ name, status: 400, message });
  });

  test('fails by an ARN that is not in the assembly', async () => {
    const account = await startFixture();
    const arn = 'arn:aws:iam::aws:policy/ReadOnlyAccess';

    const refusal = await sdkRefusal(assume(dispatcher(account), { SourceIdentity: SESSION, PolicyArns: [{ arn }] }));

    expect(refusal).toMatchObject({
      name: 'NotModelled',
      message: `the strict local account does not model the session policy "${arn}", which is not in the assembly; see docs/local-account.md`,
    });
  });
});

describe('session tags', () => {
  test('fail without sts:TagSession', async () => {
    const account = await startFixture();

    const refusal = await sdkRefusal(
      assume(dispatcher(account), { SourceIdentity: SESSION, Tags: [{ Key: 'team', Value: 'red' }] }),
    );

    expect(refusal).toMatchObject({
      name: 'AccessDenied',
      message: notAuthorized(DISPATCHER, 'sts:TagSession', ACME_ROLE),
    });
  });

  test('that are transitive reach the next role, which must allow them too, and cannot be changed there', async () => {
    const account = await startFixture();
    const administrator = account.administratorCredentials(ACCOUNT);
    const trust = (principal: string) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: principal }, Action: ['sts:AssumeRole', 'sts:TagSession'] }],
      });
    const create = (name: string, principal: string) =>
      callQuery(account, 'iam', administrator, {
        Action: 'CreateRole',
        RoleName: name,
        AssumeRolePolicyDocument: trust(principal),
      });
    const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
    await create('first', `arn:aws:iam::${ACCOUNT}:root`);
    await create('second', roleArn('first'));
    const tagged = await assume(stsClient(account, administrator), {
      RoleArn: roleArn('first'),
      Tags: [{ Key: 'team', Value: 'red' }],
      TransitiveTagKeys: ['team'],
    });
    const first = stsClient(account, handedOut(tagged));

    await assume(first, { RoleArn: roleArn('second') });

    expect(
      account
        .decisions()
        .at(-1)
        ?.steps.map(({ action }) => action),
    ).toEqual(['sts:AssumeRole', 'sts:TagSession']);
    expect(account.events().at(-1)?.requestParameters).toMatchObject({ incomingTransitiveTags: { team: 'red' } });
    const changed = assume(first, { RoleArn: roleArn('second'), Tags: [{ Key: 'Team', Value: 'blue' }] });
    expect(await sdkRefusal(changed)).toMatchObject({
      name: 'InvalidParameterValue',
      message:
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    });
  });
});

describe('other operations', () => {
  test('GetCallerIdentity tells who calls', async () => {
    const account = await startFixture();

    const answer = await (await agent(account)).send(new GetCallerIdentityCommand({}));

    expect(answer).toMatchObject({
      Account: ACCOUNT,
      Arn: AGENT,
      UserId: expect.stringMatching(/^AROA[A-Z2-7]{17}:agent\.acme\.s1$/),
    });
  });

  test('GetSessionToken and GetFederationToken fail for role credentials, so they are no way out', async () => {
    const account = await startFixture();
    const client = await agent(account);

    expect(await sdkRefusal(client.send(new GetSessionTokenCommand({})))).toMatchObject({
      name: 'AccessDenied',
      status: 403,
      message: 'Cannot call GetSessionToken with session credentials',
    });
    expect(await sdkRefusal(client.send(new GetFederationTokenCommand({ Name: 'someone' })))).toMatchObject({
      name: 'AccessDenied',
      status: 403,
      message: 'Cannot call GetFederationToken with session credentials',
    });
  });
});
