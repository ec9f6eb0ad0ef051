import { SessionBrokerError } from '../errors.ts';
import {
  brokerNames,
  createSessionIdentity,
  DEFAULT_PARAMETER_PREFIX,
  parseRoleArn,
  SESSION_DURATION_SECONDS,
  type SessionIdentity,
} from '../identity/index.ts';
import { assumeRole, type SessionCredentials } from './assume.ts';
import { createClients } from './clients.ts';
import { createTransportCheck, parseEndpoint } from './transport.ts';
import { type Environment, emitWarning, readEnvironment, VARIABLES } from './environment.ts';
import { once } from './once.ts';
import { checkOptions, type FromSessionBrokerOptions } from './options.ts';
import { type RenewalRequest, renewing } from './renew.ts';
import { type RoleSource, resolveRole } from './resolve-role.ts';

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
 * @throws {TypeError} for an option that is unknown or of another type
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
    { now, random, longestLife: durationSeconds * 1000 },
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
