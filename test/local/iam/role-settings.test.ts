import {
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  type IAMClient,
  ListRolesCommand,
  ListRoleTagsCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  type Tag,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import type { LocalAccount } from '../../../lib/local/index.ts';
import { assume, dispatcher, iamClient, SESSION, sdkRefusal } from '../clients.ts';
import { ACCOUNT, ACME_TENANT_ROLE, startFixture } from '../fixture.ts';
import { callQuery, elementOf } from '../wire.ts';

const TENANT_ROLE = 'hub-acme-tenant';
const BOUNDARY = `arn:aws:iam::${ACCOUNT}:policy/boundary`;

function documentOf(action: string): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] });
}

function trustOf(length: number): string {
  const document = (sid: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Sid: sid, Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
    });
  return document('a'.repeat(length - document('').length));
}

async function roleOf(iam: IAMClient, RoleName = TENANT_ROLE) {
  return (await iam.send(new GetRoleCommand({ RoleName }))).Role;
}

function assumed(account: LocalAccount) {
  return assume(dispatcher(account), { SourceIdentity: SESSION });
}

describe('a permissions boundary', () => {
  const put = (iam: IAMClient, PermissionsBoundary = BOUNDARY) =>
    iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: TENANT_ROLE, PermissionsBoundary }));
  const remove = (iam: IAMClient) => iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: TENANT_ROLE }));

  test('limits the sessions that there are, until it is taken away', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await iam.send(new CreatePolicyCommand({ PolicyName: 'boundary', PolicyDocument: documentOf('s3:*') }));

    await put(iam);
    expect((await roleOf(iam))?.PermissionsBoundary).toEqual({
      PermissionsBoundaryType: 'Policy',
      PermissionsBoundaryArn: BOUNDARY,
    });
    await sdkRefusal(assumed(account));

    await remove(iam);
    expect((await roleOf(iam))?.PermissionsBoundary).toBeUndefined();
    expect((await assumed(account)).SourceIdentity).toBe(SESSION);
  });

  test('fails to be what is not there, and the one that there is stays', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await iam.send(new CreatePolicyCommand({ PolicyName: 'boundary', PolicyDocument: documentOf('s3:*') }));
    await put(iam);

    expect(await sdkRefusal(put(iam, `${BOUNDARY}-absent`))).toMatchObject({
      name: 'NoSuchEntityException',
      message: `Scope ARN: ${BOUNDARY}-absent does not exist or is not attachable.`,
    });
    expect((await roleOf(iam))?.PermissionsBoundary?.PermissionsBoundaryArn).toBe(BOUNDARY);
  });

  test('fails to be taken from a role that has none', async () => {
    const account = await startFixture();

    expect(await sdkRefusal(remove(iamClient(account)))).toMatchObject({ name: 'NoSuchEntityException', status: 404 });
  });
});

describe('UpdateRole', () => {
  test('changes how long sessions may last, and the description', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await iam.send(new UpdateRoleCommand({ RoleName: TENANT_ROLE, MaxSessionDuration: 7200, Description: 'a test' }));

    expect(await roleOf(iam)).toMatchObject({ MaxSessionDuration: 7200, Description: 'a test' });
    // What the account hands out here lasts 12 hours.
    expect(() => account.dispatcherCredentials('hub', 'acme')).toThrow(
      'exceeds the MaxSessionDuration set for this role',
    );
  });

  test('answers with a result that holds nothing, which boto3 asks for', async () => {
    const account = await startFixture();
    const call = { Action: 'UpdateRole', RoleName: TENANT_ROLE };
    const answer = await callQuery(account, 'iam', account.administratorCredentials(ACCOUNT), call);

    expect(elementOf(answer, 'UpdateRoleResult')).toBe('');
  });

  test('goes back to an hour where no duration is given, and leaves the description', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await iam.send(new UpdateRoleCommand({ RoleName: TENANT_ROLE, MaxSessionDuration: 7200, Description: 'a test' }));

    await iam.send(new UpdateRoleCommand({ RoleName: TENANT_ROLE }));

    expect(await roleOf(iam)).toMatchObject({ MaxSessionDuration: 3600, Description: 'a test' });
  });

  test.each([
    [
      'a duration that is too long',
      { MaxSessionDuration: 43_201 },
      "1 validation error detected: Value '43201' at 'maxSessionDuration' failed to satisfy constraint: Member must have value less than or equal to 43200",
    ],
    [
      'a description with a dash that IAM does not take',
      { Description: 'a \u2013 b' },
      'The specified value for description is invalid. It must contain only printable ASCII characters.',
    ],
  ])('fails for %s', async (_, input, message) => {
    const account = await startFixture();

    const refusal = await sdkRefusal(
      iamClient(account).send(new UpdateRoleCommand({ RoleName: TENANT_ROLE, ...input })),
    );

    expect(refusal).toMatchObject({ name: 'ValidationError', message });
  });
});

