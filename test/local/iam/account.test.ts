import {
  CreatePolicyVersionCommand,
  GetAccountAuthorizationDetailsCommand,
  type GetAccountAuthorizationDetailsCommandInput,
  GetAccountSummaryCommand,
  type IAMClient,
} from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import { createScope } from '../../../lib/identity/index.ts';
import { renderTrustPolicy } from '../../../lib/policy/index.ts';
import { iamClient, sdkRefusal } from '../clients.ts';
import { ACCOUNT, ACME_ROLE, ACME_TENANT_ROLE, OTHER_ACCOUNT, startFixture } from '../fixture.ts';

const CALLER_POLICY = `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`;

function decoded(text: string | undefined): unknown {
  return JSON.parse(decodeURIComponent(text ?? ''));
}

describe('GetAccountSummary', () => {
  test('counts what there is beside the quotas that an account begins with', async () => {
    const account = await startFixture();
    const iam = iamClient(account);
    await iam.send(
      new CreatePolicyVersionCommand({
        PolicyArn: CALLER_POLICY,
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
        }),
      }),
    );

    expect((await iam.send(new GetAccountSummaryCommand())).SummaryMap).toEqual({
      AssumeRolePolicySizeQuota: 2048,
      AttachedPoliciesPerRoleQuota: 10,
      Groups: 0,
      GroupsQuota: 300,
      Policies: 2,
      PoliciesQuota: 1500,
      PolicySizeQuota: 6144,
      PolicyVersionsInUse: 3,
      PolicyVersionsInUseQuota: 10_000,
      RolePolicySizeQuota: 10_240,
      Roles: 6,
      RolesQuota: 1000,
      Users: 1,
      UsersQuota: 5000,
      VersionsPerPolicyQuota: 5,
    });
  });

  test('tells the quotas that the account was started with', async () => {
    const account = await startFixture({ quotas: { RolesQuota: 7 } });

    expect((await iamClient(account).send(new GetAccountSummaryCommand())).SummaryMap).toMatchObject({
      RolesQuota: 7,
      PoliciesQuota: 1500,
    });
  });

  test('fails for who may not', async () => {
    const account = await startFixture();
    const iam = iamClient(account, account.dispatcherCredentials('hub', 'acme'));

    expect(await sdkRefusal(iam.send(new GetAccountSummaryCommand()))).toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('is not authorized to perform: iam:GetAccountSummary on resource: *'),
    });
  });
});

describe('GetAccountAuthorizationDetails', () => {
  const details = (iam: IAMClient, input: GetAccountAuthorizationDetailsCommandInput = {}) =>
    iam.send(new GetAccountAuthorizationDetailsCommand(input));

  test('shows roles with their trust and policies, and policies with all versions', async () => {
    const account = await startFixture();
    const iam = iamClient(account);

    const { RoleDetailList: roles, Policies: policies, UserDetailList: users, IsTruncated: rest } = await details(iam);

    const session = roles?.find(({ Arn }) => Arn === ACME_ROLE);
    expect(decoded(session?.AssumeRolePolicyDocument)).toEqual(
      renderTrustPolicy({ scope: createScope({ tenant: 'acme' }), principals: [ACME_TENANT_ROLE] }),
    );
    expect(session?.RolePolicyList?.map(({ PolicyName }) => PolicyName)).toEqual(['permissions', 'guard']);
    expect(decoded(session?.RolePolicyList?.[1]?.PolicyDocument)).toMatchObject({
      Statement: expect.arrayContaining([expect.objectContaining({ Effect: 'Deny' })]),
    });
    const tenant = roles?.find(({ Arn }) => Arn === ACME_TENANT_ROLE);
    expect(tenant?.AttachedManagedPolicies).toEqual([{ PolicyName: 'hub-acme-caller', PolicyArn: CALLER_POLICY }]);
    const policy = policies?.find(({ Arn }) => Arn === CALLER_POLICY);
    expect(policy).toMatchObject({ DefaultVersionId: 'v1', AttachmentCount: 1 });
    expect(policy?.PolicyVersionList).toMatchObject([{ VersionId: 'v1', IsDefaultVersion: true }]);
    expect(decoded(policy?.PolicyVersionList?.[0]?.Document)).toMatchObject({
      Statement: [{ Resource: ACME_ROLE }, { Action: 'ssm:GetParameter' }],
    });
    expect(users).toMatchObject([{ UserName: 'administrator' }]);
    expect(rest).toBe(false);
  });

  test('comes in pages, and of the kinds that are asked for', async () => {
    const account = await startFixture();
    const iam = iamClient(account);

    const names: (string | undefined)[] = [];
    let marker: string | undefined;
    do {
      const page = await details(iam, { Filter: ['Role', 'LocalManagedPolicy'], MaxItems: 3, Marker: marker });
      names.push(...(page.RoleDetailList ?? []).map(({ RoleName }) => RoleName));
      names.push(...(page.Policies ?? []).map(({ PolicyName }) => PolicyName));
      marker = page.Marker;
    } while (marker !== undefined);

    expect(names).toEqual([
      'hub-acme-tenant',
      'hub-initech-tenant',
      'hub-globex-tenant',
      'hub-acme-session',
      'hub-initech-session',
      'data-reader',
      'hub-acme-caller',
      'hub-initech-caller',
    ]);
    expect(await details(iam, { Filter: ['Group'] })).toMatchObject({ RoleDetailList: [], Policies: [] });
  });

  test('shows its own account alone', async () => {
    const account = await startFixture();
    const iam = iamClient(account, account.administratorCredentials(OTHER_ACCOUNT));

    expect((await details(iam)).RoleDetailList?.map(({ RoleName }) => RoleName)).toEqual(['reader']);
  });

  test('fails for who may not', async () => {
    const account = await startFixture();
    const iam = iamClient(account, account.dispatcherCredentials('hub', 'acme'));

    expect(await sdkRefusal(details(iam))).toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('iam:GetAccountAuthorizationDetails on resource: *'),
    });
  });

  test('fails for a kind that IAM does not know', async () => {
    const account = await startFixture();

    expect(await sdkRefusal(details(iamClient(account), { Filter: ['Robot' as 'Role'] }))).toMatchObject({
      name: 'ValidationError',
      message: expect.stringContaining("Value 'Robot' at 'filter.1.member' failed to satisfy constraint"),
    });
  });
});
