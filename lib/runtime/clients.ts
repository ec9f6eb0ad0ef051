import type { GetParameterCommandOutput } from '@aws-sdk/client-ssm';
import type { AssumeRoleCommandInput, AssumeRoleCommandOutput, STSClient, STSClientConfig } from '@aws-sdk/client-sts';
import { quote, SessionBrokerError } from '../errors.ts';
import { type Partition, partitionOf } from '../identity/index.ts';
import { guard } from '../sdk/guards.ts';
import { loadSsm, loadSts } from '../sdk/load.ts';
import { withoutSecrets } from '../sdk/redact.ts';
import { handlerSettings } from '../sdk/request-handler.ts';
import { stopBeforeSending, type TransportCheck } from '../sdk/transport.ts';
import { type DispatcherCredentials, vetted } from './dispatcher-credentials.ts';
import { readWebIdentity } from './environment.ts';
import { once } from './once.ts';
import { createPace, type Pace, type Urgency } from './pace.ts';
import { createRetry, retryNever } from './retry.ts';
import { LONGEST_ATTEMPT, type Timing, within } from './timing.ts';
import { type Attempt, type RoleParameter, translate } from './translate.ts';
import { assumeWithWebIdentity } from './web-identity.ts';

/** Settings that the SDK's STS and SSM clients share. */
export type ClientConfig = Pick<
  STSClientConfig,
  'maxAttempts' | 'profile' | 'requestHandler' | 'retryMode' | 'useDualstackEndpoint' | 'useFipsEndpoint'
>;

export interface ClientSettings {
  /** Sees every request before it is signed. */
  readonly check: TransportCheck;
  readonly timing: Timing;
  /** Calls of STS a second at most. */
  readonly callsPerSecond: number;
  /** Ends the calls that serve more than one session. */
  readonly signal: AbortSignal;
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly credentials?: DispatcherCredentials | undefined;
  readonly clientConfig?: ClientConfig | undefined;
}

/**
 * The two calls that the runtime makes, with the dispatcher's own credentials. An answer is read as part of the
 * call, so that one that cannot be read is asked for again. Failures are translated.
 */
export interface Clients {
  readonly region: string;
  readonly partition: Partition;
  /** The dispatcher's own credentials, for a client of another kind. They fail as the calls do. */
  readonly credentials: DispatcherCredentials;
  readonly assumeRole: <Result>(
    input: AssumeRoleCommandInput & { readonly RoleArn: string; readonly SourceIdentity: string },
    read: (answer: AssumeRoleCommandOutput) => Result,
    signal: AbortSignal,
    urgency: Urgency,
  ) => Promise<Result>;
  readonly getParameter: <Result>(
    parameter: RoleParameter,
    read: (answer: GetParameterCommandOutput) => Result,
  ) => Promise<Result>;
  /** Closes the connections. */
  readonly close: () => void;
}

/** As many as the SDK opens connections. */
const CALLS_AT_ONCE = 50;

/** Half of the GetParameter calls that an account may make in a Region. */
const PARAMETERS_PER_SECOND = 20;

/** Bytes of an answer: session tokens and parameters have thousands at most. */
const LONGEST_ANSWER = 256 * 1024;

/**
 * The SDK's clients for one Region and one dispatcher. The STS endpoint is the Region's: sessions from the global
 * one are logged elsewhere and do not work in every Region.
 * @throws {SessionBrokerError} RegionUnresolved, RegionInvalid, EndpointInvalid, EndpointInsecure
 */
