import { quote } from '../../errors.ts';
import { parseRoleArn } from '../../identity/index.ts';
import type { AssumeOperation, AssumeRoleAttempt } from '../assume-role.ts';
import type { CompiledStatement } from '../compile.ts';
import type { PolicyDocument } from '../document.ts';
import { notUnderstood } from '../fault.ts';
import { inForce } from '../policy-in-force.ts';
import type { PrincipalEntry } from '../principal-element.ts';
import { isAbout } from '../statement-match.ts';
import { evaluateTrustAlone, TRUST_POLICY } from '../trust-alone.ts';
import { explain, explainClosed, placeOf, type StatementPlace, type Trust } from './explain.ts';
import type { NamePattern } from './name-patterns.ts';
import { type Admitted, askedFor, type Outcome, Outcomes } from './outcomes.ts';
import { pinningOf } from './pinning.ts';
import { Requesters } from './requesters.ts';
import { Work } from './work.ts';

export type { NamePattern } from './name-patterns.ts';

/** What is known of a role's trust policy: who gets in, and under which names. */
export interface TrustJudgement {
  /**
   * Whether no request without a source identity gets in, on any way. True also of a role that nobody can assume: then
   * there are no ways.
   */
  readonly required: boolean;
  /**
   * Whether on every way the source identity is proven to match known patterns. True also where none can be set, since
   * then nobody gets in under a foreign one.
   */
  readonly pinned: boolean;
  /** By operation, and then in the order of the policy. */
  readonly ways: readonly TrustWay[];
  /** Those that the policy names for an operation and that cannot get in by it, whatever they ask for. */
  readonly closed: readonly ClosedWay[];
  /**
   * For each way that is not required a request without a source identity, for each that is not pinned one under a
   * source identity that no pattern fixes. Of a way whose names could be neither shown nor ruled out there is none.
   */
  readonly witnesses: readonly TrustWitness[];
}

/**
 * A way into a role: a principal of the policy, and the operation that it calls.
 *
 * With `AssumeRole` a source identity is asked for, or inherited from the session of the caller, and `sts:AssumeRole`
 * and `sts:SetSourceIdentity` must both be allowed. With `AssumeRoleWithWebIdentity` and `AssumeRoleWithSAML` it is
 * what the token or the assertion claims, nothing is inherited, and `sts:SetSourceIdentity` must be allowed besides
 * the operation's own action.
 */
export interface TrustWay {
  /** As the policy writes it: an ARN, an account, a unique id, a service, `*`, or `all but ...` for NotPrincipal. */
  readonly principal: string;
  readonly operation: AssumeOperation;
  /** Whether every request without a source identity is refused. */
  readonly required: boolean;
  /** Whether every source identity that gets in matches one of `patterns`. */
  readonly pinned: boolean;
  /** The fewest and narrowest patterns of the policy that every source identity matches. None where none can be set. */
  readonly patterns: readonly NamePattern[];
  /** Patterns of the policy that exclude some of what `patterns` match. */
  readonly exceptions: readonly NamePattern[];
  /** The statement that decides. Absent where no single one does. */
  readonly decidedBy: StatementPlace | undefined;
  /** One sentence for people. */
  readonly reason: string;
}

/** A principal that cannot get in, though a statement allows the operation to it. */
export interface ClosedWay {
  readonly principal: string;
  readonly operation: AssumeOperation;
  /** One sentence for people: what stops the plain request that comes furthest. */
  readonly reason: string;
}

/** The smallest request that gets in and should not. The evaluator allows it. */
export interface TrustWitness {
  readonly kind: 'anonymous' | 'foreign';
  readonly principal: string;
  /** What to ask `evaluateAssumeRole`. Beyond its own needs STS asks for a role session name, whatever it is. */
  readonly attempt: AssumeRoleAttempt;
  /** The statement that allows the operation. */
  readonly decidedBy: StatementPlace | undefined;
}

const OPERATIONS: readonly AssumeOperation[] = ['AssumeRole', 'AssumeRoleWithWebIdentity', 'AssumeRoleWithSAML'];

/**
 * Whether a role's trust policy requires a source identity, and which ones it admits.
 *
 * The trust policy is judged by itself, against whoever can meet it. The caller's own policies allow everything, and
 * what a condition asks besides the source identity can be had: an external id, MFA, an address, a tag, an
 * organization. A value that the caller chooses, such as a tag or the role session name, fixes nothing where a policy
 * variable brings it in. What follows from who the caller is cannot be chosen: `aws:PrincipalArn` and its like.
 *
 * Every answer is backed. What is not required or not pinned has a witness, a request that the evaluator allows. What
 * is required or pinned was tried with a value for each class that the policy's conditions tell apart. What can be
 * neither shown nor ruled out is not pinned, and is refused where it is about a request without a source identity.
 *
 * @param document from `parsePolicyDocument`
 * @param options.roleArn whose trust policy it is
 * @throws {SessionBrokerError} PolicyNotUnderstood for what the evaluator does not know, what can be neither shown nor
 *   ruled out, and a policy that takes too long; RoleArnInvalid
 * @see IAM User Guide, "Monitor and control actions taken with assumed roles"
 */
