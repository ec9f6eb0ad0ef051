import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { assumedIdentities, commandOf, dispatcherInPod, EXAMPLES } from '../examples/dispatcher.ts';
import { startFixture, temporaryFolder } from '../local/fixture.ts';
import { hasPythonTools, PYTHON } from './python-tools.ts';

const IDENTITIES = ['agent.acme.01K9ZQ4T5N8XV2M7B3C6D1E0FG', 'agent.acme.01K9ZQ4T5P3WJ6R9H8K2E7N4YA'];
const run = promisify(execFile);

test.skipIf(!hasPythonTools)('the dispatcher in Python runs each agent under a name of its own', async () => {
  const account = await startFixture();
  const environment = dispatcherInPod(account, temporaryFolder());

  const { stdout, stderr } = await run('sh', ['-c', commandOf('python')], {
    cwd: join(EXAMPLES, 'python'),
    env: { ...environment, PATH: `${dirname(PYTHON)}:${environment['PATH']}` },
  });

  expect(stdout.trim().split('\n').sort()).toEqual(
    IDENTITIES.map((identity) => `arn:aws:sts::111122223333:assumed-role/hub-acme-session/${identity}`),
  );
  expect(stderr).toBe('');
  expect(assumedIdentities(account)).toEqual(IDENTITIES);
});

test.skipIf(!hasPythonTools)('the dispatcher in Python fails if a signal kills an agent, and only then', async () => {
  const folder = temporaryFolder();
  const killed = '#!/bin/sh\n[ "$3" != killed ] || kill -KILL $$\n';
  writeFileSync(join(folder, 'session-broker'), killed, { mode: 0o755 });
  const dispatch = (...sessions: string[]) =>
    run(PYTHON, [join(EXAMPLES, 'python', 'dispatcher.py'), ...sessions], {
      env: { PATH: `${folder}:${process.env['PATH']}` },
    });

  await dispatch('one', 'two');
  await expect(dispatch('one', 'killed', 'two')).rejects.toMatchObject({ code: 137 });
});
