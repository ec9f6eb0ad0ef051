import { describe, expect, test, vi } from 'vitest';
import { agentEnvironment } from '../../lib/runtime/delivery/agent-environment.ts';
import { type FakeProcess, fakeProcess, runIn, startIn } from './fake-shell.ts';
import { ACME, fakeAwsForDispatcher } from './session-fixture.ts';

const { aws, actions } = fakeAwsForDispatcher();

const E1 = 'http://127.0.0.1:9911/credentials/agent.acme.e1';

/** What `exec` starts as the session e1, but for these variables. */
function inside(given: Readonly<Record<string, string>> = {}): FakeProcess {
  const agent = agentEnvironment(fakeProcess().shell.environment, {
    uri: E1,
    tokenFile: '/tmp/token',
    region: 'us-west-2',
  });
  return fakeProcess({ environment: { ...agent, ...given } });
}

describe('inside a session that exec started, a command fails at once', () => {
  test.each([
    ['exec', ...ACME, '--', 'true'],
    ['exec', '--', 'true'],
    ['serve', ...ACME, '--session', 's1'],
    ['credentials', ...ACME, '--session', 's1'],
    ['env', ...ACME, '--session', 's1'],
  ])('and says in which: %s', async (...args) => {
    expect(await runIn(inside(), ...args)).toEqual({
      exitCode: 4,
      stdout: '',
      stderr:
        'error: dispatcher must have credentials of the tenant role: this process is the session "agent.acme.e1" already, by AWS_CONTAINER_CREDENTIALS_FULL_URI, and cannot start another; run the command outside of session-broker exec [DispatcherCredentialsMissing]\n',
    });
    expect(actions()).toEqual([]);
  });
});

describe('inside a session that exec started, a command still works', () => {
  test('that needs no dispatcher: env of a role by its ARN', async () => {
    const roleArn = 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session';
    const env = ['env', ...ACME, '--session', 's1'] as const;
    expect((await runIn(inside(), ...env, '--role-arn', roleArn)).stdout).toContain(roleArn);
    vi.stubEnv('FAB_SESSION_ROLE_ARN', roleArn);
    expect((await runIn(inside(), ...env)).stdout).toContain(roleArn);
    expect(actions()).toEqual([]);
  });

  test('that asks an endpoint of the same dispatcher', async () => {
    const serving = inside({ AWS_ACCESS_KEY_ID: 'AKIDDISPATCHER', AWS_SECRET_ACCESS_KEY: 'secret' });
    await startIn(serving, 'serve', ...ACME, '--session', 's1');
    aws().requests.length = 0;
    const asking = fakeProcess({ environment: serving.shell.environment });
    expect((await runIn(asking, 'credentials', ...ACME, '--session', 's1')).exitCode).toBe(0);
    expect(actions()).toEqual([]);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['keys', { AWS_ACCESS_KEY_ID: 'AKIDDISPATCHER', AWS_SECRET_ACCESS_KEY: 'secret' }],
    ['a profile by name', { AWS_PROFILE: 'dispatcher' }],
    ['a web identity', { AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/x', AWS_WEB_IDENTITY_TOKEN_FILE: '/dev/null' }],
    ['the endpoint of a task', { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/task' }],
    ['a configuration', { AWS_CONFIG_FILE: '/tmp/config' }],
    ['a file of credentials', { AWS_SHARED_CREDENTIALS_FILE: '/tmp/credentials' }],
    ['an endpoint elsewhere', { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials' }],
    ['an endpoint of another kind', { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:80/credentials/x' }],
    ['no endpoint', { AWS_CONTAINER_CREDENTIALS_FULL_URI: '' }],
  ])('that may find a dispatcher of its own: %s', async (_, given) => {
    const { stderr } = await runIn(inside(given), 'exec', ...ACME, '--', 'true');
    expect(stderr).not.toContain('already');
  });
});
