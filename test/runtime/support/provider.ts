import {
  type FromSessionBrokerOptions,
  fromSessionBroker,
  type SessionCredentialProvider,
} from '../../../lib/runtime/index.ts';
import { DISPATCHER, type FakeAws, REGION } from './fake-aws.ts';

/** A provider for `agent.acme.s1` against the fake that does not retry, with options of one's own. */
export function providerAgainst(
  aws: Pick<FakeAws, 'endpoint'>,
  options: Partial<FromSessionBrokerOptions> = {},
): SessionCredentialProvider {
  return fromSessionBroker({
    session: 's1',
    tenant: 'acme',
    cluster: 'hub',
    region: REGION,
    credentials: DISPATCHER,
    endpoint: aws.endpoint,
    clientConfig: { maxAttempts: 1 },
    ...options,
  });
}
