import { type ErrorCode, quote, SessionBrokerError } from '../errors.ts';
import { LABEL_LENGTH, SOURCE_IDENTITY_LENGTH } from './limits.ts';

declare const brand: unique symbol;
/** A string that has passed its parser. */
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A tenant's name, a DNS label. */
export type Tenant = Branded<'Tenant'>;
/** A workflow's name inside a tenant, a DNS label. */
export type Workflow = Branded<'Workflow'>;
/** A cluster's name, a DNS label. */
export type Cluster = Branded<'Cluster'>;
/** A session id, chosen by the dispatcher. */
export type SessionId = Branded<'SessionId'>;
/** A whole source identity, as STS takes it. */
export type SourceIdentity = Branded<'SourceIdentity'>;

/**
 * `agent`: a session of an AI agent. `internal`: the platform's own background work, which does not count as an
 * agent's and which only a system principal can set.
 */
export type TrafficClass = 'agent' | 'internal';

/** Who may be named: all sessions of a tenant, of one workflow of it, or of its internal class. */
export interface Scope {
  readonly trafficClass: TrafficClass;
  readonly tenant: Tenant;
  /** Absent: the tenant's own scope, which does not contain its workflows'. */
  readonly workflow?: Workflow;
}

/** One session's name in its parts. Made only by a parser of this file, so it always formats and always fits. */
export interface SessionIdentity extends Scope {
  readonly session: SessionId;
  readonly [brand]: 'SessionIdentity';
}

/** The parts of a name as they come from outside. */
export interface SessionIdentityParts {
  /** @default 'agent' */
  readonly trafficClass?: TrafficClass | undefined;
  readonly tenant: string;
  /** @default none: the name is the tenant's own */
  readonly workflow?: string | undefined;
  readonly session: string;
}

/** The parts of a scope as they come from outside. */
export type ScopeParts = Omit<SessionIdentityParts, 'session'>;

/** tenant, workflow = lower-case DNS label: a-z 0-9 "-", begins and ends with a letter or digit */
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
/** session = 1*( A-Z a-z 0-9 "_" "-" ) */
const SESSION = /^[A-Za-z0-9_-]+$/;

const LABEL_RULE = 'a lower-case DNS label (a-z, 0-9 and "-", beginning and ending with a letter or digit)';
const SESSION_RULE = 'one or more of A-Z a-z 0-9 "_" "-"';
const GRAMMAR = 'agent.<tenant>[.<workflow>].<session> or internal.<tenant>.<session>';

/**
 * The characters that no part of a name may hold, with the reason, most telling first: what could widen or leave
 * a policy, what cannot be seen, what cannot be sent. STS allows `[A-Za-z0-9_+=,.@-]`.
 */
