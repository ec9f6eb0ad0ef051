import { type ErrorCode, quote, SessionBrokerError } from '../errors.ts';
import { SESSION_DURATION_SECONDS } from '../identity/index.ts';
import { redact, redactQuoted, withoutSecrets } from './redact.ts';

/** A parameter that holds a role's ARN, and whose role that is. */
export interface RoleParameter {
  readonly parameter: string;
  readonly cluster: string;
  readonly tenant: string;
  readonly workflow?: string | undefined;
}

/** What was being done when a call failed. */
export type Attempt =
  | { readonly action: 'credentials'; readonly region: string }
  | ({ readonly action: 'GetParameter'; readonly region: string } & RoleParameter)
  | {
      readonly action: 'AssumeRole';
      readonly region: string;
      readonly roleArn: string;
      readonly sourceIdentity: string;
    };

/** The parts of an SDK error that say what happened. */
interface Failure {
  /** AWS's error code without its "Exception", or the name of an error that is not AWS's. */
  readonly name: string;
  readonly message: string;
  /** Whether a service answered with an error of its own. */
  readonly isAnswer: boolean;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

/**
 * The one place where a failure of the SDK becomes an error of this package. It keeps the original as its cause,
 * without what could be a secret.
 */
export function translate(error: unknown, attempt: Attempt): SessionBrokerError {
  if (error instanceof SessionBrokerError) return error;
  const failure = read(error);
  const code = codeOf(error, failure, attempt);
  const { action, ...facts } = attempt;
  return new SessionBrokerError(code, `${explain(code, attempt, failure)}; ${report(failure, attempt)}`, {
    cause: withoutSecrets(error),
    detail: { action, ...facts, awsCode: failure.name, status: failure.status, requestId: failure.requestId },
  });
}

/** Codes of every AWS service, without their "Exception". */
const CODES: Readonly<Record<string, ErrorCode>> = {
  ExpiredToken: 'DispatcherCredentialsRejected',
  IncompleteSignature: 'DispatcherCredentialsRejected',
  InvalidAccessKeyId: 'DispatcherCredentialsRejected',
  InvalidClientTokenId: 'DispatcherCredentialsRejected',
  InvalidSignature: 'DispatcherCredentialsRejected',
  MissingAuthenticationToken: 'DispatcherCredentialsRejected',
  OptInRequired: 'DispatcherCredentialsRejected',
  SignatureDoesNotMatch: 'DispatcherCredentialsRejected',
  UnrecognizedClient: 'DispatcherCredentialsRejected',
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

function codeOf(error: unknown, failure: Failure, attempt: Attempt): ErrorCode {
  const { name, message, isAnswer, status = 0 } = failure;
  if (SKEWED.test(message)) return 'ClockSkew';
  if (name === 'InvalidIdentityToken' && KEYLESS.test(message)) return 'Unavailable';
  const known = CODES[name];
  if (known !== undefined) return known;
  if (status === TOO_MANY_REQUESTS) return 'Throttled';
  if (status >= 500 || isNetworkFailure(error)) return 'Unavailable';
  if (attempt.action === 'credentials') {
    return isAnswer ? 'DispatcherCredentialsRejected' : 'DispatcherCredentialsMissing';
  }
  if (!isAnswer) return status === 0 ? 'Unavailable' : 'ResponseInvalid';
  if (name === 'Unknown') return 'ResponseInvalid'; // an error answer without an AWS code
  if (attempt.action === 'GetParameter') {
    if (name === 'ParameterNotFound') return 'ParameterNotFound';
    return name === 'AccessDenied' ? 'ParameterAccessDenied' : 'RequestRejected';
  }
  if (name === 'PackedPolicyTooLarge') return 'SessionPolicyTooLarge';
  if (name === 'MalformedPolicyDocument') return 'SessionPolicyInvalid';
  if (name !== 'AccessDenied') return 'RequestRejected';
  return /sts:SetSourceIdentity\b/.test(message) ? 'SetSourceIdentityDenied' : 'AssumeRoleDenied';
}

function read(error: unknown): Failure {
  const { name, message, $fault, $metadata, RequestId } = (
    error instanceof Error ? error : { name: 'Error', message: String(error) }
  ) as {
    readonly name: string;
    readonly message: string;
    readonly $fault?: string;
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string };
    readonly RequestId?: string;
  };
  const requestId = $metadata?.requestId ?? RequestId;
  return {
    name: redact(name.replace(/Exception$/, '')),
    message,
    isAnswer: $fault !== undefined,
    status: $metadata?.httpStatusCode,
    requestId: requestId && redact(requestId),
  };
}

/** Node's codes for connections, names and certificates that fail, and the SDK's for time that runs out. */
const NETWORK_CODE = /^(?:E(?:CONN|HOST|NET|AI_|PIPE|PROTO|TIMEDOUT|NOTFOUND)|UND_ERR|CERT_|ERR_(?:TLS|SSL)|.*_CERT)/;

function isNetworkFailure(error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return name === 'TimeoutError' || (typeof code === 'string' && NETWORK_CODE.test(code));
}

function explain(code: ErrorCode, attempt: Attempt, { message }: Failure): string {
  const service = attempt.action === 'GetParameter' ? 'Systems Manager' : 'STS';
  switch (code) {
    case 'ClockSkew':
      return `${service} refused the request because this machine's clock is wrong by minutes; synchronize the clock (NTP, chrony)`;
    case 'DispatcherCredentialsRejected':
      return `AWS refused the dispatcher's own credentials; renew them, or correct the IRSA role or profile that the dispatcher runs with, and check that the Region ${quote(attempt.region)} is enabled in the account`;
    case 'DispatcherCredentialsMissing':
      return 'no credentials for the dispatcher itself; run it as the tenant role (IRSA), check AWS_PROFILE, or correct what else gives it credentials';
    case 'RegionDisabled':
      return `STS is not active in the Region ${quote(attempt.region)} for this account; activate it in the account settings of IAM`;
    case 'Throttled':
      return `${service} refused the call because the account makes too many in the Region ${quote(attempt.region)}; start fewer sessions at once, or have the quota raised`;
    case 'ResponseInvalid':
      return `the answer is not one of ${service}; check the endpoint and any proxy on the way to it`;
    case 'RequestRejected':
      return `${service} refused the request as invalid; ${/DurationSeconds/i.test(message) ? `a role that is assumed with role credentials lasts at most ${SESSION_DURATION_SECONDS.max} seconds` : "correct what AWS's answer names"}`;
    case 'SessionPolicyTooLarge':
      return `session policy, policy ARNs and session tags together must fit into what STS packs them into, which is a measure of its own and no number of characters${percentage(message)}; shorten the session policy, or put its statements into a managed policy and give its ARN (--policy-arn; option policyArns)`;
    case 'SessionPolicyInvalid':
      return 'session policy must be one that STS accepts; correct it';
    case 'Unavailable':
      return `${service} could not be reached in the Region ${quote(attempt.region)}, or failed; check the network (VPC endpoint, DNS, proxy) and try again`;
    default:
      return explainRefusal(code, attempt);
  }
}

/** STS says how much of its space a packed policy takes, in percent. */
function percentage(message: string): string {
  const [percent] = /\d+ ?%/.exec(message) ?? [];
  return percent === undefined ? '' : `: they take ${percent} of it`;
}

function explainRefusal(code: ErrorCode, attempt: Attempt): string {
  switch (attempt.action) {
    case 'AssumeRole': {
      const { roleArn, sourceIdentity } = attempt;
      return code === 'SetSourceIdentityDenied'
        ? `sts:SetSourceIdentity was denied for ${quote(sourceIdentity)} on ${quote(roleArn)}; check in this order: the caller's policy is attached to the dispatcher's role and allows sts:AssumeRole and sts:SetSourceIdentity on this role; the trust policy's condition on sts:SourceIdentity admits this tenant's names; the session was not stopped by an explicit deny`
        : `sts:AssumeRole was denied for ${quote(sourceIdentity)} on ${quote(roleArn)}; check in this order: the role exists; the dispatcher runs as the tenant role that its trust policy names; that role was not created anew since (then save the trust policy again with aws iam update-assume-role-policy, a deploy sees no difference); the trust policy's condition on sts:SourceIdentity admits this tenant's names; the caller's policy is attached to the dispatcher's role; the session was not stopped by an explicit deny`;
    }
    case 'GetParameter': {
      const { parameter, region, cluster, tenant, workflow } = attempt;
      const named = Object.entries({ tenant, cluster, workflow }).filter(([, name]) => name !== undefined);
      const names = named.map(([what, name]) => `${what} ${quote(name)}`).join(' and ');
      return code === 'ParameterNotFound'
        ? `parameter ${quote(parameter)} does not exist in the Region ${quote(region)} of the dispatcher's account; check that the tenant is opted in and deployed, and that cluster, Region and parameter prefix are the deployed ones`
        : `ssm:GetParameter was denied on ${quote(parameter)}; check in this order: ${names} are written as deployed; the tenant is opted in and deployed; the dispatcher runs as that tenant's role, since a caller's policy allows its own tenant's parameters alone; the tenant's caller's policy is attached to that role; or give the role's ARN instead (--role-arn or FAB_SESSION_ROLE_ARN; option roleArn)`;
    }
    case 'credentials':
      return 'the dispatcher has no credentials that AWS accepts';
  }
}

/** What was said, and by whom. */
function report({ name, message, isAnswer, status }: Failure, attempt: Attempt): string {
  const text = `${name}: ${redactQuoted(message)}`;
  if (isAnswer) return `AWS answered ${text}`;
  const from = attempt.action === 'credentials' ? "the dispatcher's credential provider" : attempt.action;
  return status === undefined ? `${from} failed with ${text}` : `${from} failed at HTTP ${status} with ${text}`;
}
