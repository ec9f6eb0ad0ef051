import type { STSClientConfig } from '@aws-sdk/client-sts';
import { SessionBrokerError } from '../errors.ts';

/** Credentials, or a provider of them, as every SDK client takes them. */
export type DispatcherCredentials = NonNullable<STSClientConfig['credentials']>;

/** The SDK's own provider, which remembers what it provides. */
type Provider<Credentials> = (request?: { readonly forceRefresh?: boolean }) => Promise<Credentials>;

/** The dispatcher's credentials, looked at before a request is signed with them. */
export interface VettedCredentials<Credentials> {
  /** @throws {SessionBrokerError} DispatcherCredentialsMissing; what the provider throws */
  obtain(): Promise<Credentials>;
  /** Says that AWS refused these: they are asked for anew, once for all who ask. */
  reject(refused: Credentials): void;
}

export function vetted<Credentials extends object>(provide: Provider<Credentials>): VettedCredentials<Credentials> {
  let accepted: Credentials | undefined;
  let rejected: Credentials | undefined;
  return {
    async obtain() {
      let credentials = await provide();
      if (credentials !== undefined && credentials === rejected) {
        credentials = await provide({ forceRefresh: true });
        rejected = undefined;
      }
      if (credentials === accepted) return credentials;
      try {
        checkCredentials(credentials);
      } catch (error) {
        rejected = credentials;
        throw error;
      }
      accepted = credentials;
      return credentials;
    },
    reject(refused) {
      rejected = refused;
    },
  };
}

/** Whether a text can be in a signed request: printable ASCII, at least one character, no space or line break. */
const SIGNABLE = /^[\x21-\x7e]+$/;

/** What would otherwise fail as a request is signed or sent, and look like a fault of the network. */
function checkCredentials(
  credentials: { accessKeyId?: unknown; secretAccessKey?: unknown; sessionToken?: unknown } | undefined,
): void {
  const { accessKeyId, secretAccessKey, sessionToken = '-' } = credentials ?? {};
  for (const [name, value] of Object.entries({ accessKeyId, secretAccessKey, sessionToken })) {
    if (typeof value === 'string' && SIGNABLE.test(value)) continue;
    throw new SessionBrokerError(
      'DispatcherCredentialsMissing',
      `${name} of the dispatcher's own credentials must be text without a space or a line break; correct them in the environment, in the profile or in what provides them`,
      { detail: { action: 'credentials' } },
    );
  }
}
