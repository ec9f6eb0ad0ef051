import type { IStackSynthesizer } from 'aws-cdk-lib/core';
import type { Construct } from 'constructs';
import type { ClusterConfig, TenantConfig } from '../config/config.ts';
import {
  CfnOutput,
  DefaultStackSynthesizer,
  ManagedPolicy,
  Role,
  Stack,
  Tags,
  Validations,
} from '../constructs/cdk.ts';
import { SessionBrokerRole } from '../constructs/session-broker-role.ts';

export interface SessionBrokerStackProps {
  readonly cluster: ClusterConfig;
  /** Opted in, or opted out: then the stack is empty, so that the next deploy deletes what is deployed. */
  readonly tenant: TenantConfig;
}

/** All that session-broker makes for one tenant. */
export class SessionBrokerStack extends Stack {
  /** Absent when the tenant is opted out. */
  readonly role?: SessionBrokerRole;

  constructor(scope: Construct, id: string, { cluster, tenant }: SessionBrokerStackProps) {
    const isOptedIn = tenant.optIn === 'in';
    super(scope, id, {
      env: { account: cluster.account, region: cluster.region },
      description: isOptedIn
        ? `session-broker: agent sessions of tenant ${tenant.name} on cluster ${cluster.name}`
        : `session-broker: tenant ${tenant.name} on cluster ${cluster.name} is opted out`,
      terminationProtection: isOptedIn && cluster.terminationProtection,
      // Its resource would keep the stack of an opted-out tenant alive.
      analyticsReporting: false,
      ...(!isOptedIn && {
        synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) as IStackSynthesizer,
      }),
    });
    if (!isOptedIn) {
      Validations.of(this).acknowledge({
        id: 'CloudFormation-Validate::F0001',
        reason: 'no resources: this is how the CDK CLI is told to delete the stack of an opted-out tenant',
      });
      return;
    }

    for (const [key, value] of Object.entries({ ...cluster.tags, ...tenant.tags })) Tags.of(this).add(key, value);
    this.role = new SessionBrokerRole(this, 'Role', {
      cluster: cluster.name,
      tenant: tenant.name,
      tenantRole: Role.fromRoleArn(this, 'TenantRole', tenant.tenantRole, { mutable: false }),
      models: tenant.models,
      inferenceProfiles: tenant.inferenceProfiles,
      ...(tenant.eks && { eksClusterName: cluster.eksClusterName, kubernetesGroups: tenant.eks.kubernetesGroups }),
      chainTo: tenant.chainTo,
      statements: tenant.statements,
      managedPolicies: tenant.managedPolicies.map((arn, index) =>
        ManagedPolicy.fromManagedPolicyArn(this, `ManagedPolicy${index + 1}`, arn),
      ),
      acknowledgeIdentityLoss: tenant.acknowledgeIdentityLoss,
      ...(cluster.permissionsBoundary !== undefined && {
        permissionsBoundary: ManagedPolicy.fromManagedPolicyArn(
          this,
          'PermissionsBoundary',
          cluster.permissionsBoundary,
        ),
      }),
      roleSessionName: tenant.roleSessionName,
      callerPolicy: tenant.callerPolicy,
      path: cluster.iamPath,
      parameterPrefix: cluster.parameterPrefix,
    });

    new CfnOutput(this, 'SessionRoleArn', {
      value: this.role.roleArn,
      description: 'ARN of the session-broker role',
    });
    new CfnOutput(this, 'SourceIdentityPattern', {
      value: this.role.sourceIdentityPattern,
      description: 'StringLike half of the condition on the source identity of the session-broker role',
    });
    if (tenant.callerPolicy === 'external') {
      new CfnOutput(this, 'CallerPolicyArn', {
        value: this.role.callerPolicyArn,
        description:
          'ARN of the caller policy: the owner of the tenant role attaches it, or in another account one with the same statements',
      });
    }
  }
}
