import { quote } from '../errors.ts';
import { splitArn } from './arn-segments.ts';
import type { CompiledStatement } from './compile.ts';
import { contextValues } from './context.ts';
import {
  inForce,
  isRole,
  KIND_TEXTS,
  type NamedPolicy,
  type PolicyInForce,
  type PolicyKind,
} from './policy-in-force.ts';
import type { Grant } from './principal-element.ts';
import { type RequestContext, type Requester, requesterAccount, requesterContext } from './requester.ts';
import { type Asked, applies, explainMiss, grantOf } from './statement-match.ts';

export type { NamedPolicy, PolicyKind } from './policy-in-force.ts';
export { type RequestContext, type Requester, requesterContext } from './requester.ts';

export interface AccessRequest {
  readonly requester: Requester;
  /** `sts:AssumeRole` */
  readonly action: string;
  /** The ARN that is acted on. */
  readonly resource: string;
  /** Keys beyond those that follow from the requester ({@link requesterContext}), which are added and prevail. */
  readonly context: RequestContext;
}

/**
 * The policies that bear on a request. The identity, boundary and session policies are the requester's own, and count
 * for role sessions and users only.
 */
export interface PoliciesInForce {
  readonly identity: readonly NamedPolicy[];
  /** @default none: there is no limit */
  readonly boundary?: NamedPolicy | undefined;
  /** @default none: there is no limit */
  readonly session?: readonly NamedPolicy[] | undefined;
  /** The resource's own policy: for `sts:AssumeRole`, the role's trust policy. */
  readonly resource?: NamedPolicy | undefined;
  /**
   * The service control policies of the requester's account, a list for each level from the organization's root to
   * the account: something of each level must allow. They bind the root user too, but no service and no service-linked
   * role.
   * @default none: there is no limit
   */
  readonly serviceControl?: readonly (readonly NamedPolicy[])[] | undefined;
}

/** The statement that decided. */
export interface Decider {
  readonly kind: PolicyKind;
  readonly policy: string;
  /** Place in the document, from 0. */
  readonly index: number;
  readonly sid?: string | undefined;
}

export interface Verdict {
  readonly decision: 'allow' | 'explicit-deny' | 'implicit-deny';
  /** Absent where no statement decides: an implicit deny, a root user's own right, and what STS itself refuses. */
  readonly decidedBy?: Decider | undefined;
  /** For an implicit deny: the kind of policy that lacked an allow. */
  readonly missing?: PolicyKind | undefined;
  /** One sentence for people. */
  readonly reason: string;
}

/**
 * What IAM decides about a request. An explicit deny in any policy wins; then each side must allow that IAM asks.
 *
 * In one account a resource's policy that names the requester suffices, within a permissions boundary and session
 * policies (a role session or user named by its own ARN is free of these too); one that names the account leaves it
 * to the requester's policies. Across accounts both sides must allow. A role's trust policy and a KMS key's policy
 * must allow in any case. `sts:SetSourceIdentity` by a role session needs the requester's side too: AWS documents it
 * for role chaining, and for one account it is not confirmed on a live account. Service control policies limit all of
 * this, whatever else allows.
 *
 * Not modelled: resource control policies, VPC endpoint policies, anonymous requests.
 *
 * @throws {SessionBrokerError} PolicyNotUnderstood for anything unknown in any of the policies, whether or not it
 *   would have decided
 * @see IAM User Guide, "Policy evaluation logic"
 */
export function evaluate(request: AccessRequest, policies: PoliciesInForce): Verdict {
  const { requester, action, resource } = request;
  const asked: Asked = {
    requester,
    action,
    actionInLowerCase: action.toLowerCase(),
    resource,
    context: contextValues(request.context, requesterContext(requester)),
    hasBoundary: policies.boundary !== undefined,
  };
  const identity = policies.identity.map((policy) => inForce('identity', policy));
  const boundary = policies.boundary === undefined ? [] : [inForce('boundary', policies.boundary)];
  const session = (policies.session ?? []).map((policy) => inForce('session', policy));
  const given = policies.resource === undefined ? [] : [inForce('resource', policies.resource, resource)];
  // A trust policy is about assuming its role; what else is done to the role is not its business.
  const resourcePolicy = isRole(resource) && !isStsAction(action) ? [] : given;
  const levels = (policies.serviceControl ?? []).map((level) =>
    level.map((policy) => inForce('service-control', policy)),
  );

  // Only roles and users have policies of their own.
  const isCaller = requester.kind === 'role-session' || requester.kind === 'user';
  const requesterSide = isCaller ? [...identity, ...boundary, ...session] : [];
  const serviceControl = isCaller || requester.kind === 'root' ? levels : [];
  const denied = firstMatch(asked, 'Deny', [...serviceControl.flat(), ...requesterSide, ...resourcePolicy]);
  if (denied !== undefined) {
    return {
      decision: 'explicit-deny',
      decidedBy: deciderOf(denied),
      reason: `${textOf(denied)} denies ${whatOf(asked, denied.policy.kind)}`,
    };
  }
  const lacks = (missing: PolicyKind, side: readonly PolicyInForce[]): Verdict => ({
    decision: 'implicit-deny',
    missing,
    // Worked out when it is read: a check that asks thousands of times reads few.
    get reason() {
      return explainMissing(asked, missing, side);
    },
  });
  const silent = serviceControl.find((level) => firstMatch(asked, 'Allow', level) === undefined);
  if (silent !== undefined) return lacks('service-control', silent);

  const granted = bestGrant(asked, resourcePolicy);
  const isOwn = isSameAccount(requester, resource);
  const mayDoWithout = isOwn && (isCaller || requester.kind === 'root') && !needsResourcePolicy(action, resource);
  if (granted === undefined && !mayDoWithout) return lacks('resource', resourcePolicy);

  const grant = isOwn && !needsRequesterSide(requester, action) ? granted?.grant : undefined;
  const allowed = granted?.match ?? (isCaller ? firstMatch(asked, 'Allow', identity) : undefined);
  if (isCaller && grant !== 'whole') {
    if (grant !== 'limited' && firstMatch(asked, 'Allow', identity) === undefined) return lacks('identity', identity);
    if (boundary.length > 0 && firstMatch(asked, 'Allow', boundary) === undefined) return lacks('boundary', boundary);
    if (session.length > 0 && firstMatch(asked, 'Allow', session) === undefined) return lacks('session', session);
  }
  if (allowed === undefined) {
    return { decision: 'allow', reason: `the root user of the account may do ${action} on ${resource}` };
  }
  return {
    decision: 'allow',
    decidedBy: deciderOf(allowed),
    reason: `${textOf(allowed)} allows ${whatOf(asked, allowed.policy.kind)}`,
  };
}

