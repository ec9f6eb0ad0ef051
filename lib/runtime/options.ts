import { quote, SessionBrokerError } from '../errors.ts';
import {
  brokerNames,
  createSessionIdentity,
  parseCluster,
  parseParameterPrefix,
  parseRoleArn,
  parseSessionId,
  parseWorkflow,
  partitionOf,
  SESSION_DURATION_SECONDS,
} from '../identity/index.ts';
import { nearest } from '../nearest.ts';
import type { ClientConfig, DispatcherCredentials } from './clients.ts';

export interface FromSessionBrokerOptions {
  /** The session id: one or more of A-Z a-z 0-9 "_" "-", at most what the tenant leaves of 64 characters. */
  readonly session: string;
  /**
   * The tenant's name, a lower-case DNS label.
   * @default SESSION_BROKER_TENANT
   */
  readonly tenant?: string | undefined;
  /**
   * The workflow's name, a lower-case DNS label: the session runs in the workflow's role and under its scope.
   * @default none: the tenant's own role
   */
  readonly workflow?: string | undefined;
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
  /**
   * The ARN of the session-broker role, for a dispatcher in another account or without Systems Manager.
   * @default FAB_SESSION_ROLE_ARN, else the value of the parameter of cluster and tenant
   */
  readonly roleArn?: string | undefined;
  /**
   * The cluster's Region.
   * @default the SDK's own: AWS_REGION, else region in the profile, else the instance's
   */
  readonly region?: string | undefined;
  /**
   * Seconds that each set of credentials lasts, 1800 to 3600: role chaining allows no more.
   * @default 3600
   */
  readonly durationSeconds?: number | undefined;
  /**
   * The dispatcher's own credentials, the tenant role's. They make the calls and are never returned.
   * @default the SDK's default chain
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
   * Further settings of the SDK's STS and SSM clients, such as `maxAttempts` and `requestHandler`.
   * @default the SDK's own, with timeouts of 5 seconds for the connection and 10 for the answer
   */
  readonly clientConfig?: ClientConfig | undefined;
  /**
   * Takes warnings.
   * @default Node's warnings
   */
  readonly logger?: { readonly warn: (message: string) => void } | undefined;
  /**
   * The clock, in milliseconds since the epoch.
   * @default Date.now
   */
  readonly now?: (() => number) | undefined;
  /**
   * Chance for the jitter of renewals, at least 0 and less than 1.
   * @default Math.random
   */
  readonly random?: (() => number) | undefined;
}

/** What a value must be. Messages never repeat the value, which may be a secret. */
interface Rule {
  readonly is: string;
  readonly holds: (value: unknown) => boolean;
}

/** Strings and numbers are left to the parsers of what they stand for. */
const PARSED: Rule = { is: 'what its parser takes', holds: () => true };
const FUNCTION: Rule = { is: 'a function', holds: (value) => typeof value === 'function' };

/** Every option, with the rule for its type. */
const RULES: Readonly<Record<keyof FromSessionBrokerOptions, Rule>> = {
  session: PARSED,
  tenant: PARSED,
  workflow: PARSED,
  cluster: PARSED,
  parameterPrefix: PARSED,
  roleArn: PARSED,
  region: PARSED,
  durationSeconds: PARSED,
  credentials: {
    is: 'credentials with an accessKeyId and a secretAccessKey, or a function that provides them; leave it out for the default chain of the SDK',
    holds: (value) =>
      typeof value === 'function' ||
      (isObject(value) && isFilledText(value['accessKeyId']) && isFilledText(value['secretAccessKey'])),
  },
  endpoint: PARSED,
  allowInsecureEndpoint: { is: 'true or false', holds: (value) => typeof value === 'boolean' },
  clientConfig: { is: 'an object', holds: isObject },
  logger: {
    is: 'an object with a function warn',
    holds: (value) => isObject(value) && typeof value['warn'] === 'function',
  },
  now: FUNCTION,
  random: FUNCTION,
};

/** Refuses at once what needs neither the environment nor a call to be seen. */
export function checkOptions(options: FromSessionBrokerOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object: ${quote(options)}`);
  }
  for (const [option, value] of Object.entries(options)) {
    if (!isOption(option)) throw unknownOption(option);
    const rule = RULES[option];
    if (value !== undefined && !rule.holds(value)) throw new TypeError(`${option} must be ${rule.is}`);
  }
  const { session, tenant, workflow, cluster, parameterPrefix, roleArn, region, durationSeconds } = options;
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
  if (region !== undefined) partitionOf(region);
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

function unknownOption(given: string): TypeError {
  const meant = nearest(given, Object.keys(RULES));
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
