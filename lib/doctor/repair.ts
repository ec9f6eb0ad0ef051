import { listOf, oneOrMany, type PolicyDocument, type Statement } from '../policy/index.ts';
import type { StatementChange } from './findings.ts';

/** A condition that some requests do not meet, so that a denial under it lets them pass. */
export interface Exception {
  readonly operator: 'StringNotLike' | 'ArnNotLike';
  readonly key: string;
  readonly values: readonly string[];
  /** Whether the requests of an action have the key. Where it is absent, the condition holds. */
  readonly isOf: (action: string) => boolean;
}

/** A request that a statement denies and should not. */
export interface Denied {
  /** The statement's place, from 0. */
  readonly index: number;
  readonly action: string;
  readonly resource: string;
}

export interface Repair {
  readonly document: PolicyDocument;
  readonly changes: readonly StatementChange[];
}

/**
 * A policy that denies some requests no more, with as little else let through as its statements can say.
 * @param policy how a report calls it
 * @param denied what a document denies that it should not
 * @param exception what tells the requests from others, for where their resources cannot be left out
 * @returns undefined where no statement can be narrowed so
 */
export function withoutDenials(
  policy: string,
  document: PolicyDocument,
  denied: (document: PolicyDocument) => readonly Denied[],
  exception: Exception,
): Repair | undefined {
  const changes: StatementChange[] = [];
  let repaired = document;
  for (let left = denied(repaired); left.length > 0; left = denied(repaired)) {
    const [{ index } = { index: -1 }] = left;
    const statement = repaired.Statement[index];
    if (statement === undefined || changes.length > document.Statement.length) return undefined;
    const requests = left.filter((other) => other.index === index);
    const narrowed = without(requests, statement) ?? withException(exception, requests, statement);
    if (narrowed === undefined) return undefined;
    changes.push({ policy, inPlaceOf: statement.Sid ?? `statement ${index + 1}`, index, statement: narrowed });
    repaired = { ...repaired, Statement: repaired.Statement.with(index, narrowed) };
  }
  return { document: repaired, changes };
}

/** Actions of which a resource may be let off all: none of them changes anything there. */
const HARMLESS = /^(?:sts:.*|ssm:getparameters?|bedrock:(?:invokemodel.*|getinferenceprofile)|eks:describecluster)$/i;

/**
 * A denial that leaves some resources out. Undefined where it denies more than the hop, which it must go on to deny
 * there, and where it names the resources by a pattern or names no others.
 */
function without(requests: readonly Denied[], statement: Statement): Statement | undefined {
  const { Resource: resource, NotResource: notResource, ...rest } = statement;
  const actions = listOf(statement.Action);
  if (actions.length === 0 || !actions.every((action) => HARMLESS.test(action))) return undefined;
  const resources = [...new Set(requests.map((request) => request.resource))];
  if (notResource !== undefined) return { ...rest, NotResource: [...listOf(notResource), ...resources] };
  const listed = listOf(resource);
  if (listed.includes('*')) return { ...rest, NotResource: oneOrMany(resources) };
  if (!resources.every((given) => listed.includes(given))) return undefined;
  const others = listed.filter((given) => !resources.includes(given));
  return others.length === 0 ? undefined : { ...rest, Resource: oneOrMany(others) };
}

/** @see IAM User Guide, "IAM JSON policy elements: Condition operators", negated matching */
function withException(
  { operator, key, values, isOf }: Exception,
  requests: readonly Denied[],
  statement: Statement,
): Statement | undefined {
  if (!requests.every(({ action }) => isOf(action))) return undefined;
  const { [operator]: byKey = {}, ...others } = statement.Condition ?? {};
  const given = listOf(byKey[key]);
  const further = values.filter((value) => !given.includes(value));
  if (further.length === 0) return undefined;
  return { ...statement, Condition: { ...others, [operator]: { ...byKey, [key]: oneOrMany([...given, ...further]) } } };
}

/** A policy with further statements; a Sid that is taken gets a number. */
export function withStatements(policy: string, document: PolicyDocument, statements: readonly Statement[]): Repair {
  const changes: StatementChange[] = [];
  let repaired = document;
  for (const statement of statements) {
    const added = { ...statement, ...freeSid(statement, repaired) };
    changes.push({ policy, statement: added });
    repaired = { ...repaired, Statement: [...repaired.Statement, added] };
  }
  return { document: repaired, changes };
}

function freeSid({ Sid: sid }: Statement, { Statement: statements }: PolicyDocument): Pick<Statement, 'Sid'> {
  if (sid === undefined) return {};
  const taken = new Set(statements.map((statement) => statement.Sid));
  let free = sid;
  for (let number = 2; taken.has(free); number++) free = `${sid}${number}`;
  return { Sid: free };
}
