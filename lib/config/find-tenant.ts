import { quote, SessionBrokerError } from '../errors.ts';
import type { ClusterConfig, Config, TenantConfig } from './config.ts';

/** A tenant and where it is. */
export interface PlacedTenant {
  readonly cluster: ClusterConfig;
  readonly tenant: TenantConfig;
}

/**
 * A tenant of a configuration, by its names.
 * @throws {SessionBrokerError} UsageInvalid for a cluster or a tenant that the configuration does not name
 */
export function findTenant(config: Config, clusterName: string, tenantName: string): PlacedTenant {
  const cluster = findCluster(config, clusterName);
  const tenant = cluster.tenants.find(({ name }) => name === tenantName);
  if (tenant === undefined) throw notNamed('tenant', tenantName, namesOf(cluster.tenants));
  return { cluster, tenant };
}

/**
 * A cluster of a configuration, by its name.
 * @throws {SessionBrokerError} UsageInvalid
 */
export function findCluster({ clusters }: Config, clusterName: string): ClusterConfig {
  const cluster = clusters.find(({ name }) => name === clusterName);
  if (cluster === undefined) throw notNamed('cluster', clusterName, namesOf(clusters));
  return cluster;
}

/** What a name is that the configuration does not have. */
export function notNamed(field: string, given: string, known: readonly string[]): SessionBrokerError {
  return new SessionBrokerError(
    'UsageInvalid',
    `${field} must be one that the configuration names: ${quote(given)} is not; choose from ${known.join(', ')}`,
  );
}

function namesOf(named: readonly { readonly name: string }[]): readonly string[] {
  return named.map(({ name }) => name);
}
