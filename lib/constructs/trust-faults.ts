import { quote, SessionBrokerError } from '../errors.ts';
import { type Scope, SOURCE_IDENTITY_LENGTH, scopePrefix } from '../identity/index.ts';
import {
  type Conditions,
  evaluateAssumeRole,
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
  /** ARNs of the roles that may assume the role. */
  readonly callerArns: readonly string[];
  /** Whose names the role may admit. */
  readonly scope: Scope;
}

const POLICY = 'trust policy';
const SOURCE_IDENTITY = 'sts:sourceidentity';

/** The caller's side never stands in the way: here the trust policy alone must refuse. */
const EVERYTHING = parsePolicyDocument(policyDocument([{ Effect: 'Allow', Action: '*', Resource: '*' }]));

/**
 * What a finished trust policy admits that it must not: another principal than the callers, or a name outside the
 * scope. It is judged at its weakest: as if no denial applied, and every condition were met that does not test the
 * source identity. So a policy that is narrowed passes, and one that is widened under a condition does not.
 * @returns rule, what was found and what to do, one text for each fault
 */
export function trustFaults(trust: FinishedTrust): readonly string[] {
  try {
    const document = parsePolicyDocument(trust.document, POLICY);
    const strangers = strangerFaults(document, trust);
    if (strangers.length > 0) return strangers;
    const shape = shapeOf(document, trust);
    if (faultlessShapes.has(shape)) return [];
    const faults = nameFaults(document, trust);
    if (faults.length === 0) faultlessShapes.add(shape);
    return faults;
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    return [`${POLICY} must be one that can be judged before it is deployed: ${error.message}`];
  }
}

/** Shapes of trust policies that were judged and found without a fault. */
const faultlessShapes = new Set<string>();

/**
 * What a verdict depends on: the document in which placeholders stand for the scope and the callers. Tenants' policies
 * are alike, so one judgement serves all tenants whose names are of one length; length counts, since a name that is
 * too long for STS is not tried.
 */
function shapeOf(document: PolicyDocument, { callerArns, scope }: FinishedTrust): string {
  const prefix = scopePrefix(scope);
  let text = JSON.stringify(document);
  for (const [index, arn] of callerArns.entries()) text = text.replaceAll(JSON.stringify(arn), `<caller ${index}>`);
  return `${callerArns.length} ${prefix.length} ${text.replaceAll(prefix, '<scope>')}`;
}

function strangerFaults({ Statement: statements }: PolicyDocument, { callerArns }: FinishedTrust): readonly string[] {
  return statements.flatMap(({ Effect: effect, Sid: sid, Principal: principal, NotPrincipal }, index) => {
    if (effect === 'Deny') return [];
    const place = `${sid ?? `statement ${index + 1}`}`;
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

function nameFaults(document: PolicyDocument, { roleArn, callerArns, scope }: FinishedTrust): readonly string[] {
  const weakest = parsePolicyDocument(policyDocument(document.Statement.flatMap(atItsWeakest)), POLICY);
  const prefix = scopePrefix(scope);
  const values = conditionValues(weakest);
  const variable = values.find((value) => value.includes('${'));
  if (variable !== undefined) {
    return [
      `${POLICY} must test the source identity against fixed names: ${quote(variable)} has a policy variable, whose value is the caller's; remove it`,
    ];
  }
  const names = new Set([undefined, ...foreignNames(scope), ...foreignNamesOf(values, prefix)]);
  const faults: string[] = [];
  for (const callerArn of callerArns) {
    for (const sourceIdentity of names) {
      const { allowed, steps } = evaluateAssumeRole(
        {
          requester: { kind: 'role-session', roleArn: callerArn, sessionName: 'session' },
          roleArn,
          roleSessionName: sourceIdentity ?? 'session',
          sourceIdentity,
        },
        {
          identity: [{ name: 'caller', document: EVERYTHING }],
          resource: { name: POLICY, document: weakest },
        },
      );
      if (!allowed) continue;
      const decider = steps[0]?.verdict.decidedBy;
      const place = decider?.sid ?? `statement ${(decider?.index ?? 0) + 1}`;
      const under = sourceIdentity === undefined ? 'without a source identity' : `as ${quote(sourceIdentity)}`;
      faults.push(
        `${POLICY} must admit no name but ${prefix}.<session>: ${place} admits ${callerArn} ${under}; remove what changed it`,
      );
    }
  }
  return faults;
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

/** Names that a scope must not admit, each of them the nearest of its kind. */
function foreignNames(scope: Scope): readonly string[] {
  const prefix = scopePrefix(scope);
  return [
    prefix,
    `${prefix}.`, // no session
    `${prefix}.x.s1`, // another scope inside this one
    `${prefix}.s1.`,
    `${prefix}..s1`,
    `${prefix}-2.s1`, // begins alike
    `${prefix}2.s1`,
    `agent.x-${scope.tenant}.s1`, // another tenant
    'agent.x.s1',
    'agent.z.s1',
    `agent..s1`,
    `${prefix.toUpperCase()}.s1`,
    `internal.${scope.tenant}.s1`, // another class
    `${scope.tenant}.s1`,
    's1',
  ].filter((name) => isForeign(name, prefix));
}

/** All values of all conditions. */
function conditionValues({ Statement: statements }: PolicyDocument): readonly string[] {
  return statements
    .flatMap(({ Condition: conditions = {} }) => Object.values(conditions))
    .flatMap((byKey) => Object.values(byKey))
    .flatMap((value) => listOf(value));
}

/** The names outside the scope that patterns bring up. */
function foreignNamesOf(patterns: readonly string[], prefix: string): readonly string[] {
  return patterns
    .flatMap((pattern) => [pattern.replaceAll('?', 'x'), pattern.replaceAll('?', 'z')])
    .flatMap((pattern) => ['', 'x', 'z', 'x.y'].map((text) => pattern.replaceAll('*', text)))
    .filter((name) => isForeign(name, prefix));
}

/** Whether STS would take a name that the scope must not admit. */
function isForeign(name: string, prefix: string): boolean {
  if (name.length < SOURCE_IDENTITY_LENGTH.min || name.length > SOURCE_IDENTITY_LENGTH.max) return false;
  const session = name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : '';
  return session === '' || session.includes('.');
}
