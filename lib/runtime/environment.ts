import type { WebIdentity } from './web-identity.ts';

/** The variables that stand in for options, by option. */
export const VARIABLES = {
  tenant: 'SESSION_BROKER_TENANT',
  cluster: 'SESSION_BROKER_CLUSTER',
  parameterPrefix: 'SESSION_BROKER_PARAMETER_PREFIX',
  roleArn: 'FAB_SESSION_ROLE_ARN',
} as const;

/** What the variables say now. A variable that is set but empty counts as not set. */
export type Environment = { readonly [Option in keyof typeof VARIABLES]?: string | undefined };

/** Reads the variables at the time of the call. */
export function readEnvironment(): Environment {
  return {
    tenant: read(VARIABLES.tenant),
    cluster: read(VARIABLES.cluster),
    parameterPrefix: read(VARIABLES.parameterPrefix),
    roleArn: read(VARIABLES.roleArn),
  };
}

/**
 * The web identity of a pod under IRSA, unless a profile by name or static keys come before it. Half of the keys
 * are none: the SDK passes over them, to the default profile.
 */
export function readWebIdentity(): WebIdentity | undefined {
  const tokenFile = read('AWS_WEB_IDENTITY_TOKEN_FILE');
  const roleArn = read('AWS_ROLE_ARN');
  if (tokenFile === undefined || roleArn === undefined) return undefined;
  const hasKeys = read('AWS_ACCESS_KEY_ID') !== undefined && read('AWS_SECRET_ACCESS_KEY') !== undefined;
  if (hasKeys || read('AWS_PROFILE') !== undefined) return undefined;
  return { tokenFile, roleArn, roleSessionName: read('AWS_ROLE_SESSION_NAME') };
}

function read(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** Shows a warning where Node shows its own. */
export function emitWarning(message: string): void {
  process.emitWarning(message, 'SessionBrokerWarning');
}

/** The number of the user that this process runs as, or undefined where users have none. */
export function userId(): number | undefined {
  return process.getuid?.();
}
