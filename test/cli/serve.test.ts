import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, relative } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { announcementFolder } from '../../lib/runtime/delivery/discovery.ts';
import { temporaryFolder } from '../local/fixture.ts';
import { assumed, ISSUED, stsError } from '../runtime/support/fake-aws.ts';
import { type FakeProcess, fakeProcess, run, runIn, startIn } from './fake-shell.ts';
import { ACME, fakeAwsForDispatcher } from './session-fixture.ts';

const { aws, actions } = fakeAwsForDispatcher();

/** What a token of another run looks like. */
const TOKEN = 'k3Jd-9f_2LmQ8xZ-pR7vT_1bYwE5nHs0-AcUoG6iKe4';

function tokenElsewhere(): string {
  const file = join(temporaryFolder(), 'token');
  writeFileSync(file, TOKEN);
  return file;
}

interface Ready {
  readonly endpoint: string;
  readonly health: string;
  readonly sessions: readonly {
    readonly session: string;
    readonly sourceIdentity: string;
    readonly uri: string;
    readonly tokenFile: string;
  }[];
}

async function serve(fake: FakeProcess, ...options: readonly string[]) {
  const { first, ending } = await startIn(fake, 'serve', ...ACME, '--json', ...options);
  return { ready: JSON.parse(first) as Ready, ending };
}

async function status(uri: string, authorization = ''): Promise<number> {
  return (await fetch(uri, { headers: { authorization, connection: 'close' } })).status;
}

describe('session-broker serve', () => {
  test('serves each session under a token of its own, until it is stopped', async () => {
    const folder = join(temporaryFolder(), 'tokens');
    const fake = fakeProcess();
    const { ready, ending } = await serve(fake, '--session', 's1', '--session', 's2', '--token-folder', folder);
    expect(ready).toEqual({
      endpoint: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      health: `${ready.endpoint}/health`,
      sessions: ['s1', 's2'].map((session) => ({
        session,
        sourceIdentity: `agent.acme.${session}`,
        uri: `${ready.endpoint}/credentials/agent.acme.${session}`,
        tokenFile: join(folder, session),
      })),
    });
    expect(actions().filter((action) => action === 'AssumeRole')).toHaveLength(2);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(['s1', 's2']);
    for (const { tokenFile } of ready.sessions) expect(statSync(tokenFile).mode & 0o777).toBe(0o600);

    const [first, second] = ready.sessions.map(({ uri, tokenFile }) => ({
      uri,
      token: readFileSync(tokenFile, 'utf8'),
    }));
    expect(first?.token).toMatch(/^\S+$/);
    expect(await status(first?.uri ?? '', first?.token)).toBe(200);
    expect(await status(second?.uri ?? '', second?.token)).toBe(200);
    expect(await status(first?.uri ?? '', second?.token)).not.toBe(200);
    expect(await status(ready.health)).toBe(200);
    const sockets = announcementFolder(fake.shell.environment) ?? '';
    expect(readdirSync(sockets)).toEqual(['agent.acme.s1', 'agent.acme.s2']);

    fake.raise('SIGTERM');
    expect(await ending).toBe(0);
    expect(fake.stderr()).toBe('warning: answered 401: a client asked for agent.acme.s1 without its token\n');
    expect([...readdirSync(folder), ...readdirSync(sockets)]).toEqual([]);
    await expect(fetch(ready.health)).rejects.toThrow('fetch failed');
  });

  test('keeps tokens in a private folder that goes with it, where none is named', async () => {
    const fake = fakeProcess();
    const { ready, ending } = await serve(fake, '--session', 's1');
    const { tokenFile = '' } = ready.sessions[0] ?? {};
    expect(statSync(join(tokenFile, '..')).mode & 0o777).toBe(0o700);
    fake.raise('SIGINT');
    await ending;
    expect(existsSync(join(tokenFile, '..'))).toBe(false);
  });

  test('tells where tokens are from wherever an agent runs', async () => {
    const folder = join(temporaryFolder(), 'tokens');
    const { ready } = await serve(fakeProcess(), '--session', 's1', '--token-folder', relative('.', folder));
    expect(ready.sessions.map(({ tokenFile }) => tokenFile)).toEqual([join(folder, 's1')]);
  });

  test('listens where it is told', async () => {
    const port = await freePort();
    expect((await serve(fakeProcess(), '--session', 's1', '--port', String(port))).ready.endpoint).toBe(
      `http://127.0.0.1:${port}`,
    );
  });

  test('prints what a shell evaluates for each agent', async () => {
    const { first } = await startIn(fakeProcess(), 'serve', ...ACME, '--session', 's1', '--session', 's2');
    expect(first).toMatch(/^credentials at http:\/\/127\.0\.0\.1:\d+, until it is interrupted; http:\S+\/health\n/);
    const [, block = ''] = first.split(/^agent\.acme\.s2$/m);
    const environment = execFileSync('sh', ['-euc', `${block}\nenv`], { encoding: 'utf8' });
    expect(environment).toMatch(/^AWS_CONTAINER_CREDENTIALS_FULL_URI=http:\S+\/credentials\/agent\.acme\.s2$/m);
    expect(environment).toMatch(/^AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=\/\S+\/s2$/m);
  });

  test('replaces tokens that another run left behind, for this user alone', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 's1'), TOKEN, { mode: 0o644 });
    const { ready } = await serve(fakeProcess(), '--session', 's1', '--token-folder', folder);
    const [{ uri, tokenFile } = { uri: '', tokenFile: '' }] = ready.sessions;
    expect(statSync(tokenFile).mode & 0o777).toBe(0o600);
    expect(await status(uri, readFileSync(tokenFile, 'utf8'))).toBe(200);
  });

  test('leaves a token that another run has written since', async () => {
    const folder = temporaryFolder();
    const fake = fakeProcess();
    const { ending } = await serve(fake, '--session', 's1', '--session', 's2', '--token-folder', folder);
    writeFileSync(join(folder, 's1'), TOKEN);
    fake.raise('SIGTERM');
    expect(await ending).toBe(0);
    expect(readdirSync(folder)).toEqual(['s1']);
  });

  test('lets others find the first hundred sessions, and says so of the rest', async () => {
    const fake = fakeProcess();
    const sessions = Array.from({ length: 102 }, (_, number) => ['--session', `s${number}`]);
    await serve(fake, ...sessions.flat());
    expect(readdirSync(announcementFolder(fake.shell.environment) ?? '')).toHaveLength(100);
    expect(fake.stderr()).toContain('warning: 2 of 102 sessions are not announced: credentials asks STS for them\n');
  });
});

