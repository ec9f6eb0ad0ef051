import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { fromSessionBroker } from '../../lib/runtime/index.ts';
import { fakeProcess, runIn, startIn } from '../cli/fake-shell.ts';
import { startMachine, timeStandsStill } from '../cli/verify-fixture.ts';
import { CONFIG, startFixture, templatesOf, writeAssembly, YAML } from '../local/fixture.ts';
import { startEdge } from '../support/edge.ts';
import { watchProcess } from '../support/watched-process.ts';
import { expectNoLeak, machineAndAws } from './fixture.ts';

const { machine } = machineAndAws();

describe('in the local account', () => {
  /** An account with a log on disk, in which a session was started from a web identity, and all of its secrets. */
  async function used() {
    const log = join(machine(), 'events.jsonl');
    const account = await startFixture({ log });
    const tokenFile = join(machine(), 'token');
    const token = account.mintWebIdentityToken('hub', 'acme');
    writeFileSync(tokenFile, token);
    for (const [name, value] of Object.entries(account.webIdentityEnvironment('hub', 'acme', tokenFile)))
      vi.stubEnv(name, value);
    const issued = await fromSessionBroker({ cluster: 'hub', tenant: 'acme', session: 's1' })();
    const handedOut = [
      issued,
      account.dispatcherCredentials('hub', 'acme'),
      account.administratorCredentials('111122223333'),
    ];
    const secrets = handedOut.flatMap(({ secretAccessKey, sessionToken }) => [
      secretAccessKey,
      sessionToken ?? secretAccessKey,
    ]);
    return { account, log, secrets: [...secrets, token] };
  }

  test('events, decisions and the log hold no secret key, no session token and no web-identity token', async () => {
    const said = watchProcess();
    const { account, log, secrets } = await used();
    const forged = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: secrets[0] ?? '' };
    const refused = await fromSessionBroker({
      tenant: 'acme',
      cluster: 'hub',
      session: 's1',
      region: 'us-west-2',
      endpoint: account.endpoint,
      credentials: forged,
    })().catch((error: unknown) => error);
    const written = readFileSync(log, 'utf8');
    expect(written).toContain('"eventName":"AssumeRole"');
    expectNoLeak(
      [written, account.events(), account.decisions(), account.notices, account.config, refused, said()],
      secrets,
    );
  });

  test('session-broker local says where tokens are, and keeps them in files that go', async () => {
    const said = watchProcess();
    const config = join(machine(), 'tenants.yaml');
    writeFileSync(config, YAML);
    const fake = fakeProcess();
    const options = [
      '--config',
      config,
      '--assembly',
      writeAssembly(templatesOf(CONFIG)),
      '--log',
      join(machine(), 'log'),
    ];
    const { first, ending } = await startIn(fake, 'local', '--json', ...options);
    const { tenants } = JSON.parse(first) as { tenants: { environment: Record<string, string> }[] };
    const files = tenants.map(({ environment }) => environment['AWS_WEB_IDENTITY_TOKEN_FILE'] ?? '');
    const tokens = files.map((file) => readFileSync(file, 'utf8'));
    for (const file of files)
      expect([statSync(file).mode & 0o777, statSync(dirname(file)).mode & 0o777]).toEqual([0o600, 0o700]);
    expectNoLeak([fake.stdout(), fake.stderr(), said(), readFileSync(join(machine(), 'log'), 'utf8')], tokens);
    fake.raise('SIGTERM');
    await ending;
    for (const file of files) expect(existsSync(file)).toBe(false);
  });
});

describe('from IAM', () => {
  test('session-broker doctor prints what it found, and nothing of the credentials that it asked with', async () => {
    const said = watchProcess();
    const account = await startFixture();
    const config = join(machine(), 'tenants.yaml');
    writeFileSync(config, YAML);
    const environment = account.dispatcherEnvironment('hub', 'acme');
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    const { AWS_SECRET_ACCESS_KEY: secret = '', AWS_SESSION_TOKEN: token = '' } = environment;
    const forged = `${secret.slice(1)}A`;
    const shown: unknown[] = [];
    // A dispatcher may read next to nothing, which is a finding; and whoever signs wrongly is turned away.
    for (const [key, code] of [
      [secret, 6],
      [forged, 4],
    ] as const) {
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', key);
      for (const options of [[], ['--json']]) {
        const { exitCode, stdout, stderr } = await runIn(fakeProcess(), 'doctor', '--config', config, ...options);
        expect(exitCode).toBe(code);
        shown.push(stdout, stderr);
      }
    }
    expectNoLeak([...shown, said()], [secret, token, forged]);
  });
});

describe('from CloudTrail', () => {
  timeStandsStill();

  test('session-broker verify prints and writes down what it read, and nothing that STS gave on the way', async () => {
    const said = watchProcess();
    const { account, folder, verify } = await startMachine();
    const given = new Set<string>();
    const edge = await startEdge(account.endpoint, (answer) => {
      for (const [, secret = ''] of answer.body.matchAll(/<(?:SecretAccessKey|SessionToken)>([^<]+)</g))
        given.add(secret);
      return answer;
    });
    vi.stubEnv('AWS_ENDPOINT_URL_STS', edge);
    const output = join(folder, 'result.json');
    const { exitCode, stdout, stderr } = await verify('--reader-profile', 'auditor', '--output', output);
    expect(exitCode).toBe(0);
    // The dispatcher's, by its web identity, and the session's.
    expect(given.size).toBe(4);
    const { secretAccessKey } = account.administratorCredentials('111122223333');
    const token = readFileSync(join(folder, 'machine', 'token'), 'utf8');
    expectNoLeak([stdout, stderr, said(), readFileSync(output, 'utf8')], [...given, secretAccessKey, token]);
  });
});
