import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  type CreatePolicyCommandInput,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  type IAMClient,
  ListEntitiesForPolicyCommand,
  type ListEntitiesForPolicyCommandInput,
  PutRolePermissionsBoundaryCommand,
} from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import { iamClient, notAuthorized, sdkRefusal } from '../clients.ts';
import {
  ACCOUNT,
  ACME_TENANT_ROLE,
  CONFIG,
  OTHER_ACCOUNT,
  startFixture,
  templatesOf,
  writeAssembly,
} from '../fixture.ts';

const CALLER_POLICY = `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`;
const NEW_POLICY = `arn:aws:iam::${ACCOUNT}:policy/new`;
const DOCUMENT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }],
});

function create(iam: IAMClient, input: Partial<CreatePolicyCommandInput> = {}) {
  return iam.send(new CreatePolicyCommand({ PolicyName: 'new', PolicyDocument: DOCUMENT, ...input }));
}

/** A policy of so many characters; the white space in it does not count. */
function documentOf(length: number): string {
  const statement = (sid: string) => ({ Sid: sid, Effect: 'Deny', Action: 's3:*', Resource: '*' });
  const document = (sid: string) => ({ Version: '2012-10-17', Statement: [statement(sid)] });
  const filler = length - JSON.stringify(document('')).length;
  return JSON.stringify(document('a'.repeat(filler)), null, 4);
}

