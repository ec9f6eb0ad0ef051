import { SessionBrokerError } from '../errors.ts';
import {
  type BrokerNames,
  brokerArns,
  brokerNames,
  type Partition,
  parseCluster,
  parseIamPath,
  parseParameterPrefix,
  parseTenant,
  partitionOf,
  SOURCE_IDENTITY_LENGTH,
  scopePrefix,
  sessionBudget,
  type Tenant,
  ULID_LENGTH,
} from '../identity/index.ts';
import { EKS_NAME_LENGTH } from '../identity/limits.ts';
import {
  assertInlinePoliciesSize,
  assertManagedPolicySize,
  type PermissionsPolicyProps,
  renderCallerPolicy,
  renderPermissionsPolicy,
  renderTrustPolicy,
} from '../policy/index.ts';
import { renderInlinePolicies } from '../policy/permissions.ts';
import { checkAcknowledgements } from './acknowledgement-rules.ts';
import {
  type ArnFacts,
  checkChainTo,
  checkManagedPolicies,
  checkPolicyArn,
  checkTenantRole,
  roleKey,
} from './arn-rules.ts';
import type { ClusterConfig, TenantConfig } from './config.ts';
import { type FaultPath, fault, faultOf, formatPath, type RuleFault } from './faults.ts';
import { checkRepeats } from './list-rules.ts';
import { checkModels } from './model-rules.ts';
import { checkStatements } from './statement-rules.ts';
import { checkTags } from './tag-rules.ts';

/**
 * What the rules on a tenant know of its cluster. Account, Region and partition are undefined where they are at
 * fault themselves; the rules that need them are then passed over.
 */
export interface ClusterFacts extends Pick<ClusterConfig, 'parameterPrefix' | 'iamPath' | 'eksClusterName' | 'tags'> {
  readonly name: string;
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly partition?: Partition | undefined;
}

/** A cluster with what the rules on the cluster itself need. */
export type ClusterToCheck = ClusterFacts & Pick<ClusterConfig, 'permissionsBoundary' | 'rollout' | 'tenants'>;

/** @see Amazon EKS API Reference, CreateCluster, name */
const EKS_NAME = /^[0-9A-Za-z][0-9A-Za-z_-]*$/;
const ACCOUNT = /^[0-9]{12}$/;

/**
 * The rules on one tenant of a cluster, opted in or not: what is configured for later must be right now. Only the
 * sizes of policies are checked for opted-in tenants alone, since nothing is rendered for others.
 * @returns faults with paths relative to the tenant
 */
export function checkTenant(cluster: ClusterFacts, tenant: TenantConfig): readonly RuleFault[] {
  const names = namesOf(cluster, tenant);
  const facts: ArnFacts = { account: cluster.account, partition: cluster.partition, roleName: names?.roleName };
  const faults = [
    ...checkTenantName(cluster, tenant),
    ...checkTenantRole(tenant, facts),
    ...checkModels(tenant, cluster.partition),
    ...checkChainTo(tenant, facts),
    ...checkStatements(tenant.statements, tenant.chainTo, cluster.partition, sidsOf(cluster, tenant)),
    ...checkManagedPolicies(tenant.managedPolicies, facts),
    ...checkAcknowledgements(tenant.acknowledgeIdentityLoss, tenant.chainTo),
    ...checkGroups(tenant),
    ...checkTags(['tags'], tenant.tags, cluster.tags),
  ];
  // What is at fault already could not be rendered as it is meant.
  return faults.length > 0 || tenant.optIn !== 'in' ? faults : checkSizes(cluster, tenant, names);
}

/**
 * The rules on a cluster and on its tenants together, not on each tenant by itself.
 * @returns faults with paths relative to the cluster
 */
export function checkCluster(cluster: ClusterToCheck): readonly RuleFault[] {
  const { name, account, region, permissionsBoundary: boundary, parameterPrefix, iamPath, eksClusterName } = cluster;
  return [
    ...faultOf([], name, () => parseCluster(name), true),
    ...(account === undefined || ACCOUNT.test(account)
      ? []
      : [fault(['account'], account, 'account must be twelve digits', 'write it like "111122223333", in quotes')]),
    ...(region === undefined ? [] : faultOf(['region'], region, () => partitionOf(region))),
    ...faultOf(['parameterPrefix'], parameterPrefix, () => parseParameterPrefix(parameterPrefix)),
    ...faultOf(['iamPath'], iamPath, () => parseIamPath(iamPath)),
    ...(boundary === undefined
      ? []
      : checkPolicyArn(['permissionsBoundary'], boundary, 'permissions boundary', cluster)),
    ...(isEksName(eksClusterName) || eksClusterName === name ? [] : [eksNameFault(eksClusterName)]),
    ...checkTags(['tags'], cluster.tags),
    ...checkRollout(cluster),
  ];
}

