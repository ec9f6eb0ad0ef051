import {
  CreateAccessEntryCommand,
  type CreateAccessEntryCommandInput,
  DeleteAccessEntryCommand,
  DescribeAccessEntryCommand,
  ListAccessEntriesCommand,
  UpdateAccessEntryCommand,
} from '@aws-sdk/client-eks';
import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../lib/config/parse.ts';
import type { LocalAccount } from '../../../lib/local/index.ts';
import { rejectionOf } from '../../support/refusal.ts';
import { assume, dispatcher, eksClient, handedOut, iamClient, SESSION, sdkRefusal } from '../clients.ts';
import {
  ACCOUNT,
  ACME_ROLE,
  ACME_TENANT_ROLE,
  DATA_ROLE,
  REGION,
  startFixture,
  templatesOf,
  writeAssembly,
  YAML,
} from '../fixture.ts';

/** With an access entry for acme. */
const CONFIG = parseConfig(
  YAML.replace(
    `tenantRole: ${ACME_TENANT_ROLE}\n`,
    `tenantRole: ${ACME_TENANT_ROLE}\n        eks:\n          kubernetesGroups: [agents]\n`,
  ),
  'tenants.yaml',
);
const STACK = 'SessionBroker-hub-acme';
const USER_NAME = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/{{SessionName}}`;

function entryOf(account: LocalAccount, principalArn = ACME_ROLE, client = eksClient(account)) {
  return client.send(new DescribeAccessEntryCommand({ clusterName: 'hub', principalArn }));
}

function create(account: LocalAccount, input: Partial<CreateAccessEntryCommandInput> = {}) {
  const command = new CreateAccessEntryCommand({ clusterName: 'hub', principalArn: DATA_ROLE, ...input });
  return eksClient(account).send(command);
}

async function list(account: LocalAccount) {
  return (await eksClient(account).send(new ListAccessEntriesCommand({ clusterName: 'hub' }))).accessEntries;
}

async function session(account: LocalAccount, sourceIdentity = SESSION) {
  const input = { SourceIdentity: sourceIdentity, RoleSessionName: sourceIdentity };
  return handedOut(await assume(dispatcher(account), input));
}

describe('an access entry of the assembly', () => {
  test('is there, with the user name that EKS gives', async () => {
    const account = await startFixture({ config: CONFIG });

    expect(account.notices.join()).not.toContain('AccessEntry');
    expect(await list(account)).toEqual([ACME_ROLE]);
    expect((await entryOf(account)).accessEntry).toEqual({
      clusterName: 'hub',
      principalArn: ACME_ROLE,
      kubernetesGroups: ['agents'],
      accessEntryArn: expect.stringMatching(
        new RegExp(
          `^arn:aws:eks:${REGION}:${ACCOUNT}:access-entry/hub/role/${ACCOUNT}/hub-acme-session/[0-9a-f-]{36}$`,
        ),
      ),
      createdAt: expect.any(Date),
      modifiedAt: expect.any(Date),
      tags: {},
      username: USER_NAME,
      type: 'STANDARD',
    });
  });

  test('lets sessions of its role in, by their names, and nobody else', async () => {
    const account = await startFixture({ config: CONFIG });

    expect(account.kubernetesUser('hub', await session(account))).toEqual({
      userName: `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/${SESSION}`,
      groups: ['agents'],
    });
    expect(account.kubernetesUser('hub', account.dispatcherCredentials('hub', 'acme'))).toBeUndefined();
    expect(account.kubernetesUser('hub', account.administratorCredentials(ACCOUNT))).toBeUndefined();
    expect(account.kubernetesUser('hub', { accessKeyId: 'ASIA' })).toBeUndefined();
    expect(() => account.kubernetesUser('absent', { accessKeyId: 'ASIA' })).toThrow(
      'cluster must be one that the configuration names: "absent" is not; choose from hub',
    );
  });

  test('lets nobody in whose credentials are no longer good', async () => {
    let offset = 0;
    const account = await startFixture({ config: CONFIG, clock: () => new Date(Date.now() + offset) });
    const credentials = await session(account);
    expect(account.kubernetesUser('hub', credentials)).toBeDefined();

    offset = 3_600_000;

    expect(account.kubernetesUser('hub', credentials)).toBeUndefined();
  });

  test('lets no session of a role in that was deleted and created again, though its ARN is the same', async () => {
    const account = await startFixture({ config: CONFIG });
    const iam = iamClient(account);
    const RoleName = 'hub-acme-session';
    const { Role: role } = await iam.send(new GetRoleCommand({ RoleName }));
    for (const PolicyName of ['permissions', 'guard']) {
      await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
    }
    await iam.send(new DeleteRoleCommand({ RoleName }));
    await iam.send(
      new CreateRoleCommand({
        RoleName,
        Path: '/session-broker/',
        AssumeRolePolicyDocument: decodeURIComponent(role?.AssumeRolePolicyDocument ?? ''),
      }),
    );

    expect(account.kubernetesUser('hub', await session(account))).toBeUndefined();
    expect(await list(account)).toEqual([ACME_ROLE]);
    expect(await sdkRefusal(create(account, { principalArn: ACME_ROLE }))).toMatchObject({
      name: 'ResourceInUseException',
      status: 409,
    });
    await eksClient(account).send(new DeleteAccessEntryCommand({ clusterName: 'hub', principalArn: ACME_ROLE }));
    await create(account, { principalArn: ACME_ROLE });
    expect(account.kubernetesUser('hub', await session(account))).toMatchObject({ groups: [] });
  });

  test('has its groups and its user name changed, each by itself', async () => {
    const account = await startFixture({ config: CONFIG });
    const before = (await entryOf(account)).accessEntry;
    const update = (input: { readonly kubernetesGroups?: string[]; readonly username?: string }) =>
      eksClient(account).send(new UpdateAccessEntryCommand({ clusterName: 'hub', principalArn: ACME_ROLE, ...input }));

    expect((await update({ kubernetesGroups: ['readers'] })).accessEntry).toEqual({
      ...before,
      kubernetesGroups: ['readers'],
    });
    await update({ username: 'agent:{{SessionName}}' });
    expect(account.kubernetesUser('hub', await session(account))).toEqual({
      userName: `agent:${SESSION}`,
      groups: ['readers'],
    });
    expect(await sdkRefusal(update({ kubernetesGroups: ['system:masters'] }))).toMatchObject({
      name: 'InvalidParameterException',
    });
    expect(await sdkRefusal(update({ username: 'system:agent' }))).toMatchObject({ name: 'InvalidParameterException' });
    await update({ kubernetesGroups: [] });
    expect((await entryOf(account)).accessEntry).toMatchObject({
      kubernetesGroups: [],
      username: 'agent:{{SessionName}}',
    });
  });

  test('keeps the account from starting where the mode has no access entries, as it keeps a stack from deploying', async () => {
    const refusal = await rejectionOf(startFixture({ config: CONFIG, authenticationMode: 'CONFIG_MAP' }));

    expect({ code: refusal.code, message: refusal.message }).toEqual({
      code: 'AssemblyUnreadable',
      message: `cloud assembly stack ${STACK}, AWS::EKS::AccessEntry AccessEntry: InvalidRequestException: The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.`,
    });
  });

  test('keeps it from starting without its principal', async () => {
    const templates = templatesOf(CONFIG);
    const entry = templates[STACK]?.Resources['AccessEntry'];
    Object.assign(entry?.Properties ?? {}, { PrincipalArn: `${ACME_ROLE}-absent` });

    expect((await rejectionOf(startFixture({ config: CONFIG, assembly: writeAssembly(templates) }))).message).toBe(
      `cloud assembly stack ${STACK}, AWS::EKS::AccessEntry AccessEntry: InvalidParameterException: The specified principalArn is invalid: invalid principal.`,
    );
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'a cluster that the configuration does not name',
      { ClusterName: 'other' },
      'the strict local account does not model the EKS cluster other, which the configuration does not name; see docs/local-account.md',
    ],
    ['a cluster of the app itself', { ClusterName: { Ref: 'Cluster' } }, 'Cluster is not created'],
    [
      'a cluster that another stack exports',
      { ClusterName: { 'Fn::ImportValue': 'cluster' } },
      'the function Fn::ImportValue is not modelled',
    ],
  ])('is passed over with a notice for %s', async (_, properties, reason) => {
    const templates = templatesOf(CONFIG);
    const resources = templates[STACK]?.Resources ?? {};
    Object.assign(resources['AccessEntry']?.Properties ?? {}, properties);
    resources['Cluster'] = { Type: 'AWS::EKS::Cluster', Properties: {} };

    const account = await startFixture({ config: CONFIG, assembly: writeAssembly(templates) });

    expect(account.notices.find((notice) => notice.includes('AccessEntry'))).toBe(
      `AWS::EKS::AccessEntry AccessEntry in ${STACK} is passed over: ${reason}`,
    );
    expect(await list(account)).toEqual([]);
  });
});

describe('CreateAccessEntry', () => {
  test('makes an entry with what is asked for', async () => {
    const account = await startFixture();

    const { accessEntry: entry } = await create(account, {
      username: 'reader:{{SessionName}}',
      kubernetesGroups: ['readers'],
      tags: { team: 'identity' },
    });

    expect(entry).toMatchObject({
      principalArn: DATA_ROLE,
      username: 'reader:{{SessionName}}',
      kubernetesGroups: ['readers'],
      tags: { team: 'identity' },
      type: 'STANDARD',
    });
    expect((await entryOf(account, DATA_ROLE)).accessEntry).toEqual(entry);
    expect(account.events().find(({ eventName }) => eventName === 'CreateAccessEntry')).toMatchObject({
      eventSource: 'eks.amazonaws.com',
      readOnly: false,
      requestParameters: { name: 'hub', principalArn: DATA_ROLE, type: 'STANDARD', kubernetesGroups: ['readers'] },
    });
  });

  test('writes the name of a session as Kubernetes takes it', async () => {
    const account = await startFixture();
    await create(account, { principalArn: ACME_ROLE, username: 'a:{{SessionName}}:{{SessionNameRaw}}' });
    const input = { SourceIdentity: SESSION, RoleSessionName: 'acme@s1' };
    const named = handedOut(await assume(dispatcher(account), input));

    expect(account.kubernetesUser('hub', named)?.userName).toBe('a:acme-s1:acme@s1');
  });

  test('answers a repeated request with the entry that it made, and another one with a refusal', async () => {
    const account = await startFixture();
    const first = await create(account, { clientRequestToken: 'token' });

    expect((await create(account, { clientRequestToken: 'token' })).accessEntry).toEqual(first.accessEntry);
    expect(await sdkRefusal(create(account))).toMatchObject({
      name: 'ResourceInUseException',
      status: 409,
      message: 'The specified access entry resource is already in use on this cluster.',
    });
  });

  test.each<[string, Partial<CreateAccessEntryCommandInput>, string, string]>([
    [
      'a role that there is not',
      { principalArn: `${DATA_ROLE}-absent` },
      'InvalidParameterException',
      'The specified principalArn is invalid: invalid principal.',
    ],
    [
      'a session',
      { principalArn: `arn:aws:sts::${ACCOUNT}:assumed-role/data-reader/session` },
      'InvalidParameterException',
      'The specified principalArn is invalid: invalid principal.',
    ],
    [
      'a group that Kubernetes keeps for itself',
      { kubernetesGroups: ['agents', 'system:masters'] },
      'InvalidParameterException',
      'The kubernetes group name system:masters is invalid, it cannot start with system:',
    ],
    [
      'a user name that is reserved',
      { username: 'eks:reader' },
      'InvalidParameterException',
      'The username must not begin with eks:: eks:reader',
    ],
    [
      'a user name that a session could choose as a whole',
      { username: '{{SessionName}}' },
      'InvalidParameterException',
      'The username must have a colon before the name of the session: {{SessionName}}',
    ],
    [
      'a type of nodes, which is not modelled',
      { type: 'EC2_LINUX' },
      'NotModelled',
      'the strict local account does not model access entries of the type EC2_LINUX; see docs/local-account.md',
    ],
    [
      'a cluster that there is not',
      { clusterName: 'absent' },
      'ResourceNotFoundException',
      'No cluster found for name: absent.',
    ],
  ])('fails for %s', async (_, input, name, message) => {
    const account = await startFixture();

    expect(await sdkRefusal(create(account, input))).toMatchObject({ name, message });
    expect(await list(account)).toEqual([]);
  });
});

describe('DescribeAccessEntry', () => {
  test('fails for a principal without one', async () => {
    const account = await startFixture();

    expect(await sdkRefusal(entryOf(account))).toMatchObject({
      name: 'ResourceNotFoundException',
      status: 404,
      message:
        "The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.",
    });
  });

  test('is allowed by the ARN of the entry or by what the entry is about', async () => {
    const account = await startFixture({ config: CONFIG });
    const iam = iamClient(account);
    const client = eksClient(account, account.dispatcherCredentials('hub', 'acme'));
    const allow = (statement: Record<string, unknown>) =>
      iam.send(
        new PutRolePolicyCommand({
          RoleName: 'hub-acme-tenant',
          PolicyName: 'eks',
          PolicyDocument: JSON.stringify({
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Action: 'eks:DescribeAccessEntry', Resource: '*', ...statement }],
          }),
        }),
      );
    const entries = `arn:aws:eks:${REGION}:${ACCOUNT}:access-entry/hub`;

    await allow({ Resource: `${entries}/role/${ACCOUNT}/hub-acme-session/*` });
    expect((await entryOf(account, ACME_ROLE, client)).accessEntry?.principalArn).toBe(ACME_ROLE);
    expect(await sdkRefusal(entryOf(account, DATA_ROLE, client))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`eks:DescribeAccessEntry on resource: ${entries}////*`),
    });
    await allow({ Condition: { ArnEquals: { 'eks:principalArn': DATA_ROLE } } });
    expect(await sdkRefusal(entryOf(account, ACME_ROLE, client))).toMatchObject({ name: 'AccessDeniedException' });
    await create(account);
    expect((await entryOf(account, DATA_ROLE, client)).accessEntry?.principalArn).toBe(DATA_ROLE);
  });
});

test('ListAccessEntries comes in pages', async () => {
  const account = await startFixture();
  await create(account);
  await create(account, { principalArn: ACME_ROLE });
  const client = eksClient(account);
  const page = (nextToken?: string) =>
    client.send(new ListAccessEntriesCommand({ clusterName: 'hub', maxResults: 1, nextToken }));

  const first = await page();
  const second = await page(first.nextToken);

  expect([first.accessEntries, second.accessEntries]).toEqual([[DATA_ROLE], [ACME_ROLE]]);
  expect(second.nextToken).toBeUndefined();
  const associated = new ListAccessEntriesCommand({ clusterName: 'hub', associatedPolicyArn: 'arn' });
  expect(await sdkRefusal(client.send(associated))).toMatchObject({ name: 'NotModelled' });
});
