import { execFile } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { assumedIdentities, commandOf, dispatcherInPod, EXAMPLES } from '../examples/dispatcher.ts';
import { startFixture, temporaryFolder } from '../local/fixture.ts';
import { makeDependentProject } from '../support/dependent-project.ts';

const IDENTITIES = ['agent.acme.01K9ZQ4T5N8XV2M7B3C6D1E0FG', 'agent.acme.01K9ZQ4T5P3WJ6R9H8K2E7N4YA'];
const run = promisify(execFile);

/** The example as a project of its own, which depends on this package and is no project of ES modules. */
function project(): string {
  const folder = temporaryFolder();
  makeDependentProject(folder);
  writeFileSync(join(folder, 'package.json'), '{}');
  cpSync(join(EXAMPLES, 'typescript'), folder, { recursive: true });
  return folder;
}

test('the dispatcher in TypeScript runs each agent under a name of its own', async () => {
  const account = await startFixture();
  const cwd = project();

  const { stdout, stderr } = await run('sh', ['-c', commandOf('typescript')], {
    cwd,
    env: dispatcherInPod(account, cwd),
  });

  expect(stdout.trim().split('\n').sort()).toEqual(
    IDENTITIES.map((identity) => `arn:aws:sts::111122223333:assumed-role/hub-acme-session/${identity}`),
  );
  expect(stderr).toBe('');
  expect(assumedIdentities(account)).toEqual(IDENTITIES);
});
