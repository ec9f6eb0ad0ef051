import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { runIn } from '../../lib/cli/run-in.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';

isolateEnvironment();

test('a command succeeds where the temporary folder cannot be entered', async () => {
  vi.stubEnv('TMPDIR', '/dev/null/nowhere');
  const stdout = new PassThrough({ encoding: 'utf8' });
  const host = Object.assign(new EventEmitter(), {
    argv: ['node', 'session-broker', '--version'],
    env: {},
    execArgv: [],
    execPath: process.execPath,
    exitCode: undefined,
    stdout,
    stderr: new PassThrough(),
  });
  await runIn(host as unknown as NodeJS.Process, () => undefined);
  expect([host.exitCode, stdout.read()]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
});