describe('session-broker serve fails before it is ready, and leaves nothing behind,', () => {
  test('if one of its sessions is refused', async () => {
    aws().on('AssumeRole', (request) =>
      request.parameters['SourceIdentity'] === 'agent.acme.s2'
        ? stsError(403, 'AccessDenied', 'not authorized')
        : assumed(request),
    );
    const folder = join(temporaryFolder(), 'tokens');
    const sessions = ['s1', 's2', 's3'].flatMap((session) => ['--session', session]);
    const { exitCode, stdout, stderr } = await run('serve', ...ACME, ...sessions, '--token-folder', folder);
    expect([exitCode, stdout]).toEqual([4, '']);
    expect(stderr).toMatch(/^error: [^\n]*agent\.acme\.s2[^\n]* \[AssumeRoleDenied\]\n$/);
    expect(existsSync(folder)).toBe(false);
  });

  test('on a port that is taken', async () => {
    const { ready } = await serve(fakeProcess(), '--session', 's1');
    const port = new URL(ready.endpoint).port;
    const ended = await run('serve', ...ACME, '--session', 's2', '--port', port);
    expect(ended).toMatchObject({ exitCode: 5, stdout: '' });
    expect(ended.stderr).toMatch(
      new RegExp(`^error: port must be free [^\\n]*"?${port}"?[^\\n]* \\[ListenFailed\\]\\n$`),
    );
  });

  test('where tokens cannot be written', async () => {
    expect(await run('serve', ...ACME, '--session', 's1', '--token-folder', '/dev/null/tokens')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'error: token folder must be one that this user may write to: "/dev/null/tokens" is not (ENOTDIR); correct its path or its permissions [TokenFileUnwritable]\n',
    });
  });

  test.each<[string, (file: string) => void]>([
    ['a file that is no token', (file) => writeFileSync(file, 'precious')],
    ['a file as long as a token', (file) => writeFileSync(file, '!'.repeat(TOKEN.length))],
    ['a link, even to a token', (file) => symlinkSync(tokenElsewhere(), file)],
  ])('where %s stands in the place of a token, which stays', async (_, make) => {
    const folder = temporaryFolder();
    const file = join(folder, 's2');
    make(file);
    const before = [lstatSync(file).ino, readFileSync(file, 'utf8')];
    const sessions = ['--session', 's1', '--session', 's2'];
    expect(await run('serve', ...ACME, ...sessions, '--token-folder', folder)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: token file must be a new one, or hold a token (43 characters): "${file}" is something else; remove it, or give another token folder [TokenFileUnwritable]\n`,
    });
    expect([lstatSync(file).ino, readFileSync(file, 'utf8')]).toEqual(before);
    expect(readdirSync(folder)).toEqual(['s2']);
  });

  test('where a folder stands in the place of a token, and removes the tokens that it wrote before', async () => {
    const folder = temporaryFolder();
    execFileSync('mkdir', ['-p', join(folder, 's2', 'x')]);
    const ended = await run('serve', ...ACME, '--session', 's1', '--session', 's2', '--token-folder', folder);
    expect(ended).toMatchObject({ exitCode: 2, stdout: '' });
    expect(ended.stderr).toMatch(/^error: token file [^\n]* \[TokenFileUnwritable\]\n$/);
    expect(readdirSync(folder)).toEqual(['s2']);
  });

  test('if it is stopped while it waits for STS', async () => {
    const fake = fakeProcess();
    aws().on('AssumeRole', () => {
      fake.raise('SIGTERM');
      return 'silence';
    });
    const folder = join(temporaryFolder(), 'tokens');
    expect(await runIn(fake, 'serve', ...ACME, '--session', 's1', '--token-folder', folder)).toEqual({
      exitCode: 130,
      stdout: '',
      stderr: '',
    });
    expect(existsSync(folder)).toBe(false);
  });
});

test('session-broker serve says to its log that it waits for STS', async () => {
  const fake = fakeProcess();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    aws().on('AssumeRole', () => {
      vi.advanceTimersByTime(1001);
      fake.raise('SIGTERM');
      return 'silence';
    });
    const { stderr } = await runIn(fake, 'serve', ...ACME, '--session', 's1');
    expect(stderr).toBe('waiting for STS ...\n');
  } finally {
    vi.useRealTimers();
  }
});

test('no output of session-broker serve holds a credential or a token', async () => {
  const fake = fakeProcess();
  const { ready } = await serve(fake, '--session', 's1');
  const [session] = ready.sessions;
  await status(session?.uri ?? '', 'wrong');
  const token = readFileSync(session?.tokenFile ?? '', 'utf8');
  for (const secret of [token, ISSUED.secretAccessKey, ISSUED.sessionToken, ISSUED.accessKeyId]) {
    expect(fake.stdout() + fake.stderr()).not.toContain(secret);
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
