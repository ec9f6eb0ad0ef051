import { quote } from '../errors.ts';
import { splitArn } from './arn-segments.ts';
import type { ContextValues } from './context.ts';
import { type Conditions, listOf } from './document.ts';
import { notUnderstood } from './fault.ts';
import { isIpRangeWithin, parseIpRange } from './ip-address.ts';
import { MULTIVALUED_KEYS, matchesPattern, parseTemplate, resolveTemplate, splitTemplate, textOf } from './pattern.ts';

/**
 * Whether a value that the request has matches one that the policy wants; undefined where the request has no value
 * for a policy variable in it.
 */
type Matcher = (given: string, context: ContextValues) => boolean | undefined;

interface Operator {
  /** How a reason says it: `needs <key> <words> <value>`. */
  readonly words: string;
  /** True when no value of the policy may match. */
  readonly negated: boolean;
  /** Reads one value of the policy. */
  readonly matcher: (wanted: string, where: string) => Matcher;
}

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

/**
 * The condition operators, without `Null`, which asks for a key and not for its value.
 * @see IAM User Guide, "IAM JSON policy elements: Condition operators"
 */
const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', is('equal to', text(false))],
  ['StringNotEquals', not('equal to', text(false))],
  ['StringEqualsIgnoreCase', is('equal without regard to case to', textIgnoringCase)],
  ['StringNotEqualsIgnoreCase', not('equal without regard to case to', textIgnoringCase)],
  ['StringLike', is('like', text(true))],
  ['StringNotLike', not('like', text(true))],
  ['NumericEquals', is('equal to', number(isEqual))],
  ['NumericNotEquals', not('equal to', number(isEqual))],
  ['NumericLessThan', is('less than', number(isLess))],
  ['NumericLessThanEquals', is('at most', number(isAtMost))],
  ['NumericGreaterThan', is('greater than', number(isGreater))],
  ['NumericGreaterThanEquals', is('at least', number(isAtLeast))],
  ['DateEquals', is('at', date(isEqual))],
  ['DateNotEquals', not('at', date(isEqual))],
  ['DateLessThan', is('before', date(isLess))],
  ['DateLessThanEquals', is('at or before', date(isAtMost))],
  ['DateGreaterThan', is('after', date(isGreater))],
  ['DateGreaterThanEquals', is('at or after', date(isAtLeast))],
  ['Bool', is('equal to', truth)],
  ['BinaryEquals', is('equal to', binary)],
  ['IpAddress', is('within', ipAddress)],
  ['NotIpAddress', not('within', ipAddress)],
  ['ArnEquals', is('like the ARN', arn)],
  ['ArnLike', is('like the ARN', arn)],
  ['ArnNotEquals', not('like the ARN', arn)],
  ['ArnNotLike', not('like the ARN', arn)],
]);

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

function is(words: string, matcher: Operator['matcher']): Operator {
  return { words, negated: false, matcher };
}

function not(words: string, matcher: Operator['matcher']): Operator {
  return { words, negated: true, matcher };
}

function text(wildcards: boolean): Operator['matcher'] {
  return (wanted, where) => {
    const template = parseTemplate(wanted, wildcards, where);
    return (given, context) => {
      const pattern = resolveTemplate(template, context);
      return pattern && matchesPattern(pattern, given);
    };
  };
}

function textIgnoringCase(wanted: string, where: string): Matcher {
  const template = parseTemplate(wanted, false, where);
  return (given, context) => {
    const pattern = resolveTemplate(template, context);
    return pattern && textOf(pattern).toLowerCase() === given.toLowerCase();
  };
}

/**
 * An ARN is compared by its six segments; `ArnEquals` knows wildcards as `ArnLike` does.
 * @see IAM User Guide, "Amazon Resource Name (ARN) condition operators"
 */
function arn(wanted: string, where: string): Matcher {
  const segments = splitTemplate(parseTemplate(wanted, true, where), 6);
  if (segments.length !== 6) {
    throw notUnderstood(where, `an ARN to compare with must have six segments: ${quote(wanted)}; write each as *`);
  }
  return (given, context) => {
    const values = splitArn(given);
    const patterns = segments.map((segment) => resolveTemplate(segment, context));
    if (patterns.includes(undefined)) return undefined;
    return (
      values !== undefined &&
      patterns.every((pattern, index) => pattern !== undefined && matchesPattern(pattern, values[index] ?? ''))
    );
  };
}

type Comparison = (given: number, wanted: number) => boolean;

function isEqual(given: number, wanted: number): boolean {
  return given === wanted;
}

function isLess(given: number, wanted: number): boolean {
  return given < wanted;
}

function isAtMost(given: number, wanted: number): boolean {
  return given <= wanted;
}

function isGreater(given: number, wanted: number): boolean {
  return given > wanted;
}

function isAtLeast(given: number, wanted: number): boolean {
  return given >= wanted;
}

/** number = [ sign ] digits [ "." digits ] */
const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;
/** Digits that a number surely keeps apart; IAM compares all that there are. */
const EXACT_DIGITS = 15;

function number(compare: Comparison): Operator['matcher'] {
  return (wanted, where) => {
    if (!NUMBER.test(wanted)) throw notUnderstood(where, `a number must be decimal: ${quote(wanted)}`);
    const limit = exactNumber(wanted, where);
    return (given) => NUMBER.test(given) && compare(exactNumber(given, where), limit);
  };
}

function exactNumber(text: string, where: string): number {
  const digits = text.replace(/\D/g, '').replace(/^0+/, '');
  if (digits.length <= EXACT_DIGITS) return Number(text);
  throw notUnderstood(where, `a number must have at most ${EXACT_DIGITS} digits: ${quote(text)}`);
}

/** An instant: a W3C date and time with its zone, a date, or seconds since 1970. */
const DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
const EPOCH_SECONDS = /^\d{5,12}$/;

function date(compare: Comparison): Operator['matcher'] {
  return (wanted, where) => {
    const instant = parseInstant(wanted);
    if (Number.isNaN(instant)) {
      throw notUnderstood(
        where,
        `a date must read like 2026-01-31T12:00:00Z, or be seconds since 1970: ${quote(wanted)}`,
      );
    }
    return (given) => {
      const value = parseInstant(given);
      return !Number.isNaN(value) && compare(value, instant);
    };
  };
}

function parseInstant(value: string): number {
  if (EPOCH_SECONDS.test(value)) return Number(value) * 1000;
  return DATE.test(value) && isDay(value.slice(0, 10)) ? Date.parse(value) : Number.NaN;
}

/** Whether the calendar has the day; a parser takes the 31st of February for the 3rd of March. */
function isDay(day: string): boolean {
  const instant = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(day);
}

function truth(wanted: string, where: string): Matcher {
  const value = wanted.toLowerCase();
  if (value !== 'true' && value !== 'false') {
    throw notUnderstood(where, `the value must be true or false: ${quote(wanted)}`);
  }
  return (given) => given.toLowerCase() === value;
}

/** base64, RFC 4648 section 4 */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function binary(wanted: string, where: string): Matcher {
  if (!BASE64.test(wanted)) throw notUnderstood(where, `a binary value must be base64: ${quote(wanted)}`);
  return (given) => given === wanted;
}

function ipAddress(wanted: string, where: string): Matcher {
  const range = parseIpRange(wanted);
  if (range === undefined) throw notUnderstood(where, `an address range must be in CIDR form: ${quote(wanted)}`);
  return (given) => {
    const value = parseIpRange(given);
    return value !== undefined && isIpRangeWithin(value, range);
  };
}
