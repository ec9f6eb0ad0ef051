import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SCENARIOS } from '../doctor/scenarios.ts';
import { ACCOUNT, World } from '../doctor/world.ts';
import { temporaryFolder } from '../local/fixture.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { firstLine, runCommand, startCommand } from '../support/session-broker.ts';
import { hasPythonTools, PYTHON } from './python-tools.ts';

isolateEnvironment();

/** Runs a command line as a person would paste it, with the AWS CLI of the tier as `aws`. */
async function inShell(world: World, command: string, folder = tmpdir()): Promise<void> {
  const environment = world.account.administratorEnvironment(ACCOUNT);
  const path = `${dirname(PYTHON)}:${process.env['PATH']}`;
  await promisify(execFile)('sh', ['-c', command], {
    cwd: folder,
    env: { ...environment, PATH: path, AWS_MAX_ATTEMPTS: '1', AWS_PAGER: '' },
  });
}

async function spoiledWorld({ yaml, arrange, options, spoil }: (typeof SCENARIOS)[number]): Promise<World> {
  const world = await World.start(yaml, arrange, options);
  await spoil?.(world);
  world.runAws = (command) => inShell(world, command);
  return world;
}

test('runs in a shell of the local account as docs/doctor.md says', async () => {
  const local = startCommand(['local', '--json']);
  onTestFinished(() => void local.kill('SIGINT'));
  const { tenants } = JSON.parse(await firstLine(local)) as { tenants: { environment: Record<string, string> }[] };
  const environment = { ...tenants[0]?.environment };
  const [, ...args] = 'session-broker doctor --profile administrator'.split(' ');
  const { exitCode, stdout } = await runCommand(args, { environment });
  expect(stdout).toMatch(/^hub\/acme {4}1 warning, 1 note\nhub\/globex {2}ok, not deployed\n/);
  // The local account makes the roles of chainTo, and lets their whole account in.
  expect(stdout).toMatch(/\n1 warning\n\nIdentityLost {2}hub\/acme\n/);
  expect(exitCode).toBe(6);
});

describe.skipIf(!hasPythonTools)('doctor, with the AWS CLI itself', { timeout: 120_000 }, () => {
  const withCommands = SCENARIOS.filter(({ isByHand }) => !isByHand);

  test.each(withCommands)('is cured of $code by the commands that it prints, where $because', async (scenario) => {
    const world = await spoiledWorld(scenario);
    const findings = await world.findings();
    expect(findings.map(({ code }) => code)).toEqual([scenario.code]);
    await scenario.owner?.(world);
    await world.applyAll(findings);
    expect(await world.findings()).toEqual([]);
  });

  test('reads what the AWS CLI prints, and finds the same in it as in the account', async () => {
    const EXPORTS = [
      'aws iam get-account-authorization-details > account.json',
      'aws iam list-roles > roles.json',
      'aws iam get-account-summary > summary.json',
      'aws ssm get-parameters-by-path --path /eks-agent-platform --recursive > parameters.json',
      'aws eks describe-cluster --name hub > cluster.json',
      'aws eks list-access-entries --cluster-name hub > entries.json',
      'aws eks describe-access-entry --cluster-name hub --principal-arn arn:aws:iam::111122223333:role/session-broker/hub-acme-session > entry.json',
      'aws eks list-pod-identity-associations --cluster-name hub > associations.json',
    ];
    for (const code of ['TrustNamesDeletedRole', 'AccessEntryOfDeletedRole', 'CallerPolicyDrifted']) {
      const scenario = SCENARIOS.find((known) => known.code === code);
      const world = await spoiledWorld(scenario ?? { code: 'NotDeployed', severity: 'error', because: '' });
      const folder = temporaryFolder();
      for (const command of EXPORTS) await inShell(world, command, folder);
      const files = EXPORTS.map((command) => `${folder}/${command.split('> ')[1]}`);
      const { findings, notChecked } = await world.report(...files.flatMap((file) => ['--from', file]));
      expect(findings).toEqual((await world.report()).findings);
      expect(findings.map((finding) => finding.code)).toEqual([code, 'NamesFree']);
      expect(notChecked.map(({ check }) => check)).toEqual(['whether the Region is enabled']);
    }
  });
});
