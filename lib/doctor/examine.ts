import type { ClusterConfig, Config, OptIn } from '../config/config.ts';
import { Amendments, type Draft } from './amendments.ts';
import { checkCallerPolicy } from './checks/caller.ts';
import { checkChain } from './checks/chain.ts';
import { checkAccessEntry, checkEksCluster } from './checks/cluster.ts';
import { checkCallerExists, checkDeployment, checkLeftovers, checkNotDeployed } from './checks/deployment.ts';
import { checkForbiddenGrants, checkIdentityLoss } from './checks/grants.ts';
import { checkHiddenByBoundary, checkHiddenByServiceControl } from './checks/hidden.ts';
import { checkCallerBoundary, checkCallerDenials, checkServiceControl } from './checks/hop.ts';
import { checkNames } from './checks/names.ts';
import { checkParameters } from './checks/parameters.ts';
import { checkAccountQuotas, checkCallerQuotas, checkRoleQuotas } from './checks/quotas.ts';
import { checkRegion, checkStsEndpoint } from './checks/region.ts';
import { checkBoundary, checkGuard, checkPermissions, checkPolicies, checkSessionLimit } from './checks/role.ts';
import { checkTenantRole } from './checks/tenant-role.ts';
import { checkPodIdentity, checkTrust } from './checks/trust.ts';
import { type ExpectedTenant, expectedTenant, type NamedTenant, namedTenant } from './expected.ts';
import { known, need, type Reader, valueOr } from './facts.ts';
import type { Finding } from './findings.ts';
import { gather } from './gather.ts';
import { type NotChecked, Outcome } from './outcome.ts';
import type { Settings, TenantCase, TenantFacts } from './tenant-case.ts';

export interface TenantReport {
  readonly cluster: string;
  readonly tenant: string;
  readonly optIn: OptIn;
  /** Checks that ran to their end. */
  readonly checks: number;
}

export interface Report {
  readonly tenants: readonly TenantReport[];
  /** The severest first, and in the order of the configuration. */
  readonly findings: readonly Finding[];
  readonly notChecked: readonly NotChecked[];
  /** Checks that ran to their end, those about accounts included. */
  readonly checks: number;
}

/** A subject and how it is examined. */
interface Check {
  /** Reads on after "not checked:". */
  readonly name: string;
  readonly run: (tested: TenantCase) => Iterable<Draft>;
}

/** What is examined of every opted-in tenant. */
const ALWAYS: readonly Check[] = [
  { name: 'whether the Region is enabled', run: checkRegion },
  { name: 'how far the name is enforced', run: checkNames },
];

/** What is examined of a session-broker role that is there. */
const OF_ROLE: readonly Check[] = [
  { name: 'the session limit of the role', run: checkSessionLimit },
  { name: 'the permissions boundary of the role', run: checkBoundary },
  { name: 'the guard', run: checkGuard },
  { name: 'the permissions of the role', run: checkPermissions },
  { name: 'the policies of the role', run: checkPolicies },
  { name: 'what the policies of the role grant', run: checkForbiddenGrants },
  { name: 'whether the identity can be lost', run: checkIdentityLoss },
  { name: 'what the boundary of the role hides', run: checkHiddenByBoundary },
  { name: 'the parameters', run: checkParameters },
  { name: 'the EKS cluster', run: checkEksCluster },
  { name: 'the access entry', run: checkAccessEntry },
  { name: 'the roles of chainTo', run: checkChain },
  { name: 'the quotas of the role', run: checkRoleQuotas },
];

/** What is examined where the tenant role is there too. */
const OF_HOP: readonly Check[] = [
  { name: 'the trust policy', run: checkTrust },
  { name: 'whether session tags are allowed', run: checkPodIdentity },
  { name: 'whether the boundary of the tenant role allows the hop', run: checkCallerBoundary },
  { name: 'whether the policies of the tenant role deny the hop', run: checkCallerDenials },
  { name: "the caller's policy", run: checkCallerPolicy },
  { name: 'what the tenant role can do beyond the hop', run: checkTenantRole },
  { name: 'the quotas of the tenant role', run: checkCallerQuotas },
];

/** What is examined where service control policies were given. */
const OF_SERVICE_CONTROL: readonly Check[] = [
  { name: 'whether service control policies allow the hop', run: checkServiceControl },
  { name: 'what service control policies hide', run: checkHiddenByServiceControl },
];

