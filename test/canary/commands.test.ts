import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Shell } from '../../lib/cli/command.ts';
import { CREDENTIALS_FORMATS } from '../../lib/runtime/delivery/formats.ts';
import { fakeProcess, runIn, startIn } from '../cli/fake-shell.ts';
import { ACME, dispatcherAt } from '../cli/session-fixture.ts';
import { HEALTHY } from '../doctor/world.ts';
import { CANARIES, DISPATCHER, ISSUED, ROLE_ARN, WEB_IDENTITY_TOKEN } from '../runtime/support/fake-aws.ts';
import { filesBelow, watchProcess } from '../support/watched-process.ts';
import { expectNoLeak, isGood, machineAndAws, SITUATIONS, TIMES } from './fixture.ts';

const { aws, machine, begin } = machineAndAws();

/** The faults that say most, and one of each other kind. */
const TELLING = SITUATIONS.filter(({ name }) =>
  /no fault|page instead|reset within|half of an answer|another source|failure of STS|repeated|denial|for a code/.test(
    name,
  ),
);

describe.each(TELLING)('in the commands, with $name,', (situation) => {
  beforeEach(async () => {
    for (const [name, value] of Object.entries(dispatcherAt(aws().endpoint))) vi.stubEnv(name, value);
    await begin(situation);
  });

  const isHandedOut = isGood(situation);
  const shell = (given: Partial<Shell> = {}) => {
    const environment = { ...process.env };
    return fakeProcess({ environment, time: TIMES, ...given });
  };

  test.each(CREDENTIALS_FORMATS)(
    'session-broker credentials hands out the session on standard output alone: %s',
    async (format) => {
      const said = watchProcess();
      const args = ['credentials', ...ACME, '--session', 's1', '--format', format];
      const { stdout, stderr } = await runIn(shell(), ...args);
      if (isHandedOut) expect(stdout).toContain(ISSUED.secretAccessKey);
      else expect(stdout).toBe('');
      expectNoLeak([stdout], [DISPATCHER.secretAccessKey, DISPATCHER.sessionToken, DISPATCHER.accessKeyId]);
      expectNoLeak([stderr, said(), ...filesBelow(machine()).values()]);
    },
  );

  test('session-broker env hands out nothing', async () => {
    const said = watchProcess();
    const { stdout, stderr } = await runIn(shell(), 'env', ...ACME, '--session', 's1');
    expectNoLeak([stdout, stderr, said(), ...filesBelow(machine()).values()]);
  });

  test('session-broker exec hands its child an endpoint, and a token in a file that goes', async () => {
    const said = watchProcess();
    const seen: { environment: Shell['environment']; files: ReadonlyMap<string, string> }[] = [];
    const spawn: Shell['spawn'] = (_, environment) => {
      seen.push({ environment, files: filesBelow(machine()) });
      return { kill: () => {}, ended: Promise.resolve({ exitCode: 0 }) };
    };
    const { stdout, stderr } = await runIn(shell({ spawn }), 'exec', ...ACME, '--json', '--', 'agent');
    expect(seen).toHaveLength(isHandedOut ? 1 : 0);
    for (const { environment, files } of seen) {
      const token = [...files.values()];
      expect(token).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
      expectNoLeak([environment, stdout, stderr, said()], [...CANARIES, ...token]);
      expectNoLeak(token);
    }
    expectNoLeak([stdout, stderr, said()]);
    expect(filesBelow(machine()).size).toBe(0);
  });

  test('session-broker verify prints and writes down what AWS decided, and nothing that it gave', async () => {
    const said = watchProcess();
    const args = ['verify', ...ACME, '--bound', '--chain-to', ROLE_ARN];
    const output = join(machine(), 'result.json');
    const printed = await runIn(shell(), ...args, '--output', output);
    const asked = aws().requests.filter(({ action }) => action === 'AssumeRole');
    if (isHandedOut) expect(asked.length).toBeGreaterThan(5);
    const resumed = await runIn(shell(), 'verify', '--resume', output);
    const asJson = await runIn(shell(), ...args, '--json');
    expectNoLeak([printed, resumed, asJson, said(), ...filesBelow(machine()).values()]);
  });

  test('session-broker serve keeps tokens in files that go', async () => {
    const said = watchProcess();
    const fake = shell();
    const serving = startIn(fake, 'serve', ...ACME, '--session', 's1');
    if (isHandedOut) {
      const { ending } = await serving;
      const tokens = [...filesBelow(machine()).values()];
      expect(tokens).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
      expectNoLeak([fake.stdout(), fake.stderr(), said()], [...CANARIES, ...tokens]);
      fake.raise('SIGTERM');
      await ending;
    } else {
      await expect(serving).rejects.toThrow('the command ended with');
    }
    expectNoLeak([fake.stdout(), fake.stderr(), said()]);
    expect(filesBelow(machine()).size).toBe(0);
  });
});

