import {
  BEARER_TOKEN_PREFIX,
  EMPTY_FILE,
  PROFILE_VARIABLES,
  STATIC_CREDENTIAL_VARIABLES,
  type Variables,
} from '../../credential-variables.ts';

/** Where an agent finds its session's credentials. */
export interface AgentCredentialsSource {
  /** The URI of the session at the credentials endpoint. */
  readonly uri: string;
  /** Path of the file that holds the session's token, without a line break. */
  readonly tokenFile: string;
  /** The Region that the agent's clients use unless they are told another. */
  readonly region: string;
}

/** Variables that lead to credentials by other ways than the endpoint. */
const OTHER_SOURCES: readonly string[] = [
  ...STATIC_CREDENTIAL_VARIABLES,
  ...PROFILE_VARIABLES,
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
];

/** What Java reads as further arguments of its command line. */
const JAVA_OPTIONS = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS'];

/** One argument in them, quoted or not. */
const JAVA_ARGUMENT = /(?:[^\s"']|"[^"]*"|'[^']*')+/g;

/** The system properties by which the SDKs for Java find credentials: the same facts as in the variables. */
const JAVA_CREDENTIALS =
  /^-Daws\.(?:accessKeyId|secretAccessKey|secretKey|sessionToken|accountId|profile|configFile|sharedCredentialsFile|webIdentityTokenFile|roleArn|roleSessionName|container\w+|disableEc2Metadata|bearerToken\w*)\b/;

/**
 * The whole environment of an agent: the parent's, with the session's endpoint as the one source of credentials
 * and with every other source shut. Files are pointed at an empty one, since a variable that is not set means the
 * files in the home directory. Names are compared as POSIX does, letter by letter.
 * @param parent is left as it is
 */
export function agentEnvironment(
  parent: Variables,
  { uri, tokenFile, region }: AgentCredentialsSource,
): Readonly<Record<string, string>> {
  const kept = Object.entries(parent).flatMap(([name, value]) =>
    value === undefined || leadsElsewhere(name)
      ? []
      : [[name, JAVA_OPTIONS.includes(name) ? withoutCredentials(value) : value] as const],
  );
  return {
    ...Object.fromEntries(kept),
    AWS_CONTAINER_CREDENTIALS_FULL_URI: uri,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    AWS_CONFIG_FILE: EMPTY_FILE,
    AWS_SHARED_CREDENTIALS_FILE: EMPTY_FILE,
    // The same file to the SDK for Java v1.
    AWS_CREDENTIAL_PROFILES_FILE: EMPTY_FILE,
    // botocore takes keys in ~/.boto and /etc/boto.cfg before a container's credentials.
    BOTO_CONFIG: EMPTY_FILE,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
  };
}

function leadsElsewhere(name: string): boolean {
  return OTHER_SOURCES.includes(name) || name.startsWith(BEARER_TOKEN_PREFIX);
}

function withoutCredentials(options: string): string {
  const given = options.match(JAVA_ARGUMENT) ?? [];
  const kept = given.filter((argument) => !JAVA_CREDENTIALS.test(argument.replaceAll(/["']/g, '')));
  return kept.length === given.length ? options : kept.join(' ');
}
