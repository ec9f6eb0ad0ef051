import type { GetParameterCommandOutput } from '@aws-sdk/client-ssm';
import type { AssumeRoleCommandInput, AssumeRoleCommandOutput, STSClient, STSClientConfig } from '@aws-sdk/client-sts';
import { quote, SessionBrokerError } from '../errors.ts';
import { type Partition, partitionOf } from '../identity/index.ts';
import { checkTransport, stopBeforeSending, type TransportCheck } from './transport.ts';
import { once } from './once.ts';
import { withoutSecrets } from './redact.ts';
import { type Attempt, translate } from './translate.ts';

/** Credentials, or a provider of them, as every SDK client takes them. */
export type DispatcherCredentials = NonNullable<STSClientConfig['credentials']>;

/** Settings that the SDK's STS and SSM clients share. */
export type ClientConfig = Pick<
  STSClientConfig,
  'maxAttempts' | 'profile' | 'requestHandler' | 'retryMode' | 'useDualstackEndpoint' | 'useFipsEndpoint'
>;

export interface ClientSettings {
  /** Sees every request before it is signed. */
  readonly check: TransportCheck;
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?: DispatcherCredentials | undefined;
  readonly clientConfig?: ClientConfig | undefined;
}

/** The two calls that the runtime makes, with the dispatcher's own credentials. Failures are translated. */
export interface Clients {
  readonly region: string;
  readonly partition: Partition;
  readonly assumeRole: (
    input: AssumeRoleCommandInput & { readonly RoleArn: string; readonly SourceIdentity: string },
  ) => Promise<AssumeRoleCommandOutput>;
  readonly getParameter: (name: string) => Promise<GetParameterCommandOutput>;
}

/** Milliseconds after which a connection or an answer is given up: the SDK alone would wait without end. */
const TIMEOUTS = { connectionTimeout: 5000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/**
 * The SDK's clients for one Region and one dispatcher. The STS endpoint is the Region's: sessions from the global
 * one are logged elsewhere and do not work in every Region.
 * @throws {SessionBrokerError} RegionUnresolved, RegionInvalid, EndpointInvalid, EndpointInsecure
 */
export async function createClients(settings: ClientSettings): Promise<Clients> {
  const { check, endpoint, credentials, clientConfig } = settings;
  const { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  const common = {
    ...clientConfig,
    requestHandler: withTimeouts(clientConfig?.requestHandler),
    ...(settings.region !== undefined && { region: settings.region }),
  };
  const regional = { ...common, useGlobalEndpoint: false };

  const sts = new STSClient({
    ...regional,
    ...(endpoint && { endpoint }),
    ...(credentials !== undefined && { credentials }),
  });
  sts.middlewareStack.add(checkTransport(check, 'STS'), { step: 'build', priority: 'low' });
  const region = await resolveRegion(sts.config.region);
  const partition = partitionOf(region);

  // The SDK's default chain may send a web-identity token to STS, by a client of its own that follows the
  // environment and the profile: see where that would go before credentials are asked for.
  if (endpoint === undefined || credentials === undefined) {
    const probe = new STSClient({ ...regional, credentials: { accessKeyId: '-', secretAccessKey: '-' } });
    probe.middlewareStack.add(checkTransport(check, 'STS'), { step: 'build', priority: 'low' });
    probe.middlewareStack.add(stopBeforeSending(), { step: 'build', priority: 'low' });
    await probe.send(new GetCallerIdentityCommand({})).catch(unusableEndpoint);
  }

  const ssm = once(async () => {
    const { GetParameterCommand, SSMClient } = await import('@aws-sdk/client-ssm');
    const client = new SSMClient({ ...common, ...(endpoint && { endpoint }), credentials: sts.config.credentials });
    client.middlewareStack.add(checkTransport(check, 'SSM'), { step: 'build', priority: 'low' });
    return (name: string) => client.send(new GetParameterCommand({ Name: name }));
  });

  let credentialsWereRejected = false;
  const call = async <Output>(attempt: Attempt, send: () => Promise<Output>): Promise<Output> => {
    const forceRefresh = credentialsWereRejected;
    credentialsWereRejected = false;
    try {
      checkCredentials(await sts.config.credentials({ forceRefresh }));
    } catch (error) {
      credentialsWereRejected = true;
      throw translate(error, { action: 'credentials', region });
    }
    try {
      return await send();
    } catch (error) {
      const translated = translate(error, attempt);
      credentialsWereRejected = translated.code === 'DispatcherCredentialsRejected';
      throw translated;
    }
  };

  return {
    region,
    partition,
    assumeRole: (input) =>
      call({ action: 'AssumeRole', region, roleArn: input.RoleArn, sourceIdentity: input.SourceIdentity }, () =>
        sts.send(new AssumeRoleCommand(input)),
      ),
    getParameter: (name) => call({ action: 'GetParameter', region, parameter: name }, async () => (await ssm())(name)),
  };
}

type RequestHandler = NonNullable<ClientConfig['requestHandler']>;

/** A handler is taken as it is; settings of the SDK's own handler are laid over ours. */
function withTimeouts(given: RequestHandler = TIMEOUTS): RequestHandler {
  return 'handle' in given ? given : { ...TIMEOUTS, ...given };
}

/** Whether a text can be in a signed request: printable ASCII, at least one character, no space or line break. */
const SIGNABLE = /^[\x21-\x7e]+$/;

type ResolvedCredentials = Awaited<ReturnType<STSClient['config']['credentials']>>;

/** What would otherwise fail as a request is signed or sent, and look like a fault of the network. */
function checkCredentials(credentials: Partial<ResolvedCredentials> | undefined): void {
  const { accessKeyId, secretAccessKey, sessionToken = '-' } = credentials ?? {};
  for (const [name, value] of Object.entries({ accessKeyId, secretAccessKey, sessionToken })) {
    if (typeof value === 'string' && SIGNABLE.test(value)) continue;
    throw new SessionBrokerError(
      'DispatcherCredentialsMissing',
      `${name} of the dispatcher's own credentials must be text without a space or a line break; correct the option credentials, the credentials in the environment or the profile`,
      { detail: { action: 'credentials' } },
    );
  }
}

async function resolveRegion(resolve: () => Promise<string>): Promise<string> {
  try {
    return await resolve();
  } catch (cause) {
    const [, refused] = /^Region not accepted: region="(.*)" is not/s.exec(String((cause as Error)?.message)) ?? [];
    if (refused !== undefined) partitionOf(refused); // throws RegionInvalid, with the value
    throw new SessionBrokerError(
      'RegionUnresolved',
      'region must be known: set the option region, AWS_REGION or region in the profile to the Region of the cluster',
      { cause },
    );
  }
}

/** What keeps a client from finding its endpoint is a setting that cannot be read. */
function unusableEndpoint(cause: unknown): never {
  if (cause instanceof SessionBrokerError) throw cause;
  throw new SessionBrokerError(
    'EndpointInvalid',
    `STS endpoint in AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL or the profile cannot be used: ${quote(withoutSecrets(cause).message)}; correct or remove it`,
    { cause: withoutSecrets(cause) },
  );
}
