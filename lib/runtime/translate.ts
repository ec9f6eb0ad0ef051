import { type ErrorCode, quote, SessionBrokerError } from '../errors.ts';
import { SESSION_DURATION_SECONDS } from '../identity/index.ts';
import { type Failure, type FailureKind, kindOf, readFailure, reportOf } from '../sdk/failure.ts';
import { withoutSecrets } from '../sdk/redact.ts';

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

/**
 * The one place where a failure of the SDK becomes an error of this package. It keeps the original as its cause,
 * without what could be a secret.
 */
export function translate(error: unknown, attempt: Attempt): SessionBrokerError {
  if (error instanceof SessionBrokerError) return error;
  const failure = readFailure(error);
  const code = codeOf(error, failure, attempt);
  const { action, ...facts } = attempt;
  return new SessionBrokerError(code, `${explain(code, attempt, failure)}; ${reportOf(failure, originOf(attempt))}`, {
    cause: withoutSecrets(error),
    detail: { action, ...facts, awsCode: failure.name, status: failure.status, requestId: failure.requestId },
  });
}

function originOf({ action }: Attempt): string {
  return action === 'credentials' ? "the dispatcher's credential provider" : action;
}

/** Here the credentials that a call is made with are the dispatcher's. */
const CODES: Readonly<Partial<Record<FailureKind, ErrorCode>>> = {
  CredentialsRejected: 'DispatcherCredentialsRejected',
};

function codeOf(error: unknown, failure: Failure, attempt: Attempt): ErrorCode {
  const { name, message, isAnswer, isForeign, status = 0 } = failure;
  const kind = kindOf(error, failure);
  if (kind !== undefined) return CODES[kind] ?? kind;
  if (isForeign || (!isAnswer && status > 0)) return 'ResponseInvalid';
  if (attempt.action === 'credentials') {
    return isAnswer ? 'DispatcherCredentialsRejected' : 'DispatcherCredentialsMissing';
  }
  if (!isAnswer) return 'Unavailable';
  if (attempt.action === 'GetParameter') {
    if (name === 'ParameterNotFound') return 'ParameterNotFound';
    return name === 'AccessDenied' ? 'ParameterAccessDenied' : 'RequestRejected';
  }
  if (name === 'PackedPolicyTooLarge') return 'SessionPolicyTooLarge';
  if (name === 'MalformedPolicyDocument') return 'SessionPolicyInvalid';
  if (name !== 'AccessDenied') return 'RequestRejected';
  return /sts:SetSourceIdentity\b/.test(message) ? 'SetSourceIdentityDenied' : 'AssumeRoleDenied';
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
