import * as v from 'valibot';
import { nearest } from '../nearest.ts';
import { type FaultPath, fault, type RuleFault } from './faults.ts';
import { getConfigSchema, known, type RawConfig } from './schema.ts';

type Mapping = Record<string | number, unknown>;

export interface Shape {
  /** What is of the right shape, with defaults where something is not; undefined if that is the whole file. */
  readonly config: RawConfig | undefined;
  readonly faults: readonly RuleFault[];
  /** Whether a value, or what it stands in, had to be left out of {@link config}. */
  readonly isLeftOut: (path: FaultPath) => boolean;
}

/**
 * Compares a file's content with the schema. What does not match is left out, and the rest filled in, so that the
 * rules can judge the rest in the same run.
 * @param source a scalar as it is written in the file
 */
export function readShape(value: unknown, source: (path: FaultPath) => string | undefined): Shape {
  const first = v.safeParse(getConfigSchema(), value);
  if (first.success) return { config: first.output, faults: [], isLeftOut: () => false };

  const faults = first.issues.map((issue) => faultOfIssue(issue, source));
  const places = new Set(faults.map((found) => keyOf(placeOf(found))));
  const isLeftOut = (path: FaultPath): boolean =>
    Array.from(path.keys()).some((index) => places.has(keyOf(path.slice(0, index + 1))));
  const second = v.safeParse(getConfigSchema(), without(value, faults));
  return { config: second.success ? second.output : undefined, faults, isLeftOut };
}

function keyOf(path: FaultPath): string {
  return JSON.stringify(path);
}

/** What stands in the place of a faulty entry of a tenant's list of mappings, by the list's key. */
const HARMLESS_ENTRIES: Readonly<Record<string, unknown>> = {
  statements: { Effect: 'Deny', Action: '*', Resource: '*' },
  acknowledgeIdentityLoss: { action: '', reason: '' },
};

function harmlessEntry(path: FaultPath): unknown {
  return path.length > 5 ? HARMLESS_ENTRIES[String(path[4])] : undefined;
}

/** What is left out for a fault: the value itself, or the whole entry that it stands in. */
function placeOf({ path, isKey }: RuleFault): FaultPath {
  return harmlessEntry(path) !== undefined && typeof path[5] === 'number' && !isKey ? path.slice(0, 6) : path;
}

/** A copy without the faulty values; one that must be there is replaced by one of the right type. */
function without(value: unknown, faults: readonly RuleFault[]): unknown {
  const root = structuredClone(value);
  for (const found of faults) {
    const place = placeOf(found);
    const last = place.at(-1);
    let parent = root;
    for (const step of place.slice(0, -1)) parent = (parent as Mapping | undefined)?.[step];
    if (last === undefined || typeof parent !== 'object' || parent === null) continue;
    const inPlace = parent as Mapping;
    if (typeof last === 'number') inPlace[last] = harmlessEntry(place) ?? '';
    else if (!found.isKey && isRequired(place)) inPlace[last] = '';
    else delete inPlace[last];
  }
  return root;
}

/** Whether a path is that of a text of a cluster or tenant without a default. */
function isRequired(path: FaultPath): boolean {
  const key = String(path.at(-1));
  return path.length === 3 ? key === 'account' || key === 'region' : path.length === 5 && key === 'tenantRole';
}

function faultOfIssue(issue: v.BaseIssue<unknown>, source: (path: FaultPath) => string | undefined): RuleFault {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  const last = issue.path?.at(-1);
  const key = String(path.at(-1));
  if (issue.type === 'never') {
    const keys = known(issue.message);
    const meant = nearest(key, keys);
    const isPrincipal = path[4] === 'statements' && /^(?:Not)?Principal$/.test(key);
    const plainFix = meant === undefined ? 'remove it' : `did you mean ${JSON.stringify(meant)}?`;
    const fix = isPrincipal ? 'remove it, the statement is about the session-broker role' : plainFix;
    return fault(path, key, `key must be one of ${keys.join(', ')}`, fix, { isKey: true });
  }
  if (issue.type === 'object_with_rest' && last?.origin === 'key') {
    return fault(path, undefined, `${key} must be given`, `add it${EXAMPLES[key] ?? ''}`);
  }
  const written = source(path);
  // The whole file is not repeated: it may be another, with credentials.
  const isWhole = path.length === 0 || typeof issue.input === 'object';
  const given = isWhole ? undefined : (written ?? issue.input);
  const rule = `${isNumberedOrRoot(path) ? 'value' : key} must be ${TYPES[issue.type] ?? issue.expected}`;
  if (issue.type === 'picklist') {
    const choices = String(issue.expected).replace(/[()]/g, '').replaceAll(' | ', ' or ');
    const meant =
      typeof issue.input === 'string' ? nearest(issue.input, choices.match(/[A-Za-z]{3,}/g) ?? []) : undefined;
    const fix = meant === undefined ? 'choose one' : `did you mean ${JSON.stringify(meant)}?`;
    return fault(path, given, `${key} must be ${choices}`, fix);
  }
  return fault(
    path,
    given,
    rule,
    isRequired(path) && issue.input === null ? 'give it a value' : typeFix(issue, path, written),
  );
}

function isNumberedOrRoot(path: FaultPath): boolean {
  return typeof path.at(-1) !== 'string';
}

function typeFix({ type, input }: v.BaseIssue<unknown>, path: FaultPath, written: string | undefined): string {
  const isText = type === 'string' || type === 'union';
  if (input === null) return `give it a value, or remove ${isNumberedOrRoot(path) ? 'it' : 'the key'}`;
  if (isText && written !== undefined) return `put it in quotes: ${JSON.stringify(written)}`;
  if (type === 'array' && typeof input === 'string') return `write it as a list: [${JSON.stringify(input)}]`;
  if (type === 'boolean') return 'write true or false, without quotes';
  return 'correct the indentation or the value';
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  array: 'a list',
  boolean: 'true or false',
  union: 'a text or a list of texts',
  record: 'a mapping',
  object_with_rest: 'a mapping',
};

const EXAMPLES: Readonly<Record<string, string>> = {
  account: ', like account: "111122223333"',
  region: ', like region: us-west-2',
  tenantRole: ", the ARN of the tenant's IRSA role",
  clusters: ', with the clusters by name under it',
  Effect: ', Allow or Deny',
  action: ', like action: lambda:InvokeFunction',
  reason: ', a sentence on why it is granted',
};
