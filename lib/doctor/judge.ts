import { SessionBrokerError } from '../errors.ts';
import {
  listOf,
  type NamedPolicy,
  type PoliciesInForce,
  type PolicyDocument,
  parseForeignPolicy,
  policyDocument,
  type Statement,
  type Verdict,
} from '../policy/index.ts';
import { derive, type Known, known, type PolicyFacts, type Unknown } from './facts.ts';

/** What policies decide, of which perhaps not all is known. */
export type Judgement =
  | { readonly decision: 'allowed' }
  | { readonly decision: 'denied'; readonly verdict: Verdict }
  /** It depends on what is not known. */
  | { readonly decision: 'undecided'; readonly unknown: Unknown };

/** {@link PoliciesInForce}, of which some may not be known. */
export interface PoliciesOnRecord {
  readonly identity: readonly PolicyFacts[];
  readonly boundary?: PolicyFacts | undefined;
  readonly serviceControl?: readonly (readonly PolicyFacts[])[] | undefined;
  readonly resource?: PolicyFacts | undefined;
}

/**
 * Judges requests by policies of which some cannot be read, and by conditions on what only a real request has, such as
 * its address: once as if all of that spoke for the request, and once as if it spoke against it.
 * @param decide asks the evaluator; the same requests both times
 * @param isKnown whether a condition key of the requests is known, be it that it is absent
 */
export function judge<Request>(
  decide: (policies: PoliciesInForce) => ReadonlyMap<Request, Verdict>,
  policies: PoliciesOnRecord,
  isKnown: (key: string) => boolean,
): ReadonlyMap<Request, Judgement> {
  const all = [policies.identity, policies.boundary, policies.serviceControl, policies.resource].flat(2);
  const doubts = all.flatMap((policy) => (policy === undefined ? [] : doubtsOf(policy, isKnown)));
  const generous = decide(leaning('Allow', policies, isKnown));
  const strict = doubts.length === 0 ? generous : decide(leaning('Deny', policies, isKnown));
  return new Map(
    [...generous].map(([request, verdict]): [Request, Judgement] => {
      if (verdict.decision !== 'allow') return [request, { decision: 'denied', verdict }];
      if (strict.get(request)?.decision === 'allow') return [request, { decision: 'allowed' }];
      return [request, { decision: 'undecided', unknown: doubts[0] ?? { missing: 'it could not be judged' } }];
    }),
  );
}

/** A policy as the evaluator takes it; not known where it does not understand it. */
export function understood({ name, document }: PolicyFacts): Known<PolicyDocument> {
  if ('unknown' in document) return document;
  try {
    return known(parseForeignPolicy(document.value, name));
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    return { unknown: { missing: `it cannot be judged: ${error.message}` } };
  }
}

/** A policy without its denials, so that what it omits is not hidden by what it denies. */
export function withoutDeny(policy: PolicyFacts): PolicyFacts {
  const document = derive(understood(policy), (parsed) => ({
    ...parsed,
    Statement: parsed.Statement.map((statement) => (statement.Effect === 'Deny' ? aboutNothing(statement) : statement)),
  }));
  return { ...policy, document };
}

function doubtsOf(policy: PolicyFacts, isKnown: (key: string) => boolean): readonly Unknown[] {
  const document = understood(policy);
  if ('unknown' in document) return [document.unknown];
  return document.value.Statement.flatMap((statement, index) => {
    const keys = unknownKeys(statement, isKnown);
    const name = statement.Sid ?? `statement ${index + 1}`;
    const missing = `${name} of ${policy.name} tests ${keys.join(' and ')}, which only a real request has`;
    return keys.length === 0 ? [] : [{ missing }];
  });
}

type Effect = Statement['Effect'];

/** The policies with all that is not known speaking for one effect. */
function leaning(effect: Effect, policies: PoliciesOnRecord, isKnown: (key: string) => boolean): PoliciesInForce {
  const lean = (policy: PolicyFacts): NamedPolicy => ({
    name: policy.name,
    document: leaningDocument(effect, policy, policy === policies.resource, isKnown),
  });
  const { identity, boundary, serviceControl, resource } = policies;
  return {
    identity: identity.map(lean),
    boundary: boundary && lean(boundary),
    serviceControl: serviceControl?.map((level) => level.map(lean)),
    resource: resource && lean(resource),
  };
}

function leaningDocument(
  effect: Effect,
  policy: PolicyFacts,
  isResourcePolicy: boolean,
  isKnown: (key: string) => boolean,
): PolicyDocument {
  const document = understood(policy);
  if ('unknown' in document) {
    return policyDocument([
      { Effect: effect, Action: '*', ...(isResourcePolicy ? { Principal: '*' } : { Resource: '*' }) },
    ]);
  }
  const { Statement: statements } = document.value;
  if (statements.every((statement) => unknownKeys(statement, isKnown).length === 0)) return document.value;
  // Each statement keeps its place, by which a verdict names it.
  return policyDocument(
    statements.map((statement) => {
      if (unknownKeys(statement, isKnown).length === 0) return statement;
      return statement.Effect === effect ? withoutUnknown(statement, isKnown) : aboutNothing(statement);
    }),
  );
}

function aboutNothing({ Condition: _, NotAction: __, ...statement }: Statement): Statement {
  return { ...statement, Action: 'none:None' };
}

/** The statement as if whatever is not known of the request fitted it. */
function withoutUnknown(statement: Statement, isKnown: (key: string) => boolean): Statement {
  const { Condition: conditions = {}, Resource, NotResource, ...rest } = statement;
  const kept = Object.entries(conditions).flatMap(([operator, byKey]) => {
    const entries = Object.entries(byKey).filter(([key, values]) =>
      [key, ...variablesIn(listOf(values))].every(isKnown),
    );
    return entries.length === 0 ? [] : [[operator, Object.fromEntries(entries)] as const];
  });
  const fits = variablesIn(listOf(Resource ?? NotResource)).every(isKnown);
  const given = { ...(Resource && { Resource }), ...(NotResource && { NotResource }) };
  const resources = fits ? given : { Resource: '*' };
  return { ...rest, ...resources, ...(kept.length > 0 && { Condition: Object.fromEntries(kept) }) };
}

/** The keys by which a statement depends on what is not known. */
function unknownKeys(
  { Condition: conditions = {}, Resource, NotResource }: Statement,
  isKnown: (key: string) => boolean,
): readonly string[] {
  const tested = Object.values(conditions).flatMap((byKey) =>
    Object.entries(byKey).flatMap(([key, values]) => [key, ...variablesIn(listOf(values))]),
  );
  const keys = [...tested, ...variablesIn(listOf(Resource ?? NotResource))];
  return [...new Set(keys.filter((key) => !isKnown(key)))];
}

/** The condition keys that policy variables stand for. */
function variablesIn(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => [...text.matchAll(/\$\{([^},]+:[^},]+)/g)].map(([, key = '']) => key.trim()));
}
