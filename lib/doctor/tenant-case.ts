import type { Amendments, Draft, DraftFix } from './amendments.ts';
import type { Commands } from './commands.ts';
import type { ExpectedTenant, NamedTenant } from './expected.ts';
import {
  type AccessEntryFacts,
  type AccountSummary,
  type EksClusterFacts,
  type Known,
  type ManagedPolicyFacts,
  need,
  type PodIdentityFacts,
  type PolicyFacts,
  type RoleFacts,
} from './facts.ts';
import type { FindingCode, Severity } from './findings.ts';
import { type Hop, hopOf } from './hop.ts';
import { sessionTagsOf } from './pod-identity.ts';

/** What is known of a tenant's deployment. */
export interface TenantFacts {
  /** The session-broker role of the expected name, under whatever path. */
  readonly role: Known<RoleFacts | undefined>;
  /** The tenant role of the expected name, under whatever path. */
  readonly tenantRole: Known<RoleFacts | undefined>;
  readonly callerPolicy: Known<ManagedPolicyFacts | undefined>;
  /** The values of the expected parameters, in their order. */
  readonly parameters: readonly Known<string | undefined>[];
  /** Another Region in which the parameters are, where the cluster's has none. */
  readonly otherRegion: string | undefined;
  /** By ARN. */
  readonly chainRoles: ReadonlyMap<string, Known<RoleFacts | undefined>>;
  readonly eksCluster: Known<EksClusterFacts | undefined>;
  readonly accessEntry: Known<AccessEntryFacts | undefined>;
  readonly podIdentities: Known<readonly PodIdentityFacts[]>;
  readonly isRegionEnabled: Known<boolean>;
  readonly summary: Known<AccountSummary>;
}

/** What is the same for all tenants. */
export interface Settings {
  readonly now: Date;
  readonly commands: Commands;
  /** The organization's service control policies, a list for each level. */
  readonly serviceControl: readonly (readonly PolicyFacts[])[];
  readonly amendments: Amendments;
  /** All opted-in tenants of the configuration. */
  readonly tenants: readonly ExpectedTenant[];
}

/** An opted-in tenant that is examined. */
export interface TenantCase {
  readonly expected: ExpectedTenant;
  readonly facts: TenantFacts;
  readonly settings: Settings;
}

/** What a fix needs, and what else it may have. */
export type FixParts = Pick<DraftFix, 'summary'> & Partial<DraftFix>;

/** A finding about a tenant. */
export function findingOf(
  { expected: { cluster, tenant } }: { readonly expected: NamedTenant },
  code: FindingCode,
  severity: Severity,
  evidence: string,
  fix: FixParts,
): Draft {
  return {
    code,
    severity,
    cluster: cluster.name,
    tenant: tenant.name,
    evidence,
    fix: { statements: [], commands: [], ...fix },
  };
}

/**
 * The session-broker role. What is examined once it is known to be there counts on it.
 * @throws {NotKnown}
 */
export function brokerRole({ facts }: TenantCase): RoleFacts {
  return there(need(facts.role));
}

/**
 * The tenant role. What is examined once it is known to be there counts on it.
 * @throws {NotKnown}
 */
export function callerRole({ facts }: TenantCase): RoleFacts {
  return there(need(facts.tenantRole));
}

function there(role: RoleFacts | undefined): RoleFacts {
  if (role === undefined) throw new TypeError('a role that is not there was examined');
  return role;
}

/**
 * The requests of the hop.
 * @throws {NotKnown}
 */
export function hopOfCase(tested: TenantCase): Hop {
  const { expected, settings, facts } = tested;
  const roles = { role: brokerRole(tested), tenantRole: callerRole(tested) };
  const sessionTags = sessionTagsOf(facts.podIdentities, roles.tenantRole);
  return hopOf({ expected, ...roles, sessionTags, now: settings.now });
}
