import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Ending } from '../../lib/cli/child.ts';
import type { Shell } from '../../lib/cli/command.ts';
import { temporaryFolder } from '../local/fixture.ts';
import { ISSUED, stsError } from '../runtime/support/fake-aws.ts';
import { createSimulatedTime, optionsOf } from '../runtime/support/simulated-time.ts';
import { ENDED_BY_SIGNAL, type FakeProcess, fakeProcess, run, runIn } from './fake-shell.ts';
import { ACME, fakeAwsForDispatcher } from './session-fixture.ts';

const { aws, actions } = fakeAwsForDispatcher();
const EXEC = ['exec', ...ACME, '--session', 's1'] as const;

/** Where temporary folders are made, and nothing may be left. */
let temporary: string;
beforeEach(() => {
  temporary = temporaryFolder();
  vi.stubEnv('TMPDIR', temporary);
});

type Environment = Shell['environment'];

/** A process whose child does this in place of a program. */
function withChild(act: (environment: Environment, command: readonly string[]) => Promise<Ending>): {
  readonly fake: FakeProcess;
  readonly killed: NodeJS.Signals[];
} {
  const killed: NodeJS.Signals[] = [];
  const fake = fakeProcess({
    spawn: (command, environment) => ({
      kill: (signal) => void killed.push(signal),
      ended: act(environment, command),
    }),
  });
  return { fake, killed };
}

const ENDED: Ending = { exitCode: 0 };

/** What an SDK's client in the child gets. */
async function askEndpoint(environment: Environment): Promise<Response> {
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri = '', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file = '' } =
    environment;
  return fetch(uri, { headers: { authorization: readFileSync(file, 'utf8'), connection: 'close' } });
}

