import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findingsOf, POINTS } from '../../lib/verify/points.ts';
import type { CallStep, EventStep } from '../../lib/verify/step.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'unconfirmed.md'), 'utf8');

test('the points are those of docs/unconfirmed.md, by their ids and in its words', () => {
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (.*?) \| /gm)];
  expect(rows.map(([, id]) => id)).toEqual(POINTS.map(({ id }) => id));
  for (const [index, { question }] of POINTS.entries()) expect(rows[index]?.[2]).toMatch(startsWith(question));
});

function startsWith(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`);
}

/** What is settled by some steps, by the id of the point. */
function settledBy(...steps: readonly (CallStep | EventStep)[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    findingsOf(steps)
      .filter(({ settled }) => settled)
      .map(({ point, says }) => [point, says]),
  );
}

const step = (name: CallStep['step'], more: Partial<CallStep> = {}): CallStep => ({
  step: name,
  outcome: 'passed',
  evidence: 'seen',
  ...more,
});
const event = (request: EventStep['request']): EventStep => ({
  step: 'event-of-refused-other-tenant',
  eventName: 'AssumeRole',
  requestId: 'r1',
  outcome: 'passed',
  evidence: 'seen',
  request,
});
const denial = { code: 'AccessDenied', action: 'sts:SetSourceIdentity', message: 'no' };
const DENIED = 'AccessDenied, which names sts:SetSourceIdentity: "no"';

describe('a point is settled', () => {
  test.each<[string, readonly (CallStep | EventStep)[], Readonly<Record<string, string>>]>([
    [
      "by a hop that worked without the caller's policy",
      [step('hop-without-caller-policy')],
      { 'caller-policy': "no, if no other policy of the caller's role allows it: the hop worked" },
    ],
    [
      'by one that did not',
      [step('hop-without-caller-policy', { denial })],
      { 'caller-policy': `yes, if the hop works with it: ${DENIED}` },
    ],
    [
      'by the two refusals of a condition, each with what it names',
      [
        step('refuse-no-identity', { denial: { ...denial, action: 'sts:AssumeRole' } }),
        step('refuse-other-tenant', { denial }),
      ],
      {
        'condition-denial-action':
          "sts:AssumeRole without a source identity, sts:SetSourceIdentity under another tenant's",
      },
    ],
    [
      'by refusals that name nothing, too',
      [step('refuse-no-identity', { denial: { code: 'x', message: '' } }), step('refuse-other-tenant', { denial })],
      { 'condition-denial-action': "none without a source identity, sts:SetSourceIdentity under another tenant's" },
    ],
    ['by a chained call under the same name', [step('chain-same-name-again')], { 'same-name-again': 'yes' }],
    ['by one that was refused', [step('chain-same-name-again', { denial })], { 'same-name-again': `no: ${DENIED}` }],
    [
      'by the refusal of another name',
      [step('chain-refuses-other-name', { denial })],
      { 'changed-name-denial': DENIED },
    ],
    ['by a bound name', [step('refuse-other-session-name', { denial })], { 'session-name-variable': 'yes' }],
    ['by an event that shows it', [event('with sourceIdentity')], { 'denied-event': 'yes' }],
    ['by one that shows nothing', [event('null')], { 'denied-event': 'no: its event has requestParameters null' }],
  ])('%s', (_, steps, settled) => {
    expect(settledBy(...steps)).toEqual(settled);
  });

  test.each(['failed', 'not exercised'] as const)('by no step that is %s', (outcome) => {
    const steps = [
      'hop-without-caller-policy',
      'refuse-no-identity',
      'refuse-other-tenant',
      'chain-same-name-again',
      'chain-refuses-other-name',
      'refuse-other-session-name',
    ] as const;
    expect(settledBy(...steps.map((name) => step(name, { outcome, denial })), { ...event('null'), outcome })).toEqual(
      {},
    );
  });

  test('and says else how it can be', () => {
    for (const { settled, says } of findingsOf([])) expect([settled, says.length > 20]).toEqual([false, true]);
  });
});
