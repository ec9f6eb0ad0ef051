import type { Config } from '../../lib/config/config.ts';
import type { Fault } from '../../lib/config/faults.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { refusalOf } from '../support/refusal.ts';

export const ACCOUNT = '111122223333';
export const TENANT_ROLE = `arn:aws:iam::${ACCOUNT}:role/tenants/hub-acme-tenant`;

type Keys = Readonly<Record<string, unknown>>;

/** A tenant with what must be given, and more. */
export function tenant(keys: Keys = {}): Keys {
  return { tenantRole: TENANT_ROLE, ...keys };
}

/** An opted-in tenant. */
export function optedIn(keys: Keys = {}): Keys {
  return tenant({ attribution: true, ...keys });
}

/** A cluster with what must be given, and more. */
export function cluster(tenants: Keys, keys: Keys = {}): Keys {
  return { account: ACCOUNT, region: 'us-west-2', tenants, ...keys };
}

/** The configuration of some clusters; JSON is YAML. */
export function parse(clusters: Keys): Config {
  return parseConfig(JSON.stringify({ clusters }), 'tenants.yaml');
}

/** The configuration of a lone tenant, acme of hub. */
export function parseTenantKeys(keys: Keys, clusterKeys: Keys = {}): Config {
  return parse({ hub: cluster({ acme: optedIn(keys) }, clusterKeys) });
}

/** The faults of a text; the test fails if it has none. */
export function faultsOf(text: string): readonly Fault[] {
  const error = refusalOf(() => parseConfig(text, 'tenants.yaml'));
  if (error.code !== 'ConfigInvalid') throw error;
  return error.detail['faults'] as readonly Fault[];
}

/** The faults of some clusters as `[code, path, message]`. */
export function refusals(clusters: Keys): readonly (readonly [string, string, string])[] {
  return faultsOf(JSON.stringify({ clusters })).map(({ code, path, message }) => [code, path, message] as const);
}

/** The faults of a lone opted-in tenant, acme of hub, with paths from the tenant. */
export function tenantRefusals(keys: Keys, clusterKeys: Keys = {}): readonly (readonly [string, string, string])[] {
  return refusals({ hub: cluster({ acme: optedIn(keys) }, clusterKeys) }).map(
    ([code, path, message]) => [code, path.replace(/^clusters\.hub\.tenants\.acme\.?/, ''), message] as const,
  );
}
