import type { IManagedPolicy, IRole } from 'aws-cdk-lib/aws-iam';
import type { Acknowledgement, RoleSessionName, Statement } from '../policy/index.ts';

export interface SessionBrokerRoleProps {
  /** The cluster's name, a lower-case DNS label. */
  readonly cluster: string;
  /** The tenant's name, a lower-case DNS label. */
  readonly tenant: string;
  /** The tenant's IRSA role, the trusted caller. */
  readonly tenantRole: IRole;
  /**
   * Foundation models that sessions may invoke by their own id, in the stack's Region.
   * @default none
   */
  readonly models?: readonly string[] | undefined;
  /**
   * Inference profiles that sessions may invoke, by id, each with the Regions that it routes to; none for a
   * `global.` profile.
   * @default none
   */
  readonly inferenceProfiles?: Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * Name of the EKS cluster that sessions may describe and enter, in the stack's account and Region. The cluster
   * needs an authentication mode with API.
   * @default none: no access entry
   */
  readonly eksClusterName?: string | undefined;
  /**
   * Kubernetes groups of the sessions' access entry.
   * @default none
   */
  readonly kubernetesGroups?: readonly string[] | undefined;
  /**
   * ARNs of the roles that a session may go on to, exact. Each role's owner must trust this role too.
   * @default none: sessions assume no other role
   */
  readonly chainTo?: readonly string[] | undefined;
  /**
   * Further permissions, as statements of an IAM policy.
   * @default none
   */
  readonly statements?: readonly Statement[] | undefined;
  /**
   * Managed policies with further permissions.
   * @default none
   */
  readonly managedPolicies?: readonly IManagedPolicy[] | undefined;
  /**
   * Granted actions by which the identity of a session is lost, each with the reason why they are granted: synthesis
   * warns of every other.
   * @default none
   */
  readonly acknowledgeIdentityLoss?: readonly Acknowledgement[] | undefined;
  /** @default none */
  readonly permissionsBoundary?: IManagedPolicy | undefined;
  /**
   * Whether the role session name must equal the source identity (`bound`) or not (`free`).
   * @default 'free'
   */
  readonly roleSessionName?: RoleSessionName | undefined;
  /**
   * `attach`: the caller's policy is attached to the tenant role. `external`: its owner attaches it.
   * @default 'attach'
   */
  readonly callerPolicy?: 'attach' | 'external' | undefined;
  /**
   * IAM path of the role and of the caller's policy. A later change replaces both, which fails since their names
   * are fixed.
   * @default DEFAULT_IAM_PATH
   */
  readonly path?: string | undefined;
  /**
   * Where the names of the parameters begin.
   * @default DEFAULT_PARAMETER_PREFIX
   */
  readonly parameterPrefix?: string | undefined;
}