/**
 * The rule on names of the whole file: `<cluster>-<tenant>` must differ, since stacks and constructs of one app are
 * named after it, in whatever account they are.
 * @returns faults with paths relative to the file
 */
export function checkNames(clusters: readonly Pick<ClusterToCheck, 'name' | 'tenants'>[]): readonly RuleFault[] {
  const owners = new Map<string, string>();
  return clusters.flatMap(({ name: cluster, tenants }) =>
    tenants.flatMap(({ name: tenant }) => {
      const stem = `${cluster}-${tenant}`;
      const path = ['clusters', cluster, 'tenants', tenant];
      const other = owners.get(stem);
      owners.set(stem, formatPath(path));
      if (other === undefined) return [];
      const rule = `names must differ once cluster and tenant are joined with "-", and those of ${other} and ${formatPath(path)} do not`;
      return [fault(path, stem, rule, 'rename one cluster or tenant', { isKey: true })];
    }),
  );
}

/**
 * The rule on tenant roles of the whole file: one serves one tenant of an EKS cluster, under however many keys the
 * cluster stands. Roles count by name without regard to case. A tenant that is not opted in has no trust policy to
 * share one in.
 * @returns faults with paths relative to the file
 */
export function checkSharedRoles(
  clusters: readonly (ClusterFacts & Pick<ClusterToCheck, 'tenants'>)[],
): readonly RuleFault[] {
  const owners = new Map<string, Tenant>();
  return clusters.flatMap(({ name: cluster, account, region, eksClusterName, tenants }) =>
    optedIn(tenants).flatMap(({ name, tenantRole }) => {
      const key = [account, region, eksClusterName, roleKey(tenantRole)].join();
      const other = owners.get(key) ?? name;
      owners.set(key, other);
      if (other === name) return [];
      const path = ['clusters', cluster, 'tenants', name, 'tenantRole'];
      const rule = `tenant role must be that of one tenant, and ${other} has it too: either could take the other's names`;
      const code = 'PrincipalNotAllowed';
      return [fault(path, tenantRole, rule, 'give each tenant a role of its own', { code })];
    }),
  );
}

/**
 * Refuses a tenant with faults, for callers that have no file to point into.
 * @throws {SessionBrokerError} the code of a lone fault, else ConfigInvalid with a line for each
 */
export function assertTenant(cluster: ClusterFacts, tenant: TenantConfig): void {
  const faults = checkTenant(cluster, tenant);
  const [first] = faults;
  if (first === undefined) return;
  const subject = `tenant ${tenant.name} of cluster ${cluster.name}`;
  const lines = faults.map(({ path, message }) => (path.length === 0 ? message : `${formatPath(path)}: ${message}`));
  const isAlone = faults.length === 1;
  throw new SessionBrokerError(
    isAlone ? first.code : 'ConfigInvalid',
    isAlone ? `${subject}: ${lines.join('')}` : `${subject} has ${faults.length} faults\n${lines.join('\n')}`,
    { detail: { faults } },
  );
}

function isEksName(text: string): boolean {
  return EKS_NAME.test(text) && text.length <= EKS_NAME_LENGTH;
}

function eksNameFault(given: string): RuleFault {
  const rule = `name of an EKS cluster must have 1 to ${EKS_NAME_LENGTH} of A-Z a-z 0-9 "-" "_", beginning with a letter or digit`;
  return fault(['eks', 'clusterName'], given, rule, 'copy it from aws eks list-clusters');
}

