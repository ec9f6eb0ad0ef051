import type { SessionCredentials } from './assume.ts';
import { createDispatcher } from './dispatcher.ts';
import { readEnvironment } from './environment.ts';
import { checkOptions, type FromSessionBrokerOptions } from './options.ts';
import { createPlan } from './plan.ts';
import type { Renewal } from './renew.ts';
import { renewalOf, type SessionCredentialProvider } from './session.ts';

/**
 * A credential provider for one agent session. It assumes the tenant's session-broker role as
 * `agent.<tenant>[.<workflow>].<session>`, renews the credentials under the same name for as long as it is asked,
 * and fails with a coded error rather than return any other credentials.
 *
 *     new S3Client({ region, credentials: fromSessionBroker({ cluster: 'hub', tenant: 'acme', session }) })
 *
 * Share one provider between all clients of a session: each provider holds credentials of its own. It renews on
 * calls alone; a `SessionBroker` also renews behind them, and ends sessions.
 * @param options checked at once, before any call; variables are read at the first call
 * @throws {TypeError} for an option that is unknown or of another type
 * @throws {SessionBrokerError} a code of the identity, RoleArnInvalid, ParameterPrefixInvalid, RegionInvalid,
 * DurationOutOfRange, SessionPolicyInvalid, SessionPolicyTooLarge, PolicyArnInvalid, EndpointInvalid or
 * EndpointInsecure here; any code of the runtime from the provider
 */
export function fromSessionBroker(options: FromSessionBrokerOptions): SessionCredentialProvider {
  checkOptions(options);
  const given = { ...options };
  const dispatcher = createDispatcher(given);
  let renewal: Renewal<SessionCredentials> | undefined;
  return (request) => {
    try {
      renewal ??= renewalOf(createPlan(given, readEnvironment()), dispatcher, false);
    } catch (error) {
      return Promise.reject(error);
    }
    return renewal.provide(request);
  };
}
