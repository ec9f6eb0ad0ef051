import { quote, SessionBrokerError } from '../errors.ts';
import type { Partition } from './arn.ts';
import { IAM_PATH_LENGTH, LABEL_LENGTH, PARAMETER_DEPTH, PARAMETER_NAME_LENGTH, ROLE_NAME_LENGTH } from './limits.ts';
import { createScope, parseCluster } from './source-identity.ts';

/** Where the parameters of all clusters begin, beside the platform's other IRSA outputs. */
export const DEFAULT_PARAMETER_PREFIX = '/eks-agent-platform';

/** The IAM path of roles and policies. */
export const DEFAULT_IAM_PATH = '/session-broker/';

/** What a tenant's (or a workflow's) resources are named after. */
export interface NameParts {
  readonly cluster: string;
  readonly tenant: string;
  /** @default none: the tenant's own role */
  readonly workflow?: string | undefined;
  /** @default DEFAULT_PARAMETER_PREFIX */
  readonly parameterPrefix?: string | undefined;
}

/** The names of one session-broker role and of what stands around it: constructs write them, runtimes read them. */
export interface BrokerNames {
  /** `<cluster>-<tenant>[-<workflow>]`: two scopes with the same stem would share every name. */
  readonly stem: string;
  readonly roleName: string;
  readonly callerPolicyName: string;
  readonly stackName: string;
  readonly parameters: {
    /** Holds the session-broker role's ARN. */
    readonly sessionRoleArn: string;
    /** Holds the `StringLike` half of the role's scope. */
    readonly sourceIdentityPattern: string;
  };
}

/**
 * The names made from a cluster, a tenant and, where there is one, a workflow.
 * @throws {SessionBrokerError} NameTooLong when the role's name exceeds IAM's limit; the parsers' codes for bad
 * parts; ParameterPrefixInvalid
 */
export function brokerNames(parts: NameParts): BrokerNames {
  const cluster = parseCluster(parts.cluster);
  const { tenant, workflow } = createScope(parts);
  const prefix = parseParameterPrefix(parts.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX);

  const stem = workflow === undefined ? `${cluster}-${tenant}` : `${cluster}-${tenant}-${workflow}`;
  const roleName = `${stem}-session`;
  if (roleName.length > ROLE_NAME_LENGTH) {
    throw new SessionBrokerError(
      'NameTooLong',
      `role name must have at most ${ROLE_NAME_LENGTH} characters: ${quote(roleName)} has ${roleName.length}; shorten the cluster, tenant or workflow by ${roleName.length - ROLE_NAME_LENGTH}, it is never cut`,
      { detail: { length: roleName.length, limit: ROLE_NAME_LENGTH } },
    );
  }
  const tenantPath = `${prefix}/${cluster}/session-broker/${tenant}`;
  const path = workflow === undefined ? tenantPath : `${tenantPath}/workflows/${workflow}`;
  return {
    stem,
    roleName,
    callerPolicyName: `${stem}-caller`,
    stackName: `SessionBroker-${cluster}-${tenant}`,
    parameters: {
      sessionRoleArn: `${path}/session_role_arn`,
      sourceIdentityPattern: `${path}/source_identity_pattern`,
    },
  };
}

/** The keys of the tags by which a session-broker role is known, whatever it is called. */
export const CLUSTER_TAG = 'session-broker:cluster';
export const TENANT_TAG = 'session-broker:tenant';

/** The tags of a session-broker role and of what stands around it. */
export function brokerTags({ cluster, tenant }: NameParts): Readonly<Record<string, string>> {
  return { [CLUSTER_TAG]: cluster, [TENANT_TAG]: tenant };
}

/** Where the resources of some {@link BrokerNames} are. */
export interface BrokerArnParts {
  readonly partition: Partition;
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  readonly iamPath: string;
  readonly names: BrokerNames;
}

/** The ARNs of one session-broker role, its caller's policy and its parameters. */
export interface BrokerArns {
  readonly roleArn: string;
  readonly callerPolicyArn: string;
  readonly parameterArns: readonly string[];
}

/** The ARNs under which the resources of some names are found. */
export function brokerArns({ partition, account, region, iamPath, names }: BrokerArnParts): BrokerArns {
  const { sessionRoleArn, sourceIdentityPattern } = names.parameters;
  return {
    roleArn: `arn:${partition}:iam::${account}:role${iamPath}${names.roleName}`,
    callerPolicyArn: `arn:${partition}:iam::${account}:policy${iamPath}${names.callerPolicyName}`,
    parameterArns: [sessionRoleArn, sourceIdentityPattern].map(
      (name) => `arn:${partition}:ssm:${region}:${account}:parameter${name}`,
    ),
  };
}

/** The longest path under a prefix: /<cluster>/session-broker/<tenant>/workflows/<workflow>/source_identity_pattern */
const LONGEST_REST = {
  levels: 6,
  length: 4 + 3 * LABEL_LENGTH + '/session-broker/workflows/source_identity_pattern'.length,
};

/**
 * The beginning of parameter names.
 * @param text begins with `/`, does not end with one, holds `a-zA-Z0-9_.-/`, and does not begin with `/aws` or
 * `/ssm` in any case, which Systems Manager keeps for itself
 * @throws {SessionBrokerError} ParameterPrefixInvalid
 * @see Systems Manager API Reference, PutParameter, Name
 */
export function parseParameterPrefix(text: string): string {
  const fail = (rule: string): SessionBrokerError =>
    new SessionBrokerError(
      'ParameterPrefixInvalid',
      `parameter prefix ${rule}: ${quote(text)}; write it like ${quote(DEFAULT_PARAMETER_PREFIX)}`,
    );
  if (typeof text !== 'string' || !/^(?:\/[A-Za-z0-9_.-]+)+$/.test(text)) {
    throw fail('must be segments of A-Z a-z 0-9 "_" "." "-", each after a "/", without a "/" at the end');
  }
  if (/^\/(?:aws|ssm)/i.test(text)) throw fail('must not begin with "/aws" or "/ssm", which AWS keeps for itself');
  const levels = PARAMETER_DEPTH - LONGEST_REST.levels;
  const length = PARAMETER_NAME_LENGTH - LONGEST_REST.length;
  if (text.split('/').length - 1 > levels || text.length > length) {
    throw fail(`must have at most ${levels} levels and ${length} characters, so that the names under it fit`);
  }
  return text;
}

/**
 * An IAM path.
 * @param text begins and ends with `/`, at most 512 characters
 * @throws {SessionBrokerError} IamPathInvalid
 * @see IAM API Reference, CreateRole, Path
 */
export function parseIamPath(text: string): string {
  if (typeof text !== 'string' || !/^\/(?:[A-Za-z0-9_+=,.@-]+\/)*$/.test(text) || text.length > IAM_PATH_LENGTH) {
    throw new SessionBrokerError(
      'IamPathInvalid',
      `IAM path must be segments of A-Z a-z 0-9 and "_+=,.@-" between "/", at most ${IAM_PATH_LENGTH} characters: ${quote(text)}; write it like ${quote(DEFAULT_IAM_PATH)}`,
    );
  }
  return text;
}
