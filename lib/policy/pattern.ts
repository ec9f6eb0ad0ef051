import { quote } from '../errors.ts';
import type { ContextValues } from './context.ts';
import { notUnderstood } from './fault.ts';

/** `*`: any number of characters. */
export const ANY = -1;
/** `?`: exactly one character. */
export const ONE = -2;

/** A text to compare with: the codes of its characters, with {@link ANY} and {@link ONE} among them. */
export type Pattern = readonly number[];

/** `${key}` or `${key, 'default'}` */
export interface Variable {
  /** In lower case. */
  readonly key: string;
  readonly default: Pattern | undefined;
}

/** A pattern with policy variables that a request fills in. */
export type Template = readonly (Pattern | Variable)[];

/**
 * variable = "${" key [ "," "'" default "'" ] "}", key = prefix ":" name
 * @see IAM User Guide, "IAM policy elements: Variables and tags"
 */
const VARIABLE = /^\s*(?<key>[^\s:,'{}$*?][^:,'{}$]*:[^,'{}$]*[^\s,'{}$])\s*(?:,\s*'(?<fallback>[^']*)'\s*)?$/;

/** `${*}`, `${?}` and `${$}` stand for the character itself. */
const ESCAPED = new Set(['*', '?', '$']);

/** Keys that IAM cannot use as a variable, since they may have several values. */
export const MULTIVALUED_KEYS: ReadonlySet<string> = new Set([
  'aws:calledvia',
  'aws:principalorgpaths',
  'aws:principalservicenameslist',
  'aws:resourceorgpaths',
  'aws:sourceorgpaths',
  'aws:tagkeys',
  'sts:transitivetagkeys',
]);

/**
 * @param wildcards whether `*` and `?` are wildcards here
 * @param where for the error
 * @throws {SessionBrokerError} PolicyNotUnderstood for a variable of another form
 */
export function parseTemplate(text: string, wildcards: boolean, where: string): Template {
  const pieces: (Pattern | Variable)[] = [];
  let rest = text;
  for (;;) {
    const start = rest.indexOf('${');
    if (start < 0) break;
    const end = rest.indexOf('}', start);
    const name = end < 0 ? '' : rest.slice(start + 2, end);
    const variable = VARIABLE.exec(name)?.groups;
    if (start > 0) pieces.push(patternOf(rest.slice(0, start), wildcards));
    if (ESCAPED.has(name)) {
      pieces.push(patternOf(name, false));
    } else if (variable?.['key'] !== undefined) {
      const key = variable['key'].toLowerCase();
      if (MULTIVALUED_KEYS.has(key)) {
        throw notUnderstood(where, `a key of several values cannot be a policy variable: ${quote(text)}`);
      }
      const fallback = variable['fallback'];
      pieces.push({ key, default: fallback === undefined ? undefined : patternOf(fallback, false) });
    } else {
      throw notUnderstood(
        where,
        `a policy variable must read \${key} or \${key, 'default'}: ${quote(text)}; write \${$} for a dollar sign`,
      );
    }
    rest = rest.slice(end + 1);
  }
  if (rest !== '' || pieces.length === 0) pieces.push(patternOf(rest, wildcards));
  return pieces;
}

/** A template without variables. */
export function patternOf(text: string, wildcards: boolean): Pattern {
  const pattern: number[] = [];
  for (const code of codesOf(text)) {
    if (wildcards && code === 0x2a) {
      if (pattern.at(-1) !== ANY) pattern.push(ANY);
    } else {
      pattern.push(wildcards && code === 0x3f ? ONE : code);
    }
  }
  return pattern;
}

/** The text of a pattern without wildcards. */
export function textOf(pattern: Pattern): string {
  return pattern.map((code) => String.fromCodePoint(code)).join('');
}

/** The parts of a template between its first `count - 1` colons, those inside variables not counted. */
export function splitTemplate(template: Template, count: number): Template[] {
  const parts: (Pattern | Variable)[][] = [[]];
  for (const piece of template) {
    if (isVariable(piece)) {
      parts.at(-1)?.push(piece);
      continue;
    }
    let rest = piece;
    while (parts.length < count) {
      const colon = rest.indexOf(0x3a);
      if (colon < 0) break;
      parts.at(-1)?.push(rest.slice(0, colon));
      parts.push([]);
      rest = rest.slice(colon + 1);
    }
    parts.at(-1)?.push(rest);
  }
  return parts;
}

/** Whether a variable stands in the template. */
export function hasVariable(template: Template): boolean {
  return template.some(isVariable);
}

/**
 * A template with its variables filled in; a value's own `*` and `?` are no wildcards.
 * @returns undefined where a variable has neither a value in the request nor a default: then nothing matches
 */
export function resolveTemplate(template: Template, context: ContextValues): Pattern | undefined {
  const [first] = template;
  if (template.length === 1 && first !== undefined && !isVariable(first)) return first;
  const pattern: number[] = [];
  for (const piece of template) {
    const resolved = isVariable(piece) ? variableValue(piece, context) : piece;
    if (resolved === undefined) return undefined;
    for (const code of resolved) pattern.push(code);
  }
  return pattern;
}

/**
 * Whether the pattern is the whole text. On a mismatch only the last `*` takes one character more, so the work is
 * never above the product of both lengths.
 */
export function matchesPattern(pattern: Pattern, text: string): boolean {
  const codes = codesOf(text);
  let at = 0;
  let index = 0;
  let star = -1;
  let resume = 0;
  while (index < codes.length) {
    const expected = pattern[at];
    if (expected === ANY) {
      star = at++;
      resume = index;
    } else if (expected === ONE || (expected !== undefined && expected === codes[index])) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === ANY) at++;
  return at === pattern.length;
}

/** By whole characters, also those that take two units of a JavaScript string. */
function codesOf(text: string): readonly number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** Whether a piece of a template is a policy variable. */
export function isVariable(piece: Pattern | Variable): piece is Variable {
  return !Array.isArray(piece);
}

function variableValue(variable: Variable, context: ContextValues): Pattern | undefined {
  const values = context.get(variable.key);
  const [value] = values ?? [];
  return values?.length === 1 && value !== undefined ? patternOf(value, false) : variable.default;
}
