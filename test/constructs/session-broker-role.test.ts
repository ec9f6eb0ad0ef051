import { AccountRootPrincipal, ArnPrincipal, ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { App, NestedStack, Stack, Tags } from 'aws-cdk-lib/core';
import { describe, expect, test } from 'vitest';
import type { SessionBrokerRoleProps } from '../../lib/constructs/index.ts';
import { templatesOf } from '../support/synthesize.ts';
import {
  ACCOUNT,
  acmeRole,
  type Base,
  CHAIN_ARN,
  ENV,
  propertiesOf,
  TENANT_ROLE_ARN,
  templateOf,
  withApp,
} from './fixture.ts';

const scope = {
  StringLike: { 'sts:SourceIdentity': 'agent.acme.?*' },
  StringNotLike: { 'sts:SourceIdentity': 'agent.acme.*.*' },
};
const trustOf = (principal: unknown) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'AssumeAsAgent',
      Effect: 'Allow',
      Principal: { AWS: principal },
      Action: 'sts:AssumeRole',
      Condition: scope,
    },
    {
      Sid: 'SetAgentIdentity',
      Effect: 'Allow',
      Principal: { AWS: principal },
      Action: 'sts:SetSourceIdentity',
      Condition: scope,
    },
  ],
});
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-acme-session`;
const PARAMETER_ARN = `arn:aws:ssm:us-west-2:${ACCOUNT}:parameter/eks-agent-platform/hub/session-broker/acme`;
const TAGS = { 'session-broker:cluster': 'hub', 'session-broker:tenant': 'acme' };
const TAG_LIST = Object.entries(TAGS).map(([Key, Value]) => ({ Key, Value }));

const GUARD = {
  PolicyName: 'guard',
  PolicyDocument: {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'DenyUnlistedRoles', Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' },
      {
        Sid: 'DenyLeavingTheIdentity',
        Effect: 'Deny',
        Action: ['bedrock-mantle:CallWithBearerToken', 'bedrock:CallWithBearerToken', 'iam:PassRole'],
        Resource: '*',
      },
    ],
  },
};

const ROLE = {
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: 'hub-acme-session',
    Path: '/session-broker/',
    Description: 'Sessions of agents of tenant acme on cluster hub, each under its own source identity',
    MaxSessionDuration: 3600,
    AssumeRolePolicyDocument: trustOf(TENANT_ROLE_ARN),
    Policies: [GUARD],
    Tags: TAG_LIST,
  },
};

const RESOURCES = {
  Sessions8896A56D: ROLE,
  SessionsSessionRoleArnE3BE9897: {
    Type: 'AWS::SSM::Parameter',
    Properties: {
      Name: '/eks-agent-platform/hub/session-broker/acme/session_role_arn',
      Type: 'String',
      Tier: 'Standard',
      Value: { 'Fn::GetAtt': ['Sessions8896A56D', 'Arn'] },
      Description: 'ARN of the session-broker role',
      Tags: TAGS,
    },
  },
  SessionsSourceIdentityPattern8E8000AE: {
    Type: 'AWS::SSM::Parameter',
    Properties: {
      Name: '/eks-agent-platform/hub/session-broker/acme/source_identity_pattern',
      Type: 'String',
      Tier: 'Standard',
      Value: 'agent.acme.?*',
      Description: 'StringLike half of the condition on the source identity of the session-broker role',
      Tags: TAGS,
    },
  },
  SessionsCallerPolicyFF404B02: {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: {
      ManagedPolicyName: 'hub-acme-caller',
      Path: '/session-broker/',
      Description: 'Lets the tenant role of acme start agent sessions on cluster hub',
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'AssumeUnderAnIdentity',
            Effect: 'Allow',
            Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
            Resource: ROLE_ARN,
          },
          {
            Sid: 'FindTheRole',
            Effect: 'Allow',
            Action: 'ssm:GetParameter',
            Resource: [`${PARAMETER_ARN}/session_role_arn`, `${PARAMETER_ARN}/source_identity_pattern`],
          },
        ],
      },
      Roles: ['hub-acme-tenant'],
    },
  },
};

/** The default template with some properties of the role changed. */
function withRole(properties: Record<string, unknown>): Record<string, unknown> {
  return { ...RESOURCES, Sessions8896A56D: { ...ROLE, Properties: { ...ROLE.Properties, ...properties } } };
}

const permissions = (...statements: unknown[]) => [
  { PolicyName: 'permissions', PolicyDocument: { Version: '2012-10-17', Statement: statements } },
  GUARD,
];

describe('a session-broker role', () => {
  test('is the role, its parameters and the policy of its caller, and nothing else', () => {
    expect(templateOf(({ stack }) => acmeRole(stack)).Resources).toEqual(RESOURCES);
  });

  const profile = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0';
  const profileArn = `arn:aws:bedrock:us-west-2:${ACCOUNT}:inference-profile/${profile}`;
  const invoke = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];
  const options: [string, (base: Base) => Partial<SessionBrokerRoleProps>, Record<string, unknown>][] = [
    [
      'models',
      () => ({ models: ['amazon.nova-lite-v1:0'] }),
      withRole({
        Policies: permissions({
          Sid: 'InvokeModels',
          Effect: 'Allow',
          Action: invoke,
          Resource: 'arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0',
        }),
      }),
    ],
    [
      'inferenceProfiles',
      () => ({ inferenceProfiles: { [profile]: ['us-east-1', 'us-west-2'] } }),
      withRole({
        Policies: permissions(
          {
            Sid: 'UseInferenceProfiles',
            Effect: 'Allow',
            Action: ['bedrock:GetInferenceProfile', ...invoke],
            Resource: profileArn,
          },
          {
            Sid: 'InvokeModelOfProfile1',
            Effect: 'Allow',
            Action: invoke,
            Resource: ['us-east-1', 'us-west-2'].map(
              (region) => `arn:aws:bedrock:${region}::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0`,
            ),
            Condition: { StringEquals: { 'bedrock:InferenceProfileArn': profileArn } },
          },
        ),
      }),
    ],
    [
      'chainTo',
      () => ({ chainTo: [CHAIN_ARN] }),
      withRole({
        Policies: [
          {
            PolicyName: 'permissions',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                {
                  Sid: 'ChainUnderTheSameIdentity',
                  Effect: 'Allow',
                  Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
                  Resource: CHAIN_ARN,
                },
              ],
            },
          },
          {
            PolicyName: 'guard',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                { Sid: 'DenyUnlistedRoles', Effect: 'Deny', Action: 'sts:AssumeRole', NotResource: CHAIN_ARN },
                GUARD.PolicyDocument.Statement[1],
              ],
            },
          },
        ],
      }),
    ],
    [
      'statements',
      () => ({ statements: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::docs/*' }] }),
      withRole({ Policies: permissions({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::docs/*' }) }),
    ],
    [
      'managedPolicies',
      ({ stack }) => ({
        managedPolicies: [ManagedPolicy.fromManagedPolicyArn(stack, 'Docs', `arn:aws:iam::${ACCOUNT}:policy/docs`)],
      }),
      withRole({ ManagedPolicyArns: [`arn:aws:iam::${ACCOUNT}:policy/docs`] }),
    ],
    [
      'permissionsBoundary',
      ({ stack }) => ({
        permissionsBoundary: ManagedPolicy.fromManagedPolicyArn(stack, 'Edge', `arn:aws:iam::${ACCOUNT}:policy/edge`),
      }),
      withRole({ PermissionsBoundary: `arn:aws:iam::${ACCOUNT}:policy/edge` }),
    ],
    [
      'roleSessionName: bound',
      () => ({ roleSessionName: 'bound' }),
      withRole({
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              ...trustOf(TENANT_ROLE_ARN).Statement[0],
              Condition: { StringEquals: { 'sts:RoleSessionName': '${sts:SourceIdentity}' }, ...scope },
            },
            trustOf(TENANT_ROLE_ARN).Statement[1],
          ],
        },
      }),
    ],
    [
      'callerPolicy: external',
      () => ({ callerPolicy: 'external' }),
      {
        ...RESOURCES,
        SessionsCallerPolicyFF404B02: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: (({ Roles: _roles, ...rest }) => rest)(RESOURCES.SessionsCallerPolicyFF404B02.Properties),
        },
      },
    ],
    [
      'eksClusterName and kubernetesGroups',
      () => ({ eksClusterName: 'Hub', kubernetesGroups: ['agents'] }),
      {
        ...withRole({
          Policies: permissions({
            Sid: 'DescribeCluster',
            Effect: 'Allow',
            Action: 'eks:DescribeCluster',
            Resource: `arn:aws:eks:us-west-2:${ACCOUNT}:cluster/Hub`,
          }),
        }),
        SessionsAccessEntryE70E253E: {
          Type: 'AWS::EKS::AccessEntry',
          Properties: {
            ClusterName: 'Hub',
            PrincipalArn: { 'Fn::GetAtt': ['Sessions8896A56D', 'Arn'] },
            Type: 'STANDARD',
            KubernetesGroups: ['agents'],
            Tags: TAG_LIST,
          },
        },
      },
    ],
  ];
  test.each(options)('changes by %s what that means, and nothing else', (_name, props, resources) => {
    expect(templateOf((base) => acmeRole(base.stack, props(base))).Resources).toEqual(resources);
  });

  test('has an access entry without groups where none are given', () => {
    const template = templateOf(({ stack }) => acmeRole(stack, { eksClusterName: 'hub' }));
    expect(propertiesOf(template, 'AWS::EKS::AccessEntry')).not.toHaveProperty('KubernetesGroups');
  });

  test('moves all its names by path and parameterPrefix', () => {
    const template = templateOf(({ stack }) => acmeRole(stack, { path: '/agents/', parameterPrefix: '/team/agents' }));
    expect(JSON.stringify(template)).not.toMatch(/\/session-broker\/hub|eks-agent-platform\/hub/);
    expect(propertiesOf(template, 'AWS::IAM::Role')['Path']).toBe('/agents/');
    expect(propertiesOf(template, 'AWS::IAM::ManagedPolicy')).toMatchObject({
      Path: '/agents/',
      PolicyDocument: { Statement: [{ Resource: `arn:aws:iam::${ACCOUNT}:role/agents/hub-acme-session` }, {}] },
    });
  });

  test.each([
    ['aws-us-gov', 'us-gov-west-1'],
    ['aws-cn', 'cn-north-1'],
  ])('names nothing of another partition in %s', (partition, region) => {
    const template = withApp(({ app }) => {
      const stack = new Stack(app, 'Elsewhere', { env: { account: ACCOUNT, region } });
      const arn = (rest: string): string => `arn:${partition}:iam::${ACCOUNT}:${rest}`;
      acmeRole(stack, {
        tenantRole: Role.fromRoleArn(stack, 'Tenant', arn('role/hub-acme-tenant')),
        models: ['amazon.nova-lite-v1:0'],
        eksClusterName: 'hub',
        chainTo: [arn('role/deployer')],
        managedPolicies: [ManagedPolicy.fromManagedPolicyArn(stack, 'Docs', arn('policy/docs'))],
      });
      return JSON.stringify(app.synth().getStackByName('Elsewhere').template);
    });
    const partitions = [...template.matchAll(/arn:([a-z-]+):/g)].map(([, name]) => name);
    expect(partitions.length).toBeGreaterThan(8);
    expect(new Set(partitions)).toEqual(new Set([partition]));
  });

  test('keeps its own tags whatever tags are added around it', () => {
    const template = templateOf(({ stack }) => {
      acmeRole(stack, { eksClusterName: 'hub' });
      Tags.of(stack).add('team', 'agents');
      Tags.of(stack).add('session-broker:tenant', 'globex');
    });
    const list = [...TAG_LIST, { Key: 'team', Value: 'agents' }];
    expect(propertiesOf(template, 'AWS::IAM::Role')['Tags']).toEqual(list);
    expect(propertiesOf(template, 'AWS::EKS::AccessEntry')['Tags']).toEqual(list);
  });

  test('says whose names it admits', () => {
    withApp(({ stack }) => {
      const role = acmeRole(stack, { chainTo: [CHAIN_ARN] });
      expect(role.sourceIdentityScope).toEqual({ trafficClass: 'agent', tenant: 'acme' });
      expect(role.sourceIdentityPattern).toBe('agent.acme.?*');
      expect(role.callerArns).toEqual([TENANT_ROLE_ARN]);
      expect(role.chainTo).toEqual([CHAIN_ARN]);
    });
  });
});

describe('a tenant role of the same app', () => {
  const dispatcher = (stack: Stack): Role =>
    new Role(stack, 'Dispatcher', { assumedBy: new ServicePrincipal('pods.eks.amazonaws.com') });

  test('is named by its ARN, in its own stack', () => {
    const template = templateOf(({ stack }) => acmeRole(stack, { tenantRole: dispatcher(stack) }));
    const resources = template.Resources ?? {};
    expect(resources['Sessions8896A56D']?.Properties['AssumeRolePolicyDocument']).toEqual(
      trustOf({ 'Fn::GetAtt': ['DispatcherD4A12972', 'Arn'] }),
    );
    expect(resources['SessionsCallerPolicyFF404B02']?.Properties['Roles']).toEqual([{ Ref: 'DispatcherD4A12972' }]);
  });

  test.each([
    ['another stack', ({ app, stack }: Base) => [stack, new Stack(app, 'Platform', { env: ENV })] as const],
    ['the parent of a nested stack', ({ stack }: Base) => [new NestedStack(stack, 'Nested'), stack] as const],
  ])('is judged in %s', (_where, place) => {
    templateOf((base) => {
      const [stack, platform] = place(base);
      acmeRole(stack, { tenantRole: dispatcher(platform) });
    });
  });
});

describe('grantAssume', () => {
  const NIGHT_ARN = `arn:aws:iam::${ACCOUNT}:role/night`;

  test('names the role in the trust policy and writes the policy of the role', () => {
    const template = templateOf(({ stack }) => {
      const grant = acmeRole(stack).grantAssume(Role.fromRoleArn(stack, 'Night', NIGHT_ARN));
      expect(grant.success).toBe(true);
    });
    expect(propertiesOf(template, 'AWS::IAM::Role')['AssumeRolePolicyDocument']).toEqual(
      trustOf([TENANT_ROLE_ARN, NIGHT_ARN]),
    );
    expect(propertiesOf(template, 'AWS::IAM::Policy')).toEqual({
      PolicyName: expect.any(String),
      Roles: ['night'],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
            Resource: { 'Fn::GetAtt': ['Sessions8896A56D', 'Arn'] },
          },
          {
            Effect: 'Allow',
            Action: 'ssm:GetParameter',
            Resource: [`${PARAMETER_ARN}/session_role_arn`, `${PARAMETER_ARN}/source_identity_pattern`],
          },
        ],
      },
    });
  });

  test('takes a role of the app and what acts through one, once', () => {
    const template = templateOf(({ stack }) => {
      const night = new Role(stack, 'Night', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
      const role = acmeRole(stack);
      role.grantAssume({ grantPrincipal: night });
      role.grantAssumeRole(night);
    });
    expect(template.Resources?.['Sessions8896A56D']?.Properties['AssumeRolePolicyDocument']).toEqual(
      trustOf([TENANT_ROLE_ARN, { 'Fn::GetAtt': ['Night021A334B', 'Arn'] }]),
    );
  });

  test('writes the policy of a role of another account into a stack of that account', () => {
    withApp(({ app, stack }) => {
      const other = new Stack(app, 'Other', { env: { ...ENV, account: '444455556666' } });
      acmeRole(stack).grantAssume(Role.fromRoleArn(other, 'Night', 'arn:aws:iam::444455556666:role/night'));
      expect(propertiesOf(templatesOf(app).get('Other') ?? {}, 'AWS::IAM::Policy')).toMatchObject({
        Roles: ['night'],
        PolicyDocument: {
          Statement: [
            {
              Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
              Resource: {
                'Fn::Join': ['', expect.arrayContaining([expect.stringContaining(ROLE_ARN.slice('arn:aws'.length))])],
              },
            },
            {},
          ],
        },
      });
    });
  });

  test('fails for a role whose policy it cannot write, and names it nowhere', () => {
    withApp(({ stack }) => {
      const arn = 'arn:aws:iam::444455556666:role/night';
      const role = acmeRole(stack);
      expect(() => role.grantAssume(Role.fromRoleArn(stack, 'Night', arn))).toThrow(
        expect.objectContaining({
          code: 'PrincipalNotAllowed',
          message: `principal must be in the account of its stack, so that its policy can be written: "${arn}" is not; import it into a stack of its account`,
        }),
      );
      expect(role.callerArns).toEqual([TENANT_ROLE_ARN]);
    });
  });

  test.each([
    ['the account', new AccountRootPrincipal()],
    ['an ARN', new ArnPrincipal(NIGHT_ARN)],
    ['a service', new ServicePrincipal('ec2.amazonaws.com')],
  ])('fails for %s', (_who, principal) => {
    withApp(({ stack }) => {
      const role = acmeRole(stack);
      expect(() => role.grantAssume(principal)).toThrow(
        expect.objectContaining({
          code: 'PrincipalNotAllowed',
          message: expect.stringMatching(
            /^principal must be one IAM role: ".*"; name the role that starts the sessions$/,
          ),
        }),
      );
      expect(role.callerArns).toEqual([TENANT_ROLE_ARN]);
    });
  });

  test('fails for a role of another partition, and names it nowhere', () => {
    withApp(({ stack }) => {
      const role = acmeRole(stack);
      const night = Role.fromRoleArn(stack, 'Night', `arn:aws-cn:iam::${ACCOUNT}:role/night`);
      expect(() => role.grantAssume(night)).toThrow(
        expect.objectContaining({
          code: 'PrincipalNotAllowed',
          message: `principal must be in the cluster's partition aws: "${night.roleArn}" is in aws-cn; roles of another partition cannot assume it`,
        }),
      );
      expect(role.callerArns).toEqual([TENANT_ROLE_ARN]);
    });
  });

  test('fails when the trust policy would exceed its quota', () => {
    withApp(({ stack }) => {
      const role = acmeRole(stack);
      const grantMany = (): void => {
        for (let index = 0; index < 30; index++) {
          role.grantAssume(Role.fromRoleArn(stack, `Night${index}`, `${NIGHT_ARN}-${index}`));
        }
      };
      expect(grantMany).toThrow(expect.objectContaining({ code: 'PolicyTooLarge' }));
    });
  });
});

