import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ACME, dispatcherAt } from '../cli/session-fixture.ts';
import { WEB_IDENTITY_TOKEN } from '../runtime/support/fake-aws.ts';
import { ended, startCommand } from '../support/session-broker.ts';
import { filesBelow } from '../support/watched-process.ts';
import { expectNoLeak, machineAndAws } from './fixture.ts';

const { aws, machine } = machineAndAws();

describe("under Node's own debug output", () => {
  /** What a process prints, once it has ended. */
  const printed = async (child: ReturnType<typeof startCommand>) => {
    const { exitCode, stdout, stderr } = await ended(child);
    expect([exitCode, stderr.slice(0, 2000)]).toEqual([0, expect.any(String)]);
    return { stdout, stderr };
  };

  test('a command that may run shows nothing', async () => {
    const environment = {
      ...dispatcherAt(aws().endpoint),
      NODE_DEBUG: 'fs,stream,timer,url,esm,worker',
      TMPDIR: machine(),
    };
    const args = ['exec', ...ACME, '--session', 's1', '--', 'env'];
    const { stdout, stderr } = await printed(startCommand(args, { environment, cwd: machine() }));
    expect(stdout).toContain('AWS_CONTAINER_CREDENTIALS_FULL_URI=');
    expect(stderr).toMatch(/^(?:STREAM|TIMER|FS|ESM) \d+: /m);
    expectNoLeak([stdout, stderr, ...filesBelow(machine()).values()]);
  });

  test('a dispatcher of its own shows nothing of the requests that are made for it', async () => {
    writeFileSync(join(machine(), 'token'), WEB_IDENTITY_TOKEN);
    const program = `
      import { SessionBroker } from ${JSON.stringify(new URL('../../lib/runtime/index.ts', import.meta.url).href)};
      using broker = new SessionBroker({ tenant: 'acme', cluster: 'hub' });
      const { expiration } = await broker.session({ session: 's1' }).credentials();
      console.log(expiration.getTime() > Date.now());`;
    writeFileSync(join(machine(), 'dispatcher.mts'), program);
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(machine(), 'dispatcher.mts')], {
      cwd: machine(),
      env: {
        PATH: process.env['PATH'],
        AWS_REGION: 'us-west-2',
        AWS_ENDPOINT_URL: aws().endpoint,
        AWS_WEB_IDENTITY_TOKEN_FILE: join(machine(), 'token'),
        AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/hub-acme-tenant',
        NODE_DEBUG: 'http,https,net,tls,stream',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = await printed(child);
    expect(stdout).toBe('true\n');
    expect(stderr).toMatch(/^HTTP \d+: createConnection /m);
    expect(aws().requests.map(({ action }) => action)).toEqual([
      'AssumeRoleWithWebIdentity',
      'GetParameter',
      'AssumeRole',
    ]);
    expectNoLeak([stdout, stderr]);
  });
});
