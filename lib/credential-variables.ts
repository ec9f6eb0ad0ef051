/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Variables that choose a profile of the configuration files. */
export const PROFILE_VARIABLES = ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE'] as const;

/** Variables that hold credentials or facts about them: SDKs heed them before every other source. */
export const STATIC_CREDENTIAL_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  // What botocore takes before AWS_SESSION_TOKEN.
  'AWS_SECURITY_TOKEN',
  // When credentials of the environment end, whose they are and where they hold, whichever they are.
  'AWS_CREDENTIAL_EXPIRATION',
  'AWS_ACCOUNT_ID',
  'AWS_CREDENTIAL_SCOPE',
  // Second names, in the SDKs for Go, Java and Ruby.
  'AWS_ACCESS_KEY',
  'AWS_SECRET_KEY',
  // Third names, in the SDKs for JavaScript v2 and Ruby.
  'AMAZON_ACCESS_KEY_ID',
  'AMAZON_SECRET_ACCESS_KEY',
  'AMAZON_SESSION_TOKEN',
  // A file of keys: botocore takes it before a container's credentials.
  'AWS_CREDENTIAL_FILE',
] as const;

/** Variables beginning so hold tokens that services take instead of credentials. */
export const BEARER_TOKEN_PREFIX = 'AWS_BEARER_TOKEN_';

/** A file that exists and holds nothing: a variable for a file that is not set means the one in the home directory. */
export const EMPTY_FILE = '/dev/null';
