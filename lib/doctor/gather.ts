import type { ExpectedTenant } from './expected.ts';
import { type Known, known, type ManagedPolicyFacts, type Place, type Reader, unknown, valueOr } from './facts.ts';
import { admitsPodIdentity } from './pod-identity.ts';
import type { TenantFacts } from './tenant-case.ts';

/**
 * Everything that is to be known of an opted-in tenant.
 * @param regions where else its parameters may be
 */
export async function gather(
  expected: ExpectedTenant,
  reader: Reader,
  regions: readonly string[],
): Promise<TenantFacts> {
  const { cluster, tenant, roleArn, tenantRole, callerPolicy, accessEntry } = expected;
  const place: Place = { account: cluster.account, region: cluster.region };
  const parameterIn = (region: string): Promise<readonly Known<string | undefined>[]> =>
    Promise.all(expected.parameters.map(({ name }) => reader.parameter({ ...place, region }, name)));
  const callerRole = reader.role(tenantRole.arn);
  const [role, caller, policy, parameters, chainRoles, eksCluster, entry, podIdentities, isRegionEnabled, summary] =
    await Promise.all([
      reader.role(roleArn),
      callerRole,
      reader.managedPolicy(callerPolicy.arn),
      parameterIn(cluster.region),
      Promise.all(tenant.chainTo.map(async (arn) => [arn, await reader.role(arn)] as const)),
      accessEntry ? reader.eksCluster(place, accessEntry.clusterName) : known(undefined),
      accessEntry ? reader.accessEntry(place, accessEntry.clusterName, roleArn) : known(undefined),
      callerRole.then((fact) => {
        const found = valueOr(fact, undefined);
        const mayComeSo = found !== undefined && valueOr(admitsPodIdentity(found), true);
        return mayComeSo ? reader.podIdentities(place, cluster.eksClusterName) : known([]);
      }),
      reader.isRegionEnabled(place),
      reader.summary(cluster.account),
    ]);
  const isLost = parameters.every((fact) => 'value' in fact && fact.value === undefined);
  const others = [...new Set([...regions, ...regionsIn(policy)])].filter((region) => region !== cluster.region);
  return {
    role,
    tenantRole: caller,
    callerPolicy: policy,
    parameters,
    otherRegion: isLost ? await firstWith(others, parameterIn) : undefined,
    chainRoles: new Map(chainRoles),
    eksCluster,
    accessEntry: entry,
    podIdentities,
    isRegionEnabled,
    summary,
  };
}

/** The Regions whose parameters a caller's policy names: where the stack that made it is. */
function regionsIn(policy: Known<ManagedPolicyFacts | undefined>): readonly string[] {
  const document = valueOr(policy, undefined)?.document ?? unknown('');
  const text = JSON.stringify(valueOr(document, undefined)) ?? '';
  return [...text.matchAll(/:ssm:([a-z0-9-]+):/g)].map(([, region = '']) => region);
}

async function firstWith(
  regions: readonly string[],
  parameterIn: (region: string) => Promise<readonly Known<string | undefined>[]>,
): Promise<string | undefined> {
  for (const region of regions) {
    const found = await parameterIn(region);
    if (found.some((fact) => valueOr(fact, undefined) !== undefined)) return region;
  }
  return undefined;
}
