import { describe, expect, test } from 'vitest';
import { createScope } from '../../../lib/identity/index.ts';
import type { LocalAccount } from '../../../lib/local/index.ts';
import { renderTrustPolicy } from '../../../lib/policy/index.ts';
import { assume, dispatcher, notAuthorized, SESSION, sdkRefusal, stsClient } from '../clients.ts';
import { ACCOUNT, ACME_ROLE, ACME_TENANT_ROLE, DATA_ROLE, startFixture } from '../fixture.ts';
import { type Answer, callQuery, elementOf, refusalIn } from '../wire.ts';

const TENANT_ROLE_NAME = 'hub-acme-tenant';
const CALLER_POLICY = `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`;

/** A call of the administrator. */
function iam(account: LocalAccount, action: string, parameters: Record<string, string> = {}): Promise<Answer> {
  return callQuery(account, 'iam', account.administratorCredentials(ACCOUNT), { Action: action, ...parameters });
}

async function done(answer: Promise<Answer>): Promise<Answer> {
  const { status, text } = await answer;
  if (status !== 200) throw new Error(text);
  return answer;
}

function policyIn(answer: Answer, name = 'AssumeRolePolicyDocument'): unknown {
  return JSON.parse(decodeURIComponent(elementOf(answer, name) ?? ''));
}

const ACME_TRUST = renderTrustPolicy({ scope: createScope({ tenant: 'acme' }), principals: [ACME_TENANT_ROLE] });

describe('GetRole', () => {
  test('shows the trust policy with its principals by ARN', async () => {
    const account = await startFixture();

    const answer = await done(iam(account, 'GetRole', { RoleName: 'hub-acme-session' }));

    expect(elementOf(answer, 'Arn')).toBe(ACME_ROLE);
    expect(elementOf(answer, 'Path')).toBe('/session-broker/');
    expect(elementOf(answer, 'RoleId')).toMatch(/^AROA[A-Z2-7]{17}$/);
    expect(elementOf(answer, 'MaxSessionDuration')).toBe('3600');
    expect(policyIn(answer)).toEqual(ACME_TRUST);
  });

  test('fails for a role that does not exist', async () => {
    const account = await startFixture();

    expect(refusalIn(await iam(account, 'GetRole', { RoleName: 'absent' }))).toEqual({
      status: 404,
      code: 'NoSuchEntity',
      message: 'The role with name absent cannot be found.',
    });
  });

  test('fails for who may not, and names the role by its name', async () => {
    const account = await startFixture();

    const answer = await callQuery(account, 'iam', account.dispatcherCredentials('hub', 'acme'), {
      Action: 'GetRole',
      RoleName: 'hub-acme-session',
    });

    const caller = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`;
    expect(refusalIn(answer)).toEqual({
      status: 403,
      code: 'AccessDenied',
      message: `${notAuthorized(caller, 'iam:GetRole', 'role hub-acme-session')} because no identity-based policy allows the iam:GetRole action`,
    });
  });
});

describe('a role that is deleted and created again', () => {
  const recreate = async (account: LocalAccount) => {
    const role = await done(iam(account, 'GetRole', { RoleName: TENANT_ROLE_NAME }));
    await done(iam(account, 'DetachRolePolicy', { RoleName: TENANT_ROLE_NAME, PolicyArn: CALLER_POLICY }));
    await done(iam(account, 'DeleteRole', { RoleName: TENANT_ROLE_NAME }));
    const orphan = await done(iam(account, 'GetRole', { RoleName: 'hub-acme-session' }));
    await done(
      iam(account, 'CreateRole', {
        RoleName: TENANT_ROLE_NAME,
        Path: '/eks-agent-platform/tenants/',
        AssumeRolePolicyDocument: JSON.stringify(policyIn(role)),
        MaxSessionDuration: '43200',
      }),
    );
    await done(iam(account, 'AttachRolePolicy', { RoleName: TENANT_ROLE_NAME, PolicyArn: CALLER_POLICY }));
    return { oldId: elementOf(role, 'RoleId'), orphan };
  };

  test('is no longer the one that a trust names, though its ARN is the same', async () => {
    const account = await startFixture();
    expect((await assume(dispatcher(account), { SourceIdentity: SESSION })).SourceIdentity).toBe(SESSION);

    const { oldId, orphan } = await recreate(account);

    const refusal = await sdkRefusal(assume(dispatcher(account), { SourceIdentity: SESSION }));
    const caller = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`;
    expect(refusal.message).toBe(notAuthorized(caller, 'sts:AssumeRole', ACME_ROLE));
    // While the role was gone, and since, the trust shows the id that it kept.
    for (const shown of [orphan, await done(iam(account, 'GetRole', { RoleName: 'hub-acme-session' }))]) {
      expect(policyIn(shown)).toMatchObject({
        Statement: [{ Principal: { AWS: oldId } }, { Principal: { AWS: oldId } }],
      });
    }
  });

  test('is named again once the trust is saved again', async () => {
    const account = await startFixture();
    await recreate(account);

    await done(
      iam(account, 'UpdateAssumeRolePolicy', {
        RoleName: 'hub-acme-session',
        PolicyDocument: JSON.stringify(ACME_TRUST),
      }),
    );

    expect((await assume(dispatcher(account), { SourceIdentity: SESSION })).SourceIdentity).toBe(SESSION);
  });

  test('leaves its sessions without a principal', async () => {
    const account = await startFixture();
    const before = stsClient(account, account.dispatcherCredentials('hub', 'acme'));
    await recreate(account);

    expect(await sdkRefusal(assume(before, { SourceIdentity: SESSION }))).toMatchObject({
      name: 'InvalidClientTokenId',
      status: 403,
    });
  });
});

