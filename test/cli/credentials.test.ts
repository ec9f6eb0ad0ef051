import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { NESTED } from '../../lib/cli/nested.ts';
import { saying } from '../../lib/cli/waiting.ts';
import { SessionBrokerError } from '../../lib/errors.ts';
import { announce } from '../../lib/runtime/delivery/announcement.ts';
import { announcementFolder } from '../../lib/runtime/delivery/discovery.ts';
import { sessionKey } from '../../lib/runtime/delivery/session-key.ts';
import { temporaryFolder } from '../local/fixture.ts';
import { assumed, ISSUED, ssmError, stsError } from '../runtime/support/fake-aws.ts';
import { commandLine, runCommand } from '../support/session-broker.ts';
import { type FakeProcess, fakeProcess, run, runIn, startIn } from './fake-shell.ts';
import { ACME, dispatcherAt, fakeAwsForDispatcher } from './session-fixture.ts';

const { aws, actions } = fakeAwsForDispatcher();
const S1 = ['credentials', ...ACME, '--session', 's1'] as const;
const EXPIRATION = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const MEMBERS = {
  AccessKeyId: ISSUED.accessKeyId,
  SecretAccessKey: ISSUED.secretAccessKey,
  SessionToken: ISSUED.sessionToken,
  Expiration: EXPIRATION,
};

describe('session-broker credentials prints', () => {
  test.each<[readonly string[], object]>([
    [[], { Version: 1, ...MEMBERS, AccountId: '111122223333' }],
    [['--format', 'process'], { Version: 1, ...MEMBERS, AccountId: '111122223333' }],
    [['--format', 'claude'], { Credentials: MEMBERS }],
    [['--format', 'json'], { ...ISSUED, expiration: EXPIRATION, accountId: '111122223333' }],
    [['--json'], { ...ISSUED, expiration: EXPIRATION, accountId: '111122223333' }],
  ])('one JSON document and nothing else: %j', async (options, expected) => {
    const { exitCode, stdout, stderr } = await run(...S1, ...options);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(stdout)).toEqual(expected);
  });

  test('commands that a shell evaluates', async () => {
    const { stdout } = await run(...S1, '--format', 'env');
    const printed = execFileSync('sh', ['-euc', `${stdout}\nprintf %s "$AWS_SESSION_TOKEN"`], { encoding: 'utf8' });
    expect(printed).toBe(ISSUED.sessionToken);
  });
});

describe('session-broker credentials asks', () => {
  test('for exactly the session that its options name', async () => {
    const policy = join(temporaryFolder(), 'policy.json');
    const text =
      '{ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }] }\n';
    writeFileSync(policy, text);
    const arns = ['arn:aws:iam::aws:policy/ReadOnlyAccess', 'arn:aws:iam::111122223333:policy/mine'];
    const scope = ['--policy', policy, ...arns.flatMap((arn) => ['--policy-arn', arn])];
    expect(
      await run(...S1, '--workflow', 'billing', '--region', 'eu-west-1', '--role-arn', ROLE, ...scope),
    ).toMatchObject({
      exitCode: 0,
    });
    expect(aws().requests.map(({ action, parameters }) => ({ action, ...parameters }))).toMatchObject([
      {
        action: 'AssumeRole',
        RoleArn: ROLE,
        SourceIdentity: 'agent.acme.billing.s1',
        RoleSessionName: 'agent.acme.billing.s1',
        Policy: text,
        'PolicyArns.member.1.arn': arns[0],
        'PolicyArns.member.2.arn': arns[1],
      },
    ]);
    expect(aws().requests[0]?.authorization).toContain('/eu-west-1/sts/');
  });

  const ROLE = 'arn:aws:iam::111122223333:role/session-broker/hub-acme-billing-session';

  test('with the cluster and the tenant of the variables', async () => {
    vi.stubEnv('SESSION_BROKER_CLUSTER', 'hub');
    vi.stubEnv('SESSION_BROKER_TENANT', 'acme');
    expect((await run('credentials', '--session', 's1')).exitCode).toBe(0);
    expect(actions()).toEqual(['GetParameter', 'AssumeRole']);
  });
});