describe('the constructor', () => {
  const refuse = (
    props: Partial<SessionBrokerRoleProps> | ((stack: Stack) => Partial<SessionBrokerRoleProps>),
  ): unknown =>
    withApp(({ stack }) => {
      try {
        acmeRole(stack, typeof props === 'function' ? props(stack) : props);
        return undefined;
      } catch (error) {
        return (error as { code: unknown }).code;
      }
    });

  test.each([
    ['an upper-case cluster', { cluster: 'Hub' }, 'ClusterUpperCase'],
    ['a dotted tenant', { tenant: 'acme.x' }, 'SegmentDot'],
    ['a tenant that leaves no room for a ULID', { tenant: 'a'.repeat(32) }, 'IdentityTooLong'],
    ['names over the limit', { cluster: 'c'.repeat(40), tenant: 'a'.repeat(30) }, 'NameTooLong'],
    ['a wildcard in chainTo', { chainTo: [`arn:aws:iam::${ACCOUNT}:role/*`] }, 'RoleArnInvalid'],
    ['a path without an end', { path: '/agents' }, 'IamPathInvalid'],
    ['a parameter prefix of AWS', { parameterPrefix: '/aws/agents' }, 'ParameterPrefixInvalid'],
    ['a name that EKS does not take', { eksClusterName: 'hub.example' }, 'ConfigInvalid'],
    [
      'a group that EKS does not take',
      { eksClusterName: 'hub', kubernetesGroups: ['system:masters'] },
      'ConfigInvalid',
    ],
    [
      'a statement that leaves the name',
      { statements: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
      'ConfigInvalid',
    ],
  ] as [string, Partial<SessionBrokerRoleProps>, string][])(
    'fails for %s, as a configuration does',
    (_what, props, code) => {
      expect(refuse(props)).toBe(code);
    },
  );

  test.each([
    ['a user', `arn:aws:iam::${ACCOUNT}:user/ops`, 'RoleArnInvalid'],
    ['every role', `arn:aws:iam::${ACCOUNT}:role/*`, 'RoleArnInvalid'],
    ['a role of another account', 'arn:aws:iam::444455556666:role/tenant', 'PrincipalNotAllowed'],
    ['itself', ROLE_ARN, 'PrincipalNotAllowed'],
  ])('fails for %s as the tenant role', (_who, arn, code) => {
    expect(refuse((stack) => ({ tenantRole: Role.fromRoleArn(stack, 'Other', arn, { mutable: false }) }))).toBe(code);
  });

  test('fails for a tenant role of another account in the same app', () => {
    const code = refuse((stack) => {
      const platform = new Stack(stack.node.root, 'Platform', { env: { ...ENV, account: '444455556666' } });
      return {
        tenantRole: new Role(platform, 'Tenant', {
          assumedBy: new ServicePrincipal('pods.eks.amazonaws.com'),
          roleName: 'tenant',
        }),
      };
    });
    expect(code).toBe('PrincipalNotAllowed');
  });

  test('fails in a stack without explicit account and Region', () => {
    expect(() => acmeRole(new Stack(new App({ autoSynth: false }), 'Anywhere'))).toThrow(
      new TypeError('stack Anywhere must have an explicit account and Region: give it env'),
    );
  });
});
