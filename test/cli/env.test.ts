import { execFileSync } from 'node:child_process';
import { describe, expect, test, vi } from 'vitest';
import { ROLE_ARN, ssmError } from '../runtime/support/fake-aws.ts';
import { run } from './fake-shell.ts';
import { ACME, fakeAwsForDispatcher } from './session-fixture.ts';

const { aws, actions } = fakeAwsForDispatcher();
const ENV = ['env', ...ACME, '--session', 's1'] as const;
const VARIABLES = {
  FAB_OPERATOR: 'agent.acme.s1',
  FAB_SESSION_ROLE_ARN: ROLE_ARN,
  FAB_SESSION_DURATION: '3600',
  SESSION_BROKER_CLUSTER: 'hub',
  SESSION_BROKER_TENANT: 'acme',
};

/** The variables that a shell has after it has evaluated a text. */
function evaluated(text: string): Readonly<Record<string, string>> {
  const printed = execFileSync('sh', ['-euc', `${text}\nenv -0`], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
  const pairs = printed.split('\0').map((line) => line.split(/=(.*)/s));
  return Object.fromEntries(pairs.filter(([name = '']) => /^(?:FAB|SESSION_BROKER)_/.test(name)));
}

describe('session-broker env prints', () => {
  test('what a client that assumes the role by itself is told, and asks for no session', async () => {
    const { exitCode, stdout, stderr } = await run(...ENV);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(evaluated(stdout)).toEqual(VARIABLES);
    expect(actions()).toEqual(['GetParameter']);
  });

  test('the same as data', async () => {
    const { stdout } = await run(...ENV, '--json');
    expect(JSON.parse(stdout)).toEqual(VARIABLES);
  });

  test('what the variables of the dispatcher say, the parameter prefix too', async () => {
    vi.stubEnv('SESSION_BROKER_CLUSTER', 'hub');
    vi.stubEnv('SESSION_BROKER_TENANT', 'acme');
    vi.stubEnv('SESSION_BROKER_PARAMETER_PREFIX', "/o'brien");
    expect((await run('env', '--session', 's1')).stderr).toMatch(/ParameterPrefixInvalid/);
    vi.stubEnv('SESSION_BROKER_PARAMETER_PREFIX', '/platform');
    expect(evaluated((await run('env', '--session', 's1')).stdout)).toEqual({
      ...VARIABLES,
      SESSION_BROKER_PARAMETER_PREFIX: '/platform',
    });
  });

  test('no cluster where the role is given, and makes no call', async () => {
    const { stdout } = await run('env', '--tenant', 'acme', '--session', 's1', '--role-arn', ROLE_ARN, '--json');
    const { SESSION_BROKER_CLUSTER: _, ...others } = VARIABLES;
    expect(JSON.parse(stdout)).toEqual(others);
    expect(actions()).toEqual([]);
  });
});

test('session-broker env fails for a tenant that is not deployed, and prints nothing', async () => {
  aws().on('GetParameter', ssmError(400, 'ParameterNotFound', 'no'));
  const { exitCode, stdout, stderr } = await run(...ENV);
  expect([exitCode, stdout]).toEqual([3, '']);
  expect(stderr).toMatch(/^error: [^\n]*opted in[^\n]* \[ParameterNotFound\]\n$/);
});
