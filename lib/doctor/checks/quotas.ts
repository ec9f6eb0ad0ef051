import { type PolicyDocument, policySize } from '../../policy/index.ts';
import type { Draft } from '../amendments.ts';
import type { CommandPlace } from '../commands.ts';
import { type AccountSummary, need } from '../facts.ts';
import { HOME_REGIONS } from '../home-regions.ts';
import { brokerRole, callerRole, findingOf, type Settings, type TenantCase } from '../tenant-case.ts';

/** The share of a quota from which on it is time to ask for more. */
const NEAR = 0.8;

/** A quota of IAM. */
interface Quota {
  /** As GetAccountSummary calls it. */
  readonly name: string;
  /** As Service Quotas calls it. */
  readonly code: string;
  /** What AWS raises it to at most. */
  readonly most: number;
  readonly counts: string;
}

/** @see IAM User Guide, "IAM and AWS STS quotas"; Service Quotas, AWS Identity and Access Management */
const QUOTAS = {
  roles: { name: 'RolesQuota', code: 'L-FE177D64', most: 5000, counts: 'roles' },
  policies: { name: 'PoliciesQuota', code: 'L-E95E4862', most: 5000, counts: 'customer managed policies' },
  attached: { name: 'AttachedPoliciesPerRoleQuota', code: 'L-0DA4ABF3', most: 20, counts: 'managed policies' },
  trust: { name: 'AssumeRolePolicySizeQuota', code: 'L-C07B4B0D', most: 4096, counts: 'characters of trust policy' },
} as const satisfies Record<string, Quota>;

/** Whether the account has room for the roles and policies of further tenants. */
export function* checkAccountQuotas(
  summary: AccountSummary,
  account: string,
  place: CommandPlace,
  settings: Settings,
): Iterable<Draft> {
  for (const [quota, used] of [
    [QUOTAS.roles, summary['Roles']],
    [QUOTAS.policies, summary['Policies']],
  ] as const) {
    const found = nearFinding(quota, used, summary, `account ${account}`, place, settings);
    if (found !== undefined) yield { code: 'QuotaNearLimit', severity: 'warning', ...found };
  }
}

/** Whether the tenant's two roles have room for further policies. */
export function* checkRoleQuotas(tested: TenantCase): Iterable<Draft> {
  const { expected, facts, settings } = tested;
  const summary = need(facts.summary);
  const role = brokerRole(tested);
  const trust = policySize(need(role.trust) as PolicyDocument);
  for (const [quota, used, whose] of [
    [QUOTAS.trust, trust, expected.names.roleName],
    [QUOTAS.attached, need(role.attachedPolicies).length, expected.names.roleName],
  ] as const) {
    yield* roleFinding(tested, nearFinding(quota, used, summary, whose, expected.cluster, settings));
  }
}

/** The same of the tenant role, which others may give policies too. */
export function* checkCallerQuotas(tested: TenantCase): Iterable<Draft> {
  const { expected, facts, settings } = tested;
  const { cluster, tenantRole } = expected;
  // The summary is of the cluster's account.
  if (tenantRole.account !== cluster.account) return;
  const used = need(callerRole(tested).attachedPolicies).length;
  yield* roleFinding(
    tested,
    nearFinding(QUOTAS.attached, used, need(facts.summary), tenantRole.name, cluster, settings),
  );
}

function* roleFinding(tested: TenantCase, found: ReturnType<typeof nearFinding>): Iterable<Draft> {
  if (found !== undefined) yield findingOf(tested, 'QuotaNearLimit', 'warning', found.evidence, found.fix);
}

function nearFinding(
  { name, code, most, counts }: Quota,
  used: number | undefined,
  summary: AccountSummary,
  whose: string,
  place: CommandPlace,
  { commands }: Settings,
): Pick<Draft, 'evidence' | 'fix'> | undefined {
  const quota = summary[name];
  if (used === undefined || quota === undefined || used < quota * NEAR) return undefined;
  const wanted = Math.min(quota * 2, most);
  const evidence = `${whose} has ${used} ${counts}, and the quota is ${quota}`;
  if (wanted <= quota) {
    return { evidence, fix: { summary: `make room: AWS raises the quota no further`, statements: [], commands: [] } };
  }
  const words = ['--service-code', 'iam', '--quota-code', code, '--desired-value', String(wanted)];
  const home = { ...place, region: HOME_REGIONS[place.partition] };
  return {
    evidence,
    fix: {
      summary: 'ask AWS for more',
      statements: [],
      commands: [commands.aws(home, 'service-quotas', 'request-service-quota-increase', ...words)],
    },
  };
}