describe('the tags of a role', () => {
  const tag = (iam: IAMClient, tags: Record<string, string>) =>
    iam.send(
      new TagRoleCommand({
        RoleName: TENANT_ROLE,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
  const tagsOf = async (iam: IAMClient): Promise<Record<string, string | undefined>> => {
    const { Tags: tags = [] } = await iam.send(new ListRoleTagsCommand({ RoleName: TENANT_ROLE }));
    return Object.fromEntries(tags.map(({ Key, Value }: Tag) => [Key, Value]));
  };

  test('are added, overwritten whatever the case of a key, listed by key and taken away', async () => {
    const account = await startFixture();
    const iam = iamClient(account);

    await tag(iam, { team: 'identity', cost: '1' });
    expect(Object.entries(await tagsOf(iam))).toEqual([
      ['cost', '1'],
      ['team', 'identity'],
    ]);
    await tag(iam, { Team: 'platform' });
    expect(await tagsOf(iam)).toEqual({ cost: '1', Team: 'platform' });
    await iam.send(new UntagRoleCommand({ RoleName: TENANT_ROLE, TagKeys: ['TEAM', 'absent'] }));
    expect(await tagsOf(iam)).toEqual({ cost: '1' });
    expect((await roleOf(iam))?.Tags).toEqual([{ Key: 'cost', Value: '1' }]);
  });

  test('are keys of conditions, of the session too', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    const policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'iam:GetRole',
          Resource: '*',
          Condition: { StringEquals: { 'aws:ResourceTag/team': '${aws:PrincipalTag/team}' } },
        },
      ],
    });
    await iam.send(new PutRolePolicyCommand({ RoleName: TENANT_ROLE, PolicyName: 'own', PolicyDocument: policy }));
    const tenant = iamClient(account, account.dispatcherCredentials('hub', 'acme'));
    expect(await sdkRefusal(roleOf(tenant))).toMatchObject({ name: 'AccessDenied' });

    await tag(iam, { team: 'identity' });

    expect((await roleOf(tenant))?.Arn).toBe(ACME_TENANT_ROLE);
  });

  test('fail as the 51st', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await tag(iam, Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 'v'])));

    expect(await sdkRefusal(tag(iam, { one: 'more' }))).toMatchObject({ name: 'LimitExceededException', status: 409 });
    await tag(iam, { K49: 'w' });
    expect(Object.keys(await tagsOf(iam))).toHaveLength(50);
  });

  test('fail when none is given', async () => {
    const account = await startFixture();

    expect(await sdkRefusal(tag(iamClient(account), {}))).toMatchObject({ name: 'ValidationError' });
  });
});

describe('quotas of roles', () => {
  test('a trust policy of more than 2,048 characters fails, made or updated', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    const create = (document: string) =>
      iam.send(new CreateRoleCommand({ RoleName: 'new', AssumeRolePolicyDocument: document }));
    const message = 'Cannot exceed quota for ACLSizePerRole: 2048';

    expect(await sdkRefusal(create(trustOf(2049)))).toMatchObject({ name: 'LimitExceededException', message });
    await create(trustOf(2048));
    const update = new UpdateAssumeRolePolicyCommand({ RoleName: 'new', PolicyDocument: trustOf(2049) });
    expect(await sdkRefusal(iam.send(update))).toMatchObject({ name: 'LimitExceededException', message });
  });

  test('inline policies of more than 10,240 characters together fail, and one that takes the place of another counts once', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    const put = (name: string, length: number) =>
      iam.send(
        new PutRolePolicyCommand({
          RoleName: TENANT_ROLE,
          PolicyName: name,
          PolicyDocument: documentOf(`s3:${'x'.repeat(length)}`),
        }),
      );
    await put('one', 6000);
    await put('one', 6001);

    expect(await sdkRefusal(put('two', 6000))).toMatchObject({
      name: 'LimitExceededException',
      message: `Maximum policy size of 10240 bytes exceeded for role ${TENANT_ROLE}`,
    });
  });

  test('a role beyond what the account may have fails', async () => {
    const account = await startFixture({ quotas: { RolesQuota: 6 } });

    const create = new CreateRoleCommand({ RoleName: 'new', AssumeRolePolicyDocument: trustOf(200) });

    expect(await sdkRefusal(iamClient(account).send(create))).toMatchObject({
      name: 'LimitExceededException',
      message: 'Cannot exceed quota for RolesPerAccount: 6',
    });
  });
});

test('ListRoles leaves out what IAM leaves out of it, and comes in pages', async () => {
  const account = await startFixture();
  const iam = iamClient(account);
  await iam.send(new CreatePolicyCommand({ PolicyName: 'boundary', PolicyDocument: documentOf('*') }));
  await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: TENANT_ROLE, PermissionsBoundary: BOUNDARY }));
  await iam.send(new TagRoleCommand({ RoleName: TENANT_ROLE, Tags: [{ Key: 'a', Value: 'b' }] }));

  const names: (string | undefined)[] = [];
  let marker: string | undefined;
  do {
    const page = await iam.send(new ListRolesCommand({ MaxItems: 4, Marker: marker }));
    expect(page.IsTruncated).toBe(page.Marker !== undefined);
    for (const role of page.Roles ?? []) {
      expect(role).not.toHaveProperty('Tags');
      expect(role).not.toHaveProperty('PermissionsBoundary');
      names.push(role.RoleName);
    }
    marker = page.Marker;
  } while (marker !== undefined);
  expect(names).toEqual([
    'hub-acme-tenant',
    'hub-initech-tenant',
    'hub-globex-tenant',
    'hub-acme-session',
    'hub-initech-session',
    'data-reader',
  ]);
  expect(await sdkRefusal(iam.send(new ListRolesCommand({ Marker: 'item 4' })))).toMatchObject({
    name: 'ValidationError',
    message: 'Invalid Marker.',
  });
});

test('a policy that is detached grants nothing from then on', async () => {
  const account = await startFixture();
  expect((await assumed(account)).SourceIdentity).toBe(SESSION);

  await iamClient(account).send(
    new DetachRolePolicyCommand({
      RoleName: TENANT_ROLE,
      PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`,
    }),
  );

  await sdkRefusal(assumed(account));
});
