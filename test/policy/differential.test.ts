import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SEED } from '../support/seed.ts';
import { cases, ours } from './cases.ts';
import { DOCUMENTED_DIFFERENCES, explain, theirs } from './documented-differences.ts';

// Two evaluators that share no code decide the same requests. A disagreement is a fault of one of them, unless it is
// in the table below. A run is repeated with SESSION_BROKER_SEED=<the seed that it printed>.

/** Decisions per run. */
const RUNS = 2000;

describe('the evaluator against an independent one', () => {
  it(`decides ${RUNS} generated requests alike, but for the documented differences`, () => {
    console.log(`differential test: SESSION_BROKER_SEED=${SEED}`);
    const outcomes: Record<string, number> = {};
    let differences = 0;
    fc.assert(
      fc.property(cases, (example) => {
        const { decision, missing } = ours(example);
        const outcome = missing === undefined ? decision : `no ${missing}`;
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        if (decision === theirs(example)) return;
        differences++;
        const explained = explain(example);
        expect({ decision, ...example }).toEqual({ decision: explained.decision, ...example });
        expect(explained.names).not.toEqual([]);
      }),
      { seed: SEED, numRuns: RUNS },
    );
    console.log(`differential test: ${JSON.stringify({ ...outcomes, explained: differences })}`);
    // A generator that only ever meets one outcome would prove nothing.
    const floors = {
      allow: 0.1,
      'explicit-deny': 0.03,
      'no resource': 0.2,
      'no identity': 0.02,
      'no boundary': 0.01,
      'no service-control': 0.02,
    };
    for (const [outcome, share] of Object.entries(floors)) {
      expect(outcomes[outcome] ?? 0, outcome).toBeGreaterThan(RUNS * share);
    }
    expect(differences).toBeLessThan(RUNS * 0.1);
  }, 60_000);

  it.each(DOCUMENTED_DIFFERENCES)('differs, as documented, where $name', ({ name, example, reason }) => {
    const { decision } = ours(example);
    expect(decision).not.toBe(theirs(example));
    expect(explain(example)).toEqual({ names: [name], decision });
    expect(reason).toMatch(/IAM User Guide|RFC/);
  });
});
