import { describe, expect, test } from 'vitest';
import { createScope } from '../../lib/identity/index.ts';
import {
  assertInlinePoliciesSize,
  assertManagedPolicySize,
  policyDocument,
  renderCallerPolicy,
  renderChainTrustPolicy,
  renderGuardPolicy,
  renderPermissionsPolicy,
  type Statement,
} from '../../lib/policy/index.ts';
import { codeOf, refusalOf } from '../support/refusal.ts';

const NOTHING = {
  partition: 'aws',
  account: '111122223333',
  region: 'us-west-2',
  models: [],
  inferenceProfiles: {},
  chainTo: [],
  statements: [],
} as const;
const INVOKE = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];
const READER = 'arn:aws:iam::444455556666:role/reader';
const WRITER = 'arn:aws:iam::444455556666:role/writer';

describe('the permissions of a session', () => {
  test('are none when nothing is configured', () => {
    expect(renderPermissionsPolicy(NOTHING).Statement).toEqual([]);
  });

  test('invoke models by id in the cluster’s Region', () => {
    expect(renderPermissionsPolicy({ ...NOTHING, models: ['amazon.nova-lite-v1:0'] }).Statement).toEqual([
      {
        Sid: 'InvokeModels',
        Effect: 'Allow',
        Action: INVOKE,
        Resource: 'arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0',
      },
    ]);
  });

  test('invoke a profile, and its model in every destination Region only through it', () => {
    const id = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
    const profile = `arn:aws:bedrock:us-west-2:111122223333:inference-profile/${id}`;
    const model = 'foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0';
    expect(
      renderPermissionsPolicy({ ...NOTHING, inferenceProfiles: { [id]: ['us-east-1', 'us-west-2'] } }).Statement,
    ).toEqual([
      {
        Sid: 'UseInferenceProfiles',
        Effect: 'Allow',
        Action: ['bedrock:GetInferenceProfile', ...INVOKE],
        Resource: profile,
      },
      {
        Sid: 'InvokeModelOfProfile1',
        Effect: 'Allow',
        Action: INVOKE,
        Resource: [`arn:aws:bedrock:us-east-1::${model}`, `arn:aws:bedrock:us-west-2::${model}`],
        Condition: { StringEquals: { 'bedrock:InferenceProfileArn': profile } },
      },
    ]);
  });

  test('invoke a global profile’s model in the source Region and on the ARN without a Region', () => {
    const profile = 'arn:aws:bedrock:us-west-2:111122223333:inference-profile/global.amazon.nova-2-lite-v1:0';
    const [, model] = renderPermissionsPolicy({
      ...NOTHING,
      inferenceProfiles: { 'global.amazon.nova-2-lite-v1:0': [] },
    }).Statement;
    expect(model).toEqual({
      Sid: 'InvokeModelOfProfile1',
      Effect: 'Allow',
      Action: INVOKE,
      Resource: [
        'arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-2-lite-v1:0',
        'arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0',
      ],
      Condition: { StringEquals: { 'bedrock:InferenceProfileArn': profile } },
    });
  });

  test('keep each profile’s model to that profile', () => {
    const { Statement } = renderPermissionsPolicy({
      ...NOTHING,
      inferenceProfiles: { 'us.amazon.nova-lite-v1:0': ['us-east-1'], 'us.amazon.nova-pro-v1:0': ['us-east-2'] },
    });
    const profile = 'arn:aws:bedrock:us-west-2:111122223333:inference-profile';
    expect(Statement.slice(1).map(({ Resource, Condition }) => [Resource, Condition])).toEqual([
      [
        'arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0',
        { StringEquals: { 'bedrock:InferenceProfileArn': `${profile}/us.amazon.nova-lite-v1:0` } },
      ],
      [
        'arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-pro-v1:0',
        { StringEquals: { 'bedrock:InferenceProfileArn': `${profile}/us.amazon.nova-pro-v1:0` } },
      ],
    ]);
  });

  test('describe the cluster, go on to listed roles and hold further statements, in that order', () => {
    const further: Statement = { Sid: 'Read', Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*' };
    expect(
      renderPermissionsPolicy({ ...NOTHING, eksClusterName: 'hub', chainTo: [READER, WRITER], statements: [further] })
        .Statement,
    ).toEqual([
      {
        Sid: 'DescribeCluster',
        Effect: 'Allow',
        Action: 'eks:DescribeCluster',
        Resource: 'arn:aws:eks:us-west-2:111122223333:cluster/hub',
      },
      {
        Sid: 'ChainUnderTheSameIdentity',
        Effect: 'Allow',
        Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
        Resource: [READER, WRITER],
      },
      further,
    ]);
  });

  test('carry the partition into every ARN', () => {
    const text = JSON.stringify(
      renderPermissionsPolicy({
        ...NOTHING,
        partition: 'aws-cn',
        models: ['m.x'],
        inferenceProfiles: { 'cn.m.x': ['cn-north-1'] },
        eksClusterName: 'hub',
      }),
    );
    expect(text.match(/arn:[a-z-]*:/g)).toEqual(Array(5).fill('arn:aws-cn:'));
  });
});

describe('the guard', () => {
  const leaving = {
    Sid: 'DenyLeavingTheIdentity',
    Effect: 'Deny',
    Action: ['bedrock-mantle:CallWithBearerToken', 'bedrock:CallWithBearerToken', 'iam:PassRole'],
    Resource: '*',
  };

  test('denies every role when none is listed', () => {
    expect(renderGuardPolicy([]).Statement).toEqual([
      { Sid: 'DenyUnlistedRoles', Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' },
      leaving,
    ]);
  });

  test('denies every role but the listed ones', () => {
    expect(renderGuardPolicy([READER]).Statement).toEqual([
      { Sid: 'DenyUnlistedRoles', Effect: 'Deny', Action: 'sts:AssumeRole', NotResource: READER },
      leaving,
    ]);
    expect(renderGuardPolicy([READER, WRITER]).Statement[0]).toHaveProperty('NotResource', [READER, WRITER]);
  });
});

describe('the caller’s policy', () => {
  const role = {
    roleArn: 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session',
    parameterArns: [
      'arn:aws:ssm:us-west-2:111122223333:parameter/p/a',
      'arn:aws:ssm:us-west-2:111122223333:parameter/p/b',
    ],
  };

  test('allows the hop and the look-up, on exactly these resources', () => {
    expect(renderCallerPolicy([role]).Statement).toEqual([
      {
        Sid: 'AssumeUnderAnIdentity',
        Effect: 'Allow',
        Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
        Resource: role.roleArn,
      },
      { Sid: 'FindTheRole', Effect: 'Allow', Action: 'ssm:GetParameter', Resource: role.parameterArns },
    ]);
  });

  test('allows session tags where they are declared', () => {
    expect(renderCallerPolicy([role], { sessionTags: true }).Statement[0]?.Action).toEqual([
      'sts:AssumeRole',
      'sts:SetSourceIdentity',
      'sts:TagSession',
    ]);
  });
});

test('the owner of a listed role admits the session-broker role under its scope’s names', () => {
  expect(renderChainTrustPolicy('arn:aws:iam::111122223333:role/r', createScope({ tenant: 'acme' })).Statement).toEqual(
    [
      {
        Sid: 'ChainUnderTheSameIdentity',
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::111122223333:role/r' },
        Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
        Condition: {
          StringLike: { 'aws:SourceIdentity': 'agent.acme.?*' },
          StringNotLike: { 'aws:SourceIdentity': 'agent.acme.*.*' },
        },
      },
    ],
  );
});

describe('the size of policies', () => {
  const ofSize = (size: number) => {
    const empty = policyDocument([{ Effect: 'Allow', Action: 's3:GetObject', Resource: '' }]);
    const padding = 'x'.repeat(size - JSON.stringify(empty).length);
    return policyDocument([{ Effect: 'Allow', Action: 's3:GetObject', Resource: padding }]);
  };

  test('may reach the quota', () => {
    expect(codeOf(() => assertInlinePoliciesSize([ofSize(10_000), ofSize(240)]))).toBeUndefined();
    expect(codeOf(() => assertManagedPolicySize(ofSize(6144)))).toBeUndefined();
  });

  test('fails one character later, with the numbers', () => {
    expect(refusalOf(() => assertInlinePoliciesSize([ofSize(10_000), ofSize(241)])).message).toBe(
      'the inline policies of a role together must have at most 10240 characters without white space: it has 10241; move statements to a managed policy and list its ARN',
    );
    expect(refusalOf(() => assertManagedPolicySize(ofSize(6145))).detail).toEqual({ size: 6145, limit: 6144 });
  });
});