export interface ExamineOptions {
  readonly config: Config;
  readonly reader: Reader;
  readonly settings: Omit<Settings, 'tenants' | 'amendments'>;
  /** The one account whose facts can be read. Absent: whatever the reader knows. */
  readonly account?: string | undefined;
  /** The cluster and the tenant to examine. Absent: all. */
  readonly only?: { readonly cluster?: string | undefined; readonly tenant?: string | undefined } | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Examines the tenants of a configuration, and what else of theirs is in their accounts. */
export async function examine(options: ExamineOptions): Promise<Report> {
  const { config, account, only = {} } = options;
  const isMeant = ({ name }: { readonly name: string }, wanted: string | undefined): boolean =>
    wanted === undefined || name === wanted;
  const clusters = config.clusters.filter((cluster) => isMeant(cluster, only.cluster));
  const examined = clusters.filter((cluster) => account === undefined || cluster.account === account);
  const settings: Settings = {
    ...options.settings,
    amendments: new Amendments(),
    tenants: config.clusters.flatMap(expectedTenants),
  };
  const outcome = new Outcome();
  for (const cluster of clusters.filter((other) => !examined.includes(other))) {
    outcome.notChecked.push({
      cluster: cluster.name,
      check: 'its tenants',
      missing: `it is in account ${cluster.account}, and the credentials are of ${account}; run doctor with credentials of that account too`,
    });
  }
  const regions = [...new Set(config.clusters.map(({ region }) => region))];
  const tenants = examined.flatMap((cluster) =>
    cluster.tenants.filter((tenant) => isMeant(tenant, only.tenant)).map((tenant) => namedTenant(cluster, tenant)),
  );
  const facts = await Promise.all(tenants.map((named) => factsOf(named, options.reader, regions)));
  const results = tenants.map((named, index) => examineTenant(named, facts[index], settings));
  for (const result of results) outcome.add(result);
  outcome.run({}, 'the STS endpoint', () => checkStsEndpoint(options.environment));
  if (only.tenant === undefined) await examineAccounts(examined, options.reader, settings, outcome, only.cluster);
  return {
    tenants: tenants.map(({ cluster, tenant }, index) => ({
      cluster: cluster.name,
      tenant: tenant.name,
      optIn: tenant.optIn,
      checks: results[index]?.checks ?? 0,
    })),
    findings: outcome.bySeverity(),
    notChecked: outcome.notChecked,
    checks: outcome.checks,
  };
}

function expectedTenants(cluster: ClusterConfig): readonly ExpectedTenant[] {
  return cluster.tenants.filter(({ optIn }) => optIn === 'in').map((tenant) => expectedTenant(cluster, tenant));
}

/** What is known of a tenant: of one that is not opted in, no more than its roles, if there are any. */
type Facts = { readonly tenant: TenantFacts } | Pick<TenantFacts, 'role' | 'tenantRole'>;

async function factsOf(named: NamedTenant, reader: Reader, regions: readonly string[]): Promise<Facts> {
  const { cluster, tenant, roleArn } = named;
  if (tenant.optIn !== 'in') {
    const role = await reader.role(roleArn);
    const isThere = valueOr(role, undefined) !== undefined;
    return { role, tenantRole: isThere ? await reader.role(tenant.tenantRole) : known(undefined) };
  }
  return { tenant: await gather(expectedTenant(cluster, tenant), reader, regions) };
}

function examineTenant(named: NamedTenant, facts: Facts | undefined, settings: Settings): Outcome {
  const { cluster, tenant } = named;
  const outcome = new Outcome();
  const about = { cluster: cluster.name, tenant: tenant.name };
  if (facts === undefined) return outcome;
  if ('role' in facts) {
    outcome.run(about, 'whether it is deployed', () => checkNotDeployed(named, facts.role, facts.tenantRole, settings));
    return outcome;
  }
  const tested: TenantCase = { expected: expectedTenant(cluster, tenant), facts: facts.tenant, settings };
  const findsNothing = ({ name, run }: Check): boolean => outcome.run(about, name, () => run(tested));
  for (const check of ALWAYS) findsNothing(check);
  // Of what is not there, that is the one thing to say. What is not known to be there may be.
  if (!findsNothing({ name: 'whether it is deployed', run: checkDeployment })) return outcome;
  const hasCaller = findsNothing({ name: 'whether the tenant role exists', run: checkCallerExists });
  const given = settings.serviceControl.length > 0 ? OF_SERVICE_CONTROL : [];
  for (const check of [...(hasCaller ? OF_HOP : []), ...OF_ROLE, ...given]) findsNothing(check);
  return outcome;
}

/** What is about no tenant of the configuration. */
async function examineAccounts(
  clusters: readonly ClusterConfig[],
  reader: Reader,
  settings: Settings,
  outcome: Outcome,
  onlyCluster: string | undefined,
): Promise<void> {
  for (const account of new Set(clusters.map((cluster) => cluster.account))) {
    const own = clusters.filter((cluster) => cluster.account === account);
    const [place] = own;
    const paths = [...new Set(own.map(({ iamPath }) => iamPath))];
    const found = await Promise.all(paths.map((path) => reader.brokerRoles(account, path)));
    const summary = await reader.summary(account);
    outcome.run({}, `roles of tenants that left the configuration, in account ${account}`, function* () {
      const roles = new Map(found.flatMap(need).map((role) => [role.arn, role]));
      yield* checkLeftovers(own, [...roles.values()], settings, onlyCluster);
    });
    if (place === undefined) continue;
    outcome.run({}, `the quotas of account ${account}`, () =>
      checkAccountQuotas(need(summary), account, place, settings),
    );
  }
}
