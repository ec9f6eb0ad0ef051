import { quote } from '../../errors.ts';
import { type AssumeAction, contextOf } from '../assume-role.ts';
import type { CompiledStatement } from '../compile.ts';
import { conditionHolds, explainCondition } from '../conditions.ts';
import { contextValues } from '../context.ts';
import type { PolicyDocument } from '../document.ts';
import type { Decider } from '../evaluate.ts';
import { statementName } from '../parse-document.ts';
import { requesterContext } from '../requester.ts';
import { evaluateTrustAlone } from '../trust-alone.ts';
import { IDENTITY_KEYS } from './keys.ts';
import type { Admitted, Outcome } from './outcomes.ts';

/** A statement of the trust policy. */
export type StatementPlace = Pick<Decider, 'index' | 'sid'>;

/** A trust policy, and its statements as they were read. */
export interface Trust {
  readonly document: PolicyDocument;
  readonly statements: readonly CompiledStatement[];
}

export interface Explanation {
  readonly decidedBy: StatementPlace | undefined;
  /** One sentence for people. */
  readonly reason: string;
}

/** What gets in on one way, the smallest of each kind. */
export interface Found {
  readonly anonymous: Admitted | undefined;
  readonly foreign: Admitted | undefined;
  readonly named: Admitted | undefined;
}

/** Which statement lets in what should not get in, or keeps it out. */
export function explain({ anonymous, foreign, named }: Found, trust: Trust): Explanation {
  if (anonymous !== undefined) return admission(anonymous, 0, 'without a source identity', trust);
  if (foreign?.isAssumed) {
    return { decidedBy: undefined, reason: 'that no name gets in but those of a pattern could not be proven' };
  }
  if (foreign !== undefined) {
    const { sourceIdentity, inheritedSourceIdentity } = foreign.attempt;
    const name = quote(sourceIdentity ?? inheritedSourceIdentity);
    return admission(foreign, 1, `as ${name}, a name that no pattern fixes`, trust);
  }
  if (named === undefined || named.isAssumed) {
    return { decidedBy: undefined, reason: 'no request without a source identity gets in' };
  }
  return refusal(named, trust);
}

/** What stops those who cannot get in: of plain requests, without and with each name, that which comes furthest. */
export function explainClosed(outcomes: readonly Outcome[], { document }: Trust): string {
  const attempts = outcomes.flatMap(({ call, names }) => [
    call,
    ...names.map(({ name }) => ({ ...call, sourceIdentity: name })),
  ]);
  const refusals = attempts.flatMap((attempt) => evaluateTrustAlone(attempt, document).denied ?? []);
  const { verdict } = refusals.find(({ action }) => action === 'sts:SetSourceIdentity') ?? refusals[0] ?? {};
  return verdict?.reason ?? 'no request was found that gets in';
}

/** How a result names the statement that decided. */
export function placeOf(decider: Decider | undefined): StatementPlace | undefined {
  return decider && { index: decider.index, ...(decider.sid === undefined ? {} : { sid: decider.sid }) };
}

/**
 * Which statement lets a request in, and how.
 * @param step the IAM action that it is about, by its place in the verdict
 */
function admission({ attempt }: Admitted, step: number, how: string, { document }: Trust): Explanation {
  const decider = evaluateTrustAlone(attempt, document).steps[step]?.verdict.decidedBy;
  return {
    decidedBy: placeOf(decider),
    reason: `${statementName(decider?.sid, decider?.index ?? 0)} admits it ${how}`,
  };
}

/** Why a request that gets in under a name does not get in without. */
function refusal({ attempt }: Admitted, { document, statements }: Trust): Explanation {
  const nameless = { ...attempt, sourceIdentity: undefined, inheritedSourceIdentity: undefined };
  const action: AssumeAction = `sts:${attempt.operation ?? 'AssumeRole'}`;
  const denying = evaluateTrustAlone(nameless, document).steps[0]?.verdict.decidedBy;
  if (denying !== undefined) {
    const name = statementName(denying.sid, denying.index);
    return { decidedBy: placeOf(denying), reason: `${name} denies ${action} without a source identity` };
  }
  const admitting = evaluateTrustAlone(attempt, document).steps[0]?.verdict.decidedBy;
  const { name, conditions = [] } = statements[admitting?.index ?? 0] ?? {};
  const context = contextValues(contextOf(action, nameless), requesterContext(attempt.requester));
  const failed = conditions.filter((condition) => !conditionHolds(condition, context));
  // Of several that fail, such as one whose policy variable has no value, the one that asks for the name.
  const telling = failed.find(({ key }) => IDENTITY_KEYS.includes(key.toLowerCase())) ?? failed[0];
  const reason = telling === undefined ? 'needs a source identity' : explainCondition(telling, context);
  return { decidedBy: placeOf(admitting), reason: `${name} ${reason}` };
}
