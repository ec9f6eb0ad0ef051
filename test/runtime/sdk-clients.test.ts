import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { chain } from '@smithy/core/config';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SessionCredentialProvider } from '../../lib/runtime/index.ts';
import { rejectionOf } from '../support/refusal.ts';
import { assumed, DISPATCHER, type FakeAws, ISSUED, REGION, startFakeAws, stsError } from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';

let aws: FakeAws;
beforeAll(async () => {
  aws = await startFakeAws();
});
afterAll(() => aws.close());
beforeEach(() => aws.forget());
isolateEnvironment();

type Credentials = SessionCredentialProvider | Awaited<ReturnType<SessionCredentialProvider>>;

const stsClient = (credentials: Credentials) =>
  new STSClient({ region: REGION, endpoint: aws.endpoint, maxAttempts: 1, credentials });
const ssmClient = (credentials: Credentials) =>
  new SSMClient({ region: REGION, endpoint: aws.endpoint, maxAttempts: 1, credentials });

/** The requests of one action, as who signed them. */
function signers(action: string): readonly (string | undefined)[] {
  return aws.requests
    .filter((request) => request.action === action)
    .map(({ authorization }) => /Credential=([A-Z0-9]+)\//.exec(authorization)?.[1]);
}

describe("the SDK's clients", () => {
  test('sign with the credentials of the session', async () => {
    const credentials = providerAgainst(aws);
    await stsClient(credentials).send(new GetCallerIdentityCommand({}));
    await ssmClient(credentials).send(new GetParameterCommand({ Name: '/mine' }));
    expect(signers('GetCallerIdentity')).toEqual([ISSUED.accessKeyId]);
    expect(signers('GetParameter')).toEqual([DISPATCHER.accessKeyId, ISSUED.accessKeyId]);
    for (const { authorization, securityToken } of aws.requests) {
      if (authorization.includes(ISSUED.accessKeyId)) expect(securityToken).toBe(ISSUED.sessionToken);
    }
    expect(signers('AssumeRole')).toHaveLength(1);
  });

  test('share one session when they share the provider', async () => {
    const credentials = providerAgainst(aws);
    const clients = Array.from({ length: 10 }, () => stsClient(credentials));
    await Promise.all([...clients, ...clients].map((client) => client.send(new GetCallerIdentityCommand({}))));
    expect(signers('GetCallerIdentity')).toHaveLength(20);
    expect(signers('AssumeRole')).toHaveLength(1);
  });

  test('take the credentials as an object', async () => {
    const credentials = await providerAgainst(aws)();
    await stsClient(credentials).send(new GetCallerIdentityCommand({}));
    await ssmClient(credentials).send(new GetParameterCommand({ Name: '/mine' }));
    expect(signers('GetCallerIdentity')).toEqual([ISSUED.accessKeyId]);
  });

  test('ask again when what they hold is about to expire, and get what was renewed a minute later', async () => {
    let calls = 0;
    let time = Date.now();
    aws.on('AssumeRole', (request) => {
      calls += 1;
      return calls === 1 ? assumed(request, Date.now, { expires: Date.now() + 4 * 60_000 }) : assumed(request);
    });
    const client = stsClient(providerAgainst(aws, { now: () => time }));
    const useClient = async () => {
      for (let request = 0; request < 5; request += 1) await client.send(new GetCallerIdentityCommand({}));
    };
    await useClient();
    expect(calls).toBe(1);
    time += 60_000;
    await useClient();
    expect(calls).toBe(2);
  });

  test('force a refresh', async () => {
    const client = stsClient(providerAgainst(aws));
    await client.config.credentials();
    await client.config.credentials({ forceRefresh: true });
    expect(signers('AssumeRole')).toHaveLength(2);
  });

  test('fail with the coded error', async () => {
    aws.on('AssumeRole', stsError(403, 'AccessDenied', 'no'));
    const error = await rejectionOf(stsClient(providerAgainst(aws)).send(new GetCallerIdentityCommand({})));
    expect(error.code).toBe('AssumeRoleDenied');
    expect(signers('GetCallerIdentity')).toEqual([]);
  });
});

test.each([
  ['denied', stsError(403, 'AccessDenied', 'no'), 'AssumeRoleDenied'],
  ['out of reach', 'reset' as const, 'Unavailable'],
])(
  'a provider chain fails at a session that is %s and does not go on to other credentials',
  async (_, answer, code) => {
    aws.on('AssumeRole', answer);
    const ambient = vi.fn(async () => DISPATCHER);
    expect((await rejectionOf(chain<object>(providerAgainst(aws), ambient)())).code).toBe(code);
    expect(ambient).not.toHaveBeenCalled();
  },
);

test('a provider chain fails at a dispatcher without credentials, which the SDK alone would pass over', async () => {
  const ambient = vi.fn(async () => DISPATCHER);
  const provide = providerAgainst(aws, { credentials: undefined });
  expect((await rejectionOf(chain<object>(provide, ambient)())).code).toBe('DispatcherCredentialsMissing');
  expect(ambient).not.toHaveBeenCalled();
});
