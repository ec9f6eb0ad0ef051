import { quote, SessionBrokerError } from '../errors.ts';
import type { Shell } from './command.ts';

/** The options that say which role a session gets. */
export const ROLE_OPTIONS = {
  tenant: { type: 'string' },
  cluster: { type: 'string' },
  workflow: { type: 'string' },
  'role-arn': { type: 'string' },
  region: { type: 'string' },
} as const;

/** The options that narrow what a session may do. */
export const SCOPE_OPTIONS = {
  policy: { type: 'string' },
  'policy-arn': { type: 'string', multiple: true },
} as const;

/** The options of a command for one session. */
export const SESSION_OPTIONS = { ...ROLE_OPTIONS, ...SCOPE_OPTIONS, session: { type: 'string' } } as const;

/** How `--help` explains {@link ROLE_OPTIONS}. */
export const ROLE_HELP = `  --tenant NAME       the tenant (default: SESSION_BROKER_TENANT)
  --cluster NAME      the cluster, whose parameter names the tenant's role (default: SESSION_BROKER_CLUSTER)
  --workflow NAME     a workflow of the tenant, with a role of its own (default: none)
  --role-arn ARN      the session-broker role (default: FAB_SESSION_ROLE_ARN, else what the parameter says, under
                      SESSION_BROKER_PARAMETER_PREFIX or /eks-agent-platform)
  --region REGION     the cluster's Region (default: AWS_REGION, else the one of the profile)`;

/** How `--help` explains {@link SCOPE_OPTIONS}. */
export const SCOPE_HELP = `  --policy FILE       a session policy, which narrows what the session may do (default: none)
  --policy-arn ARN    a managed policy that does the same; may be given up to 10 times (default: none)`;

/** Which role, as the options say it. */
export interface RoleInput {
  readonly tenant?: string | undefined;
  readonly cluster?: string | undefined;
  readonly workflow?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly region?: string | undefined;
}

/** Which scope, as the options say it. */
export interface ScopeInput {
  /** Path of a session policy. */
  readonly policy?: string | undefined;
  readonly policyArns?: readonly string[] | undefined;
}

/** One session, as the options say it. */
export interface SessionInput extends RoleInput, ScopeInput {
  readonly session: string;
}

type Given<Options> = { readonly [Name in keyof Options]?: string | undefined };

export function roleInput(values: Given<typeof ROLE_OPTIONS>): RoleInput {
  const { tenant, cluster, workflow, 'role-arn': roleArn, region } = values;
  return { tenant, cluster, workflow, roleArn, region };
}

export function scopeInput(values: {
  readonly policy?: string | undefined;
  readonly 'policy-arn'?: readonly string[] | undefined;
}): ScopeInput {
  return { policy: values.policy, policyArns: values['policy-arn'] };
}

/**
 * A session id that has to be given, because a later call must be able to give the same.
 * @throws {SessionBrokerError} UsageInvalid
 */
export function requiredSession(command: string, session: string | undefined): string {
  if (session !== undefined) return session;
  throw new SessionBrokerError(
    'UsageInvalid',
    `session must be given, one id for the whole life of an agent's session: make one with --session "$(uuidgen)" and keep it; see session-broker ${command} --help`,
  );
}

/**
 * The text of a session policy.
 * @throws {SessionBrokerError} SessionPolicyInvalid for a file that cannot be read or is no JSON
 */
export function readPolicy(path: string, readFile: Shell['readFile']): string {
  try {
    const text = readFile(path);
    if (text === undefined) throw new Error('no such file');
    JSON.parse(text);
    return text;
  } catch (cause) {
    const [rule, fault] =
      cause instanceof SyntaxError ? ['hold a policy as JSON', 'does not'] : ['be readable', 'is not'];
    throw new SessionBrokerError(
      'SessionPolicyInvalid',
      `policy file must ${rule}: ${quote(path)} ${fault}; correct it or its path, or leave --policy out for all that the role may do`,
      { cause },
    );
  }
}