export function judgeTrust(document: PolicyDocument, { roleArn }: { readonly roleArn: string }): TrustJudgement {
  parseRoleArn(roleArn);
  const { statements } = inForce('resource', { name: TRUST_POLICY, document }, roleArn);
  const judged = entriesOf(statements, roleArn).map((entry) => judge(entry, { document, statements }));
  const ways = judged.flatMap(({ way }) => way ?? []);
  return {
    required: ways.every(({ required }) => required),
    pinned: ways.every(({ pinned }) => pinned),
    ways,
    closed: judged.flatMap(({ closed }) => closed ?? []),
    witnesses: judged.flatMap(({ witnesses }) => witnesses ?? []),
  };
}

/** A principal of the policy that an operation is allowed to, and what those whom it names can do. */
interface Entry {
  readonly principal: string;
  readonly operation: AssumeOperation;
  readonly outcomes: readonly Outcome[];
}

function entriesOf(statements: readonly CompiledStatement[], roleArn: string): readonly Entry[] {
  const work = new Work();
  const requesters = new Requesters(statements, roleArn, work);
  const outcomes = new Outcomes(statements, roleArn, work);
  const entries = new Map<string, Entry>();
  for (const operation of OPERATIONS) {
    for (const statement of statements.filter(({ effect }) => effect === 'Allow')) {
      for (const { principal, entry } of principalsOf(statement)) {
        const named = requesters
          .of(entry, operation)
          .filter((representative) => isAbout(statement, askedFor(`sts:${operation}`, representative, roleArn)));
        const key = `${operation} ${principal}`;
        if (named.length === 0 || entries.has(key)) continue;
        entries.set(key, {
          principal,
          operation,
          outcomes: [...new Set(named.map((one) => outcomes.of(operation, one)))],
        });
      }
    }
  }
  return [...entries.values()];
}

/** Whom a statement names, one by one; with NotPrincipal everyone, of whom those that are listed drop out. */
function principalsOf({ principals }: CompiledStatement): readonly { principal: string; entry: PrincipalEntry }[] {
  if (principals === undefined) return [];
  const { texts, values, negated } = principals;
  if (negated) return [{ principal: `all but ${texts.join(', ')}`, entry: { kind: 'everyone' } }];
  return values.map((entry, index) => ({ principal: texts[index] ?? '', entry }));
}

interface Judged {
  readonly way?: TrustWay;
  readonly closed?: ClosedWay;
  readonly witnesses?: readonly TrustWitness[];
}

function judge({ principal, operation, outcomes }: Entry, trust: Trust): Judged {
  const anonymous = leastOf(outcomes.flatMap((outcome) => outcome.anonymous ?? []));
  const { admitted, strangers, patterns, exceptions } = pinningOf(outcomes);
  const named = leastOf(admitted);
  const foreign = leastOf(strangers);
  if (anonymous === undefined && named === undefined) {
    return { closed: { principal, operation, reason: explainClosed(outcomes, trust) } };
  }
  if (anonymous?.isAssumed) {
    throw notUnderstood(
      TRUST_POLICY,
      `whether ${quote(principal)} gets in without a source identity can be neither shown nor ruled out; compare a policy variable with one key alone, and a key as a text or as a number alone`,
    );
  }
  const witnessOf = (kind: TrustWitness['kind'], { attempt }: Admitted): TrustWitness => {
    const { allowed, steps } = evaluateTrustAlone(attempt, trust.document);
    if (!allowed) throw new Error(`the evaluator refuses what was found to get in: ${JSON.stringify(attempt)}`);
    return { kind, principal, attempt, decidedBy: placeOf(steps[0]?.verdict.decidedBy) };
  };
  const isPinned = foreign === undefined;
  return {
    way: {
      principal,
      operation,
      required: anonymous === undefined,
      pinned: isPinned,
      patterns: isPinned ? patterns : [],
      exceptions: isPinned ? exceptions : [],
      ...explain({ anonymous, foreign, named }, trust),
    },
    witnesses: [
      ...(anonymous === undefined ? [] : [witnessOf('anonymous', anonymous)]),
      ...(foreign === undefined || foreign.isAssumed ? [] : [witnessOf('foreign', foreign)]),
    ],
  };
}

function leastOf(found: readonly Admitted[]): Admitted | undefined {
  return found.reduce<Admitted | undefined>((least, one) => (least && least.cost <= one.cost ? least : one), undefined);
}