describe('a trust policy', () => {
  const trust = (principal: unknown) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }],
    });
  const create = (account: LocalAccount, document: string) =>
    iam(account, 'CreateRole', { RoleName: 'new', AssumeRolePolicyDocument: document });

  test.each([
    ['a role', `arn:aws:iam::${ACCOUNT}:role/absent`],
    ['a role under another path', `arn:aws:iam::${ACCOUNT}:role/hub-acme-session`],
    ['a user', `arn:aws:iam::${ACCOUNT}:user/absent`],
    ['a session of a role', `arn:aws:sts::${ACCOUNT}:assumed-role/absent/session`],
    ['a unique id', 'AROAABCDEFGHIJKLMNOPQ'],
  ])('fails before its principal exists: %s', async (_, principal) => {
    const account = await startFixture();

    expect(refusalIn(await create(account, trust({ AWS: principal })))).toEqual({
      status: 400,
      code: 'MalformedPolicyDocument',
      message: `Invalid principal in policy: "AWS":"${principal}"`,
    });
    expect((await iam(account, 'GetRole', { RoleName: 'new' })).status).toBe(404);
  });

  test.each([
    ['an account', { AWS: ACCOUNT }],
    ['an account root', { AWS: `arn:aws:iam::${ACCOUNT}:root` }],
    ['a user', { AWS: `arn:aws:iam::${ACCOUNT}:user/administrator` }],
    ['a session that is not there yet', { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/data-reader/later` }],
    ['everyone', { AWS: '*' }],
    ['a service', { Service: 'lambda.amazonaws.com' }],
  ])('may name %s', async (_, principal) => {
    const account = await startFixture();

    expect(policyIn(await done(create(account, trust(principal))))).toMatchObject({
      Statement: [{ Principal: principal }],
    });
  });

  test.each([
    ['no JSON', '{', 'This policy contains invalid Json'],
    [
      'a resource',
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole', Resource: '*' }],
      }),
      'Has prohibited field Resource',
    ],
    [
      'no principal',
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole' }] }),
      'Missing required field Principal',
    ],
    [
      'an operator that is not known',
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: '*',
            Action: 'sts:AssumeRole',
            Condition: { StringLikes: { 'sts:SourceIdentity': 'x' } },
          },
        ],
      }),
      expect.stringContaining('StringLikes'),
    ],
  ])('fails with %s', async (_, document, message) => {
    const account = await startFixture();

    expect(refusalIn(await create(account, document))).toEqual({
      status: 400,
      code: 'MalformedPolicyDocument',
      message,
    });
  });

  test('fails to be updated towards a principal that does not exist, and stays as it was', async () => {
    const account = await startFixture();

    const answer = await iam(account, 'UpdateAssumeRolePolicy', {
      RoleName: 'hub-acme-session',
      PolicyDocument: trust({ AWS: `arn:aws:iam::${ACCOUNT}:role/absent` }),
    });

    expect(refusalIn(answer).code).toBe('MalformedPolicyDocument');
    expect((await assume(dispatcher(account), { SourceIdentity: SESSION })).SourceIdentity).toBe(SESSION);
  });
});

describe('CreateRole', () => {
  test.each<[string, Record<string, string>, string, string]>([
    [
      'whose keys differ in case alone',
      { 'Tags.member.1.Key': 'a', 'Tags.member.1.Value': 'x', 'Tags.member.2.Key': 'A', 'Tags.member.2.Value': 'y' },
      'InvalidInput',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    ],
    [
      'with a reserved key',
      { 'Tags.member.1.Key': 'aws:x', 'Tags.member.1.Value': 'x' },
      'InvalidInput',
      'Tag keys that begin with aws: are reserved: aws:x',
    ],
    [
      'with a key that is too long',
      { 'Tags.member.1.Key': 'k'.repeat(129), 'Tags.member.1.Value': 'x' },
      'ValidationError',
      `1 validation error detected: Value '${'k'.repeat(129)}' at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128`,
    ],
    [
      'in another notation',
      { 'Tags.1.Key': 'a' },
      'NotModelled',
      'the strict local account does not model the parameter Tags.1.Key of iam:CreateRole; see docs/local-account.md',
    ],
  ])('fails for tags %s', async (_, tags, code, message) => {
    const account = await startFixture();

    const answer = await iam(account, 'CreateRole', {
      RoleName: 'new',
      AssumeRolePolicyDocument: JSON.stringify(ACME_TRUST),
      ...tags,
    });

    expect(refusalIn(answer)).toEqual({ status: 400, code, message });
  });

  test('fails for a name that is taken, whatever its case', async () => {
    const account = await startFixture();

    const answer = await iam(account, 'CreateRole', {
      RoleName: 'Data-Reader',
      AssumeRolePolicyDocument: JSON.stringify(ACME_TRUST),
    });

    expect(refusalIn(answer)).toEqual({
      status: 409,
      code: 'EntityAlreadyExists',
      message: 'Role with name Data-Reader already exists.',
    });
  });
});

test('CreateRole fails with a permissions boundary that does not exist, rather than be without one', async () => {
  const account = await startFixture();
  const arn = `arn:aws:iam::${ACCOUNT}:policy/absent`;

  const answer = await iam(account, 'CreateRole', {
    RoleName: 'new',
    AssumeRolePolicyDocument: JSON.stringify(ACME_TRUST),
    PermissionsBoundary: arn,
  });

  expect(refusalIn(answer)).toEqual({
    status: 404,
    code: 'NoSuchEntity',
    message: `Scope ARN: ${arn} does not exist or is not attachable.`,
  });
});

describe('policies of a role', () => {
  test.each([
    ['a principal', { Principal: '*', Resource: '*' }, 'Policy document should not specify a principal.'],
    ['no resource', {}, 'Policy statement must contain resources.'],
  ])('fail with %s', async (_, elements, message) => {
    const account = await startFixture();
    const statement = { Effect: 'Allow', Action: 'sts:AssumeRole', ...elements };

    const answer = await iam(account, 'PutRolePolicy', {
      RoleName: TENANT_ROLE_NAME,
      PolicyName: 'new',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
    });

    expect(refusalIn(answer)).toEqual({ status: 400, code: 'MalformedPolicyDocument', message });
  });

  const DENY_STS = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'sts:*', Resource: '*' }] };

  test('bear on its sessions at once', async () => {
    const account = await startFixture();
    const client = dispatcher(account);
    const policy = { RoleName: TENANT_ROLE_NAME, PolicyName: 'stop' };

    await done(iam(account, 'PutRolePolicy', { ...policy, PolicyDocument: JSON.stringify(DENY_STS) }));

    const refusal = await sdkRefusal(assume(client, { SourceIdentity: SESSION }));
    expect(refusal.message).toMatch(/ with an explicit deny in an identity-based policy$/);
    expect(policyIn(await done(iam(account, 'GetRolePolicy', policy)), 'PolicyDocument')).toEqual(DENY_STS);
    expect((await done(iam(account, 'ListRolePolicies', { RoleName: TENANT_ROLE_NAME }))).text).toContain(
      '<PolicyNames><member>stop</member></PolicyNames>',
    );
    await done(iam(account, 'DeleteRolePolicy', policy));
    expect((await assume(client, { SourceIdentity: SESSION })).SourceIdentity).toBe(SESSION);
  });

  test('keep it from being deleted', async () => {
    const account = await startFixture();

    expect(refusalIn(await iam(account, 'DeleteRole', { RoleName: TENANT_ROLE_NAME }))).toEqual({
      status: 409,
      code: 'DeleteConflict',
      message: 'Cannot delete entity, must detach all policies first.',
    });
    expect(refusalIn(await iam(account, 'DeleteRole', { RoleName: 'hub-acme-session' }))).toEqual({
      status: 409,
      code: 'DeleteConflict',
      message: 'Cannot delete entity, must delete policies first.',
    });
    expect((await done(iam(account, 'ListAttachedRolePolicies', { RoleName: TENANT_ROLE_NAME }))).text).toContain(
      `<member><PolicyName>hub-acme-caller</PolicyName><PolicyArn>${CALLER_POLICY}</PolicyArn></member>`,
    );
  });
});

test('ListRoles shows that a tenant not opted in has nothing', async () => {
  const account = await startFixture();

  const answer = await done(iam(account, 'ListRoles', { PathPrefix: '/session-broker/' }));

  expect([...answer.text.matchAll(/<RoleName>([^<]*)</g)].map(([, name]) => name)).toEqual([
    'hub-acme-session',
    'hub-initech-session',
  ]);
});

test('a chain-to role names the session-broker roles that may go on to it, and tests no name', async () => {
  const account = await startFixture();

  const answer = await done(iam(account, 'GetRole', { RoleName: DATA_ROLE.split('/').at(-1) ?? '' }));

  expect(policyIn(answer)).toEqual({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: ACME_ROLE }, Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'] },
    ],
  });
});
