import { quote, quoteBeginning } from '../errors.ts';
import type { Conditions, OneOrMany, PolicyDocument, Statement } from './document.ts';
import { notUnderstood } from './fault.ts';

/** The one version in which policy variables work. */
const VERSION = '2012-10-17';

const POLICY_ELEMENTS = ['Version', 'Id', 'Statement'];
const STATEMENT_ELEMENTS = [
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The shape of a policy document: from foreign JSON to a new, deeply frozen document in which `Statement` is a list
 * and every condition value a string.
 * @param name how an error calls the policy
 * @throws {SessionBrokerError} PolicyNotUnderstood
 * @see IAM User Guide, "Grammar of the IAM JSON policy language"
 */
export function parseShape(value: unknown, name: string): PolicyDocument {
  const policy = objectOf(value, name, 'a policy');
  assertElements(policy, POLICY_ELEMENTS, name);
  if (policy['Version'] !== VERSION) {
    const given = policy['Version'] === undefined ? 'it is missing' : quote(policy['Version']);
    throw notUnderstood(
      name,
      `Version must be "${VERSION}": ${given}; write it out, in the older version policy variables are plain text`,
    );
  }
  const given = policy['Statement'];
  const list = Array.isArray(given) ? given : [given];
  if (list.length === 0) throw notUnderstood(name, 'Statement must have at least one statement');
  const statements = list.map((statement, index) => parseStatement(statement, index, name));
  const sids = new Set<string>();
  for (const { Sid } of statements) {
    if (Sid && sids.has(Sid)) throw notUnderstood(name, `Sid must be unique in a policy: ${quote(Sid)} appears twice`);
    if (Sid) sids.add(Sid);
  }
  return Object.freeze({ Version: VERSION, Statement: Object.freeze(statements) });
}

/** A statement as an error or a reason names it. */
export function statementName(sid: string | undefined, index: number): string {
  return sid ? sid : `statement ${index + 1}`;
}

function parseStatement(value: unknown, index: number, name: string): Statement {
  const statement = objectOf(value, `${name}, statement ${index + 1}`, 'a statement');
  const { Sid: sid, Effect: effect } = statement;
  if (sid !== undefined && typeof sid !== 'string') {
    throw notUnderstood(`${name}, statement ${index + 1}`, `Sid must be text: ${quote(sid)}`);
  }
  const where = `${name}, ${statementName(sid, index)}`;
  assertElements(statement, STATEMENT_ELEMENTS, where);
  if (effect !== 'Allow' && effect !== 'Deny') {
    throw notUnderstood(where, `Effect must be "Allow" or "Deny": ${quote(effect)}`);
  }
  assertOneOf(statement, 'Action', where, true);
  assertOneOf(statement, 'Resource', where, false);
  assertOneOf(statement, 'Principal', where, false);
  const parsed: { -readonly [Element in keyof Statement]: Statement[Element] } = { Effect: effect };
  if (sid !== undefined) parsed.Sid = sid;
  for (const element of ['Principal', 'NotPrincipal'] as const) {
    if (statement[element] !== undefined) parsed[element] = parsePrincipal(statement[element], `${where}, ${element}`);
  }
  for (const element of ['Action', 'NotAction', 'Resource', 'NotResource'] as const) {
    if (statement[element] !== undefined) parsed[element] = textsOf(statement[element], `${where}, ${element}`);
  }
  if (statement['Condition'] !== undefined) {
    parsed.Condition = parseConditions(statement['Condition'], `${where}, Condition`);
  }
  return Object.freeze(parsed);
}

function parsePrincipal(value: unknown, where: string): '*' | Readonly<Record<string, OneOrMany<string>>> {
  if (value === '*') return '*';
  if (typeof value === 'string') {
    throw notUnderstood(where, `must be "*" or name a type, like {"AWS": ...}: ${quote(value)}`);
  }
  return mapEntries(objectOf(value, where, 'it'), where, (values, type) => textsOf(values, `${where} ${type}`));
}

function parseConditions(value: unknown, where: string): Conditions {
  return mapEntries(objectOf(value, where, 'it'), where, (byKey, operator) => {
    const place = `${where} ${operator}`;
    return mapEntries(objectOf(byKey, place, 'an operator'), place, (values, key) =>
      conditionValuesOf(values, `${place} ${key}`),
    );
  });
}

/** IAM reads `true` and `5` as it reads `"true"` and `"5"`. */
function conditionValuesOf(value: unknown, where: string): OneOrMany<string> {
  const textOf = (single: unknown): unknown =>
    typeof single === 'boolean' || typeof single === 'number' ? String(single) : single;
  return textsOf(Array.isArray(value) ? value.map(textOf) : textOf(value), where);
}

function textsOf(value: unknown, where: string): OneOrMany<string> {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.length > 0 && value.every((single) => typeof single === 'string')) {
    return Object.freeze([...value]);
  }
  throw notUnderstood(where, `must be text or a list of texts that is not empty: ${quote(value)}`);
}

function mapEntries<Value>(
  record: JsonObject,
  where: string,
  parse: (value: unknown, key: string) => Value,
): Readonly<Record<string, Value>> {
  const entries = Object.entries(record).map(([key, value]) => [key, parse(value, key)] as const);
  if (entries.length === 0) throw notUnderstood(where, 'must not be empty');
  return Object.freeze(Object.fromEntries(entries));
}

function assertElements(record: JsonObject, known: readonly string[], where: string): void {
  for (const element of Object.keys(record)) {
    if (!known.includes(element)) {
      throw notUnderstood(where, `element ${quote(element)} is not known; known are ${known.join(', ')}`);
    }
  }
}

function assertOneOf(statement: JsonObject, element: string, where: string, isRequired: boolean): void {
  const count = [element, `Not${element}`].filter((name) => statement[name] !== undefined).length;
  if (count > 1) throw notUnderstood(where, `must not have both ${element} and Not${element}`);
  if (count === 0 && isRequired) throw notUnderstood(where, `must have ${element} or Not${element}`);
}

function objectOf(value: unknown, where: string, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw notUnderstood(where, `${what} must be a JSON object: ${quoteBeginning(value)}`);
}
