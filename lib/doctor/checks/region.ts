import type { Draft } from '../amendments.ts';
import { need } from '../facts.ts';
import { HOME_REGIONS } from '../home-regions.ts';
import { findingOf, type TenantCase } from '../tenant-case.ts';

/** Whether the account has the cluster's Region enabled. */
export function* checkRegion(tested: TenantCase): Iterable<Draft> {
  const { expected, facts, settings } = tested;
  const { cluster } = expected;
  if (need(facts.isRegionEnabled)) return;
  const home = { ...cluster, region: HOME_REGIONS[cluster.partition] };
  const evidence = `${cluster.region} is not enabled in account ${cluster.account}, so STS answers nobody there`;
  yield findingOf(tested, 'RegionNotEnabled', 'error', evidence, {
    summary: 'enable it, which takes minutes to hours',
    commands: [settings.commands.aws(home, 'account', 'enable-region', '--region-name', cluster.region)],
  });
}

/** The endpoint that serves all Regions, in the partitions that have one. */
const GLOBAL_HOST = 'sts.amazonaws.com';

/**
 * Whether what is started here would call STS's global endpoint. Its tokens are not valid in Regions that are off by
 * default, its requests count as ones of us-east-1, and CloudTrail has its events there.
 * @see IAM User Guide, "Manage AWS STS in an AWS Region"
 */
export function* checkStsEndpoint(environment: Readonly<Record<string, string | undefined>>): Iterable<Draft> {
  const found = [
    { name: 'AWS_STS_REGIONAL_ENDPOINTS', isGlobal: (value: string) => value.toLowerCase() === 'legacy' },
    { name: 'AWS_ENDPOINT_URL_STS', isGlobal: isGlobalUrl },
  ].flatMap(({ name, isGlobal }) => {
    const value = environment[name];
    return value !== undefined && isGlobal(value) ? [name] : [];
  });
  if (found.length === 0) return;
  const names = found.join(' and ');
  yield {
    code: 'StsEndpointGlobal',
    severity: 'warning',
    evidence: `by ${names}, dispatchers that are started in this environment call STS's global endpoint: their sessions are logged in us-east-1, and Regions that are off by default do not take them`,
    fix: {
      summary: 'let them call STS in their own Region',
      statements: [],
      commands: found.map((name) => `unset ${name}`),
    },
  };
}

function isGlobalUrl(value: string): boolean {
  return URL.canParse(value) && new URL(value).hostname === GLOBAL_HOST;
}
