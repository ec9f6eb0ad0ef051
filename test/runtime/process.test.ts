import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { assumed, DISPATCHER, REGION, ROLE_ARN, startFakeAws, stsError } from './support/fake-aws.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

test('a process stays for credentials that are waited for, through a retry, and ends though they would be renewed', async () => {
  const aws = await startFakeAws();
  let calls = 0;
  aws.on('AssumeRole', (request) => {
    calls += 1;
    return calls === 1 ? stsError(400, 'Throttling', 'Rate exceeded') : assumed(request);
  });
  const program = `
    import { SessionBroker } from ${JSON.stringify(join(ROOT, 'lib', 'runtime', 'index.ts'))};
    const broker = new SessionBroker(${JSON.stringify({ region: REGION, endpoint: aws.endpoint, credentials: DISPATCHER })});
    const session = broker.session({ session: 's1', tenant: 'acme', roleArn: ${JSON.stringify(ROLE_ARN)} });
    const { accountId } = await session.credentials();
    console.log(accountId, session.current() !== undefined);
  `;
  // Without what keeps it, Node ends a process whose main module still waits with exit code 13.
  const child = run(process.execPath, ['--import', 'tsx/esm', '--input-type', 'module', '--eval', program], {
    cwd: ROOT,
    timeout: 20_000,
  });
  expect((await child).stdout).toBe('111122223333 true\n');
  expect(calls).toBe(2);
  await aws.close();
});
