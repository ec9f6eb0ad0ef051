import { quote, SessionBrokerError } from '../errors.ts';
import {
  brokerNames,
  createSessionIdentity,
  DEFAULT_PARAMETER_PREFIX,
  parseCluster,
  parseParameterPrefix,
  parseRoleArn,
  parseSessionId,
  parseWorkflow,
  partitionOf,
  SESSION_DURATION_SECONDS,
  type SessionIdentity,
} from '../identity/index.ts';
import { assumeRole, type SessionCredentials } from './assume.ts';
import { type ClientConfig, createClients, type DispatcherCredentials } from './clients.ts';
import { createTransportCheck, parseEndpoint } from './endpoint.ts';
import { type Environment, emitWarning, readEnvironment, VARIABLES } from './environment.ts';
import { once } from './once.ts';
import { type RenewalRequest, renewing } from './renew.ts';
import { type RoleSource, resolveRole } from './resolve-role.ts';

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

/** A credential provider, as every SDK client takes it. */
export type SessionCredentialProvider = (request?: RenewalRequest) => Promise<SessionCredentials>;

/**
 * A credential provider for one agent session. It assumes the tenant's session-broker role as
 * `agent.<tenant>[.<workflow>].<session>`, renews the credentials under the same name for as long as it is asked,
 * and fails with a coded error rather than return any other credentials.
 *
 *     new S3Client({ region, credentials: fromSessionBroker({ cluster: 'hub', tenant: 'acme', session }) })
 *
 * Share one provider between all clients of a session: each provider holds credentials of its own.
 * @param options checked at once, before any call; variables are read at the first call
 * @throws {SessionBrokerError} a code of the identity, RoleArnInvalid, ParameterPrefixInvalid, RegionInvalid,
 * DurationOutOfRange, EndpointInvalid or EndpointInsecure here; any code of the runtime from the provider
 */
export function fromSessionBroker(options: FromSessionBrokerOptions): SessionCredentialProvider {
  checkOptions(options);
  const given = { ...options };
  const { durationSeconds = SESSION_DURATION_SECONDS.default, now = Date.now, random = Math.random } = given;
  const { region, endpoint, credentials, clientConfig, allowInsecureEndpoint = false, logger } = given;
  const warn = (message: string): void => (logger === undefined ? emitWarning(message) : logger.warn(message));
  const check = createTransportCheck({ allowInsecureEndpoint, warn });
  if (endpoint !== undefined) check('STS', parseEndpoint(endpoint));

  const plan = once(async () => createPlan(given, readEnvironment()));
  const clients = once(() => createClients({ check, region, endpoint, credentials, clientConfig }));
  const role = once(async () => resolveRole((await plan()).source, await clients()));

  return renewing(
    async () => {
      const { identity } = await plan();
      return assumeRole(await clients(), { role: await role(), identity, durationSeconds }, now);
    },
    { now, random },
  );
}

/** Who the session is and where its role is found. */
interface Plan {
  readonly identity: SessionIdentity;
  readonly source: RoleSource;
}

/** Options come before variables, a role's ARN before the parameter that holds one. */
function createPlan(options: FromSessionBrokerOptions, environment: Environment): Plan {
  const { session, workflow } = options;
  const tenant = options.tenant ?? environment.tenant;
  const cluster = options.cluster ?? environment.cluster;
  const roleArn = options.roleArn ?? environment.roleArn;
  if (tenant === undefined || (roleArn === undefined && cluster === undefined)) {
    throw unresolved({ tenant, cluster, roleArn });
  }
  const identity = createSessionIdentity({ tenant, workflow, session });
  if (roleArn !== undefined) return { identity, source: { given: parseRoleArn(roleArn) } };
  const parameterPrefix = options.parameterPrefix ?? environment.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX;
  return {
    identity,
    source: { published: brokerNames({ cluster: cluster ?? '', tenant, workflow, parameterPrefix }) },
  };
}

function unresolved(given: Pick<Environment, 'tenant' | 'cluster' | 'roleArn'>): SessionBrokerError {
  const name = (option: keyof typeof VARIABLES): string => `${option} (option or ${VARIABLES[option]})`;
  if (given.roleArn !== undefined) {
    return new SessionBrokerError(
      'TenantEmpty',
      `tenant must be given, the session is named after it: set ${name('tenant')}`,
    );
  }
  const missing = (['cluster', 'tenant'] as const).filter((option) => given[option] === undefined);
  return new SessionBrokerError(
    'RoleUnresolved',
    `session-broker role must be given or found by cluster and tenant, ${missing.join(' and ')} missing: set ${name('cluster')} and ${name('tenant')}, or ${name('roleArn')} and the tenant`,
    { detail: { missing } },
  );
}

/** Refuses at once what needs neither the environment nor a call to be seen. */
function checkOptions(options: FromSessionBrokerOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object: ${quote(options)}`);
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
