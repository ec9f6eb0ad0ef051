import { quote } from '../errors.ts';
import { evaluate, type PoliciesInForce, type RequestContext, type Requester, type Verdict } from './evaluate.ts';

/** A call of AssumeRole. */
export interface AssumeRoleAttempt {
  readonly requester: Requester;
  /** The role that is to be assumed. */
  readonly roleArn: string;
  readonly roleSessionName: string;
  /** The source identity that the call asks for. */
  readonly sourceIdentity?: string | undefined;
  /** The source identity that the caller's session already has. */
  readonly inheritedSourceIdentity?: string | undefined;
  /** The session tags of the call. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly transitiveTagKeys?: readonly string[] | undefined;
  /** Further condition keys: `aws:SourceIp`, `aws:PrincipalTag/team`, `sts:ExternalId`. */
  readonly context?: RequestContext | undefined;
}

/** How one IAM action of the call was decided. */
export interface AssumeRoleStep {
  readonly action: string;
  readonly verdict: Verdict;
}

export interface AssumeRoleVerdict {
  readonly allowed: boolean;
  /** The new session's source identity, asked for or inherited. Absent unless allowed. */
  readonly sourceIdentity?: string | undefined;
  /** Each IAM action that was decided, in this order: sts:AssumeRole, sts:SetSourceIdentity, sts:TagSession. */
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
  const { requester, roleArn, roleSessionName, inheritedSourceIdentity, tags = {}, transitiveTagKeys = [] } = attempt;
  const sourceIdentity = attempt.sourceIdentity ?? inheritedSourceIdentity;
  const further = Object.entries(attempt.context ?? {}).filter(([key]) => !isKeyOfTheCall(key));
  const everywhere = {
    ...Object.fromEntries(further.filter(([key]) => !key.toLowerCase().startsWith('sts:'))),
    ...(inheritedSourceIdentity === undefined ? {} : { 'aws:SourceIdentity': inheritedSourceIdentity }),
  };
  const identity = sourceIdentity === undefined ? {} : { 'sts:SourceIdentity': sourceIdentity };
  const tagging = taggingContext(tags, transitiveTagKeys);
  const decide = (action: string, context: RequestContext): AssumeRoleStep => ({
    action,
    verdict: evaluate({ requester, action, resource: roleArn, context }, policies),
  });

  const steps = [
    decide('sts:AssumeRole', {
      ...Object.fromEntries(further),
      ...everywhere,
      ...identity,
      ...tagging,
      'sts:RoleSessionName': roleSessionName,
    }),
  ];
  if (sourceIdentity !== undefined) steps.push(decide('sts:SetSourceIdentity', { ...everywhere, ...identity }));
  if (Object.keys(tagging).length > 0) steps.push(decide('sts:TagSession', { ...everywhere, ...tagging }));

  const decided = steps.map((step) => refusedByStsItself(step, attempt) ?? step);
  const denied = decided.find(({ verdict }) => verdict.decision !== 'allow');
  return { allowed: denied === undefined, steps: decided, ...(denied === undefined ? { sourceIdentity } : { denied }) };
}

/** What no policy can allow. */
function refusedByStsItself({ action }: AssumeRoleStep, attempt: AssumeRoleAttempt): AssumeRoleStep | undefined {
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

function refusal(action: string, reason: string): AssumeRoleStep {
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

function taggingContext(tags: Readonly<Record<string, string>>, transitiveTagKeys: readonly string[]): RequestContext {
  const keys = Object.keys(tags);
  return {
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    ...(keys.length === 0 ? {} : { 'aws:TagKeys': keys }),
    ...(transitiveTagKeys.length === 0 ? {} : { 'sts:TransitiveTagKeys': transitiveTagKeys }),
  };
}
