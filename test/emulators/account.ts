import type { ClusterConfig, Config, TenantConfig } from '../../lib/config/config.ts';
import {
  brokerArns,
  brokerNames,
  createScope,
  SESSION_DURATION_SECONDS,
  scopePatterns,
} from '../../lib/identity/index.ts';
import {
  type PolicyDocument,
  renderCallerPolicy,
  renderGuardPolicy,
  renderPermissionsPolicy,
  renderTrustPolicy,
} from '../../lib/policy/index.ts';

/** What an account holds, as `read_account.py` reads it. */
export interface Account {
  /** By ARN. */
  readonly roles: Readonly<Record<string, DeployedRole>>;
  /** Managed policies by ARN. */
  readonly policies: Readonly<Record<string, DeployedPolicy>>;
  /** By name. */
  readonly parameters: Readonly<Record<string, DeployedParameter>>;
  /** By the names of their cluster and of their principal. */
  readonly accessEntries: Readonly<Record<string, DeployedAccessEntry>>;
  /** By name. */
  readonly stacks: Readonly<Record<string, DeployedStack>>;
}

type Tags = Readonly<Record<string, string>>;

interface Revised {
  /** What changes when it is made anew or written again. Absent: not compared. */
  readonly revision?: readonly unknown[];
}

export interface DeployedRole extends Revised {
  readonly description: string | null;
  readonly maxSessionDurationSeconds: number;
  readonly trust: PolicyDocument;
  readonly inlinePolicies: Readonly<Record<string, PolicyDocument>>;
  readonly managedPolicies: readonly string[];
  readonly permissionsBoundary: string | null;
  readonly tags: Tags;
}

interface DeployedPolicy extends Revised {
  readonly description: string | null;
  readonly document: PolicyDocument;
}

interface DeployedParameter extends Revised {
  readonly type: string;
  readonly value: string;
  readonly tier: string;
  readonly description: string;
  readonly tags: Tags;
}

interface DeployedAccessEntry extends Revised {
  readonly type: string;
  readonly userName: string;
  readonly kubernetesGroups: readonly string[];
  readonly tags: Tags;
}

interface DeployedStack extends Revised {
  readonly outputs: Readonly<Record<string, string>>;
  readonly isProtected: boolean;
}

/** An account without what tells when its resources were made and written. */
export function contentsOf(account: Account): Account {
  return JSON.parse(JSON.stringify(account, (key, value) => (key === 'revision' ? undefined : value)));
}

/** An account without what is named after a tenant. */
export function withoutTenant(account: Account, { clusters }: Config, tenant: string): Account {
  const named = clusters.flatMap((cluster) => {
    const { names, arns } = nameTenant(cluster, tenant);
    const entry = accessEntryKey(cluster, arns.roleArn);
    return [arns.roleArn, arns.callerPolicyArn, ...Object.values(names.parameters), entry, names.stackName];
  });
  const isNamed = (text: unknown): boolean => named.some((name) => name === text);
  return JSON.parse(
    JSON.stringify(account, (key, value) => {
      if (Array.isArray(value)) return value.filter((item) => !isNamed(item));
      return isNamed(key) ? undefined : value;
    }),
  );
}

/** The contents of an account once a configuration is deployed to it, document for document. */
export function withDeployed(account: Account, { clusters }: Config): Account {
  return clusters
    .flatMap((cluster) => cluster.tenants.map((tenant) => ({ cluster, tenant })))
    .filter(({ tenant }) => tenant.optIn === 'in')
    .reduce((before, { cluster, tenant }) => withTenant(before, cluster, tenant), contentsOf(account));
}

function withTenant(account: Account, cluster: ClusterConfig, tenant: TenantConfig): Account {
  const { names, arns } = nameTenant(cluster, tenant.name);
  const scope = createScope({ tenant: tenant.name });
  const { stringLike: pattern } = scopePatterns(scope);
  const configured = { ...cluster.tags, ...tenant.tags };
  const tags = { ...configured, 'session-broker:cluster': cluster.name, 'session-broker:tenant': tenant.name };
  const isAttached = tenant.callerPolicy === 'attach';

  const role: DeployedRole = {
    description: `Sessions of agents of tenant ${tenant.name} on cluster ${cluster.name}, each under its own source identity`,
    maxSessionDurationSeconds: SESSION_DURATION_SECONDS.max,
    trust: renderTrustPolicy({ scope, principals: [tenant.tenantRole], roleSessionName: tenant.roleSessionName }),
    inlinePolicies: inlinePolicies(cluster, tenant),
    managedPolicies: tenant.managedPolicies.toSorted(),
    permissionsBoundary: cluster.permissionsBoundary ?? null,
    tags,
  };
  const callerPolicy: DeployedPolicy = {
    description: `Lets the tenant role of ${tenant.name} start agent sessions on cluster ${cluster.name}`,
    document: renderCallerPolicy([arns]),
  };
  const parameter = (value: string, description: string): DeployedParameter => ({
    type: 'String',
    value,
    tier: 'Standard',
    description,
    tags,
  });
  const accessEntry: DeployedAccessEntry = {
    type: 'STANDARD',
    // What EKS gives to an entry that names none.
    userName: `arn:aws:sts::${cluster.account}:assumed-role/${names.roleName}/{{SessionName}}`,
    kubernetesGroups: tenant.eks?.kubernetesGroups ?? [],
    tags,
  };
  const stack: DeployedStack = {
    outputs: {
      SessionRoleArn: arns.roleArn,
      SourceIdentityPattern: pattern,
      ...(isAttached ? {} : { CallerPolicyArn: arns.callerPolicyArn }),
    },
    isProtected: cluster.terminationProtection,
  };

  const caller = account.roles[tenant.tenantRole];
  return {
    roles: {
      ...account.roles,
      ...(caller &&
        isAttached && {
          [tenant.tenantRole]: {
            ...caller,
            managedPolicies: [...caller.managedPolicies, arns.callerPolicyArn].toSorted(),
          },
        }),
      [arns.roleArn]: role,
    },
    policies: { ...account.policies, [arns.callerPolicyArn]: callerPolicy },
    parameters: {
      ...account.parameters,
      [names.parameters.sessionRoleArn]: parameter(arns.roleArn, 'ARN of the session-broker role'),
      [names.parameters.sourceIdentityPattern]: parameter(
        pattern,
        'StringLike half of the condition on the source identity of the session-broker role',
      ),
    },
    accessEntries: {
      ...account.accessEntries,
      ...(tenant.eks && { [accessEntryKey(cluster, arns.roleArn)]: accessEntry }),
    },
    stacks: { ...account.stacks, [names.stackName]: stack },
  };
}

function nameTenant(cluster: ClusterConfig, tenant: string) {
  const names = brokerNames({ cluster: cluster.name, tenant, parameterPrefix: cluster.parameterPrefix });
  return { names, arns: brokerArns({ ...cluster, names }) };
}

function accessEntryKey({ eksClusterName }: ClusterConfig, roleArn: string): string {
  return `${eksClusterName} ${roleArn}`;
}

function inlinePolicies(cluster: ClusterConfig, tenant: TenantConfig): Record<string, PolicyDocument> {
  const { partition, account, region, eksClusterName } = cluster;
  const { models, inferenceProfiles, eks, chainTo, statements } = tenant;
  const permissions = renderPermissionsPolicy({
    ...{ partition, account, region, models, inferenceProfiles, chainTo, statements },
    eksClusterName: eks === undefined ? undefined : eksClusterName,
  });
  const guard = renderGuardPolicy(chainTo);
  return permissions.Statement.length > 0 ? { permissions, guard } : { guard };
}
