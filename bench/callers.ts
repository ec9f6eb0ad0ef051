import { STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { memoizeIdentityProvider } from '@smithy/core';
import type * as runtime from '../lib/runtime/index.ts';
import { type Effort, type Outcome, ratio } from './outcome.ts';
import { compiled } from './processes.ts';
import { inTurn, median, medianRatio } from './statistics.ts';
import { startSts } from './sts.ts';

const REGION = 'us-west-2';
const ROLE_ARN = 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session';
const DISPATCHER = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };

/** Callers in one process: of credentials that are there, and all at once of credentials that are not. */
export async function measureCallers({ isQuick }: Effort): Promise<readonly Outcome[]> {
  await using sts = await startSts();
  const { fromSessionBroker } = await compiled<typeof runtime>('lib/runtime/index.js');
  const provide = (session: string) =>
    fromSessionBroker({
      ...{ tenant: 'acme', session, roleArn: ROLE_ARN, region: REGION, endpoint: sts.endpoint },
      credentials: DISPATCHER,
    });

  const cached = await cachedCalls(provide('s1'), isQuick ? 50_000 : 1_000_000);

  const clients = isQuick ? 100 : 1000;
  const clientsWith = (credentials: () => NonNullable<STSClientConfig['credentials']>) =>
    Array.from({ length: clients }, () => new STSClient({ region: REGION, credentials: credentials() }));
  const firstCalls = async (all: readonly STSClient[]): Promise<number> => {
    await sts.calls();
    await Promise.all(all.map((client) => client.config.credentials()));
    return (await sts.calls())['AssumeRole'] ?? 0;
  };

  const shared = provide('s2');
  const ours = await firstCalls(clientsWith(() => shared));
  const theirs = await firstCalls(
    clientsWith(() =>
      fromTemporaryCredentials({
        masterCredentials: DISPATCHER,
        params: { RoleArn: ROLE_ARN, RoleSessionName: 'agent.acme.s3', SourceIdentity: 'agent.acme.s3' },
        clientConfig: { region: REGION, endpoint: sts.endpoint },
      }),
    ),
  );
  const concurrent: Outcome = {
    measure: `STS calls for ${clients} clients that ask at once`,
    against: 'fromTemporaryCredentials in as many clients',
    ours: String(ours),
    theirs: String(theirs),
    figure: { name: 'calls', value: ours },
    aim: { atMost: 1 },
  };
  return [cached, concurrent];
}

type Provider = () => Promise<object>;

/** Credentials that are held, asked for one after the other. */
async function cachedCalls(session: Provider, calls: number): Promise<Outcome> {
  const expiration = new Date(Date.now() + 3_600_000);
  const memoized = memoizeIdentityProvider(
    async () => ({ ...DISPATCHER, expiration }),
    ({ expiration: expires }) => expires !== undefined && expires.getTime() - Date.now() < 300_000,
    ({ expiration: expires }) => expires !== undefined,
  );
  if (memoized === undefined) throw new Error('the SDK made no provider');
  const providers: Readonly<Record<'ours' | 'theirs', Provider>> = { ours: session, theirs: memoized };
  const { ours, theirs } = await inTurn(['ours', 'theirs'], 5, async (name) => {
    const provider = providers[name];
    await provider();
    const begin = performance.now();
    for (let call = 0; call < calls; call++) await provider();
    return ((performance.now() - begin) / calls) * 1e6;
  });
  return {
    measure: 'a cached credential call in process, median of 5 runs',
    against: "the SDK's memoized provider (memoizeIdentityProvider of @smithy/core)",
    ours: `${median(ours).toFixed(0)} ns`,
    theirs: `${median(theirs).toFixed(0)} ns`,
    figure: ratio(medianRatio(ours, theirs)),
    aim: { atMost: 1.2 },
  };
}
