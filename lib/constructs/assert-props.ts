import type { TenantConfig } from '../config/config.ts';
import { assertTenant, type ClusterFacts, checkCluster } from '../config/rules.ts';
import { SessionBrokerError } from '../errors.ts';
import { DEFAULT_IAM_PATH, DEFAULT_PARAMETER_PREFIX, type Tenant } from '../identity/index.ts';
import { Token } from './cdk.ts';
import { type Environment, standInRoleArn } from './environment.ts';
import type { SessionBrokerRoleProps } from './session-broker-role-props.ts';

/**
 * Refuses what a configuration file would be refused for, by the same rules. An ARN that is known only at deploy
 * counts as one of the stack's account, if CDK knows no other; the finished template is judged by what it turns out to
 * be.
 * @throws {SessionBrokerError} the code of a lone fault, else ConfigInvalid with a line for each
 */
export function assertProps(props: SessionBrokerRoleProps, environment: Environment): void {
  const { cluster, tenant, tenantRole, eksClusterName, permissionsBoundary } = props;
  const { account, partition } = environment;
  const policyArn = (arn: string, index: number): string =>
    Token.isUnresolved(arn) ? `arn:${partition}:iam::${account}:policy/unresolved-${index}` : arn;
  const facts: ClusterFacts = {
    ...environment,
    name: cluster,
    parameterPrefix: props.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX,
    iamPath: props.path ?? DEFAULT_IAM_PATH,
    eksClusterName: eksClusterName ?? cluster,
    tags: {},
  };
  const [fault] = checkCluster({
    ...facts,
    permissionsBoundary: permissionsBoundary && policyArn(permissionsBoundary.managedPolicyArn, 0),
    rollout: 'general',
    tenants: [],
  });
  if (fault !== undefined) throw new SessionBrokerError(fault.code, fault.message, { detail: { faults: [fault] } });

  const { roleArn, principalAccount = account } = tenantRole;
  const tenantAccount = Token.isUnresolved(principalAccount) ? account : principalAccount;
  const asConfigured: TenantConfig = {
    name: tenant as Tenant,
    optIn: 'in',
    tenantRole: Token.isUnresolved(roleArn) ? standInRoleArn({ partition, account: tenantAccount }, 0) : roleArn,
    models: props.models ?? [],
    inferenceProfiles: props.inferenceProfiles ?? {},
    roleSessionName: props.roleSessionName ?? 'free',
    chainTo: props.chainTo ?? [],
    statements: props.statements ?? [],
    managedPolicies: (props.managedPolicies ?? []).map(({ managedPolicyArn }, index) =>
      policyArn(managedPolicyArn, index),
    ),
    acknowledgeIdentityLoss: props.acknowledgeIdentityLoss ?? [],
    eks: eksClusterName === undefined ? undefined : { kubernetesGroups: props.kubernetesGroups ?? [] },
    callerPolicy: props.callerPolicy ?? 'attach',
    tags: {},
  };
  assertTenant(facts, asConfigured);
}
