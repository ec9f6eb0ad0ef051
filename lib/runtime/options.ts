import { quote, SessionBrokerError } from '../errors.ts';
import {
  brokerNames,
  createSessionIdentity,
  parseCluster,
  parseParameterPrefix,
  parseRoleArn,
  parseSessionId,
  parseTenant,
  parseWorkflow,
  partitionOf,
  SESSION_DURATION_SECONDS,
} from '../identity/index.ts';
import { nearest } from '../nearest.ts';
import type { ClientConfig } from './clients.ts';
import type { DispatcherCredentials } from './dispatcher-credentials.ts';
import { createSessionScope } from './session-policy.ts';
import type { Schedule } from './timing.ts';

/** Calls of STS a second. An account may make 600 in a Region, all its callers together. */
export const CALLS_PER_SECOND = { min: 1, max: 600, default: 300 } as const;

/** Where a tenant's role is found. */
interface PlaceOptions {
  /**
   * The tenant's name, a lower-case DNS label.
   * @default SESSION_BROKER_TENANT
   */
  readonly tenant?: string | undefined;
  /**
   * The cluster's name, a lower-case DNS label. Not used when the role's ARN is given.
   * @default SESSION_BROKER_CLUSTER
   */
  readonly cluster?: string | undefined;
  /**
   * Where the parameters of all clusters begin. Not used when the role's ARN is given.
   * @default SESSION_BROKER_PARAMETER_PREFIX, else /eks-agent-platform
   */
  readonly parameterPrefix?: string | undefined;
}

/** What leads to one session-broker role. */
export interface RoleOptions extends PlaceOptions {
  /**
   * The workflow's name, a lower-case DNS label: the session runs in the workflow's role and under its scope.
   * @default none: the tenant's own role
   */
  readonly workflow?: string | undefined;
  /**
   * The ARN of the session-broker role, for a dispatcher in another account or without Systems Manager.
   * @default FAB_SESSION_ROLE_ARN, else the value of the parameter of cluster and tenant
   */
  readonly roleArn?: string | undefined;
}

/** One session: its name, and all that decides what it may do. */
export interface SessionOptions extends RoleOptions {
  /** The session id: one or more of A-Z a-z 0-9 "_" "-", at most what the tenant leaves of 64 characters. */
  readonly session: string;
  /**
   * Seconds that each set of credentials lasts, 1800 to 3600: role chaining allows no more.
   * @default 3600
   */
  readonly durationSeconds?: number | undefined;
  /**
   * A session policy, as JSON text or as the document: the session may do only what both it and the role allow. With
   * `policyArns` at most 2048 characters.
   * @default none: all that the role allows
   */
  readonly policy?: string | object | undefined;
  /**
   * ARNs of at most 10 managed policies that limit the session in the same way.
   * @default none
   */
  readonly policyArns?: readonly string[] | undefined;
}

