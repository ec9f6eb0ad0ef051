/**
 * The limits that AWS and standards set and that this package checks before AWS does, each with its source. They
 * stand nowhere else.
 */

/**
 * Characters in a source identity or a role session name, least and most.
 * @see STS API Reference, AssumeRole, SourceIdentity and RoleSessionName
 */
export const SOURCE_IDENTITY_LENGTH = { min: 2, max: 64 } as const;

/**
 * Characters in a DNS label, at most.
 * @see RFC 1123, section 2.1
 */
export const LABEL_LENGTH = 63;

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
 * Characters in the name of a managed policy.
 * @see IAM API Reference, CreatePolicy, PolicyName
 */
export const POLICY_NAME_LENGTH = 128;

/**
 * Characters in the ARN of a managed policy.
 * @see IAM API Reference, AttachRolePolicy, PolicyArn
 */
export const POLICY_ARN_LENGTH = 2048;

/**
 * Characters in an inline session policy and the ARNs of managed session policies together, white space counted.
 * @see STS API Reference, AssumeRole, Policy and PolicyArns
 */
export const SESSION_POLICIES_LENGTH = 2048;

/**
 * Managed session policies of one session.
 * @see STS API Reference, AssumeRole, PolicyArns
 */
export const SESSION_POLICY_ARNS = 10;

/**
 * Tags on one resource.
 * @see IAM User Guide, IAM and AWS STS quotas; AWS General Reference, "Tagging your AWS resources"
 */
export const TAGS_PER_RESOURCE = 50;

/**
 * Characters in the key and in the value of a tag.
 * @see IAM API Reference, Tag
 */
export const TAG_LENGTH = { key: 128, value: 256 } as const;

/**
 * Characters in the name of an EKS cluster.
 * @see Amazon EKS API Reference, CreateCluster, name
 */
export const EKS_NAME_LENGTH = 100;

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
