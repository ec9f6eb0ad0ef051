/** Where something of a cluster is. */
export interface Place {
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
}

/** A call that the credentials were refused. */
export interface Denial {
  /** `iam:GetRole` */
  readonly action: string;
  /** What was asked about: an ARN, a name or `*`. */
  readonly resource: string;
}

/** Why a fact is not known. It is never taken for one that is as it should be. */
export interface Unknown {
  /** Reads on after what was not checked: `iam:GetRole on "hub-acme-session" was denied`. */
  readonly missing: string;
  /** Where it was read and could not be, and another time or with other rights it can. */
  readonly failure?: { readonly denial?: Denial | undefined };
}

/** A fact, or why it is not known. */
export type Known<Value> = { readonly value: Value } | { readonly unknown: Unknown };

/** Ends a check that needs what is not known. */
export class NotKnown extends Error {
  override readonly name = 'NotKnown';
  readonly unknown: Unknown;

  constructor(unknown: Unknown) {
    super(unknown.missing);
    this.unknown = unknown;
  }
}

export function known<Value>(value: Value): Known<Value> {
  return { value };
}

export function unknown(missing: string): { readonly unknown: Unknown } {
  return { unknown: { missing } };
}

/**
 * A fact's value.
 * @throws {NotKnown}
 */
export function need<Value>(fact: Known<Value>): Value {
  if ('value' in fact) return fact.value;
  throw new NotKnown(fact.unknown);
}

/** A fact's value, or another where it is not known. */
export function valueOr<Value, Other>(fact: Known<Value>, other: Other): Value | Other {
  return 'value' in fact ? fact.value : other;
}

/** A fact that follows from another. */
export function derive<From, To>(fact: Known<From>, to: (value: From) => To): Known<To> {
  return 'value' in fact ? known(to(fact.value)) : fact;
}

/** A policy of a role. */
export interface PolicyFacts {
  readonly name: string;
  /** Of a managed policy. */
  readonly arn?: string | undefined;
  /** The parsed JSON, whatever it holds. */
  readonly document: Known<unknown>;
}

/** A managed policy. */
export interface ManagedPolicyFacts extends PolicyFacts {
  readonly arn: string;
  /** Of as many versions as IAM keeps, the one that makes room for another; undefined where there is room. */
  readonly spareVersion: Known<string | undefined>;
}

/** A role as it is deployed. */
export interface RoleFacts {
  readonly arn: string;
  /** `AROA...` */
  readonly id: Known<string>;
  readonly createdAt: Known<Date>;
  readonly maxSessionDurationSeconds: Known<number>;
  /** The trust policy's parsed JSON, whatever it holds. */
  readonly trust: Known<unknown>;
  readonly inlinePolicies: Known<readonly PolicyFacts[]>;
  readonly attachedPolicies: Known<readonly ManagedPolicyFacts[]>;
  readonly permissionsBoundary: Known<ManagedPolicyFacts | undefined>;
  readonly tags: Known<Readonly<Record<string, string>>>;
}

/** A role of which no more than this is asked. */
export interface TaggedRole {
  readonly arn: string;
  readonly tags: Known<Readonly<Record<string, string>>>;
}

/** An EKS cluster, as far as it is asked about. */
export interface EksClusterFacts {
  /** `API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`. */
  readonly authenticationMode: string;
}

/** An access entry of an EKS cluster. */
export interface AccessEntryFacts {
  readonly type: string;
  readonly userName: string;
  readonly kubernetesGroups: readonly string[];
  readonly createdAt: Known<Date>;
}

/** A role's association with a service account by EKS Pod Identity. */
export interface PodIdentityFacts {
  readonly associationId: string;
  /** Whose sessions the pods get. */
  readonly roleArn: string;
  readonly disableSessionTags: boolean;
}

/** Numbers that IAM gives of an account, quotas among them: `Roles`, `RolesQuota`. */
export type AccountSummary = Readonly<Record<string, number>>;

/**
 * What is known of accounts, read from them or from files. A value of undefined is a thing that is known not to be
 * there. Nothing is read twice.
 */
export interface Reader {
  /** The role of the ARN's account and name: it may stand under another path. */
  role(arn: string): Promise<Known<RoleFacts | undefined>>;
  managedPolicy(arn: string): Promise<Known<ManagedPolicyFacts | undefined>>;
  /** The roles below a path that carry the tags of a session-broker role, or may. */
  brokerRoles(account: string, path: string): Promise<Known<readonly TaggedRole[]>>;
  parameter(place: Place, name: string): Promise<Known<string | undefined>>;
  summary(account: string): Promise<Known<AccountSummary>>;
  eksCluster(place: Place, name: string): Promise<Known<EksClusterFacts | undefined>>;
  accessEntry(place: Place, clusterName: string, roleArn: string): Promise<Known<AccessEntryFacts | undefined>>;
  podIdentities(place: Place, clusterName: string): Promise<Known<readonly PodIdentityFacts[]>>;
  /** Whether the account has the Region enabled. */
  isRegionEnabled(place: Place): Promise<Known<boolean>>;
}
