import { quote, quoteBeginning, SessionBrokerError } from '../errors.ts';
import { parsePolicyArn } from '../identity/index.ts';
import { SESSION_POLICIES_LENGTH, SESSION_POLICY_ARNS } from '../identity/limits.ts';
import type { PolicyDocument } from '../policy/index.ts';
// By its file: the shape of a policy needs a tenth of what lib/policy loads as a whole.
import { parseShape, statementName } from '../policy/parse-document.ts';

/** The session policies of a session, as they are sent to STS at every renewal. They only ever take away. */
export interface SessionScope {
  /** The inline session policy: JSON text. */
  readonly policy?: string;
  /** ARNs of the managed session policies. */
  readonly policyArns?: readonly string[];
}

/**
 * The session policies that were asked for, if STS can take them. A text is kept character by character, a document
 * is written as JSON once.
 *
 * An empty list is refused: STS would take it as none, and the session would have all that its role may do.
 * @throws {TypeError} for a policy that is neither text nor an object, and for ARNs that are not in a list
 * @throws {SessionBrokerError} SessionPolicyInvalid, SessionPolicyTooLarge, PolicyArnInvalid
 * @see STS API Reference, AssumeRole, Policy and PolicyArns
 */
export function createSessionScope(given: {
  readonly policy?: string | object | undefined;
  readonly policyArns?: readonly string[] | undefined;
}): SessionScope {
  const policy = given.policy === undefined ? undefined : textOf(given.policy);
  const policyArns = given.policyArns === undefined ? undefined : parsePolicyArns(given.policyArns);
  assertSize(policy?.length ?? 0, policyArns?.join('').length ?? 0);
  if (policy !== undefined) assertPolicy(policy);
  return Object.freeze({ ...(policy !== undefined && { policy }), ...(policyArns !== undefined && { policyArns }) });
}

/** A text that two scopes share only if they allow the same. The order of managed policies makes no difference. */
export function scopeKey({ policy, policyArns = [] }: SessionScope): string {
  return JSON.stringify([policy ?? null, [...policyArns].sort()]);
}

function textOf(policy: string | object): string {
  if (typeof policy === 'string') return policy;
  if (typeof policy !== 'object' || policy === null) {
    throw new TypeError('policy must be the JSON text of a policy, or a policy document');
  }
  try {
    return JSON.stringify(policy) ?? '';
  } catch (cause) {
    throw new TypeError('policy must be a document that JSON can hold', { cause });
  }
}

function parsePolicyArns(given: readonly string[]): readonly string[] {
  if (!Array.isArray(given)) throw new TypeError('policyArns must be a list of ARNs');
  if (given.length === 0) {
    throw invalidArns('must not be an empty list, which STS takes as no limit', 'leave it out, or name a policy', 0);
  }
  if (given.length > SESSION_POLICY_ARNS) {
    const rule = `must name at most ${SESSION_POLICY_ARNS} managed policies: ${given.length}`;
    throw invalidArns(rule, 'join some of them', given.length);
  }
  const arns = given.map((arn) => parsePolicyArn(arn).arn);
  const repeated = arns.find((arn, index) => arns.indexOf(arn) !== index);
  if (repeated !== undefined) {
    throw invalidArns(`must name each policy once: ${quote(repeated)} appears twice`, 'remove one', given.length);
  }
  return Object.freeze(arns);
}

function invalidArns(rule: string, remedy: string, count: number): SessionBrokerError {
  return new SessionBrokerError('PolicyArnInvalid', `policyArns ${rule}; ${remedy}`, {
    detail: { count, max: SESSION_POLICY_ARNS },
  });
}

function assertSize(policy: number, policyArns: number): void {
  const size = policy + policyArns;
  if (size <= SESSION_POLICIES_LENGTH) return;
  throw new SessionBrokerError(
    'SessionPolicyTooLarge',
    `session policies must have at most ${SESSION_POLICIES_LENGTH} characters together: the inline policy has ${policy}, the ARNs of managed policies have ${policyArns}, ${size} in all; give the policy as a document, which is sent without white space, or move its statements to a managed policy and name that`,
    { detail: { policy, policyArns, size, limit: SESSION_POLICIES_LENGTH } },
  );
}

/**
 * A character that STS does not take: outside \u0009 \u000A \u000D \u0020-\u00FF
 * @see STS API Reference, AssumeRole, Policy
 */
const FOREIGN_CHARACTER = /[^\t\n\r\u0020-\u00ff]/u;

function assertPolicy(text: string): void {
  const [foreign] = FOREIGN_CHARACTER.exec(text) ?? [];
  if (foreign !== undefined) {
    throw invalid(
      `session policy must be of the characters U+0020 to U+00FF, tab and line breaks: it has ${quote(foreign)}; write it as a JSON escape in the text of the policy`,
    );
  }
  for (const [index, statement] of parseDocument(text).Statement.entries()) {
    const where = `session policy, ${statementName(statement.Sid, index)}`;
    if (statement.Principal !== undefined || statement.NotPrincipal !== undefined) {
      throw invalid(`${where}: must not name a principal, it holds for the session alone; remove it`);
    }
    if (statement.Resource === undefined && statement.NotResource === undefined) {
      throw invalid(`${where}: must have Resource or NotResource`);
    }
  }
}

function parseDocument(text: string): PolicyDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(
      `session policy must be the JSON text of a policy: ${quoteBeginning(text)}; give the policy itself, not the name of its file`,
    );
  }
  try {
    return parseShape(value, 'session policy');
  } catch (error) {
    throw error instanceof SessionBrokerError ? invalid(error.message) : error;
  }
}

function invalid(message: string): SessionBrokerError {
  return new SessionBrokerError('SessionPolicyInvalid', message);
}
