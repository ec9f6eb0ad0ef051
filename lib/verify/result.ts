import * as v from 'valibot';
import { quote, SessionBrokerError } from '../errors.ts';
import { parseRoleArn, parseSourceIdentity, partitionOf } from '../identity/index.ts';
import { shellWord } from '../shell-word.ts';
import type { Exercised } from './exercise.ts';
import type { Hop } from './hop.ts';
import { findingsOf } from './points.ts';
import { CALL_STEPS, type CallStep, EVENT_STEPS, type EventStep } from './step.ts';
import { isPending } from './watch.ts';

/** What a file must say that it is. */
const FORMAT = 'session-broker verify 1';

/**
 * The record of one acceptance. It holds no secret, and of an access key the ends: whoever reads it can find the
 * events and can do nothing with it.
 */
export interface Result {
  readonly format: typeof FORMAT;
  /** Of session-broker. */
  readonly version: string;
  /** When it was begun: ISO 8601, UTC. */
  readonly startedAt: string;
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  /** Origin of the STS endpoint. */
  readonly endpoint: string;
  /** ARN of the session-broker role. */
  readonly role: string;
  /** ARN of the dispatcher's own session. */
  readonly dispatcher: string;
  readonly sourceIdentity: string;
  /** ARN of who read CloudTrail. Absent: nobody did. */
  readonly reader?: string | undefined;
  /** Between which times the events lie: ISO 8601, UTC. */
  readonly window: { readonly start: string; readonly end: string };
  readonly steps: readonly CallStep[];
  readonly events: readonly EventStep[];
}

/** A run in which CloudTrail is still to be read. */
export function createResult(
  { role, region, sourceIdentity }: Hop,
  { dispatcher, steps, events, window }: Exercised,
  { version, startedAt }: { readonly version: string; readonly startedAt: Date },
): Result {
  return {
    format: FORMAT,
    version,
    startedAt: startedAt.toISOString(),
    account: role.account,
    region,
    endpoint: dispatcher.endpoint,
    role: role.arn,
    dispatcher: dispatcher.arn,
    sourceIdentity,
    window: { start: window.start.toISOString(), end: window.end.toISOString() },
    steps,
    events,
  };
}

/**
 * As a file and a program take it: the record, and what follows from it.
 * @param path of its file
 */
export function formatResult(result: Result, path: string | undefined): string {
  const points = findingsOf([...result.steps, ...result.events]);
  return `${JSON.stringify({ ...result, points, next: nextOf(result, path) }, null, 2)}\n`;
}

/** The command that reads the rest of the events, where there are any. */
export function nextOf({ events }: Result, path = 'RESULT.json'): string | undefined {
  const file = /^[\w./-]+$/.test(path) ? path : shellWord(path);
  return events.some(isPending) ? `session-broker verify --resume ${file} --reader-profile NAME` : undefined;
}

/** `failed`: at least one step. `pending`: events are still to be seen. */
export type Verdict = 'passed' | 'failed' | 'pending';

export function verdictOf({ steps, events }: Result): Verdict {
  if ([...steps, ...events].some(({ outcome }) => outcome === 'failed')) return 'failed';
  return events.some(isPending) ? 'pending' : 'passed';
}

/** Characters of a file, at most: many times what one run writes. */
const LONGEST_FILE = 200_000;

/** Milliseconds from the first event to the last, at most. */
const LONGEST_WINDOW = 60 * 60 * 1000;

const text = (length: number) => v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/), v.maxLength(length));
const instant = v.pipe(v.string(), v.isoTimestamp());
const outcome = v.picklist(['passed', 'failed', 'not exercised']);
const evidence = text(4000);
const denial = v.exactOptional(
  v.strictObject({
    code: text(100),
    action: v.exactOptional(text(100)),
    message: text(1000),
  }),
);

/** Built at its first use. */
let schema: ReturnType<typeof createSchema> | undefined;

function createSchema() {
  return v.strictObject({
    format: v.literal(FORMAT),
    version: text(50),
    startedAt: instant,
    account: v.pipe(v.string(), v.regex(/^[0-9]{12}$/)),
    region: parsed(partitionOf),
    endpoint: v.pipe(text(300), v.url()),
    role: parsed(parseRoleArn),
    dispatcher: text(300),
    sourceIdentity: parsed(parseSourceIdentity),
    reader: v.exactOptional(text(300)),
    window: v.strictObject({ start: instant, end: instant }),
    steps: v.array(v.strictObject({ step: v.picklist(CALL_STEPS), outcome, evidence, denial })),
    events: v.array(
      v.strictObject({
        step: v.picklist(EVENT_STEPS),
        outcome,
        evidence,
        eventName: v.picklist(['AssumeRole', 'GetCallerIdentity']),
        requestId: text(100),
        request: v.exactOptional(v.picklist(['null', 'without sourceIdentity', 'with sourceIdentity'])),
      }),
    ),
    // Made anew from the steps.
    points: v.exactOptional(v.unknown()),
    next: v.exactOptional(v.unknown()),
  });
}

/** A string that a parser of ours takes. */
function parsed(parse: (text: string) => unknown) {
  return v.pipe(
    v.string(),
    v.check((value) => {
      try {
        parse(value);
        return true;
      } catch {
        return false;
      }
    }),
  );
}

/**
 * A record from the text of its file, which may come from anywhere.
 * @param file how messages call it
 * @throws {SessionBrokerError} ResultInvalid
 */
export function parseResult(text: string, file: string): Result {
  if (text.length > LONGEST_FILE) throw invalid(file, `it has ${text.length} characters, over ${LONGEST_FILE}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(file, 'it is no JSON', cause);
  }
  schema ??= createSchema();
  const { success, output, issues } = v.safeParse(schema, value);
  if (!success) throw invalid(file, `${v.getDotPath(issues[0]) ?? 'its content'} is not what verify writes`);
  const { points: _, next: __, ...result } = output;
  const { account, partition } = parseRoleArn(result.role);
  if (account !== result.account) throw invalid(file, 'role is not in account');
  if (partition !== partitionOf(result.region)) throw invalid(file, 'role is not in the partition of region');
  const length = Date.parse(result.window.end) - Date.parse(result.window.start);
  if (!(length >= 0 && length <= LONGEST_WINDOW)) throw invalid(file, 'window is not the time of one run');
  return result;
}

function invalid(file: string, why: string, cause?: unknown): SessionBrokerError {
  return new SessionBrokerError(
    'ResultInvalid',
    `result must be a file that session-broker verify wrote: ${quote(file)} is not, ${why}; give the file as it was written, or run verify again`,
    { cause },
  );
}
