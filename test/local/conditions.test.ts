import { CreateAccessEntryCommand, UpdateClusterConfigCommand } from '@aws-sdk/client-eks';
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetRoleCommand,
  type IAMClient,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UntagRoleCommand,
} from '@aws-sdk/client-iam';
import { expect, test } from 'vitest';
import type { AuthenticationMode } from '../../lib/local/index.ts';
import { eksClient, iamClient, sdkRefusal } from './clients.ts';
import { ACCOUNT, ACME_ROLE, DATA_ROLE, startFixture } from './fixture.ts';

const policyArn = (name: string) => `arn:aws:iam::${ACCOUNT}:policy/${name}`;
const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
});
const DOCUMENT = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }],
});

/** Of keys of several values. */
function operatorOf(condition: Record<string, string>): string {
  const [key = ''] = Object.keys(condition);
  return ['aws:TagKeys', 'eks:kubernetesGroups'].includes(key) ? 'ForAnyValue:StringEquals' : 'StringEquals';
}

/** A call with a value that the condition asks for, or with another. */
type Call = (iam: IAMClient, value: 'right' | 'wrong') => Promise<unknown>;

/** Two roles and two policies, one of each named and tagged as the conditions ask, and each role within its policy. */
async function prepare(iam: IAMClient): Promise<void> {
  for (const name of ['right', 'wrong'] as const) {
    const Tags = [{ Key: 'team', Value: name }];
    await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: TRUST, Tags }));
    await iam.send(new CreatePolicyCommand({ PolicyName: name, PolicyDocument: DOCUMENT, Tags }));
    await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: name, PermissionsBoundary: policyArn(name) }));
    await iam.send(new AttachRolePolicyCommand({ RoleName: 'data-reader', PolicyArn: policyArn(name) }));
  }
}

test.each<[string, string, Record<string, string>, Call]>([
  [
    'the tags of the request',
    'iam:CreateRole',
    { 'aws:RequestTag/team': 'right' },
    (iam, value) => {
      const Tags = [{ Key: 'team', Value: value }];
      return iam.send(new CreateRoleCommand({ RoleName: 'new', AssumeRolePolicyDocument: TRUST, Tags }));
    },
  ],
  [
    'the boundary of a role that is made',
    'iam:CreateRole',
    { 'iam:PermissionsBoundary': policyArn('right') },
    (iam, value) => {
      const boundary = { PermissionsBoundary: policyArn(value) };
      return iam.send(new CreateRoleCommand({ RoleName: 'new', AssumeRolePolicyDocument: TRUST, ...boundary }));
    },
  ],
  [
    'the boundary that is put',
    'iam:PutRolePermissionsBoundary',
    { 'iam:PermissionsBoundary': policyArn('right') },
    (iam, value) => {
      const boundary = { PermissionsBoundary: policyArn(value) };
      return iam.send(new PutRolePermissionsBoundaryCommand({ RoleName: 'data-reader', ...boundary }));
    },
  ],
  [
    'the boundary that a role has',
    'iam:DeleteRolePermissionsBoundary',
    { 'iam:PermissionsBoundary': policyArn('right') },
    (iam, value) => iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: value })),
  ],
  [
    'the tags of a role',
    'iam:GetRole',
    { 'aws:ResourceTag/team': 'right' },
    (iam, value) => iam.send(new GetRoleCommand({ RoleName: value })),
  ],
  [
    'the policy that is attached',
    'iam:AttachRolePolicy',
    { 'iam:PolicyARN': policyArn('right') },
    (iam, value) => iam.send(new AttachRolePolicyCommand({ RoleName: 'right', PolicyArn: policyArn(value) })),
  ],
  [
    'the policy that is detached',
    'iam:DetachRolePolicy',
    { 'iam:PolicyARN': policyArn('right') },
    (iam, value) => iam.send(new DetachRolePolicyCommand({ RoleName: 'data-reader', PolicyArn: policyArn(value) })),
  ],
  [
    'the tags that a role is given',
    'iam:TagRole',
    { 'aws:RequestTag/team': 'right' },
    (iam, value) => iam.send(new TagRoleCommand({ RoleName: 'right', Tags: [{ Key: 'team', Value: value }] })),
  ],
  [
    'the keys of tags that are taken away',
    'iam:UntagRole',
    { 'aws:TagKeys': 'right' },
    (iam, value) => iam.send(new UntagRoleCommand({ RoleName: 'right', TagKeys: [value] })),
  ],
  [
    'the tags of a policy that is made',
    'iam:CreatePolicy',
    { 'aws:RequestTag/team': 'right' },
    (iam, value) => {
      const Tags = [{ Key: 'team', Value: value }];
      return iam.send(new CreatePolicyCommand({ PolicyName: 'new', PolicyDocument: DOCUMENT, Tags }));
    },
  ],
  [
    'the tags of a policy',
    'iam:GetPolicy',
    { 'aws:ResourceTag/team': 'right' },
    (iam, value) => iam.send(new GetPolicyCommand({ PolicyArn: policyArn(value) })),
  ],
])('a condition on %s decides about %s', async (_, action, condition, call) => {
  const account = await startFixture();
  const administrator = iamClient(account);
  await prepare(administrator);
  await administrator.send(
    new PutRolePolicyCommand({
      RoleName: 'hub-acme-tenant',
      PolicyName: 'conditional',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: action, Resource: '*', Condition: { [operatorOf(condition)]: condition } },
        ],
      }),
    }),
  );
  const tenant = iamClient(account, account.dispatcherCredentials('hub', 'acme'));

  expect(await sdkRefusal(call(tenant, 'wrong'))).toMatchObject({ name: 'AccessDenied' });
  await call(tenant, 'right');
});

