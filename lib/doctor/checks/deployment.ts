import type { ClusterConfig } from '../../config/config.ts';
import { SessionBrokerError } from '../../errors.ts';
import { brokerArns, brokerNames, parseRoleArn } from '../../identity/index.ts';
import { CLUSTER_TAG, TENANT_TAG } from '../../identity/names.ts';
import type { Draft } from '../amendments.ts';
import type { Commands } from '../commands.ts';
import type { NamedTenant } from '../expected.ts';
import {
  type Known,
  known,
  type ManagedPolicyFacts,
  need,
  type RoleFacts,
  type TaggedRole,
  valueOr,
} from '../facts.ts';
import { findingOf, type Settings, type TenantCase } from '../tenant-case.ts';

/** Whether an opted-in tenant's role is there, and where it should be. */
export function* checkDeployment(tested: TenantCase): Iterable<Draft> {
  const { expected, facts, settings } = tested;
  const { cluster, tenant, names, roleArn } = expected;
  const { commands } = settings;
  const role = need(facts.role);
  const isThere = (fact: Known<unknown>): boolean => valueOr(fact, undefined) !== undefined;
  if (role === undefined) {
    const left = [
      ...expected.parameters.filter((_, index) => isThere(facts.parameters[index] ?? { value: undefined })),
      ...(isThere(facts.callerPolicy) ? [expected.callerPolicy] : []),
    ];
    if (left.length === 0) {
      const evidence = `${tenant.name} is opted in, and its role ${roleArn} does not exist`;
      yield findingOf(tested, 'NotDeployed', 'error', evidence, {
        summary: "deploy the tenant's stack",
        commands: [commands.deploy(names.stackName)],
      });
      return;
    }
    const evidence = `the role ${roleArn} does not exist, though ${left.map(({ name }) => name).join(' and ')} of the same stack do`;
    const owner = ownersPolicy(expected, facts.tenantRole, commands);
    yield findingOf(tested, 'RoleDeleted', 'error', evidence, {
      summary: 'delete the stack and deploy it again: CloudFormation takes the role to be there still',
      commands: [
        ...owner.detach,
        ...commands.deleteStack(cluster, names.stackName),
        commands.deploy(names.stackName),
        ...owner.attach,
      ],
    });
    need(owner.isKnown);
    return;
  }
  if (role.arn !== roleArn) {
    const { path } = parseRoleArn(role.arn);
    const evidence = `the role ${names.roleName} stands under the path ${path}, and the configuration says ${cluster.iamPath}: a role cannot move, and its name is taken`;
    yield findingOf(tested, 'DeployedUnderOtherPath', 'error', evidence, {
      summary: `keep the path that it has; to change it, opt the tenants of ${cluster.name} out, deploy, and opt them in again`,
      configuration: { path: `clusters.${cluster.name}.iamPath`, value: path },
    });
    return;
  }
  if (facts.otherRegion !== undefined) {
    const elsewhere = { ...cluster, region: facts.otherRegion };
    const evidence = `the parameters of ${tenant.name} are in ${facts.otherRegion}, and the configuration says ${cluster.region}`;
    yield findingOf(tested, 'DeployedInOtherRegion', 'error', evidence, {
      summary: `delete the stack in ${facts.otherRegion}, whose role has the name that the new one needs, and deploy it again`,
      commands: [...commands.deleteStack(elsewhere, names.stackName), commands.deploy(names.stackName)],
    });
  }
}

/** Whether a tenant that is not opted in has a role all the same. */
export function* checkNotDeployed(
  named: NamedTenant,
  role: Known<RoleFacts | undefined>,
  tenantRole: Known<RoleFacts | undefined>,
  { commands }: Settings,
): Iterable<Draft> {
  const { cluster, tenant, names, roleArn } = named;
  const found = need(role);
  if (found === undefined || found.arn !== roleArn) return;
  const tested = { expected: named };
  const owner = ownersPolicy(named, tenantRole, commands);
  const remove = [...owner.detach, ...commands.unprotect(cluster, names.stackName), commands.deploy(names.stackName)];
  if (tenant.optIn === 'out') {
    const evidence = `${tenant.name} is opted out, and its role ${roleArn} is still there`;
    yield findingOf(tested, 'DeployedThoughOptedOut', 'error', evidence, {
      summary: "deploy the tenant's stack, which is empty: that deletes it",
      commands: remove,
    });
    need(owner.isKnown);
    return;
  }
  const evidence = `${tenant.name} is not opted in, and its role ${roleArn} is there`;
  yield findingOf(tested, 'DeployedThoughNotOptedIn', 'error', evidence, {
    summary: 'opt the tenant out in writing and deploy, which deletes the stack; or opt it in',
    configuration: { path: `clusters.${cluster.name}.tenants.${tenant.name}.attribution`, value: false },
    commands: remove,
  });
  need(owner.isKnown);
}