interface Match {
  readonly policy: PolicyInForce;
  readonly statement: CompiledStatement;
}

function firstMatch(asked: Asked, effect: 'Allow' | 'Deny', policies: readonly PolicyInForce[]): Match | undefined {
  for (const policy of policies) {
    const statement = policy.statements.find((candidate) => candidate.effect === effect && applies(candidate, asked));
    if (statement !== undefined) return { policy, statement };
  }
  return undefined;
}

const GRANT_RANK: Readonly<Record<Grant, number>> = { delegated: 1, limited: 2, whole: 3 };

/** The statement of the resource's policy that gives the requester most; the first of equals. */
function bestGrant(
  asked: Asked,
  policies: readonly PolicyInForce[],
): { readonly grant: Grant; readonly match: Match } | undefined {
  let best: { grant: Grant; match: Match } | undefined;
  for (const policy of policies) {
    for (const statement of policy.statements) {
      if (statement.effect !== 'Allow' || !applies(statement, asked)) continue;
      const grant = grantOf(statement, asked);
      if (grant !== undefined && (best === undefined || GRANT_RANK[grant] > GRANT_RANK[best.grant])) {
        best = { grant, match: { policy, statement } };
      }
    }
  }
  return best;
}

/** What AWS itself owns, such as its managed policies, is nobody else's. */
function isSameAccount(requester: Requester, resource: string): boolean {
  const account = splitArn(resource)?.[4] ?? '';
  return account === '' || account === 'aws' || requesterAccount(requester)?.account === account;
}

/** Whether a role session must be allowed by its own side, whatever the resource's policy grants. */
function needsRequesterSide(requester: Requester, action: string): boolean {
  return requester.kind === 'role-session' && action.toLowerCase() === 'sts:setsourceidentity';
}

/** Whether the resource's own policy must allow, however much the requester's policies do. */
function needsResourcePolicy(action: string, resource: string): boolean {
  return (isRole(resource) && isStsAction(action)) || splitArn(resource)?.[2] === 'kms';
}

function isStsAction(action: string): boolean {
  return action.toLowerCase().startsWith('sts:');
}

function deciderOf({ policy, statement }: Match): Decider {
  return { kind: policy.kind, policy: policy.name, index: statement.index, sid: statement.sid };
}

function textOf({ policy, statement }: Match): string {
  return `${statement.name} of ${policiesText([policy])}`;
}

/** `the trust policy`, `the identity policy "a"`, `the identity policies "a", "b"` */
function policiesText(policies: readonly PolicyInForce[]): string {
  const [first] = policies;
  const kindText = first?.kindText ?? 'policy';
  if (policies.length > 1)
    return `the ${kindText.replace(/y$/, 'ies')} ${policies.map(({ name }) => quote(name)).join(', ')}`;
  return first === undefined || first.name === kindText ? `the ${kindText}` : `the ${kindText} ${quote(first.name)}`;
}

/** The request as a policy of a kind sees it: a resource's own policy is about that resource anyway. */
function whatOf({ action, resource }: Asked, kind: PolicyKind): string {
  return kind === 'resource' ? action : `${action} on ${resource}`;
}

/** `no statement of the trust policy allows sts:AssumeRole: AssumeAsAgent needs ...` */
function explainMissing(asked: Asked, missing: PolicyKind, policies: readonly PolicyInForce[]): string {
  if (policies.length === 0) {
    const kindText = missing === 'resource' && isRole(asked.resource) ? 'trust policy' : KIND_TEXTS[missing];
    return missing === 'resource'
      ? `no ${kindText} of ${asked.resource} allows ${asked.action}`
      : `the requester has no ${kindText}, and ${asked.action} on ${asked.resource} needs one that allows it`;
  }
  const candidates = policies.flatMap(({ statements }) => statements).filter(({ effect }) => effect === 'Allow');
  let nearest: { nearness: number; text: string } | undefined;
  for (const statement of candidates) {
    const { nearness, text } = explainMiss(statement, asked);
    if (text !== undefined && nearness > (nearest?.nearness ?? 0))
      nearest = { nearness, text: `${statement.name} ${text}` };
  }
  const because = nearest?.text ?? (candidates.length === 0 ? 'it allows nothing' : 'none is about this action');
  return `no statement of ${policiesText(policies)} allows ${whatOf(asked, missing)}: ${because}`;
}
