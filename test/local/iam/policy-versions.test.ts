import {
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyVersionCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  type IAMClient,
  ListPolicyVersionsCommand,
  PutRolePermissionsBoundaryCommand,
  SetDefaultPolicyVersionCommand,
} from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import type { LocalAccount } from '../../../lib/local/index.ts';
import { assume, dispatcher, handedOut, iamClient, SESSION, sdkRefusal, stsClient } from '../clients.ts';
import { ACCOUNT, DATA_ROLE, startFixture } from '../fixture.ts';

const CALLER_POLICY = `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`;
const POLICY = `arn:aws:iam::${ACCOUNT}:policy/new`;

function documentOf(effect: 'Allow' | 'Deny', action: string): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: effect, Action: action, Resource: '*' }] });
}

async function createPolicy(iam: IAMClient): Promise<void> {
  await iam.send(new CreatePolicyCommand({ PolicyName: 'new', PolicyDocument: documentOf('Allow', 's3:v1') }));
}

function addVersion(iam: IAMClient, document: string, SetAsDefault?: boolean, PolicyArn = POLICY) {
  return iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: document, SetAsDefault }));
}

async function versionsOf(iam: IAMClient): Promise<readonly string[]> {
  const { Versions: versions = [] } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn: POLICY }));
  return versions.map(({ VersionId, IsDefaultVersion }) => `${VersionId}${IsDefaultVersion ? ' in force' : ''}`);
}

async function documentIn(iam: IAMClient, VersionId: string): Promise<unknown> {
  const answer = await iam.send(new GetPolicyVersionCommand({ PolicyArn: POLICY, VersionId }));
  return JSON.parse(decodeURIComponent(answer.PolicyVersion?.Document ?? ''));
}

describe('a new version', () => {
  test('is stored beside the one in force, and its document can be read', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await createPolicy(iam);

    const { PolicyVersion: version } = await addVersion(iam, documentOf('Allow', 's3:v2'));

    expect(version).toEqual({ VersionId: 'v2', IsDefaultVersion: false, CreateDate: expect.any(Date) });
    expect(await versionsOf(iam)).toEqual(['v2', 'v1 in force']);
    expect(await documentIn(iam, 'v1')).toMatchObject({ Statement: [{ Action: 's3:v1' }] });
    expect(await documentIn(iam, 'v2')).toMatchObject({ Statement: [{ Action: 's3:v2' }] });
    expect(account.events().find(({ eventName }) => eventName === 'CreatePolicyVersion')).toMatchObject({
      readOnly: false,
      requestParameters: { policyArn: POLICY, setAsDefault: false },
      responseElements: { policyVersion: { versionId: 'v2', isDefaultVersion: false } },
    });
  });

  test('comes into force with SetAsDefault', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await createPolicy(iam);

    await addVersion(iam, documentOf('Allow', 's3:v2'), true);

    expect(await versionsOf(iam)).toEqual(['v2 in force', 'v1']);
    expect((await iam.send(new GetPolicyCommand({ PolicyArn: POLICY }))).Policy?.DefaultVersionId).toBe('v2');
  });

  test('fails as the sixth, and takes no number twice once there is room', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await createPolicy(iam);
    for (let count = 2; count <= 5; count += 1) await addVersion(iam, documentOf('Allow', `s3:v${count}`));

    expect(await sdkRefusal(addVersion(iam, documentOf('Allow', 's3:v6')))).toMatchObject({
      name: 'LimitExceededException',
      status: 409,
      message:
        'A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.',
    });
    await iam.send(new DeletePolicyVersionCommand({ PolicyArn: POLICY, VersionId: 'v5' }));
    expect((await addVersion(iam, documentOf('Allow', 's3:v6'))).PolicyVersion?.VersionId).toBe('v6');
    expect(await versionsOf(iam)).toEqual(['v6', 'v4', 'v3', 'v2', 'v1 in force']);
  });

  test('fails when it is too long or no policy, and nothing is stored', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await createPolicy(iam);

    expect(await sdkRefusal(addVersion(iam, documentOf('Allow', `s3:${'x'.repeat(6144)}`)))).toMatchObject({
      name: 'LimitExceededException',
      message: 'Cannot exceed quota for PolicySize: 6144',
    });
    expect(await sdkRefusal(addVersion(iam, '{'))).toMatchObject({ name: 'MalformedPolicyDocumentException' });
    expect(await versionsOf(iam)).toEqual(['v1 in force']);
  });
});

describe('the version in force', () => {
  const assumed = async (account: LocalAccount) =>
    (await assume(dispatcher(account), { SourceIdentity: SESSION })).SourceIdentity;

  test('alone decides, from one call to the next', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    const put = (VersionId: string) =>
      iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn: CALLER_POLICY, VersionId }));

    await addVersion(iam, documentOf('Deny', 'sts:*'), false, CALLER_POLICY);
    expect(await assumed(account)).toBe(SESSION);

    await put('v2');
    expect((await sdkRefusal(assumed(account))).message).toMatch(/ with an explicit deny in an identity-based policy$/);

    await put('v1');
    expect(await assumed(account)).toBe(SESSION);
  });

  test('decides as a permissions boundary too', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await createPolicy(iam);
    const boundary = { RoleName: 'hub-acme-tenant', PermissionsBoundary: POLICY };
    await iam.send(new PutRolePermissionsBoundaryCommand(boundary));
    expect((await sdkRefusal(assumed(account))).message).toContain('sts:AssumeRole');

    await addVersion(iam, documentOf('Allow', 'sts:*'), true);

    expect(await assumed(account)).toBe(SESSION);
  });

  test('decides as a session policy too, about sessions that there are', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await iam.send(new CreatePolicyCommand({ PolicyName: 'new', PolicyDocument: documentOf('Allow', 'sts:*') }));
    const limited = await assume(dispatcher(account), {
      SourceIdentity: SESSION,
      PolicyArns: [{ arn: POLICY }],
    });
    const session = stsClient(account, handedOut(limited));
    const goOn = () => assume(session, { RoleArn: DATA_ROLE });
    expect((await goOn()).SourceIdentity).toBe(SESSION);

    await addVersion(iam, documentOf('Allow', 's3:*'), true);

    expect((await sdkRefusal(goOn())).name).toBe('AccessDenied');
  });

  test('cannot be deleted', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await createPolicy(iam);
    await addVersion(iam, documentOf('Allow', 's3:v2'), true);
    const remove = (VersionId: string) => iam.send(new DeletePolicyVersionCommand({ PolicyArn: POLICY, VersionId }));

    expect(await sdkRefusal(remove('v2'))).toMatchObject({
      name: 'DeleteConflictException',
      status: 409,
      message: 'Cannot delete the default version of a policy.',
    });
    await remove('v1');
    expect(await versionsOf(iam)).toEqual(['v2 in force']);
  });

  test('fails to become one that there is not', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await createPolicy(iam);

    expect(
      await sdkRefusal(iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn: POLICY, VersionId: 'v2' }))),
    ).toMatchObject({
      name: 'NoSuchEntityException',
      status: 404,
      message: `Policy ${POLICY} version v2 does not exist or is not attachable.`,
    });
    expect(
      await sdkRefusal(iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn: POLICY, VersionId: '2' }))),
    ).toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining("Value '2' at 'versionId' failed to satisfy constraint"),
    });
  });
});
