import { SessionBrokerError } from '../errors.ts';
import {
  brokerNames,
  createSessionIdentity,
  DEFAULT_PARAMETER_PREFIX,
  formatSourceIdentity,
  parseRoleArn,
  parseTenant,
  SESSION_DURATION_SECONDS,
  type SessionIdentity,
} from '../identity/index.ts';
import { type Environment, VARIABLES } from './environment.ts';
import type { RoleOptions, SessionOptions } from './options.ts';
import type { RoleSource } from './resolve-role.ts';
import { createSessionScope, type SessionScope, scopeKey } from './session-policy.ts';

/** Everything that decides what a session may do and under which name. Renewals repeat it. */
export interface Plan {
  readonly identity: SessionIdentity;
  readonly source: RoleSource;
  /** Seconds. */
  readonly durationSeconds: number;
  readonly scope: SessionScope;
}

/** Options come before variables. */
export function createPlan(options: SessionOptions, environment: Environment): Plan {
  const { session, workflow, policy, policyArns } = options;
  const source = createRoleSource(options, environment);
  return {
    identity: createSessionIdentity({ tenant: tenantOf(options, environment) ?? '', workflow, session }),
    source,
    durationSeconds: options.durationSeconds ?? SESSION_DURATION_SECONDS.default,
    scope: createSessionScope({ policy, policyArns }),
  };
}

/** A role's ARN comes before the parameter that holds one. */
export function createRoleSource(options: RoleOptions, environment: Environment): RoleSource {
  const tenant = tenantOf(options, environment);
  const cluster = options.cluster ?? environment.cluster;
  const roleArn = options.roleArn ?? environment.roleArn;
  if (tenant === undefined || (roleArn === undefined && cluster === undefined)) {
    throw unresolved({ tenant, cluster, roleArn });
  }
  if (roleArn !== undefined) return { given: parseRoleArn(roleArn) };
  const parameterPrefix = options.parameterPrefix ?? environment.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX;
  const whose = { cluster: cluster ?? '', tenant: parseTenant(tenant), workflow: options.workflow };
  return { ...whose, published: brokerNames({ ...whose, parameterPrefix }) };
}

/** Two plans with one key are the same plan. */
export function planKey({ identity, source, durationSeconds, scope }: Plan): string {
  return JSON.stringify([formatSourceIdentity(identity), sourceKey(source), durationSeconds, scopeKey(scope)]);
}

/** Two sources with one key lead to the same role. An ARN and the name of a parameter are never the same. */
export function sourceKey(source: RoleSource): string {
  return 'given' in source ? source.given.arn : source.published.parameters.sessionRoleArn;
}

function tenantOf(options: RoleOptions, environment: Environment): string | undefined {
  return options.tenant ?? environment.tenant;
}

function unresolved(given: Pick<Environment, 'tenant' | 'cluster' | 'roleArn'>): SessionBrokerError {
  const name = (option: 'cluster' | 'tenant'): string =>
    `${option} (--${option} or ${VARIABLES[option]}; option ${option})`;
  if (given.roleArn !== undefined) {
    return new SessionBrokerError(
      'TenantEmpty',
      `tenant must be given, the session is named after it: set ${name('tenant')}`,
    );
  }
  const missing = (['cluster', 'tenant'] as const).filter((option) => given[option] === undefined);
  return new SessionBrokerError(
    'RoleUnresolved',
    `session-broker role must be given or found by cluster and tenant, ${missing.join(' and ')} missing: set ${name('cluster')} and ${name('tenant')}, or the role's ARN (--role-arn or ${VARIABLES.roleArn}; option roleArn) and the tenant`,
    { detail: { missing } },
  );
}
