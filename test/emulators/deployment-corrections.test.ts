import { beforeAll, describe, expect, test } from 'vitest';
import { ACCOUNT, SCENARIOS, type Scenario } from './correction-scenarios.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { type Boto3Answer, boto3, hasPythonTools } from './python-tools.ts';

type Answers = Readonly<Record<string, Boto3Answer>>;

const start = (corrections: readonly string[]) => startEmulator({ account: ACCOUNT, region: 'us-west-2', corrections });

describe.skipIf(!hasPythonTools)('a correction of the emulator', { timeout: 60_000 }, () => {
  let corrections: readonly string[];
  /** What each scenario's calls come to without a correction. */
  let uncorrected: ReadonlyMap<string, Answers>;

  beforeAll(async () => {
    await using emulator = await start([]);
    corrections = emulator.corrections;
    uncorrected = await play(emulator, Object.entries(SCENARIOS));
  }, 60_000);

  test('has a scenario, each of them', () => {
    expect(Object.keys(SCENARIOS)).toEqual(corrections);
  });

  test.each(Object.entries(SCENARIOS))('is needed, and is enough by itself: %s', async (behaviour, scenario) => {
    await using emulator = await start([behaviour]);
    const corrected = await play(emulator, [[behaviour, scenario]]);

    expect(scenario.seen(corrected.get(behaviour) ?? {})).toEqual(scenario.onAws);
    expect(scenario.seen(uncorrected.get(behaviour) ?? {})).not.toEqual(scenario.onAws);
  });
});

/** Makes the calls of scenarios, and returns the answers of each. */
async function play(
  { environment }: Emulator,
  scenarios: readonly (readonly [string, Scenario])[],
): Promise<ReadonlyMap<string, Answers>> {
  const calls = scenarios.flatMap(([behaviour, scenario]) => scenario.calls.map((call) => ({ ...call, behaviour })));
  const answers = await boto3(environment, calls);
  const byScenario = new Map<string, Record<string, Boto3Answer>>();
  for (const [index, { behaviour, as, operation, waiter }] of calls.entries()) {
    const answer = answers[index] ?? {};
    const own = byScenario.get(behaviour) ?? {};
    byScenario.set(behaviour, own);
    if (as !== undefined) own[as] = answer;
    else if (waiter === undefined && answer.error) throw new Error(`${operation}: ${answer.error.message}`);
  }
  return byScenario;
}