describe('CreatePolicy', () => {
  test('makes a policy with a first version, in force', async () => {
    const account = await startFixture();
    const iam = iamClient(account);

    const { Policy: created } = await create(iam, {
      Path: '/team/',
      Description: 'for a test',
      Tags: [{ Key: 'team', Value: 'identity' }],
    });

    expect(created).toEqual({
      Arn: `arn:aws:iam::${ACCOUNT}:policy/team/new`,
      PolicyName: 'new',
      PolicyId: expect.stringMatching(/^ANPA[A-Z2-7]{17}$/),
      Path: '/team/',
      DefaultVersionId: 'v1',
      AttachmentCount: 0,
      PermissionsBoundaryUsageCount: 0,
      IsAttachable: true,
      CreateDate: expect.any(Date),
      UpdateDate: expect.any(Date),
      Description: 'for a test',
      Tags: [{ Key: 'team', Value: 'identity' }],
    });
    expect((await iam.send(new GetPolicyCommand({ PolicyArn: created?.Arn }))).Policy).toEqual(created);
    expect(account.events().at(-2)).toMatchObject({
      eventName: 'CreatePolicy',
      awsRegion: 'us-east-1',
      readOnly: false,
      requestParameters: { policyName: 'new', path: '/team/', policyDocument: DOCUMENT },
      responseElements: { policy: { arn: created?.Arn } },
    });
  });

  test.each<[string, Partial<CreatePolicyCommandInput>, string, string]>([
    [
      'a name that is taken under another path, whatever its case',
      { PolicyName: 'Hub-Acme-Caller' },
      'EntityAlreadyExistsException',
      'A policy called Hub-Acme-Caller already exists. Duplicate names are not allowed.',
    ],
    [
      'a principal',
      { PolicyDocument: DOCUMENT.replace('"Resource"', '"Principal":"*","Resource"') },
      'MalformedPolicyDocumentException',
      'Policy document should not specify a principal.',
    ],
    [
      'a document with characters that IAM does not take',
      { PolicyDocument: DOCUMENT.replace('s3:*', 's3:\u2013') },
      'ValidationError',
      'The specified value for policyDocument is invalid. It must contain only printable ASCII characters.',
    ],
    [
      'a document that is too long',
      { PolicyDocument: documentOf(6145) },
      'LimitExceededException',
      'Cannot exceed quota for PolicySize: 6144',
    ],
  ])('fails for %s', async (_, input, name, message) => {
    const account = await startFixture();

    expect(await sdkRefusal(create(iamClient(account), input))).toMatchObject({ name, message });
  });

  test('does not count white space', async () => {
    const account = await startFixture();
    const document = documentOf(6144);
    expect(document.length).toBeGreaterThan(6144);

    expect((await create(iamClient(account), { PolicyDocument: document })).Policy?.Arn).toBe(NEW_POLICY);
  });

  test('fails for who may not, and names the policy by its name', async () => {
    const account = await startFixture();
    const iam = iamClient(account, account.dispatcherCredentials('hub', 'acme'));

    const caller = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`;
    expect(await sdkRefusal(create(iam))).toMatchObject({
      name: 'AccessDenied',
      status: 403,
      message: `${notAuthorized(caller, 'iam:CreatePolicy', 'policy new')} because no identity-based policy allows the iam:CreatePolicy action`,
    });
    expect(await sdkRefusal(iam.send(new GetPolicyCommand({ PolicyArn: CALLER_POLICY })))).toMatchObject({
      message: `${notAuthorized(caller, 'iam:GetPolicy', `policy ${CALLER_POLICY}`)} because no identity-based policy allows the iam:GetPolicy action`,
    });
  });

  test('fails once the account has as many as it may', async () => {
    const account = await startFixture({ quotas: { PoliciesQuota: 3 } });
    const iam = iamClient(account);
    await create(iam);

    expect(await sdkRefusal(create(iam, { PolicyName: 'another' }))).toMatchObject({
      name: 'LimitExceededException',
      status: 409,
      message: 'Cannot exceed quota for PoliciesPerAccount: 3',
    });
  });
});

describe('GetPolicy', () => {
  test('counts what a policy of the assembly is attached to', async () => {
    const account = await startFixture();
    const iam = iamClient(account);

    const { Policy: policy } = await iam.send(new GetPolicyCommand({ PolicyArn: CALLER_POLICY }));

    expect(policy).toMatchObject({ PolicyName: 'hub-acme-caller', Path: '/session-broker/', AttachmentCount: 1 });
  });

  test.each([
    ['that is not there', NEW_POLICY, 'NoSuchEntityException', `Policy ${NEW_POLICY} was not found.`],
    [
      'of another account',
      `arn:aws:iam::${OTHER_ACCOUNT}:policy/new`,
      'AccessDenied',
      `${notAuthorized(`arn:aws:iam::${ACCOUNT}:user/administrator`, 'iam:GetPolicy', `policy arn:aws:iam::${OTHER_ACCOUNT}:policy/new`)} because no resource-based policy allows the iam:GetPolicy action`,
    ],
    [
      'by what is no ARN of one',
      `arn:aws:iam::${ACCOUNT}:role/new`,
      'InvalidInputException',
      `ARN arn:aws:iam::${ACCOUNT}:role/new is not valid.`,
    ],
    [
      "of AWS's own",
      'arn:aws:iam::aws:policy/ReadOnlyAccess',
      'NotModelled',
      'the strict local account does not model the policy arn:aws:iam::aws:policy/ReadOnlyAccess, which is not in the assembly; see docs/local-account.md',
    ],
  ])('fails for a policy %s', async (_, PolicyArn, name, message) => {
    const account = await startFixture();

    const refusal = await sdkRefusal(iamClient(account).send(new GetPolicyCommand({ PolicyArn })));

    expect(refusal).toMatchObject({ name, message });
  });

  test('fails with what is not modelled for a policy that a role has, rather than say that there is none', async () => {
    const templates = templatesOf(CONFIG);
    const role = templates['SessionBroker-hub-acme']?.Resources['Role'];
    if (role !== undefined) role.Properties['ManagedPolicyArns'] = [NEW_POLICY];
    const account = await startFixture({ assembly: writeAssembly(templates) });

    expect(await sdkRefusal(iamClient(account).send(new GetPolicyCommand({ PolicyArn: NEW_POLICY })))).toMatchObject({
      name: 'NotModelled',
    });
  });
});

describe('DeletePolicy', () => {
  const remove = (iam: IAMClient) => iam.send(new DeletePolicyCommand({ PolicyArn: NEW_POLICY }));

  test('deletes a policy, and its name is free', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    const first = await create(iam);

    await remove(iam);

    expect(await sdkRefusal(iam.send(new GetPolicyCommand({ PolicyArn: NEW_POLICY })))).toMatchObject({ status: 404 });
    expect((await create(iam)).Policy?.PolicyId).not.toBe(first.Policy?.PolicyId);
  });

  test.each<[string, (iam: IAMClient) => Promise<unknown>, string]>([
    [
      'is attached to a role',
      (iam) => iam.send(new AttachRolePolicyCommand({ RoleName: 'data-reader', PolicyArn: NEW_POLICY })),
      'Cannot delete a policy attached to entities.',
    ],
    [
      'is the permissions boundary of a role',
      (iam) =>
        iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: 'data-reader', PermissionsBoundary: NEW_POLICY })),
      'Cannot delete a policy attached to entities.',
    ],
    [
      'has another version',
      (iam) => iam.send(new CreatePolicyVersionCommand({ PolicyArn: NEW_POLICY, PolicyDocument: DOCUMENT })),
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
    ],
  ])('fails while it %s', async (_, use, message) => {
    const account = await startFixture();
    const iam = iamClient(account);
    await create(iam);
    await use(iam);

    expect(await sdkRefusal(remove(iam))).toMatchObject({ name: 'DeleteConflictException', status: 409, message });
    expect((await iam.send(new GetPolicyCommand({ PolicyArn: NEW_POLICY }))).Policy?.Arn).toBe(NEW_POLICY);
  });
});

describe('ListEntitiesForPolicy', () => {
  const list = async (iam: IAMClient, input: Partial<ListEntitiesForPolicyCommandInput> = {}) => {
    const answer = await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn: NEW_POLICY, ...input }));
    return answer.PolicyRoles?.map(({ RoleName }) => RoleName);
  };

  test('lists roles by how they use the policy', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await create(iam);
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'hub-acme-tenant', PolicyArn: NEW_POLICY }));
    const boundary = { RoleName: 'data-reader', PermissionsBoundary: NEW_POLICY };
    await iam.send(new PutRolePermissionsBoundaryCommand(boundary));

    expect(await list(iam)).toEqual(['hub-acme-tenant', 'data-reader']);
    expect(await list(iam, { PolicyUsageFilter: 'PermissionsPolicy' })).toEqual(['hub-acme-tenant']);
    expect(await list(iam, { PolicyUsageFilter: 'PermissionsBoundary' })).toEqual(['data-reader']);
    expect(await list(iam, { PathPrefix: '/eks-agent-platform/' })).toEqual(['hub-acme-tenant']);
    expect(await list(iam, { EntityFilter: 'User' })).toEqual([]);
    await iam.send(new DetachRolePolicyCommand({ RoleName: 'hub-acme-tenant', PolicyArn: NEW_POLICY }));
    expect(await list(iam)).toEqual(['data-reader']);
  });

  test('fails for a usage that IAM does not know', async () => {
    const account = await startFixture();

    const refusal = await sdkRefusal(
      list(iamClient(account), { PolicyUsageFilter: 'Boundary' as 'PermissionsBoundary' }),
    );

    expect(refusal).toMatchObject({
      name: 'ValidationError',
      message:
        "1 validation error detected: Value 'Boundary' at 'policyUsageFilter' failed to satisfy constraint: Member must satisfy enum value set: [PermissionsPolicy, PermissionsBoundary]",
    });
  });
});

test('a role has at most so many policies attached', async () => {
  const account = await startFixture({ quotas: { AttachedPoliciesPerRoleQuota: 1 } });
  const iam = iamClient(account);
  await create(iam);
  const attach = (RoleName: string) => iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: NEW_POLICY }));

  expect(await sdkRefusal(attach(ACME_TENANT_ROLE.split('/').at(-1) ?? ''))).toMatchObject({
    name: 'LimitExceededException',
    message: 'Cannot exceed quota for PoliciesPerRole: 1',
  });
  await attach('data-reader');
  // It is attached already.
  await attach('data-reader');
});
