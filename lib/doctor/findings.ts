import type { Statement } from '../policy/index.ts';

/**
 * `error`: sessions cannot start, or their name is not enforced. `warning`: it works, and not as the configuration
 * says, or not for long. `note`: worth knowing.
 */
export type Severity = 'error' | 'warning' | 'note';

/**
 * Every finding: how severe it may be, and what it says. A code is a public contract: its name never changes meaning.
 */
export const FINDINGS = {
  NotDeployed: {
    severities: ['error'],
    says: 'A tenant is opted in, and nothing of it is deployed.',
  },
  RoleDeleted: {
    severities: ['error'],
    says: 'The session-broker role is gone, and the rest of its stack is there.',
  },
  DeployedUnderOtherPath: {
    severities: ['error'],
    says: 'The role stands under another IAM path than the configuration says.',
  },
  DeployedInOtherRegion: {
    severities: ['error'],
    says: 'The parameters are in another Region than the configuration says.',
  },
  DeployedThoughOptedOut: {
    severities: ['error'],
    says: 'A tenant is opted out (`attribution: false`), and its role is still there.',
  },
  DeployedThoughNotOptedIn: {
    severities: ['error'],
    says: 'A tenant is not opted in, and has a role.',
  },
  DeployedThoughNotInFile: {
    severities: ['error'],
    says: 'A role is of a tenant that the configuration does not name any more.',
  },
  RegionNotEnabled: {
    severities: ['error'],
    says: 'The account does not have the Region of the cluster enabled.',
  },
  StsEndpointGlobal: {
    severities: ['warning'],
    says: 'What is started in this environment calls the global endpoint of STS.',
  },
  TenantRoleMissing: {
    severities: ['error'],
    says: 'The tenant role does not exist.',
  },
  TrustNamesDeletedRole: {
    severities: ['error'],
    says: 'The trust policy names a role that was deleted; its unique id (`AROA...`) shows.',
  },
  TrustDrifted: {
    severities: ['error', 'warning'],
    says: 'The trust policy is not the one that the configuration makes. A warning if it still admits the tenant role alone, under its own names.',
  },
  PodIdentityNeedsTagSession: {
    severities: ['error'],
    says: 'The tenant role is assumed through EKS Pod Identity, and its session tags are not allowed.',
  },
  BoundaryDeniesHop: {
    severities: ['error', 'warning'],
    says: 'The permissions boundary of the tenant role denies the hop. A warning if it denies the reading of the parameter alone.',
  },
  BoundaryOmitsHop: {
    severities: ['error', 'warning'],
    says: 'The permissions boundary of the tenant role does not allow the hop. A warning as above.',
  },
  CallerPolicyDeniesHop: {
    severities: ['error', 'warning'],
    says: 'A policy of the tenant role denies the hop. A warning as above.',
  },
  ServiceControlPolicyDeniesHop: {
    severities: ['error', 'warning'],
    says: 'A service control policy denies the hop. A warning as above.',
  },
  ServiceControlPolicyOmitsHop: {
    severities: ['error', 'warning'],
    says: 'A level of service control policies does not allow the hop. A warning as above.',
  },
  CallerPolicyMissing: {
    severities: ['error', 'warning'],
    says: "The caller's policy does not exist. A warning if other policies of the tenant role allow the hop.",
  },
  CallerPolicyNotAttached: {
    severities: ['error', 'warning'],
    says: "The caller's policy is not attached to the tenant role. A warning as above.",
  },
  CallerPolicyDrifted: {
    severities: ['warning'],
    says: "The caller's policy is not the one that the configuration makes, and allows the hop.",
  },
  CallerLacksAssumeRole: {
    severities: ['error', 'warning'],
    says: "No policy of the tenant role allows `sts:AssumeRole`. A warning in one account, where the trust policy's word is enough.",
  },
  CallerLacksSetSourceIdentity: {
    severities: ['error'],
    says: 'No policy of the tenant role allows `sts:SetSourceIdentity`.',
  },
  CallerLacksGetParameter: {
    severities: ['warning'],
    says: 'No policy of the tenant role allows it to find the role by its parameter.',
  },
  TenantRoleDoesMore: {
    severities: ['warning'],
    says: 'The tenant role can do more than start sessions: its names are only cooperative.',
  },
  SessionLimitDrifted: {
    severities: ['warning'],
    says: 'The maximum session duration of the role is not 3600 seconds.',
  },
  BoundaryDrifted: {
    severities: ['error', 'warning'],
    says: 'The role has another permissions boundary than the configuration says. A warning if none is configured.',
  },
  BoundaryHidesPermissions: {
    severities: ['error'],
    says: 'The permissions boundary of the role hides models, the cluster or roles of `chainTo`.',
  },
  ServiceControlPolicyHidesPermissions: {
    severities: ['error'],
    says: 'Service control policies hide models, the cluster or roles of `chainTo`.',
  },
  GuardDrifted: {
    severities: ['error'],
    says: 'The guard of the role is missing or changed.',
  },
  PermissionsDrifted: {
    severities: ['warning'],
    says: 'The configured permissions of the role are missing or changed.',
  },
  PolicyNotConfigured: {
    severities: ['warning'],
    says: 'The role has an inline or managed policy that is not in the configuration.',
  },
  ManagedPolicyDetached: {
    severities: ['warning'],
    says: 'The role lacks a managed policy of the configuration.',
  },
  PolicyGrantsTooMuch: {
    severities: ['error'],
    says: 'A policy that is attached to the role would let a session leave its name.',
  },
  IdentityLost: {
    severities: ['warning'],
    says: 'A policy that is attached to the role grants what loses the identity of a session.',
  },
  ParameterMissing: {
    severities: ['error'],
    says: 'A parameter of the role is missing.',
  },
  ParameterStale: {
    severities: ['error'],
    says: 'A parameter of the role says something else than it should.',
  },
  ParameterOfOtherAccount: {
    severities: ['error'],
    says: 'The parameter leads to a role of another account or partition.',
  },
  EksClusterMissing: {
    severities: ['error'],
    says: 'The EKS cluster does not exist under the name of the configuration.',
  },
  AccessEntriesOff: {
    severities: ['error'],
    says: 'The authentication mode of the EKS cluster knows no access entries.',
  },
  AccessEntryMissing: {
    severities: ['error'],
    says: 'The role has no access entry.',
  },
  AccessEntryOfDeletedRole: {
    severities: ['error'],
    says: 'The access entry is older than the role: it is of the role that had the name before.',
  },
  AccessEntryDrifted: {
    severities: ['error', 'warning'],
    says: 'The access entry is not as configured. A warning if its groups alone are others.',
  },
  ChainRoleMissing: {
    severities: ['warning'],
    says: 'A role of `chainTo` does not exist.',
  },
  ChainRoleRefuses: {
    severities: ['warning'],
    says: 'A role of `chainTo` does not let sessions in.',
  },
  NamesFree: {
    severities: ['note'],
    says: 'The dispatcher chooses the role session name.',
  },
  NamesBound: {
    severities: ['note'],
    says: 'The role session name is bound to the source identity by a policy variable that AWS does not document.',
  },
  QuotaNearLimit: {
    severities: ['warning'],
    says: 'Of a quota of IAM, 80 % or more are used.',
  },
  ReadFailed: {
    severities: ['warning'],
    says: 'Something could not be read, so that not everything was checked.',
  },
} as const satisfies Record<string, { severities: readonly Severity[]; says: string }>;

