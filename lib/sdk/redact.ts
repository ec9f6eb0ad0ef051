import { printable } from '../errors.ts';

/** An access key id, of which the kind and the end are enough to find it: AKIA...MPLE */
const ACCESS_KEY_ID = /\b(A[A-Z]{3})[A-Z0-9]{8,}([A-Z0-9]{4})\b/g;

/** Secret keys have 40 characters of Base64, session tokens hundreds; in a URL, three of them are percent-encoded. */
const SECRET = /(?:[A-Za-z0-9+/=]|%2[BF]|%3D){40,}/gi;

/** A JSON Web Token, such as the dispatcher's web-identity token, or the beginning of one. */
const WEB_TOKEN = /\beyJ[\w-]+(?:\.[\w-]+){1,2}/g;

/** What may be a secret in Base64 for URLs, such as the token of an endpoint; a name may look the same. */
const URL_SAFE = /\barn:[^\s"]+|\bagent\.[\w.-]+|[\w-]{40,}/g;

/** Neighbours that all occur in random text. In most names, one of them does not. */
const NEIGHBOURS = [/[a-z][A-Z]/, /[a-z]\d|\d[a-z]/, /[A-Z]\d|\d[A-Z]/];

/** What names are made of, and how much of one it is at least: random text has a seventh in such runs. */
const WORD = /[a-z]{3,}/g;
const WORDS_SHARE = 3 / 8;

/** The user and the password of a URL. */
const USER_INFO = /\/\/[^\s/]*@/g;

/** Longest text of somebody else's that a message repeats, in characters. */
const SHOWN_LENGTH = 500;

/**
 * The first line of somebody else's text without what could be a secret, and with everything outside printable ASCII
 * escaped. Later lines are left out: in SignatureDoesNotMatch, STS repeats the signed request there, session token
 * included.
 */
export function redact(text: string): string {
  return printable(cutSecrets(text));
}

/** What {@link redact} leaves, as JSON. */
export function redactQuoted(text: string): string {
  return printable(JSON.stringify(cutSecrets(text)));
}

function cutSecrets(text: string): string {
  const [line = ''] = text.split(/[\r\n]/, 1);
  return line
    .replace(USER_INFO, '//[redacted]@')
    .replace(WEB_TOKEN, '[redacted]')
    .replace(ACCESS_KEY_ID, '$1...$2')
    .replace(SECRET, '[redacted]')
    .replace(URL_SAFE, (found) => (isRandom(found) ? '[redacted]' : found))
    .slice(0, SHOWN_LENGTH);
}

/** Neither an ARN nor a source identity, and mixed as names are not. */
function isRandom(text: string): boolean {
  if (/^(?:arn:|agent\.)/.test(text) || !NEIGHBOURS.every((pair) => pair.test(text))) return false;
  return (text.match(WORD) ?? []).join('').length < text.length * WORDS_SHARE;
}

/** What the SDK notes on an error, as far as it is read here. */
interface Noted {
  readonly message: string;
  readonly code?: unknown;
  readonly $fault?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: unknown };
}

/**
 * What an error says. Of an answer that could not be read nothing is repeated: parsers name what they stumble over,
 * which may be a piece of a credential.
 */
export function messageOf(error: Error): string {
  const { message, code, $fault, $metadata }: Noted = error;
  if ($fault !== undefined || $metadata?.httpStatusCode === undefined) return message;
  return `the answer could not be read${typeof code === 'string' ? ` (${code})` : ''}`;
}

/**
 * An error as a cause may show it: name, message and stack without secrets, and what identifies the request. An
 * SDK error itself holds the raw answer, which may be half an answer with credentials in it.
 */
export function withoutSecrets(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(redact(String(error)));
  const copy = new Error(redact(messageOf(error)));
  copy.name = redact(error.name);
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  copy.stack = [`${copy.name}: ${copy.message}`, ...frames].join('\n');
  const { code, $fault, $metadata }: Noted = error;
  if (typeof code === 'string') Object.assign(copy, { code });
  if ($fault !== undefined) Object.assign(copy, { $fault });
  if ($metadata !== undefined) Object.assign(copy, { $metadata: { ...$metadata } });
  return copy;
}
