import { quote } from '../errors.ts';
import { evaluate, type PoliciesInForce, type RequestContext, type Requester, type Verdict } from './evaluate.ts';

/** An operation of STS by which a role is assumed. */
export type AssumeOperation = 'AssumeRole' | 'AssumeRoleWithSAML' | 'AssumeRoleWithWebIdentity';

/** An IAM action that such an operation may need. */
export type AssumeAction = `sts:${AssumeOperation}` | 'sts:SetSourceIdentity' | 'sts:TagSession';

/** A call that assumes a role. */
export interface AssumeRoleAttempt {
  /**
   * With SAML or a web identity the requester is the identity provider, and the source identity and the session tags
   * are those of its assertion or token.
   * @default 'AssumeRole'
   */
  readonly operation?: AssumeOperation | undefined;
  readonly requester: Requester;
  /** The role that is to be assumed. */
  readonly roleArn: string;
  readonly roleSessionName: string;
  /** The source identity that the call asks for. */
  readonly sourceIdentity?: string | undefined;
  /** The source identity that the caller's session already has. Only a signed call, AssumeRole, inherits one. */
  readonly inheritedSourceIdentity?: string | undefined;
  /** The session tags of the call. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly transitiveTagKeys?: readonly string[] | undefined;
  /** Further condition keys: `aws:SourceIp`, `aws:PrincipalTag/team`, `sts:ExternalId`. */
  readonly context?: RequestContext | undefined;
}

/** How one IAM action of the call was decided. */
export interface AssumeRoleStep {
  readonly action: AssumeAction;
  readonly verdict: Verdict;
}

export interface AssumeRoleVerdict {
  readonly allowed: boolean;
  /** The new session's source identity, asked for or inherited. Absent unless allowed. */
  readonly sourceIdentity?: string | undefined;
  /** Each IAM action that was decided, in this order: the operation's own, sts:SetSourceIdentity, sts:TagSession. */
  readonly steps: readonly AssumeRoleStep[];
  /** The first step that was not allowed. */
  readonly denied?: AssumeRoleStep | undefined;
}

/**
 * Whether STS lets a caller assume a role. One call is up to three IAM actions, and each has condition keys of its
 * own: `sts:SourceIdentity` is present on the first two, `sts:RoleSessionName` on the first alone, the session tags on
 * the first and the third, and `aws:SourceIdentity` on all, but only if the caller's session has one.
 *
 * `sts:SetSourceIdentity` is decided when a value is asked for or inherited. STS itself refuses a value that differs
 * from the inherited one, and the root user, whatever the policies say.
 *
 * @param policies the caller's, and as `resource` the trust policy of the role
 * @throws {SessionBrokerError} PolicyNotUnderstood
 * @see IAM User Guide, "Monitor and control actions taken with assumed roles"; Service Authorization Reference, AWS STS
 */
export function evaluateAssumeRole(attempt: AssumeRoleAttempt, policies: PoliciesInForce): AssumeRoleVerdict {
  const { requester, roleArn } = attempt;
  const steps = actionsOf(attempt).map((action): AssumeRoleStep => {
    const context = contextOf(action, attempt);
    const verdict = evaluate({ requester, action, resource: roleArn, context }, policies);
    return refusedByStsItself(action, attempt) ?? { action, verdict };
  });
  const denied = steps.find(({ verdict }) => verdict.decision !== 'allow');
  if (denied !== undefined) return { allowed: false, steps, denied };
  return { allowed: true, sourceIdentity: identityOf(attempt), steps };
}

/** The IAM actions that a call needs. */
function actionsOf(attempt: AssumeRoleAttempt): readonly AssumeAction[] {
  const actions: AssumeAction[] = [`sts:${attempt.operation ?? 'AssumeRole'}`];
  if (identityOf(attempt) !== undefined) actions.push('sts:SetSourceIdentity');
  if (Object.keys(taggingContext(attempt)).length > 0) actions.push('sts:TagSession');
  return actions;
}

/** The condition keys that one IAM action of a call has, beyond those that follow from the requester. */
export function contextOf(action: AssumeAction, attempt: AssumeRoleAttempt): RequestContext {
  const { roleSessionName, inheritedSourceIdentity } = attempt;
  const further = Object.entries(attempt.context ?? {}).filter(([key]) => !isKeyOfTheCall(key));
  const sourceIdentity = identityOf(attempt);
  const everywhere = {
    ...Object.fromEntries(further.filter(([key]) => !key.toLowerCase().startsWith('sts:'))),
    ...(inheritedSourceIdentity === undefined ? {} : { 'aws:SourceIdentity': inheritedSourceIdentity }),
  };
  const identity = sourceIdentity === undefined ? {} : { 'sts:SourceIdentity': sourceIdentity };
  switch (action) {
    case 'sts:SetSourceIdentity':
      return { ...everywhere, ...identity };
    case 'sts:TagSession':
      return { ...everywhere, ...taggingContext(attempt) };
    default:
      return {
        ...Object.fromEntries(further),
        ...everywhere,
        ...identity,
        ...taggingContext(attempt),
        'sts:RoleSessionName': roleSessionName,
      };
  }
}

function identityOf({ sourceIdentity, inheritedSourceIdentity }: AssumeRoleAttempt): string | undefined {
  return sourceIdentity ?? inheritedSourceIdentity;
}

/** What no policy can allow. */
function refusedByStsItself(action: AssumeAction, attempt: AssumeRoleAttempt): AssumeRoleStep | undefined {
  const { requester, sourceIdentity, inheritedSourceIdentity } = attempt;
  if (requester.kind === 'root' && action === 'sts:AssumeRole') {
    return refusal(action, 'STS lets no root user assume a role');
  }
  const changes =
    sourceIdentity !== undefined && inheritedSourceIdentity !== undefined && sourceIdentity !== inheritedSourceIdentity;
  if (changes && action === 'sts:SetSourceIdentity') {
    return refusal(
      action,
      `STS lets no session change its source identity: it is ${quote(inheritedSourceIdentity)}, the request asks for ${quote(sourceIdentity)}`,
    );
  }
  return undefined;
}

function refusal(action: AssumeAction, reason: string): AssumeRoleStep {
  return { action, verdict: { decision: 'explicit-deny', reason } };
}

/** The keys that the other fields of an attempt give. */
function isKeyOfTheCall(key: string): boolean {
  const name = key.toLowerCase();
  return KEYS_OF_THE_CALL.has(name) || name.startsWith('aws:requesttag/');
}

const KEYS_OF_THE_CALL = new Set([
  'aws:sourceidentity',
  'aws:tagkeys',
  'sts:rolesessionname',
  'sts:sourceidentity',
  'sts:transitivetagkeys',
]);

function taggingContext({ tags = {}, transitiveTagKeys = [] }: AssumeRoleAttempt): RequestContext {
  const keys = Object.keys(tags);
  return {
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    ...(keys.length === 0 ? {} : { 'aws:TagKeys': keys }),
    ...(transitiveTagKeys.length === 0 ? {} : { 'sts:TransitiveTagKeys': transitiveTagKeys }),
  };
}
