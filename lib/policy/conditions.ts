import { quote } from '../errors.ts';
import type { ContextValues } from './context.ts';
import { type Conditions, listOf } from './document.ts';
import { notUnderstood } from './fault.ts';
import { type Matcher, OPERATORS, type Operator, truth } from './operators.ts';
import { MULTIVALUED_KEYS } from './pattern.ts';

type Quantifier = 'ForAllValues' | 'ForAnyValue';

/** One condition key under one operator. */
export interface Condition {
  /** As the policy writes it. */
  readonly key: string;
  readonly wanted: readonly string[];
  readonly quantifier: Quantifier | undefined;
  readonly ifExists: boolean;
  readonly operator: Operator | 'Null';
  readonly matchers: readonly Matcher[];
}

/** name = [ ( "ForAllValues" / "ForAnyValue" ) ":" ] operator [ "IfExists" ] */
const OPERATOR_NAME = /^(?:(?<quantifier>ForAllValues|ForAnyValue):)?(?<operator>[A-Za-z]+?)(?<ifExists>IfExists)?$/;

/** key = prefix ":" name */
const KEY = /^[A-Za-z0-9][A-Za-z0-9._/-]*:[^*?${}]+$/;

/**
 * Reads a statement's conditions.
 * @throws {SessionBrokerError} PolicyNotUnderstood
 */
export function readConditions(conditions: Conditions, where: string): Condition[] {
  return Object.entries(conditions).flatMap(([name, byKey]) => {
    const { quantifier, operator: operatorName = '', ifExists } = OPERATOR_NAME.exec(name)?.groups ?? {};
    const operator = operatorName === 'Null' ? 'Null' : OPERATORS.get(operatorName);
    if (operator === undefined) throw notUnderstood(where, `condition operator ${quote(name)} is not known`);
    if (operator === 'Null' && (quantifier !== undefined || ifExists !== undefined)) {
      throw notUnderstood(where, `condition operator Null takes no set operator and no IfExists: ${quote(name)}`);
    }
    const keys = Object.keys(byKey).map((key) => key.toLowerCase());
    const twice = Object.keys(byKey).find((_, index) => keys.indexOf(keys[index] ?? '') < index);
    if (twice !== undefined) {
      throw notUnderstood(
        where,
        `a condition key must stand once under ${name}: ${quote(twice)} stands there in another case too`,
      );
    }
    return Object.entries(byKey).map(([key, values]): Condition => {
      const place = `${where}, condition ${name} ${key}`;
      if (!KEY.test(key)) {
        throw notUnderstood(place, 'a condition key must read prefix:name, without wildcard or variable');
      }
      if (operator !== 'Null' && quantifier === undefined && MULTIVALUED_KEYS.has(key.toLowerCase())) {
        throw notUnderstood(
          place,
          `a key of several values needs a set operator; write ForAllValues:${name} or ForAnyValue:${name}`,
        );
      }
      const wanted = listOf(values);
      return {
        key,
        wanted,
        quantifier: quantifier as Quantifier | undefined,
        ifExists: ifExists !== undefined,
        operator,
        matchers: wanted.map((value) => (operator === 'Null' ? truth : operator.matcher)(value, place)),
      };
    });
  });
}

/**
 * Whether a condition holds. A missing key makes an operator false, a negated one true and `IfExists` true;
 * `ForAllValues` is true of a missing key and of no values, `ForAnyValue` false. A wanted value whose policy variable
 * the request lacks is no value to compare with: nothing matches it, and a negated operator does not hold.
 * @throws {SessionBrokerError} PolicyNotUnderstood for a key of several values without set operator
 */
export function conditionHolds(condition: Condition, context: ContextValues): boolean {
  const { key, quantifier, ifExists, operator, matchers } = condition;
  const given = context.get(key.toLowerCase());
  if (operator === 'Null') {
    const absent = String(given === undefined);
    return matchers.some((matches) => matches(absent, context));
  }
  if (given === undefined) {
    return ifExists || quantifier === 'ForAllValues' || (quantifier === undefined && operator.negated);
  }
  const one = (value: string): boolean =>
    operator.negated
      ? matchers.every((matches) => matches(value, context) === false)
      : matchers.some((matches) => matches(value, context));
  if (quantifier === undefined) {
    const [value, ...more] = given;
    if (value === undefined || more.length > 0) {
      throw notUnderstood(`condition on ${key}`, 'a key of several values needs ForAllValues: or ForAnyValue:');
    }
    return one(value);
  }
  // An empty text counts as no value at all ("null data set").
  const values = given.filter((value) => value !== '');
  return quantifier === 'ForAllValues' ? values.every(one) : values.some(one);
}

/** What a condition wants, and what the request has: `needs sts:SourceIdentity like "a.*", the request has none`. */
export function explainCondition(condition: Condition, context: ContextValues): string {
  const { key, wanted, quantifier, ifExists, operator } = condition;
  const given = context.get(key.toLowerCase());
  const has = given === undefined ? 'none' : alternatives(given, ' and ');
  if (operator === 'Null') {
    return `needs ${key} to be ${wanted.some((value) => value.toLowerCase() === 'true') ? 'absent' : 'present'}, the request has ${has}`;
  }
  const subject = { ForAllValues: `every value of ${key}`, ForAnyValue: `a value of ${key}` };
  const words = operator.negated ? `not ${operator.words}` : operator.words;
  const values = alternatives(wanted, operator.negated ? ' nor ' : ' or ');
  return `needs ${quantifier === undefined ? key : subject[quantifier]} ${words} ${values}${ifExists ? ' if present' : ''}, the request has ${has}`;
}

function alternatives(values: readonly string[], or: string): string {
  return values.map(quote).join(or);
}
