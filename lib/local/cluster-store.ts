import type { Partition } from '../identity/index.ts';

/** How a cluster finds out who an IAM principal is in Kubernetes: by access entries, the `aws-auth` ConfigMap or both. */
export type AuthenticationMode = 'API' | 'API_AND_CONFIG_MAP' | 'CONFIG_MAP';

/** What lets an IAM principal into a cluster. */
export interface AccessEntry {
  readonly arn: string;
  readonly principalArn: string;
  /** Of the principal at the time: another one with the same ARN is not let in. */
  readonly principalId: string;
  readonly type: string;
  /** `{{SessionName}}` stands for the name of a role's session. */
  readonly userName: string;
  readonly kubernetesGroups: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly clientRequestToken: string | undefined;
}

/** What gives a service account a role through EKS Pod Identity. */
export interface PodIdentityAssociation {
  readonly arn: string;
  /** `a-...` */
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly roleArn: string;
  readonly disableSessionTags: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  readonly clientRequestToken: string | undefined;
}

/** A change of a cluster's settings. */
export interface ClusterUpdate {
  readonly id: string;
  readonly authenticationMode: AuthenticationMode;
  readonly createdAt: Date;
}

/** An EKS cluster. */
export interface Cluster {
  readonly arn: string;
  readonly partition: Partition;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** Without `https://`. */
  readonly issuer: string;
  readonly createdAt: Date;
  authenticationMode: AuthenticationMode;
  /** By ARN of the principal. */
  readonly accessEntries: Map<string, AccessEntry>;
  /** By id. */
  readonly podIdentityAssociations: Map<string, PodIdentityAssociation>;
  /** By id. */
  readonly updates: Map<string, ClusterUpdate>;
}

export type ClusterProps = Pick<
  Cluster,
  'partition' | 'account' | 'region' | 'name' | 'issuer' | 'createdAt' | 'authenticationMode'
>;

/** The EKS clusters of all accounts and Regions. It decides nothing. */
export class ClusterStore {
  /** By account, Region and name. */
  readonly #clusters = new Map<string, Cluster>();

  find(account: string, region: string, name: string): Cluster | undefined {
    return this.#clusters.get(keyOf(account, region, name));
  }

  add(props: ClusterProps): Cluster {
    const { partition, account, region, name } = props;
    const cluster: Cluster = {
      ...props,
      arn: `arn:${partition}:eks:${region}:${account}:cluster/${name}`,
      accessEntries: new Map(),
      podIdentityAssociations: new Map(),
      updates: new Map(),
    };
    this.#clusters.set(keyOf(account, region, name), cluster);
    return cluster;
  }
}

function keyOf(account: string, region: string, name: string): string {
  return `${account}/${region} ${name}`;
}
