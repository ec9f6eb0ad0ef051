import type { ClusterConfig, Config, TenantConfig } from '../../lib/config/config.ts';
import { expectedTenant } from '../../lib/doctor/expected.ts';
import { brokerArns, brokerNames } from '../../lib/identity/index.ts';
import type { PolicyDocument } from '../../lib/policy/index.ts';

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
    const names = brokerNames({ cluster: cluster.name, tenant, parameterPrefix: cluster.parameterPrefix });
    const { roleArn, callerPolicyArn } = brokerArns({ ...cluster, names });
    const entry = accessEntryKey(cluster.eksClusterName, roleArn);
    return [roleArn, callerPolicyArn, ...Object.values(names.parameters), entry, names.stackName];
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
  const { names, roleArn, role, callerPolicy, parameters, accessEntry } = expectedTenant(cluster, tenant);
  const tags = {
    ...cluster.tags,
    ...tenant.tags,
    'session-broker:cluster': cluster.name,
    'session-broker:tenant': tenant.name,
  };
  const deployedRole: DeployedRole = {
    ...role,
    description: `Sessions of agents of tenant ${tenant.name} on cluster ${cluster.name}, each under its own source identity`,
    managedPolicies: role.managedPolicies.toSorted(),
    permissionsBoundary: role.permissionsBoundary ?? null,
    tags,
  };
  const descriptions = [
    'ARN of the session-broker role',
    'StringLike half of the condition on the source identity of the session-broker role',
  ];
  const deployedParameters = parameters.map(({ name, value }, index): readonly [string, DeployedParameter] => [
    name,
    { type: 'String', value, tier: 'Standard', description: descriptions[index] ?? '', tags },
  ]);
  const [sessionRoleArn, sourceIdentityPattern] = parameters.map(({ value }) => value);

  const caller = account.roles[tenant.tenantRole];
  return {
    roles: {
      ...account.roles,
      ...(caller &&
        callerPolicy.isAttached && {
          [tenant.tenantRole]: {
            ...caller,
            managedPolicies: [...caller.managedPolicies, callerPolicy.arn].toSorted(),
          },
        }),
      [roleArn]: deployedRole,
    },
    policies: {
      ...account.policies,
      [callerPolicy.arn]: {
        description: `Lets the tenant role of ${tenant.name} start agent sessions on cluster ${cluster.name}`,
        document: callerPolicy.document,
      },
    },
    parameters: { ...account.parameters, ...Object.fromEntries(deployedParameters) },
    accessEntries: {
      ...account.accessEntries,
      ...(accessEntry && {
        [accessEntryKey(accessEntry.clusterName, roleArn)]: {
          type: 'STANDARD',
          // What EKS gives to an entry that names none.
          userName: `arn:aws:sts::${cluster.account}:assumed-role/${names.roleName}/{{SessionName}}`,
          kubernetesGroups: accessEntry.kubernetesGroups,
          tags,
        },
      }),
    },
    stacks: {
      ...account.stacks,
      [names.stackName]: {
        outputs: {
          SessionRoleArn: sessionRoleArn ?? '',
          SourceIdentityPattern: sourceIdentityPattern ?? '',
          ...(callerPolicy.isAttached ? {} : { CallerPolicyArn: callerPolicy.arn }),
        },
        isProtected: cluster.terminationProtection,
      },
    },
  };
}

function accessEntryKey(eksClusterName: string, roleArn: string): string {
  return `${eksClusterName} ${roleArn}`;
}
