import { setMaxListeners } from 'node:events';
import { SessionBrokerError } from '../errors.ts';
import type { RoleArn } from '../identity/index.ts';
import { createTransportCheck, parseEndpoint } from '../sdk/transport.ts';
import { type Clients, createClients } from './clients.ts';
import { emitWarning } from './environment.ts';
import { type Once, once } from './once.ts';
import { CALLS_PER_SECOND, type SessionBrokerOptions } from './options.ts';
import { sourceKey } from './plan.ts';
import { quietly } from './quietly.ts';
import { type RoleSource, resolveRole } from './resolve-role.ts';
import { createTiming, LONGEST_ATTEMPT, type Timing, within } from './timing.ts';

/** What all sessions of one dispatcher share. */
export interface Dispatcher {
  readonly timing: Timing;
  readonly clients: Once<Clients>;
  /** The role of a source, resolved at the first call of what this returns: once for each role. */
  readonly roleOf: (source: RoleSource) => Once<RoleArn>;
  /** Takes why a renewal in the background fails. */
  readonly report: (message: string) => void;
  /** Ends the calls that are under way and the connections. */
  readonly close: (reason: Error) => void;
}

/**
 * @param options checked
 * @throws {SessionBrokerError} EndpointInvalid, EndpointInsecure
 */
export function createDispatcher(options: SessionBrokerOptions): Dispatcher {
  const { region, endpoint, credentials, clientConfig, logger } = options;
  const { allowInsecureEndpoint = false, callsPerSecond = CALLS_PER_SECOND.default } = options;
  const warn = (message: string): void => {
    quietly(() => (logger === undefined ? emitWarning(message) : logger.warn(message)));
  };
  const check = createTransportCheck({ allowInsecureEndpoint, warn });
  if (endpoint !== undefined) check('STS', parseEndpoint(endpoint));

  const timing = createTiming(options);
  const end = new AbortController();
  const { signal } = end;
  setMaxListeners(0, signal); // as many as calls are under way
  const clients = once(() =>
    within(LONGEST_ATTEMPT, timing, signal, () =>
      createClients({ check, timing, callsPerSecond, signal, region, endpoint, credentials, clientConfig }),
    ).catch(lateSettings),
  );
  const roles = new Map<string, Once<RoleArn>>();
  return {
    timing,
    clients,
    roleOf(source) {
      const key = sourceKey(source);
      const known = roles.get(key);
      if (known !== undefined) return known;
      const role = once(async () => resolveRole(source, await clients()));
      roles.set(key, role);
      return role;
    },
    report(message) {
      quietly(() => logger?.warn(message));
    },
    close(reason) {
      end.abort(reason);
      clients.made()?.close();
    },
  };
}

function lateSettings(cause: unknown): never {
  if (!(cause instanceof Error) || cause.name !== 'TimeoutError') throw cause;
  throw new SessionBrokerError(
    'Unavailable',
    `settings of the SDK must be read within ${LONGEST_ATTEMPT / 1000} seconds; check the files of the profile and the instance's metadata service, and try again`,
    { cause },
  );
}
