import { readFile } from 'node:fs/promises';
import type {
  AssumeRoleWithWebIdentityCommandInput,
  AssumeRoleWithWebIdentityCommandOutput,
} from '@aws-sdk/client-sts';
import { quote, SessionBrokerError } from '../errors.ts';

/** What IRSA tells a pod: which role is its own, and where the token lies that proves it. */
export interface WebIdentity {
  readonly tokenFile: string;
  readonly roleArn: string;
  /** @default a name of our own, with the time in it */
  readonly roleSessionName?: string | undefined;
}

/** Credentials of the dispatcher, as the SDK's client caches and renews them. */
interface WebIdentityCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/**
 * The dispatcher's own credentials by its web identity. The token is read at each call: EKS renews it in place.
 * @param send AssumeRoleWithWebIdentity, which is not signed
 * @throws {SessionBrokerError} DispatcherCredentialsMissing, ResponseInvalid
 */
export async function assumeWithWebIdentity(
  { tokenFile, roleArn, roleSessionName }: WebIdentity,
  send: (input: AssumeRoleWithWebIdentityCommandInput) => Promise<AssumeRoleWithWebIdentityCommandOutput>,
  now: () => number,
): Promise<WebIdentityCredentials> {
  const { Credentials } = await send({
    RoleArn: roleArn,
    RoleSessionName: roleSessionName ?? `session-broker-${now()}`,
    WebIdentityToken: await readToken(tokenFile),
  });
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = Credentials ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
    throw new SessionBrokerError(
      'ResponseInvalid',
      'STS answered without complete credentials for the web identity of the dispatcher; check the endpoint and any proxy on the way to it',
      { detail: { action: 'credentials' } },
    );
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}

async function readToken(file: string): Promise<string> {
  const token = await readFile(file, 'ascii').catch((error: NodeJS.ErrnoException) => {
    throw unusable(file, `cannot be read (${error.code})`);
  });
  if (token.trim() === '') throw unusable(file, 'is empty');
  return token;
}

function unusable(file: string, why: string): SessionBrokerError {
  return new SessionBrokerError(
    'DispatcherCredentialsMissing',
    `web-identity token of the dispatcher must be in the file that AWS_WEB_IDENTITY_TOKEN_FILE names: ${quote(file)} ${why}; run the dispatcher under a service account with the tenant role, or unset the variable`,
    { detail: { action: 'credentials' } },
  );
}
