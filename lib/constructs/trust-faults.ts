import { isDeepStrictEqual } from 'node:util';
import { quote, SessionBrokerError } from '../errors.ts';
import {
  isSourceIdentity,
  parseSourceIdentity,
  type Scope,
  SOURCE_IDENTITY_LENGTH,
  scopePatterns,
  scopePrefix,
} from '../identity/index.ts';
import {
  type AssumeRoleVerdict,
  type Conditions,
  evaluateTrustAlone,
  listOf,
  type PolicyDocument,
  parsePolicyDocument,
  policyDocument,
  type Statement,
} from '../policy/index.ts';

export interface FinishedTrust {
  /** The trust policy as it stands in the template, with all known values in place. */
  readonly document: unknown;
  readonly roleArn: string;
  /** ARNs of the roles that may assume the role, with all known values in place. */
  readonly callerArns: readonly string[];
  /** Whose names the role may admit. */
  readonly scope: Scope;
}

const POLICY = 'trust policy';
const SOURCE_IDENTITY = 'sts:sourceidentity';

/** The actions that the source identity must be tested on. */
const NAMING_ACTIONS = ['sts:AssumeRole', 'sts:SetSourceIdentity'];

/**
 * What is wrong with a finished trust policy: it names another principal than the callers, admits a name outside the
 * scope, or admits a caller under none. It is judged at its weakest: as if no denial applied, and every condition were
 * met that does not test the source identity. So a policy that is narrowed passes, and one that is widened under a
 * condition does not.
 *
 * Each allowing statement must be bound to the scope by a form that can be proven, since no list of names shows what a
 * condition admits. The evaluator is asked as well, about names that must be refused and one that must be admitted.
 * @returns rule, what was found and what to do, one text for each fault
 */
export function trustFaults(trust: FinishedTrust): readonly string[] {
  try {
    const document = parsePolicyDocument(trust.document, POLICY);
    const strangers = strangerFaults(document, trust);
    return strangers.length > 0 ? strangers : nameFaults(document, trust);
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    return [`${POLICY} must be one that can be judged before it is deployed: ${error.message}`];
  }
}

function strangerFaults({ Statement: statements }: PolicyDocument, { callerArns }: FinishedTrust): readonly string[] {
  return statements.flatMap(({ Effect: effect, Sid: sid, Principal: principal, NotPrincipal }, index) => {
    if (effect === 'Deny') return [];
    const place = placeOf(sid, index);
    const refuse = (given: unknown): string =>
      `${POLICY} must name no one but ${callerArns.map(quote).join(', ')}: ${place} names ${quote(given)}; remove it, grantAssume names further roles`;
    if (NotPrincipal !== undefined || typeof principal !== 'object') return [refuse(principal ?? { NotPrincipal })];
    return Object.entries(principal).flatMap(([type, values]) =>
      listOf(values)
        .filter((value) => type !== 'AWS' || !callerArns.includes(value))
        .map((value) => refuse(type === 'AWS' ? value : { [type]: value })),
    );
  });
}

function nameFaults(document: PolicyDocument, trust: FinishedTrust): readonly string[] {
  const { callerArns, scope } = trust;
  const weakest = weakestOf(document);
  const prefix = scopePrefix(scope);
  const values = conditionValues(weakest);
  const variable = values.find((value) => value.includes('${'));
  if (variable !== undefined) {
    return [
      `${POLICY} must test the source identity against fixed names: ${quote(variable)} has a policy variable, whose value is the caller's; remove it`,
    ];
  }
  const unbound = [...weakest.Statement.entries()].filter(
    ([, statement]) => namesIdentity(statement) && !isBound(statement, scope),
  );
  // Where the form proves nothing, more names are asked about, for a telling example.
  const names = new Set(
    unbound.length === 0
      ? [undefined, ...nearestNames(scope)]
      : [undefined, ...nearestNames(scope), ...furtherNames(scope), ...namesOf(values)],
  );
  const faults: string[] = [];
  for (const callerArn of callerArns) {
    for (const name of names) {
      if (name !== undefined && !isForeign(name, prefix)) continue;
      const { allowed, steps } = ask(weakest, trust, callerArn, name);
      if (!allowed) continue;
      const decider = steps[0]?.verdict.decidedBy;
      const under = name === undefined ? 'without a source identity' : `as ${quote(name)}`;
      faults.push(
        `${POLICY} must admit no name but ${prefix}.<session>: ${placeOf(decider?.sid, decider?.index ?? 0)} admits ${callerArn} ${under}; remove what changed it`,
      );
    }
  }
  if (faults.length > 0) return faults;
  if (unbound.length > 0) {
    const { stringLike, stringNotLike } = scopePatterns(scope);
    return unbound.map(
      ([index, { Sid: sid }]) =>
        `${POLICY} must admit no name but ${prefix}.<session>: ${placeOf(sid, index)} is not bound to these; test sts:SourceIdentity there by StringLike ${quote(stringLike)} and StringNotLike ${quote(stringNotLike)}, or by StringEquals`,
    );
  }
  const isAdmitted = (callerArn: string, name: string): boolean =>
    isOwn(name, prefix) && ask(weakest, trust, callerArn, name).allowed;
  return callerArns
    .filter((callerArn) => ![`${prefix}.s1`, ...namesOf(values)].some((name) => isAdmitted(callerArn, name)))
    .map(
      (callerArn) =>
        `${POLICY} must admit ${callerArn} under names of ${prefix}.<session>: it admits it under none; restore what was removed`,
    );
}

