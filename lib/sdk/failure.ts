import { messageOf, redact, redactQuoted } from './redact.ts';

/** The parts of an SDK error that say what happened. */
export interface Failure {
  /** AWS's error code without its "Exception", or the name of an error that is not AWS's. */
  readonly name: string;
  readonly message: string;
  /** Whether a service answered with an error of its own. */
  readonly isAnswer: boolean;
  /** Whether something else answered in its place, such as a proxy: the error has no code of AWS's. */
  readonly isForeign: boolean;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

/** What a failure means whichever service and operation it comes from. */
export type FailureKind = 'ClockSkew' | 'CredentialsRejected' | 'RegionDisabled' | 'Throttled' | 'Unavailable';

/** Codes of every AWS service, without their "Exception". */
const KINDS: Readonly<Record<string, FailureKind>> = {
  ExpiredToken: 'CredentialsRejected',
  IncompleteSignature: 'CredentialsRejected',
  InvalidAccessKeyId: 'CredentialsRejected',
  InvalidClientTokenId: 'CredentialsRejected',
  InvalidSignature: 'CredentialsRejected',
  MissingAuthenticationToken: 'CredentialsRejected',
  OptInRequired: 'CredentialsRejected',
  SignatureDoesNotMatch: 'CredentialsRejected',
  UnrecognizedClient: 'CredentialsRejected',
  RequestExpired: 'ClockSkew',
  RequestInTheFuture: 'ClockSkew',
  RequestTimeTooSkewed: 'ClockSkew',
  RegionDisabled: 'RegionDisabled',
  BandwidthLimitExceeded: 'Throttled',
  EC2Throttled: 'Throttled',
  LimitExceeded: 'Throttled',
  PriorRequestNotComplete: 'Throttled',
  ProvisionedThroughputExceeded: 'Throttled',
  RequestLimitExceeded: 'Throttled',
  RequestThrottled: 'Throttled',
  SlowDown: 'Throttled',
  Throttled: 'Throttled',
  Throttling: 'Throttled',
  TooManyRequests: 'Throttled',
  TransactionInProgress: 'Throttled',
  IDPCommunicationError: 'Unavailable',
  InternalFailure: 'Unavailable',
  InternalServerError: 'Unavailable',
  RequestTimeout: 'Unavailable',
  ServiceUnavailable: 'Unavailable',
};

/** A signature is also called expired or too early under codes that mean a wrong one. */
const SKEWED = /signature (?:expired|not yet current)|not yet current/i;

/** STS could not reach the cluster's OIDC provider, which it says under the code of a token that is wrong. */
const KEYLESS = /couldn't retrieve verification key/i;

const TOO_MANY_REQUESTS = 429;

/** Node's codes for connections, names, certificates and HTTP that fail, and the SDK's for time that runs out. */
const NETWORK_CODE =
  /^(?:E(?:CONN|HOST|NET|AI_|PIPE|PROTO|TIMEDOUT|NOTFOUND)|UND_ERR|CERT_|HPE_|ERR_(?:TLS|SSL)|.*_CERT)/;

/** What an SDK error says. */
export function readFailure(error: unknown): Failure {
  const thrown = error instanceof Error ? error : new Error(String(error));
  const { name, $fault, $metadata, RequestId } = thrown as {
    readonly name: string;
    readonly $fault?: string;
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
    readonly RequestId?: string;
  };
  const requestId = $metadata?.requestId ?? RequestId;
  const isCoded = name !== 'Unknown'; // what the SDK calls an error answer without a code
  return {
    name: redact(name.replace(/Exception$/, '')),
    message: messageOf(thrown),
    isAnswer: $fault !== undefined && isCoded,
    isForeign: $fault !== undefined && !isCoded,
    status: $metadata?.httpStatusCode,
    requestId: requestId && redact(requestId),
  };
}

/** @returns undefined where the operation decides what it means */
export function kindOf(error: unknown, { name, message, status = 0 }: Failure): FailureKind | undefined {
  if (SKEWED.test(message)) return 'ClockSkew';
  if (name === 'InvalidIdentityToken' && KEYLESS.test(message)) return 'Unavailable';
  const known = KINDS[name];
  if (known !== undefined) return known;
  if (status === TOO_MANY_REQUESTS) return 'Throttled';
  return status >= 500 || isNetworkFailure(error) ? 'Unavailable' : undefined;
}

/**
 * What was said, and by whom.
 * @param origin who failed where no service answered
 */
export function reportOf({ name, message, isAnswer, isForeign, status }: Failure, origin: string): string {
  if (isForeign) return `${origin} was answered with HTTP ${status}, not by AWS`;
  const text = `${name}: ${redactQuoted(message)}`;
  if (isAnswer) return `AWS answered ${text}`;
  return status === undefined ? `${origin} failed with ${text}` : `${origin} failed at HTTP ${status} with ${text}`;
}

function isNetworkFailure(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'TimeoutError' || (typeof code === 'string' && NETWORK_CODE.test(code));
}
