import { type Finding, findingsOf } from '../verify/points.ts';
import { nextOf, type Result, verdictOf } from '../verify/result.ts';
import type { CallStep, EventStep } from '../verify/step.ts';
import { stylist } from './style.ts';

type Style = ReturnType<typeof stylist>;
type AnyStep = CallStep | EventStep;

/** What failed, a line each. */
export function failuresOf(result: Result): readonly string[] {
  return stepsOf(result)
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ step, evidence }) => `FAILED ${step}: ${evidence}`);
}

/**
 * A result for people, fit for a record.
 * @param path of its file
 */
export function renderResult(result: Result, path: string | undefined, colour: boolean): string {
  const style = stylist(colour);
  const findings = findingsOf(stepsOf(result));
  const next = nextOf(result, path);
  const blocks = [
    `session-broker ${result.version} verify of ${result.startedAt}`,
    renderFacts(result),
    stepsOf(result)
      .map((step) => renderStep(step, style))
      .join('\n'),
    renderFindings(
      'settled',
      findings.filter(({ settled }) => settled),
    ),
    renderFindings(
      'not settled',
      findings.filter(({ settled }) => !settled),
    ),
    summaryOf(result, style),
    ...(next === undefined ? [] : [`to read the events that are missing:\n\n  ${next}`]),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function stepsOf({ steps, events }: Result): readonly AnyStep[] {
  return [...steps, ...events];
}

function renderFacts({ account, region, endpoint, role, dispatcher, sourceIdentity, reader }: Result): string {
  return table([
    ['account', account],
    ['Region', `${region}, STS at ${endpoint}`],
    ['role', role],
    ['dispatcher', dispatcher],
    ['identity', sourceIdentity],
    ['reader', reader ?? 'none: CloudTrail was not read'],
  ]);
}

const LOOKS = {
  passed: ['passed', 'green'],
  failed: ['FAILED', 'red'],
  'not exercised': ['not exercised', 'dim'],
} as const;

function renderStep({ step, outcome, evidence }: AnyStep, style: Style): string {
  const [word, format] = LOOKS[outcome];
  return `${style(format, word.padEnd('not exercised'.length))}  ${step.padEnd(STEP_WIDTH)}  ${evidence}`;
}

/** As long as the longest name of a step. */
const STEP_WIDTH = 'event-of-refused-other-tenant'.length;

function renderFindings(title: string, findings: readonly Finding[]): string {
  const lines = findings.map(({ point, question, says }) => `  ${point}: ${question}\n    ${says}`);
  return [title, ...(lines.length === 0 ? ['  nothing'] : lines)].join('\n');
}

const SUMMARIES = {
  passed: ['PASSED', 'green'],
  pending: ['NOT FINISHED', 'yellow'],
  failed: ['FAILED', 'red'],
} as const;

function summaryOf(result: Result, style: Style): string {
  const count = (wanted: string): number => stepsOf(result).filter(({ outcome }) => outcome === wanted).length;
  const [word, format] = SUMMARIES[verdictOf(result)];
  return `${style(format, word)}: ${count('passed')} passed, ${count('failed')} failed, ${count('not exercised')} not exercised`;
}

function table(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(12)}${value}`).join('\n');
}