/** The policy at its weakest; mostly the policy itself, which then needs no second reading. */
function weakestOf(document: PolicyDocument): PolicyDocument {
  const weakest = policyDocument(document.Statement.flatMap(atItsWeakest));
  return isDeepStrictEqual(weakest, document) ? document : parsePolicyDocument(weakest, POLICY);
}

function ask(
  document: PolicyDocument,
  { roleArn }: FinishedTrust,
  callerArn: string,
  sourceIdentity: string | undefined,
): AssumeRoleVerdict {
  const requester = { kind: 'role-session', roleArn: callerArn, sessionName: 'session' } as const;
  return evaluateTrustAlone(
    { requester, roleArn, roleSessionName: sourceIdentity ?? 'session', sourceIdentity },
    document,
  );
}

/** Whether a statement is about an action that the source identity must be tested on. */
function namesIdentity({ Action: actions, NotAction: notActions }: Statement): boolean {
  const patterns = listOf(actions ?? notActions).map(
    (text) => new RegExp(`^${text.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i'),
  );
  return NAMING_ACTIONS.some((action) => patterns.some((pattern) => pattern.test(action)) === (actions !== undefined));
}

/**
 * Whether a statement's conditions can be proven to admit names of the scope alone. All of them must hold at once, so
 * it is enough that some do:
 *
 * - StringEquals, or StringLike without wildcards, on names of the scope
 * - StringLike on patterns that begin like these, with at least one character more, and the scope's own StringNotLike
 */
function isBound({ Condition: conditions = {} }: Statement, scope: Scope): boolean {
  const prefix = scopePrefix(scope);
  const valuesUnder = (operator: string): readonly string[] => {
    const [values, ...others] = Object.values(conditions[operator] ?? {});
    return others.length > 0 ? [] : listOf(values); // one key in two spellings proves nothing
  };
  const equal = valuesUnder('StringEquals');
  if (equal.length > 0 && equal.every((name) => isOwn(name, prefix))) return true;
  const like = valuesUnder('StringLike');
  if (like.length === 0) return false;
  if (like.every((name) => isOwn(name, prefix))) return true;
  return (
    like.every((pattern) => pattern.startsWith(`${prefix}.`) && /[^*]/.test(pattern.slice(prefix.length + 1))) &&
    valuesUnder('StringNotLike').includes(scopePatterns(scope).stringNotLike)
  );
}

function placeOf(sid: string | undefined, index: number): string {
  return sid ?? `statement ${index + 1}`;
}

/** An allowing statement with its conditions on the source identity alone; a denying one not at all. */
function atItsWeakest(statement: Statement): Statement[] {
  if (statement.Effect === 'Deny') return [];
  const { Condition: conditions = {}, ...rest } = statement;
  const kept = Object.entries(conditions)
    .map(
      ([operator, byKey]) =>
        [operator, Object.entries(byKey).filter(([key]) => key.toLowerCase() === SOURCE_IDENTITY)] as const,
    )
    .filter(([, entries]) => entries.length > 0)
    .map(([operator, entries]) => [operator, Object.fromEntries(entries)] as const);
  return [kept.length > 0 ? { ...rest, Condition: Object.fromEntries(kept) as Conditions } : rest];
}

/** Names that a scope must not admit, nearest to those that it does. */
function nearestNames(scope: Scope): readonly string[] {
  const prefix = scopePrefix(scope);
  return [
    `${prefix}.x.s1`, // another scope inside this one
    `${prefix}-2.s1`, // begins alike
  ];
}

/** More names that it must not admit. */
function furtherNames(scope: Scope): readonly string[] {
  const prefix = scopePrefix(scope);
  return [
    'agent.x.s1', // another tenant
    `internal.${scope.tenant}.s1`, // another class
    prefix,
    `${prefix}.`,
    `${prefix}.s1.`,
    `${prefix}..s1`,
    `${prefix}2.s1`,
    `agent.x-${scope.tenant}.s1`,
    'agent.z.s1',
    'agent..s1',
    `${prefix.toUpperCase()}.s1`,
    `${scope.tenant}.s1`,
    's1',
  ];
}

/** All values of all conditions. */
function conditionValues({ Statement: statements }: PolicyDocument): readonly string[] {
  return statements
    .flatMap(({ Condition: conditions = {} }) => Object.values(conditions))
    .flatMap((byKey) => Object.values(byKey))
    .flatMap((value) => listOf(value));
}

/** The names that patterns bring up. */
function namesOf(patterns: readonly string[]): readonly string[] {
  return patterns
    .flatMap((pattern) => [pattern.replaceAll('?', 'x'), pattern.replaceAll('?', 'z')])
    .flatMap((pattern) => ['', 'x', 'z', 'x.y'].map((text) => pattern.replaceAll('*', text)));
}

/** Whether a text is a name of the scope. */
function isOwn(name: string, prefix: string): boolean {
  if (!name.startsWith(`${prefix}.`) || /[*?]/.test(name)) return false;
  return isSourceIdentity(name) && scopePrefix(parseSourceIdentity(name)) === prefix;
}

/** Whether STS would take a name that the scope must not admit. */
function isForeign(name: string, prefix: string): boolean {
  if (name.length < SOURCE_IDENTITY_LENGTH.min || name.length > SOURCE_IDENTITY_LENGTH.max) return false;
  const session = name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : '';
  return session === '' || session.includes('.');
}
