import { quote } from '../errors.ts';
import { splitArn } from './arn-segments.ts';
import { listOf, type OneOrMany } from './document.ts';
import { notUnderstood } from './fault.ts';
import { type Requester, requesterAccount, sessionResource } from './requester.ts';

/**
 * What a resource's policy gives the requester that it names, in the requester's own account.
 *
 * `whole`: nothing on the requester's side needs to allow it. `limited`: the requester needs no identity policy,
 * but a permissions boundary and session policies must allow it. `delegated`: the account is named, and the
 * requester's policies decide.
 * @see IAM User Guide, "Policy evaluation logic" and "AWS JSON policy elements: Principal"
 */
export type Grant = 'whole' | 'limited' | 'delegated';

/** One entry of a `Principal` element. */
export type PrincipalEntry =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'account'; readonly account: string; readonly partition: string | undefined }
  | { readonly kind: 'role'; readonly arn: string }
  | { readonly kind: 'role-session'; readonly account: string; readonly partition: string; readonly session: string }
  | { readonly kind: 'user'; readonly arn: string }
  /** A principal of a kind that no {@link Requester} is. */
  | { readonly kind: 'federated-user' }
  | { readonly kind: 'unique-id'; readonly id: string }
  | { readonly kind: 'federated'; readonly provider: string }
  | { readonly kind: 'service'; readonly service: string };

const ACCOUNT = /^\d{12}$/;

/** `AROA` a role, `AIDA` a user: how a stored policy names them, also once they are gone. */
const UNIQUE_ID = /^(?:AROA|AIDA)[A-Z0-9]+$/;

/** `arn:aws:iam::111122223333:role/path/name` and the like */
const IAM_PRINCIPAL = /^(?:root|(?:role|user)\/[\x21-\x7e]+)$/;

const SERVICE = /^[a-z0-9.-]+\.[a-z]+(?:\.[a-z]+)*$/;

/** Providers that IAM knows by name. */
const BUILT_IN_PROVIDERS = new Set([
  'accounts.google.com',
  'cognito-identity.amazonaws.com',
  'graph.facebook.com',
  'www.amazon.com',
]);

const READERS: ReadonlyMap<string, (value: string, where: string) => PrincipalEntry> = new Map([
  ['AWS', readAws],
  ['Federated', readFederated],
  ['Service', readService],
]);

/**
 * Reads a `Principal` or `NotPrincipal` element. `"*"` and `{"AWS": "*"}` are the same.
 * @throws {SessionBrokerError} PolicyNotUnderstood
 */
export function readPrincipals(
  element: '*' | Readonly<Record<string, OneOrMany<string>>>,
  where: string,
): PrincipalEntry[] {
  if (typeof element === 'string') return [{ kind: 'everyone' }];
  return Object.entries(element).flatMap(([type, values]) => {
    const read = READERS.get(type);
    if (read === undefined) throw notUnderstood(where, `principal type ${quote(type)} is not known`);
    return listOf(values).map((value) => read(value, where));
  });
}

/**
 * What the entries give the requester, the most where several name it.
 *
 * Everyone (`*`) includes the requester itself: in its own account it needs no identity policy, and AWS says that a
 * permissions boundary and session policies do not limit what is granted with a wildcard as principal.
 * @returns undefined where none names it
 */
export function grantTo(requester: Requester, entries: readonly PrincipalEntry[]): Grant | undefined {
  let best: Grant | undefined;
  for (const entry of entries) {
    const grant = grantOf(requester, entry);
    if (grant === 'whole') return grant;
    if (grant === 'limited' || best === undefined) best = grant ?? best;
  }
  return best;
}

/**
 * Whether `NotPrincipal` with Deny spares the requester: AWS may check the account, then the role, so both must be
 * listed, and it never spares a requester with a permissions boundary. (AWS takes the element in no role trust policy
 * and no longer with Allow; it is read in both, for documents that IAM has not seen yet.)
 * @see IAM User Guide, "AWS JSON policy elements: NotPrincipal"
 */