export async function createClients(settings: ClientSettings): Promise<Clients> {
  const { check, endpoint, clientConfig, timing, signal } = settings;
  const { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } = await loadSts();
  const retry = clientConfig?.maxAttempts === undefined ? createRetry(timing) : retryNever;
  const common = {
    maxAttempts: 1,
    ...clientConfig,
    requestHandler: withTimeouts(clientConfig?.requestHandler),
    ...(settings.region !== undefined && { region: settings.region }),
  };
  const regional = { ...common, useGlobalEndpoint: false };

  const webIdentity = clientConfig?.profile === undefined ? readWebIdentity() : undefined;
  const given =
    settings.credentials ??
    (webIdentity &&
      (() =>
        assumeWithWebIdentity(
          webIdentity,
          (input) => sts.send(new AssumeRoleWithWebIdentityCommand(input), { abortSignal: signal }),
          timing.now,
        )));
  // All who ask wait for the same answer: one that never comes must end for the next to be asked for.
  const own: DispatcherCredentials | undefined =
    typeof given === 'function'
      ? (...asked) => within(LONGEST_ATTEMPT, timing, signal, async () => given(...asked))
      : given;

  const sts = new STSClient({
    ...regional,
    ...(endpoint && { endpoint }),
    ...(own !== undefined && { credentials: own }),
  });
  const guards = { check, longestAnswer: LONGEST_ANSWER };
  guard(sts, 'STS', guards);
  const region = await resolveRegion(sts.config.region);
  const partition = partitionOf(region);

  // See where requests would go before credentials are asked for. The SDK's default chain may send a web-identity
  // token to STS by a client of its own, which follows the environment and the profile and not the option.
  const probe = async (client: STSClient): Promise<void> => {
    const unsigned = new AssumeRoleWithWebIdentityCommand({
      RoleArn: '-',
      RoleSessionName: '-',
      WebIdentityToken: '-',
    });
    unsigned.middlewareStack.add(stopBeforeSending(), { step: 'build', priority: 'low' });
    await client.send(unsigned).catch(unusableEndpoint);
  };
  if (endpoint === undefined) {
    await probe(sts);
  } else if (own === undefined) {
    const chained = new STSClient(regional);
    guard(chained, 'STS', guards);
    await probe(chained);
  }

  const ssm = once(async () => {
    const { GetParameterCommand, SSMClient } = await loadSsm();
    const client = new SSMClient({ ...common, ...(endpoint && { endpoint }), credentials: sts.config.credentials });
    guard(client, 'SSM', guards);
    const send = (name: string, options: { readonly abortSignal: AbortSignal }): Promise<GetParameterCommandOutput> =>
      client.send(new GetParameterCommand({ Name: name }), options);
    return { send, close: () => client.destroy() };
  });

  const credentials = vetted(sts.config.credentials);
  const paces = {
    sts: createPace({ callsPerSecond: settings.callsPerSecond, callsAtOnce: CALLS_AT_ONCE }, timing),
    ssm: createPace({ callsPerSecond: PARAMETERS_PER_SECOND, callsAtOnce: CALLS_AT_ONCE }, timing),
  };
  const obtain = async (ended: AbortSignal) => {
    try {
      return await within(LONGEST_ATTEMPT, timing, ended, credentials.obtain);
    } catch (error) {
      ended.throwIfAborted();
      throw translate(error, { action: 'credentials', region });
    }
  };
  const call = <Result>(
    attempt: Attempt,
    { pace, urgency, ended }: { readonly pace: Pace; readonly urgency: Urgency; readonly ended: AbortSignal },
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<Result>,
  ): Promise<Result> =>
    retry(async () => {
      const used = await obtain(ended);
      const sendOnce = async (): Promise<Result> => {
        try {
          return await within(LONGEST_ATTEMPT, timing, ended, (abortSignal) => send({ abortSignal }));
        } catch (error) {
          ended.throwIfAborted();
          const translated = translate(error, attempt);
          if (translated.code === 'DispatcherCredentialsRejected') credentials.reject(used);
          throw translated;
        }
      };
      return pace(sendOnce, ended, urgency);
    }, ended);

  return {
    region,
    partition,
    credentials: () => obtain(signal),
    assumeRole: (input, read, ended, urgency) =>
      call(
        { action: 'AssumeRole', region, roleArn: input.RoleArn, sourceIdentity: input.SourceIdentity },
        { pace: paces.sts, urgency, ended },
        async (options) => read(await sts.send(new AssumeRoleCommand(input), options)),
      ),
    getParameter: (parameter, read) =>
      call(
        { action: 'GetParameter', region, ...parameter },
        { pace: paces.ssm, urgency: 'other', ended: signal },
        async (options) => read(await (await ssm()).send(parameter.parameter, options)),
      ),
    close() {
      if (isHandler(clientConfig?.requestHandler)) return; // its owner closes it
      sts.destroy();
      ssm.made()?.close();
    },
  };
}

type RequestHandler = ClientConfig['requestHandler'];

/** A handler is taken as it is; settings of the SDK's own handler are laid over ours. */
function withTimeouts(given: RequestHandler): NonNullable<RequestHandler> {
  return isHandler(given) ? given : handlerSettings(given);
}

function isHandler(given: RequestHandler): given is Extract<RequestHandler, { handle: unknown }> {
  return given !== undefined && 'handle' in given;
}

async function resolveRegion(resolve: () => Promise<string>): Promise<string> {
  try {
    return await resolve();
  } catch (cause) {
    const [, refused] = /^Region not accepted: region="(.*)" is not/s.exec(String((cause as Error)?.message)) ?? [];
    if (refused !== undefined) partitionOf(refused); // throws RegionInvalid, with the value
    throw new SessionBrokerError(
      'RegionUnresolved',
      'region must be known: set the Region of the cluster (--region or AWS_REGION; option region), or region in the profile',
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