/** Commands of an operator, with what IAM is asked by each. */
const OPERATORS = [
  { command: ['check-trust', '--role', ROLE_ARN], actions: ['GetRole'] },
  { command: ['doctor', '--tenant', 'acme'], actions: ['GetRole', 'GetParameter', 'GetAccountAuthorizationDetails'] },
];

describe.each(OPERATORS)('session-broker $command.0', ({ command, actions }) => {
  test.each(TELLING.filter(({ name }) => /page|repeated|denial|for a code/.test(name)))(
    'says what AWS answered, and no secret: $name',
    async (situation) => {
      for (const [name, value] of Object.entries(dispatcherAt(aws().endpoint))) vi.stubEnv(name, value);
      await begin(situation, actions);
      const said = watchProcess();
      const run = await runIn(fakeProcess({ readFile: () => HEALTHY }), ...command);
      expect(aws().requests.map(({ action }) => action)).toContain(actions[0]);
      expectNoLeak([run, said(), ...filesBelow(machine()).values()]);
    },
  );
});

describe('a file that is another', () => {
  const { accessKeyId, secretAccessKey, sessionToken } = ISSUED;

  test.each([
    ['a file of credentials', `[default]\naws_secret_access_key = ${secretAccessKey}\n`],
    ['the credentials themselves', JSON.stringify({ Credentials: ISSUED })],
    ['a list of them', JSON.stringify([accessKeyId, secretAccessKey, sessionToken])],
    ['a web-identity token', WEB_IDENTITY_TOKEN],
  ])('is refused, and nothing of it repeated: %s', async (_, text) => {
    const said = watchProcess();
    const readFile = (path: string) => (path === 'tenants.yaml' ? HEALTHY : text);
    for (const args of [
      ['check-trust', 'given'],
      ['doctor', '--from', 'given'],
      ['doctor', '--scp', 'given'],
      ['doctor', '--config', 'given'],
      ['verify', ...ACME, '--config', 'given'],
      ['verify', '--resume', 'given'],
      ['local', '--config', 'given'],
    ]) {
      const run = await runIn(fakeProcess({ readFile }), ...args);
      expect([args, run.exitCode, run.stdout]).toEqual([args, 2, '']);
      expectNoLeak([run, said()]);
    }
  });
});

test('a session that another command asks for over a socket is on standard output alone, and on no disk', async () => {
  for (const [name, value] of Object.entries(dispatcherAt(aws().endpoint))) vi.stubEnv(name, value);
  const said = watchProcess();
  const environment = { ...process.env };
  const serving = fakeProcess({ environment });
  await startIn(serving, 'serve', ...ACME, '--session', 's1');
  const asking = fakeProcess({ environment });
  const requests = aws().requests.length;
  const { stdout } = await runIn(asking, 'credentials', ...ACME, '--session', 's1');
  expect([stdout, aws().requests.length]).toEqual([expect.stringContaining(ISSUED.sessionToken), requests]);
  expectNoLeak([serving.stdout(), serving.stderr(), asking.stderr(), said(), ...filesBelow(machine()).values()]);
});
