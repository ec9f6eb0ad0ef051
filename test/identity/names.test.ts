import { describe, expect, test } from 'vitest';
import {
  brokerArns,
  brokerNames,
  parseIamPath,
  parseParameterPrefix,
  parseRoleArn,
  partitionOf,
} from '../../lib/identity/index.ts';
import { codeOf, refusalOf } from '../support/refusal.ts';

describe('the names of a session-broker role', () => {
  test('follow from cluster and tenant', () => {
    expect(brokerNames({ cluster: 'hub', tenant: 'acme' })).toEqual({
      stem: 'hub-acme',
      roleName: 'hub-acme-session',
      callerPolicyName: 'hub-acme-caller',
      stackName: 'SessionBroker-hub-acme',
      parameters: {
        sessionRoleArn: '/eks-agent-platform/hub/session-broker/acme/session_role_arn',
        sourceIdentityPattern: '/eks-agent-platform/hub/session-broker/acme/source_identity_pattern',
      },
    });
  });

  test('of a workflow stand below the tenant’s', () => {
    expect(
      brokerNames({ cluster: 'hub', tenant: 'acme', workflow: 'billing', parameterPrefix: '/platform/x' }),
    ).toEqual({
      stem: 'hub-acme-billing',
      roleName: 'hub-acme-billing-session',
      callerPolicyName: 'hub-acme-billing-caller',
      stackName: 'SessionBroker-hub-acme',
      parameters: {
        sessionRoleArn: '/platform/x/hub/session-broker/acme/workflows/billing/session_role_arn',
        sourceIdentityPattern: '/platform/x/hub/session-broker/acme/workflows/billing/source_identity_pattern',
      },
    });
  });

  test('may fill the 64 characters of a role name', () => {
    expect(brokerNames({ cluster: 'c'.repeat(24), tenant: 't'.repeat(31) }).roleName).toHaveLength(64);
  });

  test('fails with the numbers one character later', () => {
    const cluster = 'c'.repeat(25);
    const tenant = 't'.repeat(31);
    const refusal = refusalOf(() => brokerNames({ cluster, tenant }));
    expect(refusal.code).toBe('NameTooLong');
    expect(refusal.message).toBe(
      `role name must have at most 64 characters: "${cluster}-${tenant}-session" has 65; shorten the cluster, tenant or workflow by 1, it is never cut`,
    );
    expect(refusal.detail).toEqual({ length: 65, limit: 64 });
  });

  test.each([
    [{ cluster: 'Hub', tenant: 'acme' }, 'ClusterUpperCase'],
    [{ cluster: '', tenant: 'acme' }, 'ClusterEmpty'],
    [{ cluster: 'hub_1', tenant: 'acme' }, 'ClusterInvalid'],
    [{ cluster: 'hub', tenant: '' }, 'TenantEmpty'],
    [{ cluster: 'hub', tenant: 'acme', workflow: '' }, 'WorkflowEmpty'],
    [{ cluster: 'hub', tenant: 'acme', parameterPrefix: '/aws/x' }, 'ParameterPrefixInvalid'],
  ])('fails for a part that does not parse: %j', (parts, code) => {
    expect(codeOf(() => brokerNames(parts))).toBe(code);
  });
});

describe('a parameter prefix', () => {
  test.each(['/eks-agent-platform', '/a', '/a/b_c/d.e', '/x-ssm'])('is accepted: %j', (text) => {
    expect(parseParameterPrefix(text)).toBe(text);
  });

  test.each([
    '',
    '/',
    'a',
    'a/b',
    '/a/',
    '//a',
    '/a b',
    '/a\n',
    '/a=b',
    '/aws',
    '/aws/x',
    '/awsome',
    '/AWS/x',
    '/ssm',
    '/Ssm-x',
  ])('fails: %j', (text) => {
    expect(codeOf(() => parseParameterPrefix(text))).toBe('ParameterPrefixInvalid');
  });

  test('fails when the longest name under it would not fit', () => {
    expect(codeOf(() => parseParameterPrefix('/a'.repeat(9)))).toBeUndefined();
    expect(codeOf(() => parseParameterPrefix('/a'.repeat(10)))).toBe('ParameterPrefixInvalid');
    expect(codeOf(() => parseParameterPrefix(`/${'a'.repeat(900)}`))).toBe('ParameterPrefixInvalid');
  });
});

describe('an IAM path', () => {
  test.each(['/', '/session-broker/', '/a/b/'])('is accepted: %j', (text) => {
    expect(parseIamPath(text)).toBe(text);
  });

  test.each(['', 'a', '/a', 'a/', '//', '/a b/', '/a/\n', `/${'a'.repeat(511)}/`])('fails: %j', (text) => {
    expect(codeOf(() => parseIamPath(text))).toBe('IamPathInvalid');
  });
});

