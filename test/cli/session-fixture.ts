import { afterAll, beforeAll, beforeEach, vi } from 'vitest';
import { DISPATCHER, type FakeAws, startFakeAws } from '../runtime/support/fake-aws.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';

/** What leads to the one tenant that {@link startFakeAws} knows. */
export const ACME = ['--cluster', 'hub', '--tenant', 'acme'] as const;

/** The variables of a dispatcher with credentials of the tenant role, whose AWS is at an endpoint. */
export function dispatcherAt(endpoint: string): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: 'us-west-2',
    AWS_MAX_ATTEMPTS: '1',
    AWS_ACCESS_KEY_ID: DISPATCHER.accessKeyId,
    AWS_SECRET_ACCESS_KEY: DISPATCHER.secretAccessKey,
    AWS_SESSION_TOKEN: DISPATCHER.sessionToken,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

/** An AWS for the tests of a file, which the environment of each leads to. */
export function fakeAwsForDispatcher(): { readonly aws: () => FakeAws; readonly actions: () => readonly string[] } {
  let aws: FakeAws;
  isolateEnvironment();
  beforeAll(async () => {
    aws = await startFakeAws();
  });
  afterAll(() => aws.close());
  beforeEach(() => {
    aws.forget();
    for (const [name, value] of Object.entries(dispatcherAt(aws.endpoint))) vi.stubEnv(name, value);
  });
  return { aws: () => aws, actions: () => aws.requests.map(({ action }) => action) };
}
