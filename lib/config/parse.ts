import { type Cluster, type Partition, partitionOf, type Tenant } from '../identity/index.ts';
import type { ClusterConfig, Config, TenantConfig } from './config.ts';
import { configInvalid, type Fault, fault, faultOf, formatPath, type RuleFault, under } from './faults.ts';
import { type ClusterFacts, checkCluster, checkNames, checkSharedRoles, checkTenant } from './rules.ts';
import type { RawCluster, RawTenant } from './schema.ts';
import { readShape } from './shape.ts';
import { type PlacedFault, readYaml, type YamlFile } from './yaml.ts';

/**
 * A configuration from the text of its file.
 * @param text YAML 1.2, one document
 * @param file how messages call it, and {@link Config.file}
 * @throws {SessionBrokerError} ConfigInvalid with every fault in its message, and as `detail.faults`, a list of
 * {@link Fault} in the order of the file; of more than 100 the first, and how many more there are
 */
export function parseConfig(text: string, file: string): Config {
  if (typeof text !== 'string' || typeof file !== 'string') throw new TypeError('text and file must be strings');
  const yaml = readYaml(text);
  if (yaml.value === undefined || yaml.value === null) {
    const found = yaml.faults.length > 0 ? yaml.faults : [emptyFault()];
    throw configInvalid(file, placed(file, yaml, found));
  }
  const shape = readShape(yaml.value, yaml.source);
  const clusters = Object.entries(shape.config?.clusters ?? {}).map(([name, cluster]) => createCluster(name, cluster));
  const ruled = ruleFaults(clusters).filter(({ path }) => !shape.isLeftOut(path));
  const unread = new Set(yaml.faults.filter(({ isKey }) => !isKey).map(({ path }) => formatPath(path)));
  const judged = [...shape.faults, ...ruled].filter(({ path }) => !unread.has(formatPath(path)));
  const faults = [...yaml.faults, ...judged];
  if (faults.length > 0) throw configInvalid(file, placed(file, yaml, faults));
  return { file, clusters };
}

/** The faults of clusters and tenants of the right shape, with paths from the file's root. */
function ruleFaults(clusters: readonly ClusterConfig[]): readonly RuleFault[] {
  return [
    ...clusters.flatMap((cluster) => {
      const path = ['clusters', cluster.name];
      const facts = factsOf(cluster);
      return [
        ...under(path, checkCluster(cluster)),
        ...cluster.tenants.flatMap((tenant) => under([...path, 'tenants', tenant.name], checkTenant(facts, tenant))),
      ];
    }),
    ...checkNames(clusters),
    ...checkSharedRoles(clusters),
  ];
}

/** What of a cluster the rules on its tenants can rely on. */
function factsOf(cluster: ClusterConfig): ClusterFacts {
  const isRegion = faultOf([], cluster.region, () => partitionOf(cluster.region)).length === 0;
  return {
    ...cluster,
    account: /^[0-9]{12}$/.test(cluster.account) ? cluster.account : undefined,
    region: isRegion ? cluster.region : undefined,
    partition: isRegion ? cluster.partition : undefined,
  };
}

/** A cluster that the rules have yet to judge. */
function createCluster(name: string, raw: RawCluster): ClusterConfig {
  const { tenants, eks, ...rest } = raw;
  return {
    ...rest,
    name: name as Cluster,
    partition: partitionOrFirst(raw.region),
    eksClusterName: eks?.clusterName ?? name,
    tenants: Object.entries(tenants).map(([tenant, config]) => createTenant(tenant, config)),
  };
}

function createTenant(name: string, raw: RawTenant): TenantConfig {
  const { attribution, ...rest } = raw;
  return { ...rest, name: name as Tenant, optIn: attribution === undefined ? 'never' : attribution ? 'in' : 'out' };
}

/** The Region's partition; of a Region at fault it is never used. */
function partitionOrFirst(region: string): Partition {
  let partition: Partition = 'aws';
  faultOf([], region, () => {
    partition = partitionOf(region);
  });
  return partition;
}

function emptyFault(): RuleFault {
  return fault([], undefined, 'file must hold a mapping with the key clusters', 'begin from tenants.example.yaml');
}

function placed(file: string, yaml: YamlFile, faults: readonly (RuleFault | PlacedFault)[]): readonly Fault[] {
  return faults
    .map((found): Fault => {
      const { line, column } = 'position' in found ? found.position : yaml.locate(found.path, found.isKey);
      const { code, path, given, rule, fix, message } = found;
      return { code, file, line, column, path: formatPath(path), given, rule, fix, message };
    })
    .sort((one, other) => one.line - other.line || one.column - other.column);
}
