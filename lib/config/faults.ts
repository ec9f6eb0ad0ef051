import { type ErrorCode, quote, SessionBrokerError } from '../errors.ts';

/** Faults of a file that are reported: the rest would hide them. */
const MOST_FAULTS = 100;

/** Keys and list positions from some value down to another. */
export type FaultPath = readonly (string | number)[];

/** What a rule found, before it is known where the value stands in a file. */
export interface RuleFault {
  readonly code: ErrorCode;
  /** Relative to the value that the rule was given. */
  readonly path: FaultPath;
  /** The path's last key is at fault, not its value. */
  readonly isKey?: boolean;
  readonly given: unknown;
  readonly rule: string;
  readonly fix: string;
  /** Rule, value and fix in one sentence. */
  readonly message: string;
}

/** A fault of a configuration file. */
export interface Fault {
  readonly code: ErrorCode;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
  /** `clusters.hub.tenants.acme.models[0]`; empty for the whole file. */
  readonly path: string;
  readonly given: unknown;
  readonly rule: string;
  readonly fix: string;
  /** Rule, value and fix in one sentence. */
  readonly message: string;
}

/**
 * A fault in the usual form of a message.
 * @param given undefined: there is no value to show
 */
export function fault(
  path: FaultPath,
  given: unknown,
  rule: string,
  fix: string,
  options: { code?: ErrorCode; isKey?: boolean } = {},
): RuleFault {
  const { code = 'ConfigInvalid', isKey = false } = options;
  const shown = given === undefined ? '' : `: ${quote(given)}`;
  return { code, path, isKey, given, rule, fix, message: `${rule}${shown}; ${fix}` };
}

/** The fault that a parser or renderer finds by throwing; none if it does not throw. */
export function faultOf(path: FaultPath, given: unknown, run: () => void, isKey = false): readonly RuleFault[] {
  try {
    run();
    return [];
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    const { code, message } = error;
    return [{ code, path, isKey, given, ...ruleAndFix(message, given), message }];
  }
}

/** Faults under a longer path. */
export function under(prefix: FaultPath, faults: readonly RuleFault[]): readonly RuleFault[] {
  return faults.map((found) => ({ ...found, path: [...prefix, ...found.path] }));
}

/** `a.b[0]`, and `a["b.c"]` for a key that a dotted path could not show. */
export function formatPath(path: FaultPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z0-9_-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${quote(step)}]`;
  }
  return text;
}

/** The error of a file with faults: one line for each of the first, in the order of the file. */
export function configInvalid(file: string, faults: readonly Fault[]): SessionBrokerError {
  const shown = faults.slice(0, MOST_FAULTS);
  const lines = shown.map(
    ({ line, column, path, message }) => `${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`,
  );
  const more = faults.length - shown.length;
  if (more > 0) lines.push(`and ${more} more; correct these first`);
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  return new SessionBrokerError('ConfigInvalid', `configuration has ${count}\n${lines.join('\n')}`, {
    detail: { file, faults: shown },
  });
}

/** A message's rule and remedy; messages are built as `<rule>: <value>; <remedy>`. */
function ruleAndFix(message: string, given: unknown): { rule: string; fix: string } {
  const value = `: ${quote(given)}`;
  const at = message.indexOf(value);
  const rule = at === -1 ? message : message.slice(0, at);
  const rest = at === -1 ? '' : message.slice(at + value.length);
  const remedy = /^.*?; (.*)$/s;
  const fix = remedy.exec(rest)?.[1];
  if (fix !== undefined) return { rule, fix };
  const [, before = rule, after = 'leave that out'] = /^(.*?); (.*)$/s.exec(rule) ?? [];
  return { rule: before, fix: after };
}
