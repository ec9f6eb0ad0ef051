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
  const read = (name: string): string | undefined => process.env[name] || undefined;
  return {
    tenant: read(VARIABLES.tenant),
    cluster: read(VARIABLES.cluster),
    parameterPrefix: read(VARIABLES.parameterPrefix),
    roleArn: read(VARIABLES.roleArn),
  };
}

/** Shows a warning where Node shows its own. */
export function emitWarning(message: string): void {
  process.emitWarning(message, 'SessionBrokerWarning');
}
