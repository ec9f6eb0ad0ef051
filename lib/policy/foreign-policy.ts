import { quote, quoteBeginning } from '../errors.ts';
import { parsePolicyDocument } from './compile.ts';
import type { PolicyDocument } from './document.ts';
import { notUnderstood } from './fault.ts';

/** The version that IAM assumes where a policy names none. Policy variables are plain text in it. */
const OLDER_VERSION = '2008-10-17';

/**
 * A policy as files, commands and IAM's own API hold it: JSON, or JSON as text, percent-encoded or not. The older
 * version is taken where it means the same: where the policy has no policy variable.
 * @param value the parsed JSON, or a text
 * @param name how an error calls the policy
 * @returns a new document, deeply frozen
 * @throws {SessionBrokerError} PolicyNotUnderstood
 * @see IAM API Reference, GetRole, on the encoding; IAM User Guide, "IAM JSON policy elements: Version"
 */
export function parseForeignPolicy(value: unknown, name = 'policy'): PolicyDocument {
  const policy = policyJson(value, name);
  return parsePolicyDocument(isOlder(policy) ? { ...policy, Version: '2012-10-17' } : policy, name);
}

/**
 * The same as parsed JSON, whatever it holds.
 * @throws {SessionBrokerError} PolicyNotUnderstood for a text that is no JSON
 */
export function policyJson(value: unknown, name: string): unknown {
  return typeof value === 'string' ? parseUniqueJson(decoded(value, name), name) : value;
}

/**
 * JSON in which no object has a key twice. A parser keeps one of the two, and IAM may heed the other.
 * @throws {SessionBrokerError} PolicyNotUnderstood
 */
export function parseUniqueJson(text: string, name: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    throw notUnderstood(name, `it must be JSON: ${quoteBeginning(text.trim())}`);
  }
  const twice = repeatedKey(text);
  if (twice !== undefined)
    throw notUnderstood(name, `a key must stand once in an object: ${quote(twice)} stands twice`);
  return value;
}

function decoded(text: string, name: string): string {
  if (!text.startsWith('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw notUnderstood(name, `it must be JSON, or JSON in percent-encoding: ${quoteBeginning(text)}`);
  }
}

function isOlder(policy: unknown): policy is object {
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) return false;
  const { Version: version } = policy as { readonly Version?: unknown };
  return (version === undefined || version === OLDER_VERSION) && !JSON.stringify(policy).includes('${');
}

/** Strings, and what opens, closes and divides objects and lists: enough to find keys in text that is JSON. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;

function repeatedKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let last = '';
  for (const [token] of json.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const key = String(JSON.parse(last));
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
    last = token;
  }
  return undefined;
}