export type FindingCode = keyof typeof FINDINGS;

/** A change of the configuration. */
export interface ConfigurationChange {
  /** `clusters.hub.tenants.acme.attribution` */
  readonly path: string;
  /** Undefined: remove it. */
  readonly value: unknown;
}

/** A change of one statement of a policy. */
export interface StatementChange {
  /** The policy's ARN or file, or its name and whose it is. */
  readonly policy: string;
  /** The statement that it replaces, by its Sid or its number. Absent: it is added. */
  readonly inPlaceOf?: string | undefined;
  /** The place of that statement, from 0. */
  readonly index?: number | undefined;
  readonly statement: Statement;
}

/** What makes a finding go away. */
export interface Fix {
  /** One sentence, in the imperative. */
  readonly summary: string;
  /** To be made before the commands. */
  readonly configuration?: ConfigurationChange | undefined;
  /** The statements that the commands put in place; to be put there by hand where there are no commands. */
  readonly statements: readonly StatementChange[];
  /** Commands for a POSIX shell, in this order. */
  readonly commands: readonly string[];
}

/** Something that is not as it should be. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Absent: about the account. */
  readonly cluster?: string | undefined;
  /** Absent: about the cluster or the account. */
  readonly tenant?: string | undefined;
  /** One sentence with the values that were found. */
  readonly evidence: string;
  readonly fix: Fix;
}