const FORBIDDEN: readonly { readonly pattern: RegExp; readonly code: ErrorCode; readonly rule: string }[] = [
  {
    pattern: /\$\{/,
    code: 'IdentityPolicyVariable',
    rule: 'must not contain "${", which IAM reads as a policy variable',
  },
  { pattern: /[*?]/, code: 'IdentityWildcard', rule: 'must not contain the wildcards "*" and "?"' },
  {
    pattern: /[\r\n]/,
    code: 'IdentityLineBreak',
    rule: 'must not contain a line break; strip the one that a shell or a file added',
  },
  {
    pattern: /[^\p{ASCII}]/u,
    code: 'IdentityNonAscii',
    rule: 'must be ASCII; retype the letter that only looks like one',
  },
];

interface Part {
  /** How messages call it. */
  readonly field: string;
  readonly empty: ErrorCode;
  /** Absent: upper-case letters are allowed. */
  readonly upperCase?: ErrorCode;
  readonly invalid: ErrorCode;
  readonly rule: string;
  readonly pattern: RegExp;
  readonly maxLength: number;
}

const TENANT: Part = {
  field: 'tenant',
  empty: 'TenantEmpty',
  upperCase: 'TenantUpperCase',
  invalid: 'TenantInvalid',
  rule: LABEL_RULE,
  pattern: LABEL,
  maxLength: LABEL_LENGTH,
};
const WORKFLOW: Part = {
  ...TENANT,
  field: 'workflow',
  empty: 'WorkflowEmpty',
  upperCase: 'WorkflowUpperCase',
  invalid: 'WorkflowInvalid',
};
const CLUSTER: Part = {
  ...TENANT,
  field: 'cluster',
  empty: 'ClusterEmpty',
  upperCase: 'ClusterUpperCase',
  invalid: 'ClusterInvalid',
};
const SESSION_PART: Part = {
  field: 'session id',
  empty: 'SessionEmpty',
  invalid: 'SessionInvalid',
  rule: SESSION_RULE,
  pattern: SESSION,
  maxLength: Number.POSITIVE_INFINITY, // the whole name's length bounds it, with a better message
};

/**
 * A tenant's name.
 * @param text a lower-case DNS label
 * @throws {SessionBrokerError} TenantEmpty, TenantUpperCase, TenantInvalid, SegmentDot or an Identity... code
 */
export function parseTenant(text: string): Tenant {
  return parsePart(TENANT, text) as Tenant;
}

/**
 * A workflow's name.
 * @param text a lower-case DNS label
 * @throws {SessionBrokerError} WorkflowEmpty, WorkflowUpperCase, WorkflowInvalid, SegmentDot or an Identity... code
 */
export function parseWorkflow(text: string): Workflow {
  return parsePart(WORKFLOW, text) as Workflow;
}

/**
 * A cluster's name.
 * @param text a lower-case DNS label
 * @throws {SessionBrokerError} ClusterEmpty, ClusterUpperCase, ClusterInvalid, SegmentDot or an Identity... code
 */
export function parseCluster(text: string): Cluster {
  return parsePart(CLUSTER, text) as Cluster;
}

/**
 * A session id.
 * @param text one or more of A-Z a-z 0-9 "_" "-"; how many fit depends on the tenant: {@link sessionBudget}
 * @throws {SessionBrokerError} SessionEmpty, SessionInvalid, SegmentDot or an Identity... code
 */
export function parseSessionId(text: string): SessionId {
  return parsePart(SESSION_PART, text) as SessionId;
}

/**
 * A scope from its parts.
 * @throws {SessionBrokerError} as {@link parseTenant} and {@link parseWorkflow}; IdentitySegments for a workflow
 * under `internal`; IdentityTooLong when no session id would fit
 */
export function createScope(parts: ScopeParts): Scope {
  const trafficClass = parts.trafficClass ?? 'agent';
  if (trafficClass !== 'agent' && trafficClass !== 'internal') {
    throw new TypeError(`trafficClass must be "agent" or "internal": ${quote(trafficClass)}`);
  }
  const tenant = parseTenant(parts.tenant);
  if (parts.workflow === undefined) return checkedScope({ trafficClass, tenant });
  const workflow = parseWorkflow(parts.workflow);
  if (trafficClass === 'internal') {
    throw new SessionBrokerError(
      'IdentitySegments',
      `workflow must be absent under the class internal, whose names are internal.<tenant>.<session>: ${quote(workflow)}; leave it out`,
    );
  }
  return checkedScope({ trafficClass, tenant, workflow });
}

/**
 * A session's name from its parts.
 * @throws {SessionBrokerError} as {@link createScope} and {@link parseSessionId}; IdentityTooLong with the budget
 */
export function createSessionIdentity(parts: SessionIdentityParts): SessionIdentity {
  const scope = createScope(parts);
  const session = parseSessionId(parts.session);
  const budget = sessionBudget(scope);
  if (session.length > budget) {
    throw new SessionBrokerError(
      'IdentityTooLong',
      `session id must have at most ${budget} characters, which is what ${quote(scopePrefix(scope))} leaves of the ${SOURCE_IDENTITY_LENGTH.max} of a source identity: ${quote(session)} has ${session.length}; choose a shorter one, it is never cut`,
      { detail: { budget, length: session.length } },
    );
  }
  return Object.freeze({ ...scope, session }) as SessionIdentity;
}

/**
 * A session's name from a source identity:
 *
 *     source-identity = "agent." tenant [ "." workflow ] "." session  /  "internal." tenant "." session
 *
 * Nothing is trimmed, lower-cased or rewritten: `formatSourceIdentity(parseSourceIdentity(text)) === text`.
 * @param text 2 to 64 characters
 * @throws {SessionBrokerError} with the code of the first rule that it breaks
 */
export function parseSourceIdentity(text: string): SessionIdentity {
  checkCharacters('source identity', text);
  if (text.includes(':')) throw colonForm(text);
  const [trafficClass, ...segments] = text.split('.');
  if (trafficClass !== 'agent' && trafficClass !== 'internal') {
    throw new SessionBrokerError(
      'IdentityClass',
      `source identity must begin with "agent." or "internal.", in lower case: ${quote(text)}; the form is ${GRAMMAR}`,
    );
  }
  const [tenant, second, third] = segments;
  const most = trafficClass === 'agent' ? 3 : 2;
  if (tenant === undefined || second === undefined || segments.length > most) {
    throw new SessionBrokerError(
      'IdentitySegments',
      `source identity must have the form ${GRAMMAR}: ${quote(text)} has ${segments.length + 1} segments; no segment may contain a dot`,
    );
  }
  return third === undefined
    ? createSessionIdentity({ trafficClass, tenant, session: second })
    : createSessionIdentity({ trafficClass, tenant, workflow: second, session: third });
}

/** The source identity of a session's name. */
export function formatSourceIdentity(identity: SessionIdentity): SourceIdentity {
  return `${scopePrefix(identity)}.${identity.session}` as SourceIdentity;
}

/** Whether a text is a source identity of this package's grammar. */
export function isSourceIdentity(text: string): text is SourceIdentity {
  try {
    parseSourceIdentity(text);
    return true;
  } catch (error) {
    if (error instanceof SessionBrokerError) return false;
    throw error;
  }
}

/** What every name of a scope begins with, without the last dot: `agent.acme`. */
export function scopePrefix(scope: Scope): string {
  const { trafficClass, tenant, workflow } = scope;
  return workflow === undefined ? `${trafficClass}.${tenant}` : `${trafficClass}.${tenant}.${workflow}`;
}

/** How many characters a scope leaves for a session id. */
export function sessionBudget(scope: Scope): number {
  return SOURCE_IDENTITY_LENGTH.max - scopePrefix(scope).length - 1;
}

/**
 * The two values that together admit exactly a scope's names: `stringLike` for `StringLike` (at least one
 * character after the prefix) and `stringNotLike` for `StringNotLike` (no further dot). Neither is enough alone:
 * the first admits every workflow's names, the second every other tenant's.
 *
 * IAM cannot check the session id's alphabet, so what a pair admits may still not parse.
 */
export interface ScopePatterns {
  readonly stringLike: string;
  readonly stringNotLike: string;
}

/** The condition values of a scope. */
export function scopePatterns(scope: Scope): ScopePatterns {
  const prefix = scopePrefix(scope);
  return { stringLike: `${prefix}.?*`, stringNotLike: `${prefix}.*.*` };
}

function checkedScope(scope: Scope): Scope {
  if (sessionBudget(scope) < 1) {
    const { max } = SOURCE_IDENTITY_LENGTH;
    const prefix = scopePrefix(scope);
    throw new SessionBrokerError(
      'IdentityTooLong',
      `${quote(prefix)} has ${prefix.length} characters and leaves no room for "." and a session id in the ${max} of a source identity; choose a shorter ${scope.workflow === undefined ? 'tenant' : 'tenant or workflow'}, it is never cut`,
      { detail: { budget: 0, length: prefix.length } },
    );
  }
  return Object.freeze(scope);
}

function parsePart(part: Part, text: string): string {
  checkCharacters(part.field, text);
  if (text === '') throw refuse(part.empty, part, text);
  if (text.includes('.')) {
    throw new SessionBrokerError(
      'SegmentDot',
      `${part.field} must not contain a dot, which separates the segments of a source identity: ${quote(text)}; use "-" instead`,
    );
  }
  if (part.upperCase && /[A-Z]/.test(text)) throw refuse(part.upperCase, part, text);
  if (text.length > part.maxLength || !part.pattern.test(text)) throw refuse(part.invalid, part, text);
  return text;
}

function refuse(code: ErrorCode, part: Part, text: string): SessionBrokerError {
  const limit = Number.isFinite(part.maxLength) ? `, at most ${part.maxLength} characters` : '';
  return new SessionBrokerError(
    code,
    `${part.field} must be ${part.rule}${limit}: ${quote(text)}; correct it where it is set, it is never rewritten`,
  );
}

function checkCharacters(field: string, text: string): void {
  if (typeof text !== 'string') throw new TypeError(`${field} must be a string: ${quote(text)}`);
  for (const { pattern, code, rule } of FORBIDDEN) {
    if (pattern.test(text)) throw new SessionBrokerError(code, `${field} ${rule}: ${quote(text)}`);
  }
}

function colonForm(text: string): SessionBrokerError {
  const dotted = text.replaceAll(':', '.');
  const remedy = isSourceIdentity(dotted) ? `write ${quote(dotted)}` : `the form is ${GRAMMAR}`;
  return new SessionBrokerError(
    'IdentityColonForm',
    `source identity must not contain ":", which STS does not accept: ${quote(text)}; ${remedy}`,
  );
}
