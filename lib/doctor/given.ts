import { SessionBrokerError } from '../errors.ts';
import { policyJson } from '../policy/foreign-policy.ts';
import {
  type AccessEntryFacts,
  type EksClusterFacts,
  type Known,
  known,
  type PodIdentityFacts,
  type RoleFacts,
  unknown,
  valueOr,
} from './facts.ts';

/** What IAM says of a role, in an answer of the API or as the AWS CLI prints it. */
export interface GivenRole {
  readonly Arn?: string | undefined;
  readonly RoleId?: string | undefined;
  readonly CreateDate?: Date | string | number | undefined;
  readonly MaxSessionDuration?: number | undefined;
  readonly AssumeRolePolicyDocument?: unknown;
  readonly PermissionsBoundary?: { readonly PermissionsBoundaryArn?: string | undefined } | undefined;
  readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;
}

/** A role without its policies. */
export type RoleHead = Omit<RoleFacts, 'inlinePolicies' | 'attachedPolicies' | 'permissionsBoundary'> & {
  /** ARN. */
  readonly boundaryArn: Known<string | undefined>;
};

/**
 * A role as it was given.
 * @param isWhole whether a boundary or tags that are left out are none: `ListRoles` leaves them out of all roles
 */
export function readRole(given: GivenRole, isWhole: boolean): RoleHead {
  const { Arn: arn = '', RoleId, CreateDate, MaxSessionDuration, PermissionsBoundary: boundary, Tags } = given;
  const name = nameOf(arn);
  const notGiven = (what: string, command: string) => unknown(`${what} of ${name} is not given; add ${command}`);
  return {
    arn,
    id: RoleId === undefined ? notGiven('the unique id', DETAILS) : known(RoleId),
    createdAt: readTime(CreateDate, `the creation time of ${name} is not given; add ${DETAILS}`),
    maxSessionDurationSeconds:
      MaxSessionDuration === undefined
        ? notGiven('the session limit', 'the output of aws iam list-roles')
        : known(MaxSessionDuration),
    trust: readDocument(given.AssumeRolePolicyDocument, `the trust policy of ${name}`),
    boundaryArn:
      boundary !== undefined || isWhole
        ? known(boundary?.PermissionsBoundaryArn)
        : notGiven('the permissions boundary', DETAILS),
    tags:
      Tags !== undefined || isWhole
        ? known(Object.fromEntries((Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])))
        : notGiven('the tags', DETAILS),
  };
}

/** What IAM says of one version of a managed policy. */
export interface GivenVersion {
  readonly VersionId?: string | undefined;
  readonly IsDefaultVersion?: boolean | undefined;
  readonly CreateDate?: Date | string | number | undefined;
}

/**
 * Versions of a managed policy that IAM keeps.
 * @see IAM User Guide, "IAM and AWS STS quotas"
 */
const VERSIONS_PER_POLICY = 5;

/** The version that makes room for another: the oldest that is not in force. */
export function spareVersionOf(versions: readonly GivenVersion[]): string | undefined {
  if (versions.length < VERSIONS_PER_POLICY) return undefined;
  const timeOf = ({ CreateDate }: GivenVersion): number => valueOr(readTime(CreateDate, ''), new Date(0)).getTime();
  const idle = versions.filter(({ IsDefaultVersion }) => !IsDefaultVersion);
  return idle.sort((one, other) => timeOf(one) - timeOf(other))[0]?.VersionId;
}

/** What EKS says of a cluster. */
export interface GivenCluster {
  readonly accessConfig?: { readonly authenticationMode?: string | undefined } | undefined;
}

export function readCluster({ accessConfig }: GivenCluster): EksClusterFacts {
  return { authenticationMode: accessConfig?.authenticationMode ?? 'CONFIG_MAP' };
}

/** What EKS says of an access entry. */
export interface GivenAccessEntry {
  readonly type?: string | undefined;
  readonly username?: string | undefined;
  readonly kubernetesGroups?: readonly string[] | undefined;
  readonly createdAt?: Date | string | number | undefined;
}

export function readAccessEntry({
  type = '',
  username: userName = '',
  kubernetesGroups = [],
  createdAt,
}: GivenAccessEntry): AccessEntryFacts {
  return { type, userName, kubernetesGroups, createdAt: readTime(createdAt, 'the creation time of the access entry') };
}

/** What EKS says of a Pod Identity association. */
export interface GivenPodIdentity {
  readonly associationId?: string | undefined;
  readonly roleArn?: string | undefined;
  /** The role that EKS goes on to. */
  readonly targetRoleArn?: string | undefined;
  readonly disableSessionTags?: boolean | undefined;
}

export function readPodIdentity({
  associationId = '',
  roleArn = '',
  targetRoleArn,
  disableSessionTags = false,
}: GivenPodIdentity): PodIdentityFacts {
  return { associationId, roleArn: targetRoleArn ?? roleArn, disableSessionTags };
}

/** What has most of what is asked. */
export const DETAILS = 'the output of aws iam get-account-authorization-details';

/** A policy document as IAM or the AWS CLI gives it: percent-encoded JSON, or JSON that is parsed already. */
export function readDocument(given: unknown, name: string): Known<unknown> {
  if (given === undefined) return unknown(`the document of ${name} is not given`);
  try {
    return known(policyJson(given, name));
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    return unknown(error.message);
  }
}

/** What the names of all session-broker roles end in. */
export const BROKER_ROLE_ENDING = '-session';

/** An instant as an SDK has it, or as the AWS CLI prints it: ISO 8601, or seconds since 1970. */
export function readTime(given: Date | string | number | undefined, missing: string): Known<Date> {
  if (given === undefined) return unknown(missing);
  const time = typeof given === 'number' ? new Date(given * 1000) : new Date(given);
  return Number.isNaN(time.getTime()) ? unknown(missing) : known(time);
}

/** The last part of an ARN. */
export function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

/** Whether a managed policy is AWS's own, which nobody else can change. */
export function isOfAws(policyArn: string): boolean {
  return /^arn:[^:]+:iam::aws:/.test(policyArn);
}