export function isSpared(requester: Requester, entries: readonly PrincipalEntry[], hasBoundary: boolean): boolean {
  const matching = new Set(
    entries.filter((entry) => grantOf(requester, entry) !== undefined).map((entry) => entry.kind),
  );
  if (matching.has('everyone')) return true;
  switch (requester.kind) {
    case 'role-session':
      return !hasBoundary && matching.has('account') && (matching.has('role') || matching.has('unique-id'));
    case 'user':
      return !hasBoundary && matching.has('account') && (matching.has('user') || matching.has('unique-id'));
    default:
      return matching.size > 0;
  }
}

function grantOf(requester: Requester, entry: PrincipalEntry): Grant | undefined {
  switch (entry.kind) {
    case 'everyone':
      return 'whole';
    case 'account':
      return isOfAccount(requester, entry) ? 'delegated' : undefined;
    case 'role':
      return requester.kind === 'role-session' && requester.roleArn === entry.arn ? 'limited' : undefined;
    case 'role-session':
      return isSession(requester, entry) ? 'whole' : undefined;
    case 'user':
      return requester.kind === 'user' && requester.userArn === entry.arn ? 'whole' : undefined;
    case 'unique-id':
      if (requester.kind === 'role-session' && requester.roleId === entry.id) return 'limited';
      return requester.kind === 'user' && requester.userId === entry.id ? 'whole' : undefined;
    case 'federated-user':
      return undefined;
    case 'federated':
      return requester.kind === 'federated' && requester.provider === entry.provider ? 'whole' : undefined;
    case 'service':
      return requester.kind === 'service' && requester.service === entry.service ? 'whole' : undefined;
  }
}

function isOfAccount(requester: Requester, entry: { account: string; partition: string | undefined }): boolean {
  const own = requesterAccount(requester);
  return own?.account === entry.account && (entry.partition === undefined || own.partition === entry.partition);
}

function isSession(requester: Requester, entry: { account: string; partition: string; session: string }): boolean {
  return (
    requester.kind === 'role-session' && isOfAccount(requester, entry) && sessionResource(requester) === entry.session
  );
}

function readAws(value: string, where: string): PrincipalEntry {
  if (value === '*') return { kind: 'everyone' };
  if (ACCOUNT.test(value)) return { kind: 'account', account: value, partition: undefined };
  if (UNIQUE_ID.test(value)) return { kind: 'unique-id', id: value };
  if (/[*?]|\$\{/.test(value)) {
    throw notUnderstood(
      where,
      `a principal ARN must be exact, without wildcard or variable: ${quote(value)}; test aws:PrincipalArn instead`,
    );
  }
  const [prefix, partition = '', service, region, account = '', resource = ''] = splitArn(value) ?? [];
  if (prefix === 'arn' && region === '' && ACCOUNT.test(account)) {
    if (service === 'iam' && IAM_PRINCIPAL.test(resource)) {
      if (resource === 'root') return { kind: 'account', account, partition };
      return { kind: resource.startsWith('role/') ? 'role' : 'user', arn: value };
    }
    if (service === 'sts') {
      const session = /^assumed-role\/(?<session>[^/]+\/[^/]+)$/.exec(resource)?.groups?.['session'];
      if (session !== undefined) return { kind: 'role-session', account, partition, session };
      if (/^federated-user\/[^/]+$/.test(resource)) return { kind: 'federated-user' };
    }
  }
  throw notUnderstood(
    where,
    `an AWS principal must be *, an account, or the ARN of a role, role session or user: ${quote(value)}`,
  );
}

function readFederated(value: string, where: string): PrincipalEntry {
  const [prefix, , service, , account = '', resource = ''] = splitArn(value) ?? [];
  const isProvider =
    prefix === 'arn' &&
    service === 'iam' &&
    ACCOUNT.test(account) &&
    /^(?:oidc|saml)-provider\/[^*?$]+$/.test(resource);
  if (isProvider || BUILT_IN_PROVIDERS.has(value)) return { kind: 'federated', provider: value };
  throw notUnderstood(where, `a federated principal must be the ARN of an identity provider: ${quote(value)}`);
}

function readService(value: string, where: string): PrincipalEntry {
  if (SERVICE.test(value)) return { kind: 'service', service: value };
  throw notUnderstood(where, `a service principal must read like "eks.amazonaws.com": ${quote(value)}`);
}