describe('a role ARN', () => {
  test('parses into its parts', () => {
    const arn = 'arn:aws-us-gov:iam::111122223333:role/eks-agent-platform/tenants/hub-acme-tenant';
    expect(parseRoleArn(arn)).toEqual({
      arn,
      partition: 'aws-us-gov',
      account: '111122223333',
      path: '/eks-agent-platform/tenants/',
      name: 'hub-acme-tenant',
    });
    expect(parseRoleArn('arn:aws:iam::111122223333:role/plain').path).toBe('/');
  });

  test.each([
    ['arn:aws:iam::111122223333:root', 'name the role, an account would admit everyone in it'],
    ['111122223333', 'name the role, an account would admit everyone in it'],
    ['*', 'name each role by itself, without a wildcard or a variable'],
    ['arn:aws:iam::111122223333:role/*', 'name each role by itself, without a wildcard or a variable'],
    ['arn:aws:iam::111122223333:role/a*/b', 'name each role by itself, without a wildcard or a variable'],
    ['arn:aws:iam::111122223333:role/${aws:username}', 'name each role by itself, without a wildcard or a variable'],
    ['arn:aws:iam::111122223333:user/alice', 'name a role, a user has long-lived keys'],
    ['arn:aws:sts::111122223333:assumed-role/tenant/s1', 'name the role, not one session of it'],
    ['arn:aws:iam::11112222333:role/tenant', 'copy it from the IAM console or from aws iam get-role'],
    ['arn:aws:iam::111122223333:role/', 'copy it from the IAM console or from aws iam get-role'],
    ['arn:aws:iam::111122223333:role/tenant\n', 'copy it from the IAM console or from aws iam get-role'],
    ['arn:aws-iso:iam::111122223333:role/tenant', 'copy it from the IAM console or from aws iam get-role'],
    ['AROAEXAMPLEEXAMPLE', 'copy it from the IAM console or from aws iam get-role'],
    ['', 'copy it from the IAM console or from aws iam get-role'],
  ])('fails and says what to name instead: %j', (text, remedy) => {
    const refusal = refusalOf(() => parseRoleArn(text));
    expect(refusal.code).toBe('RoleArnInvalid');
    expect(refusal.message).toBe(
      `role ARN must be the exact ARN of an IAM role, arn:<partition>:iam::<account>:role/<name>: ${JSON.stringify(text)}; ${remedy}`,
    );
  });

  test('fails for a name or a path over IAM’s limits', () => {
    expect(codeOf(() => parseRoleArn(`arn:aws:iam::111122223333:role/${'a'.repeat(64)}`))).toBeUndefined();
    expect(codeOf(() => parseRoleArn(`arn:aws:iam::111122223333:role/${'a'.repeat(65)}`))).toBe('RoleArnInvalid');
    expect(codeOf(() => parseRoleArn(`arn:aws:iam::111122223333:role/${'a'.repeat(511)}/b`))).toBe('RoleArnInvalid');
  });
});

describe('the ARNs of a session-broker role', () => {
  test('follow from its names and from where it is', () => {
    const names = brokerNames({ cluster: 'hub', tenant: 'acme', parameterPrefix: '/platform' });
    const place = { partition: 'aws-cn', account: '111122223333', region: 'cn-north-1', iamPath: '/x/' } as const;
    expect(brokerArns({ ...place, names })).toEqual({
      roleArn: 'arn:aws-cn:iam::111122223333:role/x/hub-acme-session',
      callerPolicyArn: 'arn:aws-cn:iam::111122223333:policy/x/hub-acme-caller',
      parameterArns: [
        'arn:aws-cn:ssm:cn-north-1:111122223333:parameter/platform/hub/session-broker/acme/session_role_arn',
        'arn:aws-cn:ssm:cn-north-1:111122223333:parameter/platform/hub/session-broker/acme/source_identity_pattern',
      ],
    });
  });
});

describe('a partition', () => {
  test.each([
    ['us-west-2', 'aws'],
    ['eu-central-1', 'aws'],
    ['ap-southeast-5', 'aws'],
    ['mx-central-1', 'aws'],
    ['us-gov-west-1', 'aws-us-gov'],
    ['cn-northwest-1', 'aws-cn'],
  ])('follows from the Region %s', (region, partition) => {
    expect(partitionOf(region)).toBe(partition);
  });

  test.each([
    'us-iso-east-1',
    'us-isob-east-1',
    'eusc-de-east-1',
    'us-west',
    'US-WEST-2',
    'us-west-2a',
    '',
    'us-west-2\n',
  ])('fails for what is no Region of a supported partition: %j', (region) => {
    expect(codeOf(() => partitionOf(region))).toBe('RegionInvalid');
  });
});
