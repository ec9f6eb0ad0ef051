import type { Condition } from '../conditions.ts';
import type { Comparison } from '../operators.ts';
import {
  ANY,
  isVariable,
  ONE,
  type Pattern,
  parseTemplate,
  patternOf,
  splitTemplate,
  type Template,
  type Variable,
} from '../pattern.ts';
import {
  ANYTHING,
  type Characters,
  charactersOf,
  eitherCase,
  type Language,
  many,
  one,
  only,
  type Place,
  type Shape,
} from './shapes.ts';
import { subsetsOf } from './subsets.ts';

/** One value that a condition wants of a text. */
export interface Wanted {
  /** As the policy writes it. */
  readonly text: string;
  readonly comparison: Comparison;
  /** Between the colons of an ARN, or the whole text. */
  readonly parts: readonly Template[];
}

/** What is known of a key: its value or the shape of it, null where it has none, undefined where it may have any. */
export type Known = (key: string) => string | Shape | null | undefined;

const NO_COLON = charactersOf('no colon', /[^:]/);

/** Read once: a judgement asks for them again and again. */
const wantedByCondition = new WeakMap<Condition, readonly Wanted[]>();

/** The values that a condition compares texts with; none for one that compares numbers, dates or addresses. */
export function wantedOf(condition: Condition): readonly Wanted[] {
  const read = wantedByCondition.get(condition) ?? readWanted(condition);
  wantedByCondition.set(condition, read);
  return read;
}

function readWanted({ operator, wanted }: Condition): readonly Wanted[] {
  if (operator === 'Null') return [];
  const { compares: comparison } = operator;
  switch (comparison) {
    case 'number':
    case 'date':
    case 'address':
      return [];
    case 'arn':
      return wanted.map((text) => ({ text, comparison, parts: splitTemplate(parseTemplate(text, true, ''), 6) }));
    case 'truth':
    case 'binary':
      return wanted.map((text) => ({ text, comparison, parts: [[patternOf(text, false)]] }));
    default:
      return wanted.map((text) => ({ text, comparison, parts: [parseTemplate(text, comparison === 'pattern', '')] }));
  }
}

/** The policy variables in a value. */
export function variablesOf({ parts }: Wanted): readonly Variable[] {
  return parts.flat().filter((piece) => isVariable(piece));
}

/** The one variable that is all of a value, if the value is nothing else. */
export function wholeVariable({ parts, comparison }: Wanted): string | undefined {
  const [piece, ...more] = parts.flat();
  if (piece === undefined || more.length > 0 || !isVariable(piece) || piece.default !== undefined) return undefined;
  return comparison === 'text' || comparison === 'pattern' ? piece.key : undefined;
}

/**
 * The texts that a value matches.
 * @param known of the variables; where one may have any value, any text stands for it
 * @returns none where a variable has no value: then nothing matches
 */
export function languageOf(wanted: Wanted, known: Known): Language {
  const shape = shapeOf(wanted, known);
  return shape === undefined ? [] : [shape];
}

/** The texts that a value matches where variables that may have any value have none, and their defaults count. */
export function defaultLanguagesOf(wanted: Wanted, known: Known): readonly Language[] {
  const free = variablesOf(wanted).filter(
    ({ key, default: fallback }) => fallback !== undefined && known(key) === undefined,
  );
  const absent = subsetsOf([...new Set(free.map(({ key }) => key))], free.length).filter((keys) => keys.length > 0);
  return absent.map((keys) => languageOf(wanted, (key) => (keys.includes(key) ? null : known(key))));
}

/** The shape of the texts that a value matches, see {@link languageOf}. */
export function shapeOf({ parts, comparison }: Wanted, known: Known): Shape | undefined {
  const isFolded = comparison === 'text-ignoring-case' || comparison === 'truth';
  const shape: Place[] = [];
  for (const [index, part] of parts.entries()) {
    if (index > 0) shape.push(one(only(0x3a)));
    const gap = comparison === 'arn' && index < parts.length - 1 ? NO_COLON : ANYTHING;
    const places = placesOf(part, known, gap, isFolded);
    if (places === undefined) return undefined;
    shape.push(...places);
  }
  return shape;
}

function placesOf(template: Template, known: Known, gap: Characters, isFolded: boolean): readonly Place[] | undefined {
  const places: Place[] = [];
  const add = (codes: Pattern): void => {
    for (const code of codes) {
      if (code === ANY) places.push(many(gap));
      else if (code === ONE) places.push(one(gap));
      else places.push(one(isFolded ? eitherCase(code) : only(code)));
    }
  };
  for (const piece of template) {
    if (!isVariable(piece)) {
      add(piece);
      continue;
    }
    const value = known(piece.key);
    if (value === null && piece.default === undefined) return undefined;
    if (value === undefined) add([ANY]);
    else if (value === null) add(piece.default ?? []);
    else if (typeof value === 'string') add(patternOf(value, false));
    else places.push(...value);
  }
  return places;
}
