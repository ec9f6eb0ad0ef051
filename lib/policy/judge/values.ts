import type { Condition } from '../conditions.ts';
import { formatIpAddress, parseIpRange } from '../ip-address.ts';
import { EXACT_DIGITS, parseInstant } from '../operators.ts';
import { MULTIVALUED_KEYS } from '../pattern.ts';
import { NAME_SHAPE } from './caller-shapes.ts';
import { ANYTHING, type Language, literal, many, one, type Shape } from './shapes.ts';
import { subsetsOf } from './subsets.ts';
import { isIn } from './text-classes.ts';
import type { Work } from './work.ts';

/** A value of a key, or several of a key that can have them. */
export type Value = string | readonly string[];

/** Values that stand for all that a key can have. */
export interface KeyValues {
  /** The readable ones first. */
  readonly values: readonly Value[];
  /**
   * Whether the key is compared as more than one of a text, a number, a date and an address. Then the values stand for
   * all in every comparison of texts, and are only examples in the others.
   */
  readonly isMixed: boolean;
}

/** Any text but none at all. */
const TEXT_SHAPE: Shape = [one(ANYTHING), many(ANYTHING)];

/** What a request of which nothing is asked carries. */
const ANY_TEXT = 'any';

/**
 * Values that stand for all that a key can have under these conditions.
 * @param languages what texts are compared with, under this key and under those that it is compared with
 * @param isName whether STS takes only names for it
 * @param copies how many values must differ where nothing else tells them apart
 */
export function valuesOf(
  key: string,
  conditions: readonly Condition[],
  languages: readonly Language[],
  work: Work,
  { isName = false, copies = 1, maxLength = Number.POSITIVE_INFINITY, preferred = ANY_TEXT } = {},
): KeyValues {
  const domain = [isName ? NAME_SHAPE : TEXT_SHAPE];
  const byKind = orderedValues(key, conditions);
  const ordered = byKind.flat().filter((text) => isIn(domain, text));
  const isBool = conditions.some(({ operator }) => operator !== 'Null' && operator.compares === 'truth');
  const options = { preferred: isBool ? ['true', 'false'] : [preferred], maxLength };
  let texts = work.textClasses(domain, languages, options);
  for (let copy = 1; copy < copies; copy++) {
    const known = texts.map((text): Language => [literal(text)]);
    texts = [...new Set([...texts, ...work.textClasses(domain, [...languages, ...known], { maxLength })])];
  }
  // A typed key has its values first: a text that is none is a last resort.
  const singles = [...new Set(languages.length === 0 ? [...ordered, ...texts] : [...texts, ...ordered])];
  return {
    values: [...singles, ...setsOf(key, conditions, singles)],
    isMixed: byKind.length + Math.min(languages.length, 1) > 1,
  };
}

/** A number, a date or an address in each of the intervals that the conditions tell apart. */
function orderedValues(key: string, conditions: readonly Condition[]): readonly (readonly string[])[] {
  const wantedBy = (comparison: string): readonly string[] =>
    conditions.flatMap(({ operator, wanted }) =>
      operator !== 'Null' && operator.compares === comparison ? wanted : [],
    );
  const byKind = [numbers(wantedBy('number')), dates(key, wantedBy('date')), addresses(wantedBy('address'))];
  return byKind.filter((values) => values.length > 0);
}

/** Each limit, and a value before, between and after them. */
function around(limits: readonly number[], distance: number): readonly number[] {
  const sorted = [...new Set(limits)].sort((a, b) => a - b);
  const [least] = sorted;
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) return [];
  const between = sorted.slice(1).map((limit, index) => ((sorted[index] ?? limit) + limit) / 2);
  return [...sorted, ...between, least - distance, most + distance];
}

function numbers(wanted: readonly string[]): readonly string[] {
  return around(wanted.map(Number), 1).flatMap((value) => {
    const text = String(value);
    if (text.length > EXACT_DIGITS || text.includes('e')) return [];
    // A name has two characters at least.
    return text.length === 1 ? [text, `0${text}`] : [text];
  });
}

function dates(key: string, wanted: readonly string[]): readonly string[] {
  return around(wanted.map(parseInstant), 86_400_000).map((value) =>
    key === 'aws:epochtime' ? String(Math.round(value / 1000)) : new Date(Math.round(value)).toISOString(),
  );
}

/** The first address of each range, and the first one after it. */
function addresses(wanted: readonly string[]): readonly string[] {
  const ranges = wanted.flatMap((text) => parseIpRange(text) ?? []);
  if (ranges.length === 0) return [];
  const bounds = ranges.flatMap(({ version, first, last }) => {
    const isLast = last + 1n === 1n << (version === 4 ? 32n : 128n);
    return [first, ...(isLast ? [] : [last + 1n])].map((value) => formatIpAddress(version, value));
  });
  return [...bounds, '203.0.113.1', '2001:db8::1', '0.0.0.0', '::'];
}

/** Keys that AWS documents with one value, whatever a set operator asks of them. */
const SINGLE_VALUED = /^(?:aws|iam|sts):/;

/** Sets of values, where a key can have several: one value for each condition that may ask for one. */
function setsOf(key: string, conditions: readonly Condition[], singles: readonly string[]): readonly Value[] {
  const asked = conditions.filter(({ operator }) => operator !== 'Null');
  const mayHaveSeveral = MULTIVALUED_KEYS.has(key) || !SINGLE_VALUED.test(key);
  if (!mayHaveSeveral || asked.length === 0 || asked.some(({ quantifier }) => quantifier === undefined)) return [];
  return subsetsOf(singles, asked.length).filter((set) => set.length > 1);
}