test.each<[string, string, Record<string, string>, 'mode' | 'entry']>([
  ['the mode', 'eks:UpdateClusterConfig', { 'eks:authenticationMode': 'API_AND_CONFIG_MAP' }, 'mode'],
  ['the principal', 'eks:CreateAccessEntry', { 'eks:principalArn': DATA_ROLE }, 'entry'],
  ['the groups', 'eks:CreateAccessEntry', { 'eks:kubernetesGroups': DATA_ROLE }, 'entry'],
  ['the user name', 'eks:CreateAccessEntry', { 'eks:username': DATA_ROLE }, 'entry'],
  ['the tags', 'eks:CreateAccessEntry', { 'aws:RequestTag/principal': DATA_ROLE }, 'entry'],
])('a condition on %s decides about %s', async (_, action, condition, kind) => {
  const account = await startFixture({ authenticationMode: kind === 'mode' ? 'CONFIG_MAP' : 'API' });
  await iamClient(account).send(
    new PutRolePolicyCommand({
      RoleName: 'hub-acme-tenant',
      PolicyName: 'conditional',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: action, Resource: '*', Condition: { [operatorOf(condition)]: condition } },
        ],
      }),
    }),
  );
  const eks = eksClient(account, account.dispatcherCredentials('hub', 'acme'));
  const change = (authenticationMode: AuthenticationMode) =>
    eks.send(new UpdateClusterConfigCommand({ name: 'hub', accessConfig: { authenticationMode } }));
  const enter = (principalArn: string) =>
    eks.send(
      new CreateAccessEntryCommand({
        clusterName: 'hub',
        principalArn,
        username: principalArn,
        kubernetesGroups: [principalArn],
        tags: { principal: principalArn },
      }),
    );

  const wrong = kind === 'mode' ? change('API') : enter(ACME_ROLE);
  expect(await sdkRefusal(wrong)).toMatchObject({ name: 'AccessDeniedException', status: 403 });
  await (kind === 'mode' ? change('API_AND_CONFIG_MAP') : enter(DATA_ROLE));
});