describe('session-broker exec', () => {
  test('gives its child an endpoint with the credentials, and takes it away afterwards', async () => {
    let seen: Environment = {};
    let answer: unknown;
    const { fake } = withChild(async (environment) => {
      seen = environment;
      const file = environment['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'] ?? '';
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
      expect(readFileSync(file, 'utf8')).toMatch(/^\S+$/);
      answer = await (await askEndpoint(environment)).json();
      return ENDED;
    });
    expect(await runIn(fake, ...EXEC, '--', 'agent')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(answer).toMatchObject({ AccessKeyId: ISSUED.accessKeyId, Token: ISSUED.sessionToken });
    expect(actions()).toEqual(['GetParameter', 'AssumeRole']);

    expect(readdirSync(temporary)).toEqual([]);
    await expect(fetch(seen['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? '')).rejects.toThrow('fetch failed');
    expect(fake.heard()).toEqual([]);
  });

  test("passes its own environment on, without the dispatcher's credentials, and names the Region", async () => {
    vi.stubEnv('FAVOURITE_COLOUR', 'blue');
    let seen: Environment = {};
    const { fake } = withChild(async (environment) => {
      seen = environment;
      return ENDED;
    });
    await runIn(fake, ...EXEC, '--region', 'eu-west-1', '--', 'agent');
    expect(seen).toMatchObject({ FAVOURITE_COLOUR: 'blue', AWS_REGION: 'eu-west-1', AWS_CONFIG_FILE: '/dev/null' });
    expect(Object.keys(seen).filter((name) => /SECRET|ACCESS_KEY|SESSION_TOKEN|NESTED/.test(name))).toEqual([]);
  });

  test('passes arguments on as they are, options of its own among them', async () => {
    let seen: readonly string[] = [];
    const { fake } = withChild(async (_, command) => {
      seen = command;
      return ENDED;
    });
    const command = ['agent', '--help', '--tenant', 'x', '--', 'a b', ''];
    expect((await runIn(fake, ...EXEC, '--', ...command)).stdout).toBe('');
    expect(seen).toEqual(command);
  });

  test('makes a session id of its own, and tells it', async () => {
    const { fake } = withChild(async () => ENDED);
    const { stderr } = await runIn(fake, 'exec', ...ACME, '--', 'agent');
    expect(stderr).toMatch(/^session agent\.acme\.[0-9A-HJKMNP-TV-Z]{26}\n$/);
    expect(aws().requests.at(-1)?.parameters['SourceIdentity']).toBe(stderr.trim().replace('session ', ''));
  });

  test('tells the session as data', async () => {
    const { fake } = withChild(async () => ENDED);
    const { stdout, stderr } = await runIn(fake, ...EXEC, '--json', '--', 'agent');
    expect(stdout).toBe('');
    expect(JSON.parse(stderr)).toEqual({
      session: 's1',
      sourceIdentity: 'agent.acme.s1',
      uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/credentials\/agent\.acme\.s1$/),
    });
  });

  test('serves session-broker credentials of the same dispatcher too', async () => {
    let printed = '';
    const { fake } = withChild(async () => {
      const asking = fakeProcess({ environment: fake.shell.environment });
      printed = (await runIn(asking, 'credentials', ...ACME, '--session', 's1')).stdout;
      return ENDED;
    });
    await runIn(fake, ...EXEC, '--', 'agent');
    expect(JSON.parse(printed)).toMatchObject({ AccessKeyId: ISSUED.accessKeyId });
    expect(actions()).toEqual(['GetParameter', 'AssumeRole']);
  });
});

test('session-broker exec says once for each reason why credentials are not renewed, and lets its child run', async () => {
  const time = createSimulatedTime(Date.now());
  const assumptions = (): number => actions().filter((action) => action === 'AssumeRole').length;
  const { fake } = withChild(async () => {
    aws().on('AssumeRole', stsError(403, 'InvalidClientTokenId', 'no'));
    await time.advance(30 * 60_000);
    await vi.waitFor(untilRenewals(6), { interval: 1, timeout: 10_000 });
    aws().on('AssumeRole', stsError(403, 'AccessDenied', 'not authorized'));
    await vi.waitFor(untilRenewals(assumptions() + 1), { interval: 1, timeout: 10_000 });
    await vi.waitFor(() => expect(fake.stderr()).toContain('AssumeRoleDenied'));
    return { exitCode: 3 };
  });
  const untilRenewals = (count: number) => async () => {
    await time.advance(100); // slowly: requests take real time, and have 20 seconds of this one
    expect(assumptions()).toBeGreaterThanOrEqual(count);
  };
  const { exitCode, stderr } = await runIn(
    { ...fake, shell: { ...fake.shell, time: optionsOf(time) } },
    ...EXEC,
    '--',
    'agent',
  );
  expect(exitCode).toBe(3);
  expect(stderr.trim().split('\n')).toEqual([
    expect.stringMatching(
      /^warning: credentials of "agent\.acme\.s1" could not be renewed: .*\[DispatcherCredentialsRejected\]$/,
    ),
    expect.stringMatching(/^warning: credentials of "agent\.acme\.s1" could not be renewed: .*\[AssumeRoleDenied\]$/),
  ]);
});

describe('session-broker exec ends as its child does', () => {
  const sh = (script: string): Promise<{ readonly exitCode: number }> => run(...EXEC, '--', 'sh', '-c', script);

  test.each([0, 1, 42, 255])('with its exit code %i', async (code) => {
    expect((await sh(`exit ${code}`)).exitCode).toBe(code);
  });

  test.each(['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const)('by the signal that ended it: %s', async (signal) => {
    const fake = fakeProcess();
    const { exitCode } = await runIn(fake, ...EXEC, '--', 'sh', '-c', `kill -${signal.slice(3)} $$`);
    expect([exitCode, fake.endedBy()]).toEqual([ENDED_BY_SIGNAL, signal]);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('session-broker exec fails, and leaves nothing behind,', () => {
  test.each<[string, string, number, string]>([
    [
      'for a program that is not there',
      'no-such-agent',
      127,
      'command must be a program in a folder of PATH, or the path of one: "no-such-agent" was not found, or the interpreter in its first line was not; correct or install it [CommandNotFound]',
    ],
    [
      'for a file that is no program',
      join(import.meta.dirname, 'exec.test.ts'),
      126,
      `command must be a program that may be executed: ${JSON.stringify(join(import.meta.dirname, 'exec.test.ts'))} could not be started (EACCES); check its permissions (chmod +x) [CommandNotExecutable]`,
    ],
    [
      'for a folder',
      import.meta.dirname,
      126,
      `command must be a program that may be executed: ${JSON.stringify(import.meta.dirname)} is a folder; name a program in it [CommandNotExecutable]`,
    ],
    [
      'for a path through a file',
      '/dev/null/agent',
      126,
      'command must be a program that may be executed: "/dev/null/agent" could not be started (ENOTDIR); check its path and its arguments [CommandNotExecutable]',
    ],
  ])('%s', async (_, program, exitCode, message) => {
    expect(await run(...EXEC, '--', program)).toEqual({ exitCode, stdout: '', stderr: `error: ${message}\n` });
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('for a session that is refused, before it starts anything', async () => {
    aws().on('AssumeRole', stsError(403, 'AccessDenied', 'not authorized'));
    const spawn = vi.fn<Shell['spawn']>();
    const { exitCode, stdout, stderr } = await runIn(fakeProcess({ spawn }), ...EXEC, '--', 'agent');
    expect([exitCode, stdout]).toEqual([4, '']);
    expect(stderr).toMatch(/^error: [^\n]* \[AssumeRoleDenied\]\n$/);
    expect(spawn).not.toHaveBeenCalled();
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('where no token can be written', async () => {
    vi.stubEnv('TMPDIR', '/dev/null/nowhere');
    const { exitCode, stderr } = await run(...EXEC, '--', 'true');
    expect([exitCode, stderr]).toEqual([
      2,
      'error: temporary folder must be writable: "/dev/null/nowhere" is not; set TMPDIR to one that is [UsageInvalid]\n',
    ]);
  });
});

describe('a signal to session-broker exec', () => {
  const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const;

  async function killedBy(isTerminal: Shell['isTerminal']): Promise<readonly NodeJS.Signals[]> {
    let end = (_: Ending): void => {};
    const { fake, killed } = withChild(
      () =>
        new Promise((resolve) => {
          end = resolve;
          setImmediate(() => {
            for (const signal of SIGNALS) fake.raise(signal);
            end({ exitCode: 7 });
          });
        }),
    );
    expect((await runIn({ ...fake, shell: { ...fake.shell, isTerminal } }, ...EXEC, '--', 'agent')).exitCode).toBe(7);
    return killed;
  }

  test('reaches the child, which decides what becomes of it', async () => {
    expect(await killedBy(() => false)).toEqual(SIGNALS);
  });

  test.each(['stdin', 'stdout', 'stderr'] as const)(
    'reaches the child once when it comes from the keys of a terminal at %s',
    async (stream) => {
      expect(await killedBy((asked) => asked === stream)).toEqual(SIGNALS.filter((name) => !/INT|QUIT/.test(name)));
    },
  );

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)(
    'that comes before there is a child ends it, and starts none: %s',
    async (signal) => {
      const spawn = vi.fn<Shell['spawn']>();
      const fake = fakeProcess({ spawn });
      aws().on('AssumeRole', () => {
        for (const raised of ['SIGWINCH', signal, 'SIGTERM'] as const) fake.raise(raised);
        return 'silence';
      });
      expect(await runIn(fake, 'exec', ...ACME, '--', 'agent')).toEqual({
        exitCode: ENDED_BY_SIGNAL,
        stdout: '',
        stderr: '',
      });
      expect(fake.endedBy()).toBe(signal);
      expect(spawn).not.toHaveBeenCalled();
      expect(readdirSync(temporary)).toEqual([]);
    },
  );

  test('that comes while the endpoint starts does so too', async () => {
    const spawn = vi.fn<Shell['spawn']>();
    const fake = fakeProcess({ spawn });
    // The last thing that happens before the child starts.
    const note = (): void => fake.raise('SIGTERM');
    const shell = { ...fake.shell, note };
    expect((await runIn({ ...fake, shell }, 'exec', ...ACME, '--', 'agent')).exitCode).toBe(ENDED_BY_SIGNAL);
    expect(spawn).not.toHaveBeenCalled();
    expect(readdirSync(temporary)).toEqual([]);
  });
});
