import { listOf, type PolicyDocument, type Statement } from './document.ts';
import type { NamedPolicy } from './evaluate.ts';
import { forbiddenGrants } from './grants.ts';
import { IDENTITY_LOSSES } from './laundering-actions.ts';
import { matchesPattern, patternOf } from './pattern.ts';

/** A permission by which the identity of a session is lost. */
export interface LaunderingGrant {
  /** The policy's name, as it was given. */
  readonly policy: string;
  /** The statement's place in the document, from 0. */
  readonly index: number;
  readonly sid?: string;
  /** The action as it is written there, or `NotAction`. */
  readonly action: string;
  /** The actions that lose the identity and that it covers, as AWS writes them. */
  readonly covers: readonly string[];
  /** Why the identity is lost there; a clause without a full stop. */
  readonly reason: string;
}

/** Somebody's word that an action is granted although the identity is lost by it. */
export interface Acknowledgement {
  /** The action as the policy writes it, wildcards included. */
  readonly action: string;
  /** Why it is granted all the same, for people. */
  readonly reason: string;
}

export interface LaunderingOptions {
  /** ARNs of the roles that the session may go on to. */
  readonly chainTo: readonly string[];
  /** The session-broker role's name, as for {@link forbiddenGrants}. */
  readonly ownRoleName?: string | undefined;
  /**
   * Whether each way into a role of `chainTo` requires a source identity; undefined where that is not known.
   * @default not known of any: `sts:AssumeRole` is then not reported
   */
  readonly requiresIdentity?: ((roleArn: string) => boolean | undefined) | undefined;
}

const ASSUME_ROLE = 'sts:assumerole';

const ACTIONS: readonly string[] = IDENTITY_LOSSES.flatMap(({ actions }) => actions);
/** By the action in lower case. */
const BY_FOLDED: ReadonlyMap<string, string> = new Map(ACTIONS.map((action) => [action.toLowerCase(), action]));
const REASONS: ReadonlyMap<string, string> = new Map(
  IDENTITY_LOSSES.flatMap(({ actions, reason }) => actions.map((action) => [action, reason] as const)),
);

/** Reasons that one finding gives; more say less. */
const MOST_REASONS = 2;

/**
 * What the policies of a session-broker role grant by which the identity of its sessions is lost: the actions of
 * {@link IDENTITY_LOSSES}, and `sts:AssumeRole` on a role of `chainTo` that does not require an identity. A wildcard
 * is judged by what it covers; what cannot be read counts as granted, under whatever condition.
 *
 * A denial in any of the policies takes an action away where it surely applies: on every resource, without a
 * condition. What {@link forbiddenGrants} reports is left to it.
 * @param policies all identity-based policies of the role, its guard among them
 */
export function launderingGrants(
  policies: readonly NamedPolicy[],
  options: LaunderingOptions,
): readonly LaunderingGrant[] {
  // Most roles grant nothing of the kind, and then nothing more is asked.
  const granted = policies.flatMap(({ name, document }) =>
    statementsOf(document).flatMap((statement, index) =>
      grantsOf(statement, options).map((grant) => ({ name, document, statement, index, ...grant })),
    ),
  );
  if (granted.length === 0) return [];
  const denials = policies.flatMap(({ document }) => statementsOf(document).filter(isSureDenial));
  return granted.flatMap(({ name, document, statement, index, action, covers, reason }) => {
    const left = covers.filter((covered) => !denials.some((denial) => denies(denial, covered)));
    if (left.length === 0 || isForbidden(document, index, action, options)) return [];
    const sid = typeof statement.Sid === 'string' ? { sid: statement.Sid } : {};
    return [{ policy: name, index, ...sid, action, covers: left, reason: reason ?? reasonOf(left) }];
  });
}

/** Those that nobody has acknowledged. An action is acknowledged in its own spelling; a `NotAction` never is. */
export function unacknowledged(
  grants: readonly LaunderingGrant[],
  acknowledgements: readonly Acknowledgement[],
): readonly LaunderingGrant[] {
  return grants.filter((grant) => !acknowledgements.some((acknowledgement) => isAbout(acknowledgement, grant)));
}

/**
 * Acknowledgements of what is not granted, or not any more.
 * @param grants what {@link launderingGrants} found with the same options
 */
export function staleAcknowledgements(
  grants: readonly LaunderingGrant[],
  acknowledgements: readonly Acknowledgement[],
  { chainTo, requiresIdentity }: LaunderingOptions,
): readonly Acknowledgement[] {
  const isUnknown = (roleArn: string): boolean => requiresIdentity?.(roleArn) === undefined;
  return acknowledgements.filter((acknowledgement) => {
    if (grants.some((grant) => isAbout(acknowledgement, grant))) return false;
    return acknowledgement.action.toLowerCase() !== ASSUME_ROLE || !chainTo.some(isUnknown);
  });
}

