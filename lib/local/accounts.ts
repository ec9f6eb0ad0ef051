import type { ClusterConfig, Config, TenantConfig } from '../config/config.ts';
import { quote, SessionBrokerError } from '../errors.ts';
import { type BrokerArns, brokerArns, brokerNames, parseRoleArn, type RoleArn } from '../identity/index.ts';
import { parsePolicyDocument, policyDocument, type Statement } from '../policy/index.ts';
import type { Stack } from '../template/assembly.ts';
import type { AuthenticationMode } from './cluster-store.ts';
import { deploy } from './deploy.ts';
import type { Quotas } from './quotas.ts';
import type { Store } from './store.ts';
import { storedTrust } from './trust-principals.ts';
import { AUDIENCE, issuerOf, providerArn, subjectOf, type WebIdentityIssuer } from './web-identity.ts';

/** Long enough for a day's work with credentials that no SDK renews. */
export const TENANT_SESSION_SECONDS = 43_200;

export interface AccountsProps {
  readonly config: Config;
  readonly stacks: readonly Stack[];
  readonly store: Store;
  readonly issuer: WebIdentityIssuer;
  readonly quotas: Quotas;
  readonly authenticationMode: AuthenticationMode;
  readonly now: Date;
}

/**
 * Fills the accounts as a platform team would: the clusters and tenant roles that exist already, the assembly, and
 * last the roles that sessions may go on to, whose owners name the session-broker roles.
 * @returns what is modelled otherwise than AWS would, a sentence each
 * @throws {SessionBrokerError} AssemblyUnreadable
 */
export function fillAccounts(props: AccountsProps): readonly string[] {
  const { config, stacks, store, quotas, now } = props;
  createClusters(props);
  createTenantRoles(props);
  const notices = [...deploy(stacks, { store, quotas, now })];
  for (const cluster of config.clusters) {
    for (const tenant of cluster.tenants) {
      assertDeployed(cluster, tenant, store);
      if (tenant.optIn === 'in' && tenant.callerPolicy === 'external') {
        notices.push(attachExternalPolicy(cluster, tenant, store));
      }
    }
  }
  createChainRoles(props);
  return [...notices, ...absentPolicies(config, store)];
}

function arnsOf(cluster: ClusterConfig, { name: tenant }: TenantConfig): BrokerArns {
  const { name, parameterPrefix } = cluster;
  return brokerArns({ ...cluster, names: brokerNames({ cluster: name, tenant, parameterPrefix }) });
}

/** Several clusters of the configuration may be one of EKS. */
function createClusters({ config, store, authenticationMode, now }: AccountsProps): void {
  for (const cluster of config.clusters) {
    const { partition, account, region, eksClusterName: name } = cluster;
    if (store.clusters.find(account, region, name) !== undefined) continue;
    const issuer = issuerOf(cluster);
    store.clusters.add({ partition, account, region, name, issuer, createdAt: now, authenticationMode });
  }
}

/** Each with trust for its tenant's service account; one that serves several tenants trusts each. */
function createTenantRoles({ config, store, issuer, now }: AccountsProps): void {
  const trusts = new Map<string, { role: RoleArn; statements: Statement[] }>();
  for (const cluster of config.clusters) {
    const issuerName = issuerOf(cluster);
    for (const tenant of cluster.tenants) {
      const role = parseRoleArn(tenant.tenantRole);
      const provider = providerArn(role.partition, role.account, issuerName);
      issuer.addProvider(provider);
      const entry = trusts.get(role.arn) ?? { role, statements: [] };
      trusts.set(role.arn, entry);
      entry.statements.push({
        Effect: 'Allow',
        Principal: { Federated: provider },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: { [`${issuerName}:sub`]: subjectOf(tenant.name), [`${issuerName}:aud`]: AUDIENCE },
        },
      });
    }
  }
  for (const { role, statements } of trusts.values()) {
    createRole(store, role, statements, now, TENANT_SESSION_SECONDS);
  }
}

/**
 * With the trust that their owners must write, but without its condition on the name: what is refused on the way
 * to such a role is refused by AWS's own rules.
 */
function createChainRoles({ config, store, now }: AccountsProps): void {
  const callers = new Map<string, Set<string>>();
  for (const cluster of config.clusters) {
    for (const tenant of cluster.tenants.filter(({ optIn }) => optIn === 'in')) {
      for (const arn of tenant.chainTo) {
        callers.set(arn, (callers.get(arn) ?? new Set()).add(arnsOf(cluster, tenant).roleArn));
      }
    }
  }
  for (const [arn, roles] of callers) {
    // The assembly's own roles, and other tenants', have the trust that they have.
    if (store.findRoleByArn(arn) !== undefined) continue;
    const statement: Statement = {
      Effect: 'Allow',
      Principal: { AWS: [...roles] },
      Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
    };
    createRole(store, parseRoleArn(arn), [statement], now);
  }
}

function createRole(
  store: Store,
  { partition, account, path, name, arn }: RoleArn,
  statements: readonly Statement[],
  createdAt: Date,
  maxSessionDurationSeconds?: number,
): void {
  const taken = store.findRole(account, name);
  if (taken !== undefined) {
    throw mismatch(`role names must be unique in an account: ${quote(arn)} and ${quote(taken.arn)} are one name`);
  }
  const trust = storedTrust(parsePolicyDocument(policyDocument(statements), 'trust policy'), store);
  store.addRole({ partition, account, path, name, trust, createdAt, maxSessionDurationSeconds });
}

function assertDeployed(cluster: ClusterConfig, tenant: TenantConfig, store: Store): void {
  const { roleArn: arn } = arnsOf(cluster, tenant);
  const isDeployed = store.findRoleByArn(arn) !== undefined;
  if (isDeployed === (tenant.optIn === 'in')) return;
  const who = `tenant ${tenant.name} of cluster ${cluster.name}`;
  throw mismatch(
    isDeployed
      ? `it has the session-broker role ${quote(arn)} of ${who}, which is not opted in`
      : `it has no session-broker role ${quote(arn)} of ${who}, which is opted in`,
  );
}

function attachExternalPolicy(cluster: ClusterConfig, tenant: TenantConfig, store: Store): string {
  const { callerPolicyArn: arn } = arnsOf(cluster, tenant);
  if (store.findPolicy(arn) === undefined) {
    throw mismatch(`it has no caller's policy ${quote(arn)} of tenant ${tenant.name} of cluster ${cluster.name}`);
  }
  store.findRoleByArn(tenant.tenantRole)?.attachedPolicies.add(arn);
  return `the caller's policy of tenant ${tenant.name} of cluster ${cluster.name} is external: it counts as attached to ${tenant.tenantRole}`;
}

/** Policies that roles name and the assembly does not have. */
function absentPolicies(config: Config, store: Store): readonly string[] {
  const accounts = new Set(config.clusters.map(({ account }) => account));
  const notices = new Set<string>();
  for (const role of [...accounts].flatMap((account) => store.roles(account))) {
    for (const arn of role.attachedPolicies) {
      if (store.findPolicy(arn) === undefined) {
        notices.add(`the managed policy ${arn} is not in the assembly: it grants and denies nothing here`);
      }
    }
    const boundary = role.permissionsBoundary;
    if (boundary !== undefined && store.findPolicy(boundary) === undefined) {
      notices.add(`the permissions boundary ${boundary} is not in the assembly: it limits nothing here`);
    }
  }
  return [...notices];
}

function mismatch(fault: string): SessionBrokerError {
  return new SessionBrokerError(
    'AssemblyUnreadable',
    `cloud assembly does not belong to the configuration: ${fault}; synthesize it again`,
  );
}