/** Who asks AWS, and where: what the sessions of one dispatcher share. */
export interface SessionBrokerOptions extends PlaceOptions {
  /**
   * The cluster's Region.
   * @default the SDK's own: AWS_REGION, else region in the profile, else the instance's
   */
  readonly region?: string | undefined;
  /**
   * The dispatcher's own credentials, the tenant role's. They make the calls and are never returned.
   * @default its web identity if AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN are set and neither static
   * keys (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, both) nor a profile by name are; else the SDK's default chain
   */
  readonly credentials?: DispatcherCredentials | undefined;
  /**
   * An https URL that serves both STS and Systems Manager, such as the local account's.
   * @default AWS_ENDPOINT_URL_STS and AWS_ENDPOINT_URL_SSM as the SDK reads them, else the Region's endpoints
   */
  readonly endpoint?: string | undefined;
  /**
   * Whether plain http outside loopback is let through, with a warning.
   * @default false
   */
  readonly allowInsecureEndpoint?: boolean | undefined;
  /**
   * Further settings of the SDK's STS and SSM clients. With `maxAttempts`, retries are the SDK's own: by its rules,
   * and outside of `callsPerSecond`.
   * @default the SDK's own, with one attempt, and timeouts of 5 seconds for the connection, 10 for the answer
   * and 10 without a byte of it
   */
  readonly clientConfig?: ClientConfig | undefined;
  /**
   * Calls of STS a second at most, 1 to 600. An account may make 600 in a Region, all its callers together.
   * @default 300
   */
  readonly callsPerSecond?: number | undefined;
  /**
   * Takes warnings, and of a `SessionBroker` a line when the renewals of a session begin to fail, or for another
   * reason.
   * @default Node's warnings; failures of renewals are in the telemetry alone
   */
  readonly logger?: { readonly warn: (message: string) => void } | undefined;
  /**
   * The clock, in milliseconds since the epoch.
   * @default Date.now, together with a clock that nobody sets
   */
  readonly now?: (() => number) | undefined;
  /**
   * Chance for jitter, at least 0 and less than 1.
   * @default Math.random
   */
  readonly random?: (() => number) | undefined;
  /**
   * Runs something after some milliseconds, and returns what cancels it.
   * @default setTimeout, by timers that hold no process open
   */
  readonly schedule?: Schedule | undefined;
}

/** A session of its own: both in one object. */
export interface FromSessionBrokerOptions extends SessionBrokerOptions, SessionOptions {}

/** What a value must be. Messages never repeat the value, which may be a secret. */
interface Rule {
  readonly is: string;
  readonly holds: (value: unknown) => boolean;
}

/** Strings and numbers are left to the parsers of what they stand for. */
const PARSED: Rule = { is: 'what its parser takes', holds: () => true };
const FUNCTION: Rule = { is: 'a function', holds: (value) => typeof value === 'function' };

/** The takers of options. */
type Taker = 'fromSessionBroker' | 'SessionBroker' | 'session';

const SHARED = ['fromSessionBroker', 'SessionBroker'] as const;
const SINGLE = ['fromSessionBroker', 'session'] as const;
const EITHER = ['fromSessionBroker', 'SessionBroker', 'session'] as const;

/** Every option: who takes it, and the rule for its type. */
const RULES: Readonly<Record<keyof FromSessionBrokerOptions, Rule & { readonly takers: readonly Taker[] }>> = {
  session: { ...PARSED, takers: SINGLE },
  tenant: { ...PARSED, takers: EITHER },
  workflow: { ...PARSED, takers: SINGLE },
  cluster: { ...PARSED, takers: EITHER },
  parameterPrefix: { ...PARSED, takers: EITHER },
  roleArn: { ...PARSED, takers: SINGLE },
  durationSeconds: { ...PARSED, takers: SINGLE },
  policy: { ...PARSED, takers: SINGLE },
  policyArns: { ...PARSED, takers: SINGLE },
  region: { ...PARSED, takers: SHARED },
  credentials: {
    is: 'credentials with an accessKeyId and a secretAccessKey, or a function that provides them; leave it out for the default chain of the SDK',
    holds: (value) =>
      typeof value === 'function' ||
      (isObject(value) && isFilledText(value['accessKeyId']) && isFilledText(value['secretAccessKey'])),
    takers: SHARED,
  },
  endpoint: { ...PARSED, takers: SHARED },
  allowInsecureEndpoint: { is: 'true or false', holds: (value) => typeof value === 'boolean', takers: SHARED },
  clientConfig: { is: 'an object', holds: isObject, takers: SHARED },
  callsPerSecond: {
    is: `a whole number from ${CALLS_PER_SECOND.min} to ${CALLS_PER_SECOND.max}, what an account may make in a Region`,
    holds: (value) =>
      Number.isInteger(value) && Number(value) >= CALLS_PER_SECOND.min && Number(value) <= CALLS_PER_SECOND.max,
    takers: SHARED,
  },
  logger: {
    is: 'an object with a function warn',
    holds: (value) => isObject(value) && typeof value['warn'] === 'function',
    takers: SHARED,
  },
  now: { ...FUNCTION, takers: SHARED },
  random: { ...FUNCTION, takers: SHARED },
  schedule: { ...FUNCTION, takers: SHARED },
};