function checkTenantName(cluster: ClusterFacts, { name }: TenantConfig): readonly RuleFault[] {
  const invalid = faultOf([], name, () => parseTenant(name), true);
  if (invalid.length > 0) return invalid;
  const budget = sessionBudget({ trafficClass: 'agent', tenant: name });
  const longest = name.length + budget - ULID_LENGTH;
  if (budget < ULID_LENGTH) {
    const rule = `tenant must have at most ${longest} characters, so that the ${SOURCE_IDENTITY_LENGTH.max} of a source identity leave the ${ULID_LENGTH} of a ULID session id after ${scopePrefix({ trafficClass: 'agent', tenant: '<tenant>' as Tenant })}.`;
    const fix = `it has ${name.length}, shorten it by ${name.length - longest}, it is never cut`;
    return [fault([], name, rule, fix, { code: 'IdentityTooLong', isKey: true })];
  }
  return faultOf([], name, () => joinedNames(cluster, name), true).filter(({ code }) => code === 'NameTooLong');
}

function checkRollout({ rollout, tenants }: ClusterToCheck): readonly RuleFault[] {
  if (rollout === 'general') return [];
  const [pilot, ...others] = optedIn(tenants);
  return others.map(({ name }) => {
    const rule = `one tenant at most may be opted in under rollout: pilot, and that is ${pilot?.name}`;
    return fault(['tenants', name, 'attribution'], true, rule, 'set `rollout: general` on the cluster to go on');
  });
}

function optedIn(tenants: readonly TenantConfig[]): readonly TenantConfig[] {
  return tenants.filter(({ optIn }) => optIn === 'in');
}

/**
 * Kubernetes keeps groups that begin with `system:` for itself, and EKS refuses them.
 * @see Amazon EKS API Reference, CreateAccessEntry, kubernetesGroups
 */
function checkGroups({ eks }: TenantConfig): readonly RuleFault[] {
  const path: FaultPath = ['eks', 'kubernetesGroups'];
  const groups = eks?.kubernetesGroups ?? [];
  return [
    ...groups.flatMap((group, index) => {
      const at = [...path, index];
      if (group.trim() === '') return [fault(at, group, 'Kubernetes group must have a name', 'remove it')];
      if (group.trim() !== group) {
        return [fault(at, group, 'Kubernetes group must not begin or end with white space', 'remove it')];
      }
      if (!group.startsWith('system:')) return [];
      const fix = 'bind a group of your own to the same ClusterRole';
      return [fault(at, group, 'Kubernetes group must not begin with "system:", which EKS refuses', fix)];
    }),
    ...checkRepeats(path, groups, 'Kubernetes group'),
  ];
}

/** The sizes of the policies that are made from a tenant that is otherwise right. */
function checkSizes(cluster: ClusterFacts, tenant: TenantConfig, names: BrokerNames | undefined): readonly RuleFault[] {
  const { account, region, partition } = cluster;
  if (names === undefined || account === undefined || region === undefined || partition === undefined) return [];
  const arns = brokerArns({ partition, account, region, iamPath: cluster.iamPath, names });
  const render = (): void => {
    const { name, tenantRole, roleSessionName } = tenant;
    renderTrustPolicy({ scope: { trafficClass: 'agent', tenant: name }, principals: [tenantRole], roleSessionName });
    assertInlinePoliciesSize(Object.values(renderInlinePolicies(permissionsOf(cluster, tenant))));
    assertManagedPolicySize(renderCallerPolicy([arns]));
  };
  return faultOf([], tenant.name, render, true);
}

/** What a tenant's sessions may do, as the renderers of lib/policy take it. */
export function permissionsOf(
  cluster: ClusterFacts,
  { models, inferenceProfiles, eks, chainTo, statements }: TenantConfig,
): PermissionsPolicyProps {
  const { account = '', region = '', partition = 'aws', eksClusterName } = cluster;
  return {
    partition,
    account,
    region,
    models,
    inferenceProfiles,
    eksClusterName: eks === undefined ? undefined : eksClusterName,
    chainTo,
    statements,
  };
}

/** The Sids of the statements that are made from a tenant's other keys. */
function sidsOf(cluster: ClusterFacts, tenant: TenantConfig): readonly string[] {
  const { Statement: made } = renderPermissionsPolicy(permissionsOf(cluster, { ...tenant, statements: [] }));
  return made.flatMap(({ Sid: sid }) => (sid === undefined ? [] : [sid]));
}

function namesOf(cluster: ClusterFacts, { name }: TenantConfig): BrokerNames | undefined {
  let names: BrokerNames | undefined;
  faultOf([], name, () => {
    names = joinedNames(cluster, name);
  });
  return names;
}

function joinedNames({ name: cluster, parameterPrefix }: ClusterFacts, tenant: string): BrokerNames {
  return brokerNames({ cluster, tenant, parameterPrefix });
}