/**
 * The caller's policy where the owner of the tenant role has attached it: CloudFormation deletes no policy that others
 * have attached.
 */
function ownersPolicy(
  { cluster, tenant, names }: NamedTenant,
  tenantRole: Known<RoleFacts | undefined>,
  commands: Commands,
): { readonly detach: readonly string[]; readonly attach: readonly string[]; readonly isKnown: Known<unknown> } {
  const { callerPolicyArn } = brokerArns({ ...cluster, names });
  const mayHave = tenant.callerPolicy === 'external' && parseRoleArn(tenant.tenantRole).account === cluster.account;
  const attached = mayHave ? attachedTo(tenantRole) : known([]);
  const has = valueOr(attached, []).some(({ arn }) => arn === callerPolicyArn);
  return {
    detach: has ? [commands.detach(cluster, tenant.tenantRole, callerPolicyArn)] : [],
    attach: has ? [commands.attach(cluster, tenant.tenantRole, callerPolicyArn)] : [],
    isKnown: attached,
  };
}

function attachedTo(role: Known<RoleFacts | undefined>): Known<readonly ManagedPolicyFacts[]> {
  if ('unknown' in role) return role;
  return role.value === undefined ? known([]) : role.value.attachedPolicies;
}

/** Session-broker roles of tenants that the configuration does not name any more. */
export function* checkLeftovers(
  clusters: readonly ClusterConfig[],
  roles: readonly TaggedRole[],
  { commands }: Settings,
  onlyCluster?: string,
): Iterable<Draft> {
  const [any] = clusters;
  for (const { arn, tags } of roles) {
    const { [CLUSTER_TAG]: clusterName, [TENANT_TAG]: tenantName } = need(tags);
    if (clusterName === undefined || tenantName === undefined || any === undefined) continue;
    const cluster = clusters.find(({ name }) => name === clusterName);
    if (cluster?.tenants.some(({ name }) => name === tenantName)) continue;
    if (onlyCluster !== undefined && clusterName !== onlyCluster) continue;
    const stackName = stackNameOf(clusterName, tenantName);
    if (stackName === undefined) continue;
    const missing = cluster === undefined ? `no cluster ${clusterName}` : `no tenant ${tenantName} of ${clusterName}`;
    const where = cluster === undefined ? `; give the Region that ${clusterName} was in, where it is another` : '';
    yield {
      code: 'DeployedThoughNotInFile',
      severity: 'error',
      cluster: clusterName,
      tenant: tenantName,
      evidence: `the role ${arn} is of ${tenantName} on ${clusterName}, and the configuration has ${missing}: no deploy deletes it`,
      fix: {
        summary: `delete the stack, or write the tenant down again; where others have attached its caller's policy, detach that first${where}`,
        statements: [],
        // Whether a stack of a cluster that is gone is protected, nobody knows.
        commands: commands.deleteStack(cluster ?? { ...any, terminationProtection: true }, stackName),
      },
    };
  }
}

/** Whether the tenant role is there. */
export function* checkCallerExists(tested: TenantCase): Iterable<Draft> {
  const { expected, facts, settings } = tested;
  const { cluster, tenant, tenantRole, roleArn, callerPolicy } = expected;
  const role = need(facts.tenantRole);
  if (role?.arn === tenantRole.arn) return;
  const { commands } = settings;
  if (role !== undefined) {
    const evidence = `the tenant role ${tenantRole.arn} does not exist: ${tenantRole.name} stands as ${role.arn}`;
    yield findingOf(tested, 'TenantRoleMissing', 'error', evidence, {
      summary: 'write down where it stands, and deploy',
      configuration: { path: `clusters.${cluster.name}.tenants.${tenant.name}.tenantRole`, value: role.arn },
      commands: [commands.deploy(expected.names.stackName)],
    });
    return;
  }
  const evidence = `the tenant role ${tenantRole.arn} does not exist`;
  yield findingOf(tested, 'TenantRoleMissing', 'error', evidence, {
    summary: 'have its owner make it, or correct tenantRole; a role that is made again must be trusted again',
    commands: [
      commands.saveTrust(cluster, roleArn, expected.role.trust),
      ...(callerPolicy.isAttached ? [commands.attach(cluster, tenantRole.arn, callerPolicy.arn)] : []),
    ],
  });
}

/** @returns undefined for tags that are not ours, whatever their keys */
function stackNameOf(cluster: string, tenant: string): string | undefined {
  try {
    return brokerNames({ cluster, tenant }).stackName;
  } catch (error) {
    if (error instanceof SessionBrokerError) return undefined;
    throw error;
  }
}
