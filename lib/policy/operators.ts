import { quote } from '../errors.ts';
import { splitArn } from './arn-segments.ts';
import type { ContextValues } from './context.ts';
import { notUnderstood } from './fault.ts';
import { isIpRangeWithin, parseIpRange } from './ip-address.ts';
import { matchesPattern, parseTemplate, resolveTemplate, splitTemplate, textOf } from './pattern.ts';

/**
 * Whether a value that the request has matches one that the policy wants; undefined where the request has no value
 * for a policy variable in it.
 */
export type Matcher = (given: string, context: ContextValues) => boolean | undefined;

/** What an operator takes its values for. */
export type Comparison =
  | 'text'
  | 'pattern'
  | 'text-ignoring-case'
  | 'arn'
  | 'number'
  | 'date'
  | 'truth'
  | 'binary'
  | 'address';

export interface Operator {
  /** How a reason says it: `needs <key> <words> <value>`. */
  readonly words: string;
  readonly compares: Comparison;
  /** True when no value of the policy may match. */
  readonly negated: boolean;
  /** Reads one value of the policy. */
  readonly matcher: (wanted: string, where: string) => Matcher;
}

/**
 * The condition operators, without `Null`, which asks for a key and not for its value.
 * @see IAM User Guide, "IAM JSON policy elements: Condition operators"
 */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['StringEquals', is('equal to', 'text', text(false))],
  ['StringNotEquals', not('equal to', 'text', text(false))],
  ['StringEqualsIgnoreCase', is('equal without regard to case to', 'text-ignoring-case', textIgnoringCase)],
  ['StringNotEqualsIgnoreCase', not('equal without regard to case to', 'text-ignoring-case', textIgnoringCase)],
  ['StringLike', is('like', 'pattern', text(true))],
  ['StringNotLike', not('like', 'pattern', text(true))],
  ['NumericEquals', is('equal to', 'number', number(isEqual))],
  ['NumericNotEquals', not('equal to', 'number', number(isEqual))],
  ['NumericLessThan', is('less than', 'number', number(isLess))],
  ['NumericLessThanEquals', is('at most', 'number', number(isAtMost))],
  ['NumericGreaterThan', is('greater than', 'number', number(isGreater))],
  ['NumericGreaterThanEquals', is('at least', 'number', number(isAtLeast))],
  ['DateEquals', is('at', 'date', date(isEqual))],
  ['DateNotEquals', not('at', 'date', date(isEqual))],
  ['DateLessThan', is('before', 'date', date(isLess))],
  ['DateLessThanEquals', is('at or before', 'date', date(isAtMost))],
  ['DateGreaterThan', is('after', 'date', date(isGreater))],
  ['DateGreaterThanEquals', is('at or after', 'date', date(isAtLeast))],
  ['Bool', is('equal to', 'truth', truth)],
  ['BinaryEquals', is('equal to', 'binary', binary)],
  ['IpAddress', is('within', 'address', ipAddress)],
  ['NotIpAddress', not('within', 'address', ipAddress)],
  ['ArnEquals', is('like the ARN', 'arn', arn)],
  ['ArnLike', is('like the ARN', 'arn', arn)],
  ['ArnNotEquals', not('like the ARN', 'arn', arn)],
  ['ArnNotLike', not('like the ARN', 'arn', arn)],
]);

function is(words: string, compares: Comparison, matcher: Operator['matcher']): Operator {
  return { words, compares, negated: false, matcher };
}

function not(words: string, compares: Comparison, matcher: Operator['matcher']): Operator {
  return { words, compares, negated: true, matcher };
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

type Order = (given: number, wanted: number) => boolean;

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
export const EXACT_DIGITS = 15;

function number(compare: Order): Operator['matcher'] {
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

function date(compare: Order): Operator['matcher'] {
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

/** Milliseconds since 1970, or NaN for text of another form. */
export function parseInstant(value: string): number {
  if (EPOCH_SECONDS.test(value)) return Number(value) * 1000;
  return DATE.test(value) && isDay(value.slice(0, 10)) ? Date.parse(value) : Number.NaN;
}

/** Whether the calendar has the day; a parser takes the 31st of February for the 3rd of March. */
function isDay(day: string): boolean {
  const instant = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(day);
}

export function truth(wanted: string, where: string): Matcher {
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