describe('session-broker credentials fails in one line', () => {
  test.each<[string, () => void, number, string]>([
    [
      'for a tenant without a parameter',
      () => aws().on('GetParameter', ssmError(400, 'ParameterNotFound', 'no')),
      3,
      'ParameterNotFound',
    ],
    [
      'for a tenant that is not opted in, whose dispatcher may not ask',
      () => aws().on('GetParameter', ssmError(400, 'AccessDeniedException', 'no')),
      4,
      'ParameterAccessDenied',
    ],
    [
      'for a role that refuses',
      () => aws().on('AssumeRole', stsError(403, 'AccessDenied', 'not authorized to perform: sts:AssumeRole')),
      4,
      'AssumeRoleDenied',
    ],
    [
      'without credentials of the dispatcher',
      () => vi.stubEnv('AWS_ACCESS_KEY_ID', ''),
      4,
      'DispatcherCredentialsMissing',
    ],
    ['without a Region', () => vi.stubEnv('AWS_REGION', undefined), 2, 'RegionUnresolved'],
    ['when STS does not listen', () => vi.stubEnv('AWS_ENDPOINT_URL_STS', 'http://127.0.0.1:9'), 5, 'Unavailable'],
  ])('%s', async (_, make, exitCode, code) => {
    make();
    const ended = await run(...S1);
    expect(ended).toMatchObject({ exitCode, stdout: '' });
    expect(ended.stderr).toMatch(new RegExp(`^error: [^\\n]*[:;] [^\\n]* \\[${code}\\]\\n$`));
  });
});

describe('beside an endpoint of the same user that serves the session, session-broker credentials', () => {
  /** An endpoint, and the environment that it shares with whoever asks it. */
  async function served(...options: readonly string[]): Promise<FakeProcess> {
    const fake = fakeProcess();
    await startIn(fake, 'serve', ...ACME, '--session', 's1', ...options);
    aws().requests.length = 0;
    return fakeProcess({ environment: fake.shell.environment });
  }

  test('gets what that holds, without a call', async () => {
    const { stdout } = await runIn(await served(), ...S1);
    expect(JSON.parse(stdout)).toMatchObject(MEMBERS);
    expect(actions()).toEqual([]);
  });

  test.each<[string, readonly string[]]>([
    ['session', ['credentials', ...ACME, '--session', 's2']],
    ['workflow', [...S1, '--workflow', 'billing']],
    ['scope', [...S1, '--policy-arn', 'arn:aws:iam::aws:policy/ReadOnlyAccess']],
  ])('asks STS for another %s', async (_, args) => {
    const asking = await served();
    aws().on('GetParameter', ssmError(400, 'ParameterNotFound', 'no'));
    await runIn(asking, ...args);
    expect(actions()).toContain('GetParameter');
  });

  test('is refused as the session was there, without a call', async () => {
    const fake = fakeProcess();
    const { environment } = fake.shell;
    const refused = {
      sourceIdentity: 'agent.acme.s1',
      credentials: () => Promise.reject(new SessionBrokerError('AssumeRoleDenied', 'it was stopped')),
      current: () => undefined,
    };
    const key = sessionKey({ cluster: 'hub', tenant: 'acme', session: 's1' }, environment);
    const announcement = await announce(key, refused, announcementFolder(environment) ?? '');
    onTestFinished(() => announcement?.[Symbol.asyncDispose]());
    expect(await runIn(fake, ...S1)).toEqual({
      exitCode: 4,
      stdout: '',
      stderr: 'error: it was stopped [AssumeRoleDenied]\n',
    });
    expect(actions()).toEqual([]);
  });

  test.each([
    ['whose credentials have expired', { expiration: new Date(0) }],
    ['whose credentials are of another account than the role', { accountId: '999988887777' }],
  ])('asks STS beside one %s', async (_, parts) => {
    const fake = fakeProcess();
    const { environment } = fake.shell;
    const roleArn = 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session';
    const credentials = {
      ...ISSUED,
      expiration: new Date(Date.now() + 3_600_000),
      accountId: '111122223333',
      ...parts,
    };
    const session = {
      sourceIdentity: 'agent.acme.s1',
      credentials: async () => credentials,
      current: () => credentials,
    };
    const key = sessionKey({ tenant: 'acme', session: 's1', roleArn }, environment);
    const announcement = await announce(key, session, announcementFolder(environment) ?? '');
    onTestFinished(() => announcement?.[Symbol.asyncDispose]());
    expect(await runIn(fake, ...S1, '--role-arn', roleArn)).toMatchObject({ exitCode: 0 });
    expect(actions()).toEqual(['AssumeRole']);
  });

  test('asks STS once the profiles have changed', async () => {
    const config = join(temporaryFolder(), 'config');
    writeFileSync(config, '');
    vi.stubEnv('AWS_CONFIG_FILE', config);
    const asking = await served();
    writeFileSync(config, '[default]\n');
    expect((await runIn(asking, ...S1)).exitCode).toBe(0);
    expect(actions()).toEqual(['GetParameter', 'AssumeRole']);
  });

  test('asks STS if the profiles changed while the endpoint waited for its first credentials', async () => {
    const config = join(temporaryFolder(), 'config');
    writeFileSync(config, '');
    vi.stubEnv('AWS_CONFIG_FILE', config);
    aws().on('AssumeRole', (request) => {
      writeFileSync(config, '[default]\n');
      return assumed(request);
    });
    const asking = await served();
    expect((await runIn(asking, ...S1)).exitCode).toBe(0);
    expect(actions()).toEqual(['GetParameter', 'AssumeRole']);
  });

  test('asks STS once that has stopped', async () => {
    const fake = fakeProcess();
    const { ending } = await startIn(fake, 'serve', ...ACME, '--session', 's1');
    fake.raise('SIGTERM');
    await ending;
    aws().requests.length = 0;
    expect((await runIn(fakeProcess({ environment: fake.shell.environment }), ...S1)).exitCode).toBe(0);
    expect(actions()).toEqual(['GetParameter', 'AssumeRole']);
  });
});

