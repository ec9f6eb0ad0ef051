import { BEARER_TOKEN_PREFIX, PROFILE_VARIABLES, STATIC_CREDENTIAL_VARIABLES } from '../../credential-variables.ts';
import { shellWord } from '../../shell-word.ts';
import type { SessionCredentials } from '../assume.ts';

/**
 * How credentials are written:
 *
 * - `process`: what a `credential_process` of a profile prints
 * - `claude`: what `awsCredentialExport` of Claude Code prints
 * - `env`: commands that a POSIX shell evaluates
 * - `json`: the object that the SDK for JavaScript takes
 */
export type CredentialsFormat = 'process' | 'claude' | 'env' | 'json';

const FORMATS: Readonly<Record<CredentialsFormat, (credentials: SessionCredentials) => string>> = {
  process: (credentials) => line({ Version: 1, ...members(credentials), AccountId: credentials.accountId }),
  claude: (credentials) => line({ Credentials: members(credentials) }),
  env: formatExports,
  json: ({ accessKeyId, secretAccessKey, sessionToken, expiration, accountId }) =>
    line({ accessKeyId, secretAccessKey, sessionToken, expiration: formatTime(expiration), accountId }),
};

/** Every format, in the order in which they are explained. */
export const CREDENTIALS_FORMATS = Object.keys(FORMATS) as readonly CredentialsFormat[];

/**
 * Credentials as text, in a format that some client reads. It is a secret.
 * @returns text that ends in one line break
 */
export function formatCredentials(format: CredentialsFormat, credentials: SessionCredentials): string {
  return FORMATS[format](credentials);
}

/**
 * An instant in RFC 3339, in UTC and whole seconds: not every parser takes fractions. It is rounded down, so that
 * credentials never seem to live longer than they do.
 */
export function formatTime(time: Date): string {
  const wholeSeconds = new Date(Math.floor(time.getTime() / 1000) * 1000);
  return wholeSeconds.toISOString().replace('.000Z', 'Z');
}

/** The names that STS itself gives them. */
function members({ accessKeyId, secretAccessKey, sessionToken, expiration }: SessionCredentials) {
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: formatTime(expiration),
  };
}

function formatExports(credentials: SessionCredentials): string {
  const exported: Readonly<Record<string, string>> = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_CREDENTIAL_EXPIRATION: formatTime(credentials.expiration),
    AWS_ACCOUNT_ID: credentials.accountId,
  };
  const conflicting = [...PROFILE_VARIABLES, ...STATIC_CREDENTIAL_VARIABLES, `${BEARER_TOKEN_PREFIX}BEDROCK`];
  const unset = conflicting.filter((name) => !Object.hasOwn(exported, name));
  const exports = Object.entries(exported).map(([name, value]) => `export ${name}=${shellWord(value)}`);
  return `${[`unset ${unset.join(' ')}`, ...exports].join('\n')}\n`;
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