/** Refuses at once what needs neither the environment nor a call to be seen. */
export function checkOptions(options: FromSessionBrokerOptions): void {
  checkTypes(options, 'fromSessionBroker');
  checkShared(options);
  checkSession(options);
  createSessionScope({ policy: options.policy, policyArns: options.policyArns });
}

export function checkBrokerOptions(options: SessionBrokerOptions): void {
  checkTypes(options, 'SessionBroker');
  const { tenant, cluster, parameterPrefix } = options;
  checkShared(options);
  if (tenant !== undefined) parseTenant(tenant);
  if (cluster !== undefined) parseCluster(cluster);
  if (parameterPrefix !== undefined) parseParameterPrefix(parameterPrefix);
}

/** The session policy is left to the plan that is made next. */
export function checkSessionOptions(options: SessionOptions): void {
  checkTypes(options, 'session');
  checkSession(options);
}

/** @param options what leads to a role, without a session */
export function checkRoleOptions(options: RoleOptions): void {
  checkTypes(options, 'session');
}

function checkTypes(options: object, taker: Taker): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object: ${quote(options)}`);
  }
  for (const [option, value] of Object.entries(options)) {
    if (!isOption(option)) throw unknownOption(option, taker);
    const rule = RULES[option];
    if (!rule.takers.includes(taker)) throw misplacedOption(option, taker);
    if (value !== undefined && !rule.holds(value)) throw new TypeError(`${option} must be ${rule.is}`);
  }
}

function checkShared({ region }: SessionBrokerOptions): void {
  if (region !== undefined) partitionOf(region);
}

function checkSession(options: SessionOptions): void {
  const { session, tenant, workflow, cluster, parameterPrefix, roleArn, durationSeconds } = options;
  if (tenant === undefined) {
    parseSessionId(session);
    if (workflow !== undefined) parseWorkflow(workflow);
  } else {
    createSessionIdentity({ tenant, workflow, session });
  }
  if (cluster !== undefined) parseCluster(cluster);
  if (parameterPrefix !== undefined) parseParameterPrefix(parameterPrefix);
  if (roleArn !== undefined) parseRoleArn(roleArn);
  else if (cluster !== undefined && tenant !== undefined) brokerNames({ cluster, tenant, workflow, parameterPrefix });
  if (durationSeconds !== undefined) checkDuration(durationSeconds);
}

function checkDuration(durationSeconds: number): void {
  const { min, max } = SESSION_DURATION_SECONDS;
  if (Number.isInteger(durationSeconds) && durationSeconds >= min && durationSeconds <= max) return;
  throw new SessionBrokerError(
    'DurationOutOfRange',
    `durationSeconds must be a whole number from ${min} to ${max}, the most that role chaining allows: ${quote(durationSeconds)}; leave it out, credentials are renewed for as long as the session lives`,
    { detail: { min, max } },
  );
}

function isOption(name: string): name is keyof FromSessionBrokerOptions {
  return Object.hasOwn(RULES, name);
}

function misplacedOption(option: keyof FromSessionBrokerOptions, taker: Taker): TypeError {
  const place =
    taker === 'session' ? 'the SessionBroker, which its sessions share' : 'session(), each session has its own';
  return new TypeError(`options must not hold ${quote(option)} here: give it to ${place}`);
}

function unknownOption(given: string, taker: Taker): TypeError {
  const names = Object.entries(RULES).flatMap(([name, { takers }]) => (takers.includes(taker) ? [name] : []));
  const meant = nearest(given, names);
  return new TypeError(
    `options must not hold ${quote(given)}${meant === undefined ? '' : `, the nearest option is ${quote(meant)}`}`,
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isFilledText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
