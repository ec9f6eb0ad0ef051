/**
 * The limits that AWS sets and that this package checks before AWS does, each with its source. A limit stands
 * nowhere else.
 */

/**
 * Characters in a source identity or a role session name, least and most.
 * @see STS API Reference, AssumeRole, SourceIdentity and RoleSessionName
 */
export const SOURCE_IDENTITY_LENGTH = { min: 2, max: 64 } as const;

/** Characters in a ULID, the session id that a tenant must leave room for. */
export const ULID_LENGTH = 26;

/**
 * Characters in an IAM role name.
 * @see IAM API Reference, CreateRole, RoleName
 */
export const ROLE_NAME_LENGTH = 64;

/**
 * Characters in an IAM path.
 * @see IAM API Reference, CreateRole, Path
 */
export const IAM_PATH_LENGTH = 512;

/**
 * Characters in a trust policy, white space not counted: the default quota (L-C07B4B0D), which can be raised.
 * @see IAM User Guide, IAM and AWS STS quotas
 */
export const TRUST_POLICY_LENGTH = 2048;

/**
 * Characters in all inline policies of a role together, white space not counted.
 * @see IAM User Guide, IAM and AWS STS quotas
 */
export const ROLE_INLINE_POLICIES_LENGTH = 10_240;

/**
 * Characters in a customer managed policy, white space not counted.
 * @see IAM User Guide, IAM and AWS STS quotas
 */
export const MANAGED_POLICY_LENGTH = 6144;

/**
 * Managed policies attached to one role: the default quota (L-0DA4ABF3).
 * @see IAM User Guide, IAM and AWS STS quotas
 */
export const MANAGED_POLICIES_PER_ROLE = 10;

/**
 * Characters in a parameter's name, the 45 of its ARN's beginning included.
 * @see Systems Manager API Reference, PutParameter, Name
 */
export const PARAMETER_NAME_LENGTH = 1011 - 45;

/**
 * Levels in a parameter's name.
 * @see Systems Manager API Reference, PutParameter, Name
 */
export const PARAMETER_DEPTH = 15;

/**
 * Seconds that a session lasts. The most is what role chaining allows: STS refuses more and never clamps. The
 * least leaves Python's SDK its refresh window of 15 minutes under any renewal schedule.
 * @see IAM User Guide, Roles terms and concepts, "Role chaining"
 */
export const SESSION_DURATION_SECONDS = { min: 1800, max: 3600, default: 3600 } as const;
