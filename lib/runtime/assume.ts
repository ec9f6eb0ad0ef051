import { quote, SessionBrokerError } from '../errors.ts';
import { formatSourceIdentity, type RoleArn, type SessionIdentity } from '../identity/index.ts';
import type { Clients } from './clients.ts';
import { LEAST_LIFE } from './renew.ts';

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
}

/**
 * Assumes a session-broker role under a session's name. The role session name is the same string: Kubernetes
 * audit, Bedrock and S3 logs show it and never the source identity.
 * @throws {SessionBrokerError} SourceIdentityMismatch, ResponseInvalid, ClockSkew, and what a call can end in
 */
export async function assumeRole(
  clients: Clients,
  { role, identity, durationSeconds }: AssumeRoleRequest,
  now: () => number,
): Promise<SessionCredentials> {
  const sourceIdentity = formatSourceIdentity(identity);
  const answer = await clients.assumeRole({
    RoleArn: role.arn,
    RoleSessionName: sourceIdentity,
    SourceIdentity: sourceIdentity,
    DurationSeconds: durationSeconds,
  });
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration || Number.isNaN(Expiration.getTime())) {
    throw new SessionBrokerError(
      'ResponseInvalid',
      `STS answered without complete credentials for ${quote(sourceIdentity)}; check the endpoint and any proxy on the way to it`,
    );
  }
  if (answer.SourceIdentity !== sourceIdentity) {
    throw new SessionBrokerError(
      'SourceIdentityMismatch',
      `source identity of the session must be ${quote(sourceIdentity)}, STS answered ${answer.SourceIdentity === undefined ? 'without one' : quote(answer.SourceIdentity)}; the credentials are thrown away; check that the endpoint is AWS's and that the dispatcher's own session has no source identity`,
    );
  }
  if (Expiration.getTime() - now() <= LEAST_LIFE) {
    throw new SessionBrokerError(
      'ClockSkew',
      `credentials from STS must live for more than ${LEAST_LIFE / 1000} seconds, by this machine's clock they expire at ${quote(Expiration.toISOString())} and it is ${quote(new Date(now()).toISOString())}; synchronize the clock (NTP, chrony)`,
      { detail: { expiration: Expiration } },
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
