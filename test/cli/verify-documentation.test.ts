import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import { CALL_STEPS, EVENT_STEPS } from '../../lib/verify/step.ts';
import { iamClient } from '../local/clients.ts';
import { fakeProcess, runIn } from './fake-shell.ts';
import { startMachine, timeStandsStill } from './verify-fixture.ts';

timeStandsStill();

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'verify.md'), 'utf8');

const IN_ONE_GO = 'session-broker verify --cluster hub --tenant acme --reader-profile auditor';
const IN_TWO_HALVES = [
  'session-broker verify --cluster hub --tenant acme --output result.json',
  'session-broker verify --resume result.json --reader-profile auditor',
];

describe('docs/verify.md', () => {
  test('shows what verify prints in one go', async () => {
    const { verify, folder } = await startMachine();
    const file = join(folder, 'result.json');
    const { exitCode, stdout } = await verify(...argumentsOf(IN_ONE_GO), '--output', file);
    expect(exitCode).toBe(0);
    expect(page).toContain(`\n${IN_ONE_GO}\n`);
    expect(page).toContain(`\`\`\`text\n${exampleOf(stdout)}\`\`\`\n`);
  });

  test('shows how to run it in two halves', async () => {
    const { verify, folder } = await startMachine();
    expect(page).toContain(`\n${IN_TWO_HALVES.join('\n')}\n`);
    for (const command of IN_TWO_HALVES) {
      const args = argumentsOf(command).map((arg) => (arg === 'result.json' ? join(folder, arg) : arg));
      expect((await verify(...args)).exitCode).toBe(0);
    }
  });

  test('shows a policy that is all that a reader needs', async () => {
    const { account, verify, folder } = await startMachine();
    const [, policy = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
    const output = ['--output', join(folder, 'result.json')];
    expect((await verify('--reader-profile', 'globex', ...output)).stderr).toMatch(/\[AccessDenied\]\n$/);
    await iamClient(account).send(
      new PutRolePolicyCommand({ RoleName: 'hub-globex-tenant', PolicyName: 'reader', PolicyDocument: policy }),
    );
    expect((await verify('--reader-profile', 'globex', ...output)).exitCode).toBe(0);
  });

  test('names every step and every option, and --help the options too', async () => {
    for (const step of [...CALL_STEPS, ...EVENT_STEPS]) {
      if (step !== 'hop-without-caller-policy') expect(page).toContain(`\`${step}\``);
    }
    const { stdout } = await runIn(fakeProcess(), 'help', 'verify');
    const options = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option = '']) => option);
    expect(options.length).toBeGreaterThan(10);
    for (const option of options) expect(page).toContain(`\`${option}\``);
  });
});

function argumentsOf(command: string): readonly string[] {
  return command.split(' ').slice(2);
}

/** What is another in every run, as the page has it. */
function exampleOf(text: string): string {
  return text
    .replace(/01[0-9A-HJKMNP-TV-Z]{24}/g, '01KJMMA2G0W5EV78Y4884HBM3C')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:40404')
    .replace(/ASIA\.\.\.[A-Z2-7]{4}/g, 'ASIA...PHOX')
    .replace(/"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g, '"76b337cb-22be-4142-b224-59c2c24ca789"');
}
