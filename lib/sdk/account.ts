import type { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import type { EKSClient } from '@aws-sdk/client-eks';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient, STSClientConfig } from '@aws-sdk/client-sts';
import { type ErrorCode, quote, SessionBrokerError } from '../errors.ts';
import { kindOf, readFailure, reportOf } from './failure.ts';
import { type Guarded, guard } from './guards.ts';
import { loadCloudTrail, loadEks, loadIam, loadSsm, loadSts } from './load.ts';
import { withoutSecrets } from './redact.ts';
import { handlerSettings } from './request-handler.ts';
import { createTransportCheck, type Service } from './transport.ts';

export interface AccountOptions {
  /**
   * The Region to ask in.
   * @default the SDK's own: AWS_REGION, else region in the profile
   */
  readonly region?: string | undefined;
  /**
   * The profile whose credentials make the calls.
   * @default the SDK's default chain
   */
  readonly profile?: string | undefined;
  /**
   * How messages call the option that names a profile.
   * @default '--profile'
   */
  readonly profileOption?: string | undefined;
  /**
   * Credentials that make the calls in place of a profile's.
   * @default none
   */
  readonly credentials?: STSClientConfig['credentials'];
  /**
   * Attempts at each call, at least 1, by which the SDK rides out throttling.
   * @default 5
   */
  readonly attempts?: number | undefined;
  /** Ends the calls that are under way. */
  readonly signal: AbortSignal;
}

/** What one call asks, as an error tells it. */
export interface Question {
  /** `iam:GetRole` */
  readonly action: string;
  /** What is asked about: an ARN or a name. */
  readonly resource: string;
}

/** Makes one call of a service. */
export type Ask<Sdk, Client> = <Answer>(
  question: Question,
  send: (client: Client, sdk: Sdk, options: { readonly abortSignal: AbortSignal }) => Promise<Answer>,
) => Promise<Answer>;

/**
 * An account as somebody with credentials of their own asks about it. Each service's part of the SDK is loaded at its
 * first call, and throttling is left to the SDK's retries. Failures are translated:
 * {@link SessionBrokerError} AccessDenied, EntityNotFound, CredentialsMissing, CredentialsRejected, RequestRejected,
 * RegionUnresolved, RegionDisabled, ClockSkew, Throttled, Unavailable, ResponseInvalid, EndpointInsecure.
 */
export interface Account {
  readonly iam: Ask<Awaited<ReturnType<typeof loadIam>>, IAMClient>;
  readonly ssm: Ask<Awaited<ReturnType<typeof loadSsm>>, SSMClient>;
  readonly sts: Ask<Awaited<ReturnType<typeof loadSts>>, STSClient>;
  readonly eks: Ask<Awaited<ReturnType<typeof loadEks>>, EKSClient>;
  readonly cloudTrail: Ask<Awaited<ReturnType<typeof loadCloudTrail>>, CloudTrailClient>;
  /** Closes the connections. */
  readonly close: () => void;
}

/** A client as far as it is set up here. */
interface AnyClient extends Guarded {
  readonly config: { readonly region: () => Promise<string> };
  destroy(): void;
}

const ATTEMPTS = 5;

/** Bytes of an answer: a page of CloudTrail's has 50 events of at most 256 KB. */
const LONGEST_ANSWER = 32 * 1024 * 1024;

/** Whoever names a profile means it: the SDK would warn of other credentials in the environment. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Opens an account. Nothing is loaded or sent before the first call. */
export function openAccount(options: AccountOptions): Account {
  const { region, profile, profileOption = '--profile', credentials, attempts = ATTEMPTS, signal } = options;
  const check = createTransportCheck({ allowInsecureEndpoint: false, warn: () => {} });
  const settings = {
    maxAttempts: attempts,
    requestHandler: handlerSettings(),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile, logger: SILENT }),
    ...(credentials !== undefined && { credentials }),
  };
  const open: AnyClient[] = [];
  const asking = <Sdk, Client extends AnyClient>(
    service: Service,
    load: () => Promise<Sdk>,
    create: (sdk: Sdk) => Client,
  ): Ask<Sdk, Client> => {
    let loading: Promise<{ readonly sdk: Sdk; readonly client: Client }> | undefined;
    const start = async () => {
      const sdk = await load();
      const client = create(sdk);
      guard(client, service, { check, longestAnswer: LONGEST_ANSWER });
      open.push(client);
      return { sdk, client };
    };
    return async (question, send) => {
      loading ??= start();
      const { sdk, client } = await loading;
      const place = await regionOf(client);
      try {
        return await send(client, sdk, { abortSignal: signal });
      } catch (error) {
        signal.throwIfAborted();
        throw translateAnswer(error, { ...question, service, region: place, profileOption });
      }
    };
  };
  return {
    iam: asking('IAM', loadIam, ({ IAMClient }) => new IAMClient(settings)),
    ssm: asking('SSM', loadSsm, ({ SSMClient }) => new SSMClient(settings)),
    sts: asking('STS', loadSts, ({ STSClient }) => new STSClient({ ...settings, useGlobalEndpoint: false })),
    eks: asking('EKS', loadEks, ({ EKSClient }) => new EKSClient(settings)),
    cloudTrail: asking('CloudTrail', loadCloudTrail, ({ CloudTrailClient }) => new CloudTrailClient(settings)),
    close() {
      for (const client of open) client.destroy();
    },
  };
}

