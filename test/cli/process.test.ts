import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { buildApp } from '../../lib/stacks/index.ts';
import { startFakeAws } from '../runtime/support/fake-aws.ts';
import { commandLine, ended, printedUntil, startCommand } from '../support/session-broker.ts';
import { dispatcherAt } from './session-fixture.ts';

let temporary: string;
let assembly: string;

/** What the example synthesizes to, made once. */
beforeAll(() => {
  const config = parseConfig(readFileSync('tenants.example.yaml', 'utf8'), 'tenants.example.yaml');
  assembly = buildApp(config, { outdir: mkdtempSync(join(tmpdir(), 'session-broker-test-')) }).synth().directory;
  return () => rm(assembly, { recursive: true });
});

/** A folder for temporary files of its own, in which nothing may be left. */
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'session-broker-test-'));
  return () => rm(temporary, { recursive: true });
});

describe('a command', () => {
  test('that is interrupted while it synthesizes says nothing and leaves nothing', async () => {
    const synthesisBegun = folderAppears();
    const child = startCommand(['quickstart'], { environment: { TMPDIR: temporary } });
    const ending = ended(child);
    await synthesisBegun;
    child.kill('SIGINT');
    expect(await ending).toEqual({
      exitCode: 130,
      stdout: '',
      stderr: 'synthesizing tenants.example.yaml with the CDK ...\n',
    });
    expect((await readdir(temporary)).filter((name) => name.startsWith('session-broker-'))).toEqual([]);
  });

  test('whose reader goes away ends quietly and leaves nothing', async () => {
    const child = startCommand(['local', '--assembly', assembly], { environment: { TMPDIR: temporary } });
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdout?.destroy();
    const { exitCode, stderr } = await ended(child);
    expect(exitCode).toBe(1);
    expect(stderr).not.toContain('EPIPE');
    expect((await readdir(temporary)).filter((name) => name.startsWith('session-broker-'))).toEqual([]);
  });

  test('whose output cannot be written says so in one line', async () => {
    const shell = spawn('sh', ['-c', `exec "$@" > /dev/full`, 'sh', ...commandLine(['--version'])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { exitCode, stderr } = await ended(shell);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: standard output must be writable: .*ENOSPC[^\n;]*; [^\n]+ \[OutputUnwritable\]\n$/);
  });
});

describe('session-broker exec', () => {
  /** Says when it is there, and when it is asked to end; ends by a signal of its own when it is told to. */
  const AGENT =
    'trap "echo asked" TERM; trap "echo told" USR1; trap "kill -KILL $$" USR2; echo ready; while :; do sleep 0.02; done';

  test('passes signals on, ends by the signal that ends its child, and leaves nothing', async () => {
    const aws = await startFakeAws();
    onTestFinished(() => aws.close());
    const child = startCommand(['exec', '--cluster', 'hub', '--tenant', 'acme', '--', 'sh', '-c', AGENT], {
      environment: { ...dispatcherAt(aws.endpoint), TMPDIR: temporary, XDG_RUNTIME_DIR: temporary },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await printedUntil(child, /ready/);
    child.kill('SIGUSR1');
    await printedUntil(child, /told/);
    child.kill('SIGTERM');
    await printedUntil(child, /asked/);
    child.kill('SIGUSR2');
    expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
    const left = await readdir(temporary, { recursive: true });
    expect(left.filter((name) => !name.startsWith('tsx-'))).toEqual([expect.stringMatching(/^session-broker-\d+$/)]);
  });
});

test('session-broker credentials that is interrupted waits for no answer of STS', async () => {
  const aws = await startFakeAws();
  onTestFinished(() => aws.close());
  const child = startCommand(['credentials', '--cluster', 'hub', '--tenant', 'acme', '--session', 's1'], {
    environment: { ...dispatcherAt(aws.endpoint), XDG_RUNTIME_DIR: temporary },
  });
  aws.on('AssumeRole', () => {
    child.kill('SIGINT');
    return 'silence';
  });
  expect(await ended(child)).toEqual({ exitCode: 130, stdout: '', stderr: '' });
});

test('what session-broker local prints can be evaluated by a shell, whatever the shell had set, and no debugger opens', async () => {
  const child = startCommand(['local', '--assembly', assembly], { environment: { TMPDIR: temporary } });
  onTestFinished(() => void child.kill());
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const printed = await printedUntil(child, /hub\/globex/);
  // Node would open its debugger, and say so, while the shell runs.
  child.kill('SIGUSR1');
  const [, acme = ''] = printed.split(/^hub\/\S+.*$/m);
  const { stdout } = await promisify(execFile)('sh', ['-euc', `${acme}\nenv`], {
    env: { PATH: process.env['PATH'] ?? '', AWS_PROFILE: 'mine', AWS_ACCESS_KEY_ID: 'AKIAMINE' },
  });
  expect(stdout).toMatch(/^AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+$/m);
  expect(stdout).toMatch(/^SESSION_BROKER_TENANT=acme$/m);
  expect(stdout).not.toMatch(/^AWS_(PROFILE|ACCESS_KEY_ID)=/m);

  child.kill('SIGHUP');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(complaint).toBe('');
});

async function folderAppears(): Promise<void> {
  for await (const { filename } of watch(temporary)) {
    if (filename?.startsWith('session-broker-')) return;
  }
}