describe('session-broker credentials as the credential_process of the profile that it runs with', () => {
  test('fails, and says what to write instead', async () => {
    const config = join(temporaryFolder(), 'config');
    const process = commandLine(S1).map((word) => `"${word}"`);
    writeFileSync(config, `[profile agent]\nregion = us-west-2\ncredential_process = ${process.join(' ')}\n`);
    const { AWS_ACCESS_KEY_ID: _, ...dispatcher } = dispatcherAt(aws().endpoint);
    const environment = { ...dispatcher, AWS_CONFIG_FILE: config, AWS_PROFILE: 'agent', AWS_ACCESS_KEY_ID: '' };
    const temporary = temporaryFolder();
    const ended = await runCommand(S1, { environment: { ...environment, TMPDIR: temporary } });
    expect(ended).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^error: [^\n]*"env -u AWS_PROFILE"[^\n]* \[CredentialProcessLoop\]\n$/);
    expect(readdirSync(temporary).filter((name) => name.startsWith('session-broker'))).toEqual([]);
  });

  test.each([
    ['credentials', ...ACME, '--session', 's1'],
    ['exec', ...ACME, '--', 'true'],
    ['serve', ...ACME, '--session', 's1'],
    ['env', ...ACME, '--session', 's1'],
  ])('fails before it asks for anything: %s', async (...args) => {
    vi.stubEnv(NESTED, join(temporaryFolder(), 'mark'));
    const ended = await run(...args);
    expect(ended).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('[CredentialProcessLoop]'),
    });
    expect(actions()).toEqual([]);
  });
});

test('session-broker credentials that is interrupted prints nothing', async () => {
  const fake = fakeProcess();
  aws().on('AssumeRole', () => {
    fake.raise('SIGINT');
    return 'silence';
  });
  expect(await runIn(fake, ...S1)).toEqual({ exitCode: 130, stdout: '', stderr: '' });
});

describe('a command that waits for longer than a second', () => {
  async function waitedFor(milliseconds: number, isTerminal: boolean, hasLog = false): Promise<string> {
    vi.useFakeTimers();
    try {
      const { shell, stderr } = fakeProcess({ isTerminal: (stream) => isTerminal && stream === 'stderr' });
      const wait = saying('waiting ...', new Promise((resolve) => setTimeout(resolve, milliseconds)), shell, hasLog);
      await vi.advanceTimersByTimeAsync(milliseconds);
      await wait;
      expect(vi.getTimerCount()).toBe(0);
      return stderr();
    } finally {
      vi.useRealTimers();
    }
  }

  test('says so to a terminal', async () => {
    expect(await waitedFor(1001, true)).toBe('waiting ...\n');
  });

  test('says so to the log of a service', async () => {
    expect(await waitedFor(1001, false, true)).toBe('waiting ...\n');
  });

  test('says nothing before, and nothing to what collects errors', async () => {
    expect(await waitedFor(999, true)).toBe('');
    expect(await waitedFor(1001, false)).toBe('');
  });
});