async function regionOf({ config }: AnyClient): Promise<string> {
  try {
    return await config.region();
  } catch (cause) {
    throw new SessionBrokerError(
      'RegionUnresolved',
      'region must be known: set the Region of the cluster (--region or AWS_REGION), or region in the profile',
      { cause: withoutSecrets(cause) },
    );
  }
}

interface Asked extends Question {
  readonly service: Service;
  readonly region: string;
  readonly profileOption: string;
}

function translateAnswer(error: unknown, asked: Asked): SessionBrokerError {
  if (error instanceof SessionBrokerError) return error;
  const failure = readFailure(error);
  const code = codeOf(error, asked);
  const { action, resource, region } = asked;
  return new SessionBrokerError(code, `${explain(code, asked)}; ${reportOf(failure, action)}`, {
    cause: withoutSecrets(error),
    detail: { action, resource, region, awsCode: failure.name, status: failure.status, requestId: failure.requestId },
  });
}

/** The codes by which services say that something is not there. */
const ABSENT = new Set(['NoSuchEntity', 'ParameterNotFound', 'ResourceNotFound', 'ParameterVersionNotFound']);

/** What the SDK calls credentials that it does not find. */
const NO_CREDENTIALS = new Set(['CredentialsProviderError', 'TokenProviderError']);

function codeOf(error: unknown, { service }: Asked): ErrorCode {
  const failure = readFailure(error);
  const { name, isAnswer, isForeign, status = 0 } = failure;
  // A quota of IAM, which no second attempt lifts.
  if (service === 'IAM' && name === 'LimitExceeded') return 'RequestRejected';
  const kind = kindOf(error, failure);
  if (kind !== undefined) return kind;
  if (isForeign || (!isAnswer && status > 0)) return 'ResponseInvalid';
  if (NO_CREDENTIALS.has(name)) return 'CredentialsMissing';
  if (!isAnswer) return 'Unavailable';
  if (name === 'AccessDenied' || name === 'UnauthorizedOperation') return 'AccessDenied';
  if (ABSENT.has(name)) return 'EntityNotFound';
  return 'RequestRejected';
}

function explain(code: ErrorCode, { action, resource, service, region, profileOption }: Asked): string {
  const what = `${action} on ${quote(resource)}`;
  switch (code) {
    case 'AccessDenied':
      return `${what} must be allowed to the credentials that ask: it was denied; allow it, or give other credentials (${profileOption} or AWS_PROFILE)`;
    case 'EntityNotFound':
      return `${quote(resource)} must exist: ${action} did not find it in the Region ${quote(region)} of the account that was asked; correct the name, or ask with credentials of its account`;
    case 'CredentialsMissing':
      return `credentials must be given: none were found; set AWS_PROFILE or ${profileOption}, or sign in (aws sso login)`;
    case 'CredentialsRejected':
      return `credentials must be ones that AWS accepts: it refused them for ${what}; renew them, and check that the Region ${quote(region)} is enabled in the account`;
    case 'ClockSkew':
      return `${service} refused the request because this machine's clock is wrong by minutes; synchronize the clock (NTP, chrony)`;
    case 'RegionDisabled':
      return `${service} is not active in the Region ${quote(region)} for this account; activate it in the account settings of IAM`;
    case 'Throttled':
      return `${service} refused ${what} because the account makes too many calls in the Region ${quote(region)}; try again later`;
    case 'ResponseInvalid':
      return `the answer to ${what} is not one of ${service}; check the endpoint and any proxy on the way to it`;
    case 'RequestRejected':
      return `${service} refused ${what}; correct what AWS's answer names`;
    default:
      return `${service} could not be reached in the Region ${quote(region)}, or failed; check the network (VPC endpoint, DNS, proxy) and try again`;
  }
}
