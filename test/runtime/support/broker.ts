import { onTestFinished } from 'vitest';
import { SessionBroker, type SessionBrokerOptions } from '../../../lib/runtime/index.ts';
import { DISPATCHER, type FakeAws, REGION } from './fake-aws.ts';

/** A broker of acme's dispatcher against the fake, with options of one's own. It ends with the test. */
export function brokerAgainst(aws: Pick<FakeAws, 'endpoint'>, options: SessionBrokerOptions = {}): SessionBroker {
  const broker = new SessionBroker({
    tenant: 'acme',
    cluster: 'hub',
    region: REGION,
    credentials: DISPATCHER,
    endpoint: aws.endpoint,
    ...options,
  });
  onTestFinished(() => broker.close());
  return broker;
}
