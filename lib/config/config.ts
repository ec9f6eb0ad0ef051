import type { Cluster, Partition, Tenant } from '../identity/index.ts';
import type { Acknowledgement, Statement } from '../policy/index.ts';
import type { RoleSessionName } from '../policy/trust.ts';

/** A configuration that has passed every check: constructs and commands take it as it is. */
export interface Config {
  /** The file that it was read from, as given. */
  readonly file: string;
  readonly clusters: readonly ClusterConfig[];
}

export interface ClusterConfig {
  readonly name: Cluster;
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  /** Follows from the Region. */
  readonly partition: Partition;
  /** `pilot`: one opted-in tenant at most. */
  readonly rollout: 'pilot' | 'general';
  readonly parameterPrefix: string;
  readonly iamPath: string;
  /** ARN of a managed policy, the permissions boundary of every session-broker role of the cluster. */
  readonly permissionsBoundary?: string | undefined;
  /** The EKS cluster's own name. */
  readonly eksClusterName: string;
  /** Whether CloudFormation refuses to delete the tenants' stacks. */
  readonly terminationProtection: boolean;
  /** On every taggable resource. */
  readonly tags: Readonly<Record<string, string>>;
  /** All tenants that the file names, opted in or not. */
  readonly tenants: readonly TenantConfig[];
}

/**
 * Whether a tenant takes part. `in`: `attribution: true`. `out`: `attribution: false`, its stack stays in the app
 * without a resource, so that the next deploy deletes what is deployed. `never`: not written, nothing is made.
 */
export type OptIn = 'in' | 'out' | 'never';

export interface TenantConfig {
  readonly name: Tenant;
  readonly optIn: OptIn;
  /** ARN of the tenant's IRSA role, the trusted caller. */
  readonly tenantRole: string;
  readonly models: readonly string[];
  /** By profile id, the Regions that it routes to; none for a `global.` profile. */
  readonly inferenceProfiles: Readonly<Record<string, readonly string[]>>;
  readonly roleSessionName: RoleSessionName;
  /** ARNs of the roles that a session may go on to. */
  readonly chainTo: readonly string[];
  /** Further permissions of the session-broker role. */
  readonly statements: readonly Statement[];
  /** ARNs of managed policies attached to the session-broker role. */
  readonly managedPolicies: readonly string[];
  /** Granted actions by which the identity of a session is lost, each with the reason why they are granted. */
  readonly acknowledgeIdentityLoss: readonly Acknowledgement[];
  /** Present: sessions may describe the cluster and have an access entry with these groups. */
  readonly eks?: { readonly kubernetesGroups: readonly string[] } | undefined;
  /** `attach`: the stack attaches the caller's policy to the tenant role. `external`: its owner sees to it. */
  readonly callerPolicy: 'attach' | 'external';
  /** Added to the cluster's. */
  readonly tags: Readonly<Record<string, string>>;
}
