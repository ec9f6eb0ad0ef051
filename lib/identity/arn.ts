import { quote, SessionBrokerError } from '../errors.ts';
import { IAM_PATH_LENGTH, POLICY_ARN_LENGTH, POLICY_NAME_LENGTH, ROLE_NAME_LENGTH } from './limits.ts';

/** A separate set of AWS Regions and accounts. ARNs begin with its name. */
export type Partition = 'aws' | 'aws-us-gov' | 'aws-cn';

/** An IAM role's ARN in its parts. */
export interface RoleArn {
  readonly arn: string;
  readonly partition: Partition;
  /** Twelve digits. */
  readonly account: string;
  /** Begins and ends with `/`. */
  readonly path: string;
  readonly name: string;
}

/** The ARN of a managed policy in its parts. */
export interface PolicyArn {
  readonly arn: string;
  readonly partition: Partition;
  /** Twelve digits, or `aws` for a policy that AWS manages. */
  readonly account: string;
}

/**
 * arn:<partition>:iam::<account>:role[/<path>]/<name>
 * @see IAM User Guide, "IAM identifiers"; IAM API Reference, CreateRole
 */
const ROLE_ARN =
  /^arn:(?<partition>aws|aws-us-gov|aws-cn):iam::(?<account>[0-9]{12}):role(?<path>\/(?:[\x21-\x7e]+\/)?)(?<name>[A-Za-z0-9_+=,.@-]+)$/;

/**
 * An IAM role's ARN, exact: no wildcard, no policy variable, no session, user, account or root.
 * @param text `arn:aws:iam::111122223333:role/path/name`
 * @throws {SessionBrokerError} RoleArnInvalid
 */
export function parseRoleArn(text: string): RoleArn {
  const match = typeof text === 'string' ? ROLE_ARN.exec(text) : null;
  const { partition, account, path, name } = match?.groups ?? {};
  if (!partition || !account || !path || !name || /[*?$:]/.test(path)) {
    throw invalid(text, `must be the exact ARN of an IAM role, arn:<partition>:iam::<account>:role/<name>`);
  }
  if (name.length > ROLE_NAME_LENGTH || path.length > IAM_PATH_LENGTH) {
    throw invalid(
      text,
      `must name a role of at most ${ROLE_NAME_LENGTH} characters under a path of at most ${IAM_PATH_LENGTH}`,
    );
  }
  return Object.freeze({ arn: text, partition: partition as Partition, account, path, name });
}

/**
 * arn:<partition>:sts::<account>:assumed-role/<name>/<session>, which has no path.
 * @see IAM User Guide, "IAM identifiers"
 */
export function formatSessionArn(
  { partition, account, name }: Pick<RoleArn, 'partition' | 'account' | 'name'>,
  roleSessionName: string,
): string {
  return `arn:${partition}:sts::${account}:assumed-role/${name}/${roleSessionName}`;
}

/**
 * arn:<partition>:iam::<account or "aws">:policy[/<path>]/<name>
 * @see IAM User Guide, "IAM identifiers"; IAM API Reference, CreatePolicy and AttachRolePolicy
 */
const POLICY_ARN =
  /^arn:(?<partition>aws|aws-us-gov|aws-cn):iam::(?<account>aws|[0-9]{12}):policy\/(?:[A-Za-z0-9_+=,.@-]+\/)*(?<name>[A-Za-z0-9_+=,.@-]+)$/;

/**
 * The ARN of an IAM managed policy, exact: no wildcard.
 * @param text `arn:aws:iam::111122223333:policy/path/name`
 * @throws {SessionBrokerError} PolicyArnInvalid
 */
export function parsePolicyArn(text: string): PolicyArn {
  const match = typeof text === 'string' && text.length <= POLICY_ARN_LENGTH ? POLICY_ARN.exec(text) : null;
  const { partition, account, name = '' } = match?.groups ?? {};
  if (!partition || !account || name.length > POLICY_NAME_LENGTH) {
    throw new SessionBrokerError(
      'PolicyArnInvalid',
      `policy ARN must be the exact ARN of a managed policy, arn:<partition>:iam::<account or "aws">:policy/<name>: ${quote(text)}; copy it from the IAM console or from aws iam list-policies`,
    );
  }
  return Object.freeze({ arn: text, partition: partition as Partition, account });
}

/**
 * The partition of a Region, by the Region's name.
 * @param region `us-west-2`, `us-gov-west-1`, `cn-north-1`
 * @throws {SessionBrokerError} RegionInvalid for a name of another form or of a partition not supported
 */
export function partitionOf(region: string): Partition {
  if (typeof region === 'string') {
    if (/^us-gov-(east|west)-\d$/.test(region)) return 'aws-us-gov';
    if (/^cn-(north|northwest)-\d$/.test(region)) return 'aws-cn';
    if (
      /^(af|ap|ca|eu|il|me|mx|sa|us)-(central|north|northeast|northwest|south|southeast|southwest|east|west)-\d$/.test(
        region,
      )
    ) {
      return 'aws';
    }
  }
  throw new SessionBrokerError(
    'RegionInvalid',
    `region must be the name of a Region in the partitions aws, aws-us-gov or aws-cn: ${quote(region)}; write it like "us-west-2"`,
  );
}

function invalid(text: unknown, rule: string): SessionBrokerError {
  return new SessionBrokerError('RoleArnInvalid', `role ARN ${rule}: ${quote(text)}; ${remedy(text)}`);
}

/** What to write instead, for the kinds of ARN that are most often given in place of a role's. */
function remedy(text: unknown): string {
  const kind = typeof text === 'string' ? text : '';
  if (/[*?$]/.test(kind)) return 'name each role by itself, without a wildcard or a variable';
  if (/:sts:.*:assumed-role\//.test(kind)) return 'name the role, not one session of it';
  if (/:root$/.test(kind) || /^\d{12}$/.test(kind)) return 'name the role, an account would admit everyone in it';
  if (/:user\//.test(kind)) return 'name a role, a user has long-lived keys';
  return 'copy it from the IAM console or from aws iam get-role';
}
