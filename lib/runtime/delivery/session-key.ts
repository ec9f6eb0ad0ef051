import type { Variables } from '../../credential-variables.ts';
import { BEARER_TOKEN_PREFIX } from '../../credential-variables.ts';
import { VARIABLES } from '../environment.ts';

/** What a command is asked for: the parts of a session that decide which credentials it gets. */
export interface SessionRequest {
  readonly session: string;
  readonly tenant?: string | undefined;
  readonly workflow?: string | undefined;
  readonly cluster?: string | undefined;
  readonly parameterPrefix?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly region?: string | undefined;
  /** The session policy's text. */
  readonly policy?: string | undefined;
  readonly policyArns?: readonly string[] | undefined;
}

/** A change of the key's form, so that two versions of this package do not understand each other wrongly. */
const FORM = 1;

/** Variables of AWS's that are secrets: a key never holds them. */
const SECRETS: readonly string[] = [
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SECRET_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_SECURITY_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
];

/** Variables that are in the key as the option for which they stand in. */
const RESOLVED: readonly string[] = ['AWS_REGION'];

/**
 * Canonical text of everything that decides which credentials come out: two requests with the same key are
 * answered with the same session of the same role, obtained by the same dispatcher. It holds no secret and no line
 * break.
 */
export function sessionKey(request: SessionRequest, environment: Variables): string {
  const { session, workflow, policy, policyArns = [] } = request;
  const tenant = request.tenant ?? (environment[VARIABLES.tenant] || undefined);
  const roleArn = request.roleArn ?? (environment[VARIABLES.roleArn] || undefined);
  const cluster = request.cluster ?? (environment[VARIABLES.cluster] || undefined);
  const parameterPrefix = request.parameterPrefix ?? (environment[VARIABLES.parameterPrefix] || undefined);
  const region = request.region ?? (environment['AWS_REGION'] || undefined);
  return JSON.stringify({
    form: FORM,
    tenant,
    workflow,
    session,
    role: roleArn ?? { cluster, parameterPrefix },
    region,
    policy,
    policyArns: [...policyArns].sort(),
    dispatcher: dispatcherVariables(environment),
  });
}

/** What leads the SDK to the dispatcher's own credentials and to its endpoints, in one order. */
function dispatcherVariables(environment: Variables): readonly (readonly [string, string])[] {
  return Object.entries(environment)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && decides(entry[0]))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

function decides(name: string): boolean {
  if (name === 'HOME') return true;
  return (
    name.startsWith('AWS_') &&
    !name.startsWith(BEARER_TOKEN_PREFIX) &&
    !SECRETS.includes(name) &&
    !RESOLVED.includes(name)
  );
}
