import { listOf, type PolicyDocument, type Statement } from './document.ts';
import { matchesPattern, patternOf } from './pattern.ts';

/** One thing that a policy of a session-broker role may not allow. */
export interface ForbiddenGrant {
  /** The statement's place in the document, from 0. */
  readonly index: number;
  readonly sid?: string;
  /** The action as it is written there, or the element that could not be read. */
  readonly action: string;
  /** The rule that it breaks and what to write instead, as a message continues after the action. */
  readonly reason: string;
}

/** Everything that IAM knows in a statement of an identity-based policy. */
const ELEMENTS: readonly string[] = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];

/** How the names of IAM's reading actions begin; none of them changes who may do what. */
const IAM_READS = /^(?:get|list|simulate|generate)/;

/**
 * IAM's actions that change what a role is: its policies, its trust and its boundary.
 * @see Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management"
 */
const ROLE_CHANGES: readonly string[] = [
  'attachrolepolicy',
  'createpolicyversion',
  'deleterole',
  'deleterolepermissionsboundary',
  'deleterolepolicy',
  'detachrolepolicy',
  'putrolepermissionsboundary',
  'putrolepolicy',
  'setdefaultpolicyversion',
  'updateassumerolepolicy',
];

/** What a statement that allows all but a list must leave out. */
const LEFT_OUT = ['iam:*', 'sts:*'] as const;

/**
 * Managed policies of AWS that grant `*`, `iam:*` or `sts:*`, by the end of their ARN.
 * @see AWS Managed Policy Reference Guide
 */
const BROAD_MANAGED_POLICIES = /^arn:[a-z-]+:iam::aws:policy\/(?:AdministratorAccess|IAMFullAccess|PowerUserAccess)$/;

/**
 * What a policy grants that would let a session leave its name: every action, all of IAM or STS, a role that is not
 * in `chainTo`, or a change of roles that may be the session's own. A wildcard is judged by what it covers, in any
 * spelling; what cannot be read counts as granted.
 *
 * Any other action of IAM that is written out by name is its author's decision and passes, and so does
 * `iam:PassRole`, which the guard denies.
 * @param document an identity-based policy, from a configuration or from a finished template
 * @param chainTo ARNs of the roles that the session may go on to
 * @param ownRoleName the session-broker role's name, where it is known: its exact ARN is then refused like a wildcard
 */
export function forbiddenGrants(
  document: PolicyDocument,
  chainTo: readonly string[],
  ownRoleName?: string,
): readonly ForbiddenGrant[] {
  const found: ForbiddenGrant[] = [];
  // A finished template may hold one statement without a list.
  for (const [index, statement] of listOf<Statement>(document.Statement).entries()) {
    const sid = typeof statement?.Sid === 'string' ? { sid: statement.Sid } : {};
    for (const fault of faultsOf(statement, chainTo, ownRoleName)) found.push({ index, ...sid, ...fault });
  }
  return found;
}

/** Whether an ARN is of a managed policy of AWS that {@link forbiddenGrants} would refuse, could it be read. */
export function isForbiddenManagedPolicy(arn: string): boolean {
  return BROAD_MANAGED_POLICIES.test(arn);
}

interface Fault {
  readonly action: string;
  readonly reason: string;
}

function faultsOf(statement: Statement, chainTo: readonly string[], ownRoleName: string | undefined): readonly Fault[] {
  if (typeof statement !== 'object' || statement === null) {
    return [{ action: 'Statement', reason: 'is not a statement; write it as IAM reads it' }];
  }
  if (statement.Effect === 'Deny') return [];
  const faults: Fault[] = Object.keys(statement)
    .filter((element) => !ELEMENTS.includes(element))
    .map((element) => ({ action: element, reason: 'is not an element of an identity-based policy; remove it' }));
  if (statement.NotAction !== undefined && !leavesOut(listOf(statement.NotAction))) {
    faults.push({
      action: 'NotAction',
      reason: `allows every action but a list that lacks ${LEFT_OUT.join(' or ')}; list what is needed under Action`,
    });
  }
  for (const action of listOf(statement.Action)) {
    const reason = reasonAgainst(action, statement, chainTo, ownRoleName);
    if (reason !== undefined) faults.push({ action: typeof action === 'string' ? action : 'Action', reason });
  }
  return faults;
}

function leavesOut(notActions: readonly unknown[]): boolean {
  const texts = notActions.filter((entry) => typeof entry === 'string').map((entry) => entry.toLowerCase());
  return texts.includes('*') || LEFT_OUT.every((pattern) => texts.includes(pattern));
}

function reasonAgainst(
  action: unknown,
  statement: Statement,
  chainTo: readonly string[],
  ownRoleName: string | undefined,
): string | undefined {
  // A template may hold an intrinsic function here, whose value is not known.
  if (typeof action !== 'string') return 'is not a text; write each action out';
  const pattern = action.toLowerCase();
  const [service = '', name] = pattern.split(/:(.*)/s);
  if (name === undefined || /[*?]/.test(service)) {
    return 'does not name one service; write <service>:<action>';
  }
  const hasWildcard = /[*?]/.test(name);
  if (service === 'iam' && hasWildcard && !IAM_READS.test(name)) {
    return 'covers actions of IAM that change who may do what; write each action out';
  }
  if (service === 'iam' && ROLE_CHANGES.includes(name) && !namesOthers(statement, ownRoleName)) {
    return 'may change the session-broker role itself on such a resource; name other roles or policies by their exact ARNs';
  }
  if (service !== 'sts') return undefined;
  if (hasWildcard) {
    const covered = patternOf(name, true);
    const chains = ['assumerole', 'assumeroot'].some((chain) => matchesPattern(covered, chain));
    return chains ? 'covers sts:AssumeRole or sts:AssumeRoot; list the roles in chainTo, which grants it' : undefined;
  }
  if (name === 'assumeroot') return 'leaves the role for an account root; a session goes on by chainTo alone';
  if (name !== 'assumerole') return undefined;
  if (everyResource(statement, (resource) => chainTo.includes(resource))) return undefined;
  return 'reaches roles that are not in chainTo; list them there, by their exact ARNs';
}

/** Whether a statement names each of its resources, without a wildcard or a policy variable, and not the own role. */
function namesOthers(statement: Statement, ownRoleName: string | undefined): boolean {
  const own = ownRoleName?.toLowerCase();
  return everyResource(
    statement,
    (resource) => !/[*?$]/.test(resource) && resource.toLowerCase().split('/').at(-1) !== own,
  );
}

function everyResource({ Resource, NotResource }: Statement, holds: (resource: string) => boolean): boolean {
  const resources: readonly unknown[] = listOf(Resource);
  const areHeld = resources.every((resource) => typeof resource === 'string' && holds(resource));
  return resources.length > 0 && areHeld && NotResource === undefined;
}