const NOT_ACTION = 'NotAction';

function isAbout(acknowledgement: Acknowledgement, grant: LaunderingGrant): boolean {
  return acknowledgement.action === grant.action && grant.action !== NOT_ACTION;
}

interface Grant {
  readonly action: string;
  readonly covers: readonly string[];
  /** Where it is not that of the covered actions. */
  readonly reason?: string;
}

/** What a statement allows, denials left aside. */
function grantsOf(statement: Statement, options: LaunderingOptions): readonly Grant[] {
  // What is no statement, and an action that is no text, are forbiddenGrants' to report.
  if (typeof statement !== 'object' || statement === null || statement.Effect === 'Deny') return [];
  const grants: Grant[] = [];
  if (statement.NotAction !== undefined) {
    const exceptions = listOf<unknown>(statement.NotAction);
    const covers = ACTIONS.filter((listed) => !exceptions.some((pattern) => surelyMatches(pattern, listed)));
    if (covers.length > 0) grants.push({ action: NOT_ACTION, covers });
  }
  for (const action of new Set<unknown>(listOf(statement.Action))) {
    if (typeof action !== 'string') continue;
    const loose = action.toLowerCase() === ASSUME_ROLE ? looseRoles(statement, options) : [];
    if (loose.length > 0) grants.push({ action, covers: ['sts:AssumeRole'], reason: looseReason(loose) });
    const covers = coveredBy(action);
    if (covers.length > 0) grants.push({ action, covers });
  }
  return grants;
}

function coveredBy(action: string): readonly string[] {
  if (/[*?]/.test(action)) return ACTIONS.filter((listed) => matches(action, listed));
  const listed = BY_FOLDED.get(action.toLowerCase()); // as nearly all are written
  return listed === undefined ? [] : [listed];
}

/** The roles that a statement names and that do not require an identity. */
function looseRoles({ Resource }: Statement, { requiresIdentity }: LaunderingOptions): readonly string[] {
  if (requiresIdentity === undefined) return [];
  const named: readonly unknown[] = listOf(Resource);
  return named.filter((arn) => typeof arn === 'string').filter((arn) => requiresIdentity(arn) === false);
}

function looseReason(roleArns: readonly string[]): string {
  return `${roleArns.join(', ')} can be assumed without a source identity`;
}

function reasonOf(covers: readonly string[]): string {
  const reasons = [...new Set(covers.map((action) => REASONS.get(action)))];
  return reasons.length > MOST_REASONS ? 'work goes on under other roles' : reasons.join(', and ');
}

const DENIAL_ELEMENTS: readonly string[] = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource'];

/** Whether a statement denies its actions whatever the request is. */
function isSureDenial(statement: Statement): boolean {
  if (typeof statement !== 'object' || statement === null || statement.Effect !== 'Deny') return false;
  return (
    Object.keys(statement).every((element) => DENIAL_ELEMENTS.includes(element)) &&
    listOf<unknown>(statement.Resource).includes('*')
  );
}

function denies({ Action, NotAction }: Statement, action: string): boolean {
  if (NotAction === undefined) return listOf<unknown>(Action).some((pattern) => surelyMatches(pattern, action));
  const exceptions = listOf<unknown>(NotAction);
  return (
    Action === undefined &&
    exceptions.length > 0 &&
    exceptions.every((pattern) => typeof pattern === 'string' && !matches(pattern, action))
  );
}

function matches(pattern: unknown, action: string): boolean {
  return typeof pattern === 'string' && matchesPattern(patternOf(pattern.toLowerCase(), true), action.toLowerCase());
}

/** Whether IAM, too, which takes no wildcard in the name of a service, reads the pattern so. */
function surelyMatches(pattern: unknown, action: string): boolean {
  if (!matches(pattern, action)) return false;
  const [service] = action.split(':');
  return pattern === '*' || String(pattern).toLowerCase().startsWith(`${service}:`);
}

function isForbidden(document: PolicyDocument, index: number, action: string, options: LaunderingOptions): boolean {
  return forbiddenGrants(document, options.chainTo, options.ownRoleName).some(
    (forbidden) => forbidden.index === index && forbidden.action === action,
  );
}

/** A finished template may hold one statement without a list. */
function statementsOf({ Statement: statements }: PolicyDocument): readonly Statement[] {
  return listOf<Statement>(statements);
}
