import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryFolder } from '../local/fixture.ts';
import { ended, firstLine, runCommand, startCommand } from '../support/session-broker.ts';

/** What docs/verify.md says of the local account: `session-broker verify --reader-profile administrator`. */
const ARGUMENTS = ['verify', '--reader-profile', 'administrator'];

test('session-broker verify passes against session-broker local by what that prints, and can be interrupted', async () => {
  const local = startCommand(['local', '--json']);
  onTestFinished(() => void local.kill());
  const { tenants } = JSON.parse(await firstLine(local)) as {
    readonly tenants: readonly { readonly tenant: string; readonly environment: Record<string, string> }[];
  };
  const environment = tenants.find(({ tenant }) => tenant === 'acme')?.environment ?? {};
  const [whole, cut] = [temporaryFolder(), temporaryFolder()];

  const passing = runCommand(ARGUMENTS, { cwd: whole, environment });
  const interrupted = startCommand(ARGUMENTS, { cwd: cut, environment });
  const ending = ended(interrupted);
  await vi.waitFor(() => expect(resultIn(cut).events).toHaveLength(4), { timeout: 20_000, interval: 20 });
  interrupted.kill('SIGINT');
  const { exitCode, stdout, stderr } = await ending;
  expect([exitCode, stderr]).toEqual([130, '']);
  const [file = ''] = readdirSync(cut);
  expect(file).toMatch(/^verify-agent\.acme\.[0-9A-HJKMNP-TV-Z]{26}\.json$/);
  expect(stdout).toContain(`\n  session-broker verify --resume ${file} --reader-profile NAME\n`);

  expect(await passing).toEqual({
    exitCode: 0,
    stdout: expect.stringContaining('\nPASSED: 9 passed, 0 failed, 2 not exercised\n'),
    stderr: expect.stringMatching(/CloudTrail shows 4 of 4 events after \d:\d\d of 20 minutes\n$/),
  });

  const resumed = await runCommand(['verify', '--resume', file, '--reader-profile', 'administrator'], {
    cwd: cut,
    environment,
  });
  expect(resumed.exitCode).toBe(0);
  expect(resultIn(cut).events.map(({ outcome }) => outcome)).toEqual(['passed', 'passed', 'passed', 'passed']);
});

/** What verify wrote where it was run. */
function resultIn(folder: string): { readonly events: readonly { readonly outcome: string }[] } {
  const [file = 'none'] = readdirSync(folder);
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}
