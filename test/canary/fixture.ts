import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, vi } from 'vitest';
import { CANARIES, type FakeAws, startFakeAws } from '../runtime/support/fake-aws.ts';
import { FAULTS, type Fault } from '../runtime/support/faults.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { immediately } from '../runtime/support/simulated-time.ts';
import { leakFinder } from '../support/canary.ts';
import { everything } from '../support/everything.ts';

// Secrets are driven through every mode and every fault, and all that is said, thrown, logged, measured or left on a
// disk is searched for them. What a mode is there to hand out is looked at by itself, and nothing else is spared.

/** What may go wrong between a mode and AWS. */
export type Situation = Pick<Fault, 'name' | 'answer'>;

/** No fault, and every one there is. */
export const SITUATIONS: readonly Situation[] = [{ name: 'no fault', answer: () => 'silence' }, ...FAULTS];

export function isGood({ name }: Situation): boolean {
  return name === 'no fault';
}

/** Tries again at once, by a clock that runs fast. */
let clock = Date.now();
export const TIMES = { now: () => (clock += 10), random: () => 0, schedule: immediately };

/** An AWS for the tests of a file, and a machine for each: what is written stands below one folder. */
export function machineAndAws() {
  let aws: FakeAws;
  let machine: string;
  isolateEnvironment();
  beforeAll(async () => {
    aws = await startFakeAws();
  });
  afterAll(() => aws.close());
  beforeEach(() => {
    aws.forget();
    machine = mkdtempSync('/tmp/sb-'); // short, as the path of a socket has to be
    onTestFinished(() => rmSync(machine, { recursive: true }));
    for (const name of ['HOME', 'TMPDIR', 'XDG_RUNTIME_DIR', 'XDG_CACHE_HOME']) vi.stubEnv(name, machine);
  });
  return {
    aws: () => aws,
    machine: () => machine,
    /** @param actions whose answers it befalls */
    begin: async (situation: Situation, actions: readonly string[] = ['AssumeRole']): Promise<void> => {
      const { answer } = situation;
      if (isGood(situation)) return;
      if (answer === 'refused') {
        await aws.listen(false);
        onTestFinished(() => aws.listen(true));
      } else {
        for (const action of actions) aws.on(action, (request) => answer(request, Date.now));
      }
    },
  };
}

/** Fails for {@link leakFinder} in anything that is shown, whatever is hidden in it. */
export function expectNoLeak(shown: readonly unknown[], secrets: readonly string[] = CANARIES): void {
  const texts = shown.map((each) => (typeof each === 'string' ? each : everything(each)));
  expect(leakFinder(secrets)(texts.join('\n'))).toBeUndefined();
}
