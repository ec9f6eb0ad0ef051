import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Variables } from '../../credential-variables.ts';
import { BEARER_TOKEN_PREFIX } from '../../credential-variables.ts';
import { VARIABLES } from '../environment.ts';
import { lookUp } from './discovery.ts';

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
const FORM = 2;

/** Variables of AWS's that are secrets: a key never holds them. */
const SECRETS: readonly string[] = [
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SECRET_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_SECURITY_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
];

/** The files of profiles, by the variable that names one and by where it is otherwise, below the home folder. */
const PROFILE_FILES = { AWS_CONFIG_FILE: '.aws/config', AWS_SHARED_CREDENTIALS_FILE: '.aws/credentials' } as const;

/** Variables that name a file: a relative path means another file in another working folder. */
const PATHS: readonly string[] = [
  ...Object.keys(PROFILE_FILES),
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
];

/** Variables that are in the key as the option for which they stand in. */
const RESOLVED: readonly string[] = ['AWS_REGION'];

/**
 * Canonical text of everything that decides which credentials come out: two requests with the same key are
 * answered with the same session of the same role, obtained by the same dispatcher. Profiles are in it by the state
 * of their files, so that the key is another once they are written. It holds no secret and no line break.
 */
export function sessionKey(request: SessionRequest, environment: Variables): string {
  const { session, workflow, policy, policyArns = [] } = request;
  const tenant = request.tenant ?? (environment[VARIABLES.tenant] || undefined);
  const roleArn = roleArnOf(request, environment);
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
    profiles: Object.entries(PROFILE_FILES).map(([variable, place]) => {
      const home = environment['HOME'] || homedir();
      return stateOf(pathIn(environment[variable] || join(home, place), environment));
    }),
  });
}

/** The role that is asked for by its ARN, or undefined if its parameter names it. */
export function roleArnOf({ roleArn }: SessionRequest, environment: Variables): string | undefined {
  return roleArn ?? (environment[VARIABLES.roleArn] || undefined);
}

/** What leads the SDK to the dispatcher's own credentials and to its endpoints, in one order. */
function dispatcherVariables(environment: Variables): readonly (readonly [string, string])[] {
  return Object.entries(environment)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && decides(entry[0]))
    .map(([name, value]) => [name, value !== '' && PATHS.includes(name) ? pathIn(value, environment) : value] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
}

/** The absolute form of a path, as the SDK reads it. */
function pathIn(path: string, { HOME }: Variables): string {
  return path.startsWith('~/') ? join(HOME || homedir(), path.slice(2)) : resolve(path);
}

/** What changes when a file is written or replaced, or null for what is no file, such as /dev/null. */
function stateOf(path: string): readonly number[] | null {
  const stats = lookUp(() => statSync(path));
  return stats?.isFile() ? [stats.dev, stats.ino, stats.mtimeMs, stats.size] : null;
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
