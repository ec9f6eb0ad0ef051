/** The two keys of one value: what a call asks for, and what the caller's session has already. */
export const IDENTITY_KEYS: readonly string[] = ['sts:sourceidentity', 'aws:sourceidentity'];

export const SESSION_NAME_KEY = 'sts:rolesessionname';

/** Session tags, by the key of each. */
export const TAG_PREFIX = 'aws:requesttag/';

export const TAG_KEYS_KEY = 'aws:tagkeys';
export const TRANSITIVE_KEYS_KEY = 'sts:transitivetagkeys';

/** Keys that every request has. */
export const ALWAYS_PRESENT: ReadonlySet<string> = new Set([
  'aws:currenttime',
  'aws:epochtime',
  'aws:requestedregion',
  'aws:securetransport',
]);

/** `oidc.example.com/id/1:sub`: a claim, and whose */
export function issuerOf(key: string): string | undefined {
  return /^(?<issuer>[^:]*\.[^:]*):/.exec(key)?.groups?.['issuer'];
}
