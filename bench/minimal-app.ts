/**
 * What the app of this package is measured against: a CDK app, written by hand in the usual way, that makes the same
 * resources for the same tenants, with nothing read, checked or guarded.
 */

import { App, CfnOutput, Duration, Stack, Tags } from 'aws-cdk-lib';
import { ArnPrincipal, Effect, ManagedPolicy, PolicyDocument, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { ParameterTier, StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';

const ACCOUNT = '111122223333';
const REGION = 'us-west-2';
const CLUSTER = 'hub';
const MODEL = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
const MODEL_REGIONS = ['us-east-1', 'us-east-2', 'us-west-2'];
const INVOKE = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'];

class TenantStack extends Stack {
  constructor(scope: Construct, id: string, tenant: string) {
    super(scope, id, {
      env: { account: ACCOUNT, region: REGION },
      description: `Agent sessions of tenant ${tenant}`,
      analyticsReporting: false,
    });
    Tags.of(this).add('session-broker:cluster', CLUSTER);
    Tags.of(this).add('session-broker:tenant', tenant);

    const tenantRoleName = `${CLUSTER}-${tenant}-tenant`;
    const tenantRole = Role.fromRoleArn(this, 'TenantRole', `arn:aws:iam::${ACCOUNT}:role/tenants/${tenantRoleName}`);
    const scopeOfTenant = {
      StringLike: { 'sts:SourceIdentity': `agent.${tenant}.?*` },
      StringNotLike: { 'sts:SourceIdentity': `agent.${tenant}.*.*` },
    };
    const profileArn = `arn:aws:bedrock:${REGION}:${ACCOUNT}:inference-profile/us.${MODEL}`;
    const chainTo = `arn:aws:iam::${ACCOUNT}:role/${tenant}-deployer`;

    const role = new Role(this, 'Role', {
      roleName: `${CLUSTER}-${tenant}-session`,
      path: '/session-broker/',
      description: `Agent sessions of tenant ${tenant}`,
      maxSessionDuration: Duration.hours(1),
      assumedBy: new ArnPrincipal(tenantRole.roleArn).withConditions(scopeOfTenant),
      inlinePolicies: {
        permissions: new PolicyDocument({
          statements: [
            new PolicyStatement({
              sid: 'UseInferenceProfiles',
              actions: ['bedrock:GetInferenceProfile', ...INVOKE],
              resources: [profileArn],
            }),
            new PolicyStatement({
              sid: 'InvokeModelOfProfile1',
              actions: INVOKE,
              resources: MODEL_REGIONS.map((region) => `arn:aws:bedrock:${region}::foundation-model/${MODEL}`),
              conditions: { StringEquals: { 'bedrock:InferenceProfileArn': profileArn } },
            }),
            new PolicyStatement({
              sid: 'ChainUnderTheSameIdentity',
              actions: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
              resources: [chainTo],
            }),
          ],
        }),
        guard: new PolicyDocument({
          statements: [
            new PolicyStatement({
              sid: 'DenyUnlistedRoles',
              effect: Effect.DENY,
              actions: ['sts:AssumeRole'],
              notResources: [chainTo],
            }),
            new PolicyStatement({
              sid: 'DenyLeavingTheIdentity',
              effect: Effect.DENY,
              actions: ['bedrock-mantle:CallWithBearerToken', 'bedrock:CallWithBearerToken', 'iam:PassRole'],
              resources: ['*'],
            }),
          ],
        }),
      },
    });
    role.assumeRolePolicy?.addStatements(
      new PolicyStatement({
        actions: ['sts:SetSourceIdentity'],
        principals: [new ArnPrincipal(tenantRole.roleArn)],
        conditions: scopeOfTenant,
      }),
    );

    const prefix = `/eks-agent-platform/${CLUSTER}/session-broker/${tenant}`;
    const parameters = [
      new StringParameter(this, 'SessionRoleArn', {
        parameterName: `${prefix}/session_role_arn`,
        stringValue: role.roleArn,
        tier: ParameterTier.STANDARD,
      }),
      new StringParameter(this, 'SourceIdentityPattern', {
        parameterName: `${prefix}/source_identity_pattern`,
        stringValue: `agent.${tenant}.?*`,
        tier: ParameterTier.STANDARD,
      }),
    ];

    new ManagedPolicy(this, 'CallerPolicy', {
      managedPolicyName: `${CLUSTER}-${tenant}-caller`,
      path: '/session-broker/',
      roles: [tenantRole],
      statements: [
        new PolicyStatement({
          actions: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
          resources: [role.roleArn],
        }),
        new PolicyStatement({
          actions: ['ssm:GetParameter'],
          resources: parameters.map((parameter) => parameter.parameterArn),
        }),
      ],
    });

    new CfnOutput(this, 'RoleArn', { value: role.roleArn });
    new CfnOutput(this, 'Pattern', { value: `agent.${tenant}.?*` });
  }
}

const app = new App();
for (const tenant of app.node.getContext('tenants') as string[]) {
  new TenantStack(app, `SessionBroker-${CLUSTER}-${tenant}`, tenant);
}
app.synth();
