import type { AssumeRoleCommandOutput } from '@aws-sdk/client-sts';
import { quote, SessionBrokerError } from '../errors.ts';
import { formatSessionArn } from '../identity/arn.ts';
import { formatSourceIdentity, type RoleArn, type SessionIdentity } from '../identity/index.ts';
import type { Clients } from './clients.ts';
import { LEAST_LIFE } from './renew.ts';
import type { SessionScope } from './session-policy.ts';
import { telemetry } from './telemetry.ts';

/** A session's credentials, as every SDK client takes them. */
export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
  /** Twelve digits: the account of the session-broker role. */
  readonly accountId: string;
}

/** Everything that a renewal repeats. */
export interface AssumeRoleRequest {
  readonly role: RoleArn;
  readonly identity: SessionIdentity;
  /** Seconds. */
  readonly durationSeconds: number;
  readonly scope: SessionScope;
}

/** What one assumption is not about. */
export interface AssumeRoleCall {
  readonly isRenewal: boolean;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * Assumes a session-broker role under a session's name. The role session name is the same string: Kubernetes
 * audit, Bedrock and S3 logs show it and never the source identity.
 * @throws {SessionBrokerError} SourceIdentityMismatch, ResponseInvalid, ClockSkew, and what a call can end in
 */
export function assumeRole(
  clients: Clients,
  { role, identity, durationSeconds, scope }: AssumeRoleRequest,
  { isRenewal, now, signal }: AssumeRoleCall,
): Promise<SessionCredentials> {
  const sourceIdentity = formatSourceIdentity(identity);
  const { policy, policyArns = [] } = scope;
  return telemetry.assumeRole({ identity, roleArn: role.arn, region: clients.region, isRenewal }, async () => {
    const credentials = await clients.assumeRole(
      {
        RoleArn: role.arn,
        RoleSessionName: sourceIdentity,
        SourceIdentity: sourceIdentity,
        DurationSeconds: durationSeconds,
        ...(policy !== undefined && { Policy: policy }),
        ...(policyArns.length > 0 && { PolicyArns: policyArns.map((arn) => ({ arn })) }),
      },
      (answer) => readCredentials(answer, sourceIdentity, role),
      signal,
      isRenewal ? 'renewal' : 'other',
    );
    checkLife(credentials, now());
    return credentials;
  });
}

function readCredentials(
  { AssumedRoleUser, Credentials, SourceIdentity }: AssumeRoleCommandOutput,
  sourceIdentity: string,
  role: RoleArn,
): SessionCredentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration || Number.isNaN(Expiration.getTime())) {
    throw new SessionBrokerError(
      'ResponseInvalid',
      `STS answered without complete credentials for ${quote(sourceIdentity)}; check the endpoint and any proxy on the way to it`,
    );
  }
  if (SourceIdentity !== sourceIdentity) {
    throw new SessionBrokerError(
      'SourceIdentityMismatch',
      `source identity of the session must be ${quote(sourceIdentity)}, STS answered ${SourceIdentity === undefined ? 'without one' : quote(SourceIdentity)}; the credentials are thrown away; check that the endpoint is AWS's and that the dispatcher's own session has no source identity`,
    );
  }
  const arn = formatSessionArn(role, sourceIdentity);
  if (AssumedRoleUser?.Arn !== arn) {
    throw new SessionBrokerError(
      'ResponseInvalid',
      `session that STS gives must be ${quote(arn)}, STS answered ${AssumedRoleUser?.Arn === undefined ? 'without one' : quote(AssumedRoleUser.Arn)}; the credentials are thrown away; check the endpoint and any proxy on the way to it`,
    );
  }
  const credentials = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
    accountId: role.account,
  };
  // The SDK notes here for its user agent where credentials come from, also on an object that is given as it is.
  Object.defineProperty(credentials, '$source', { value: { CREDENTIALS_STS_ASSUME_ROLE: 'i' } });
  return Object.freeze(credentials);
}

function checkLife({ expiration }: SessionCredentials, time: number): void {
  if (expiration.getTime() - time > LEAST_LIFE) return;
  throw new SessionBrokerError(
    'ClockSkew',
    `credentials from STS must live for more than ${LEAST_LIFE / 1000} seconds, by this machine's clock they expire at ${quote(expiration.toISOString())} and it is ${quote(new Date(time).toISOString())}; synchronize the clock (NTP, chrony)`,
    { detail: { expiration } },
  );
}
