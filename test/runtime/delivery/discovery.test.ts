import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SessionBrokerError } from '../../../lib/errors.ts';
import { type Announcement, announce } from '../../../lib/runtime/delivery/announcement.ts';
import { ask } from '../../../lib/runtime/delivery/ask.ts';
import {
  announcementFolder,
  formatAnswer,
  isPrivateFolder,
  parseAnswer,
} from '../../../lib/runtime/delivery/discovery.ts';
import type { ServedSession } from '../../../lib/runtime/delivery/served-session.ts';
import { SEED } from '../../support/seed.ts';
import { CREDENTIALS, deferred, SOURCE_IDENTITY, sessionOf, temporaryFolder, waitingSession } from './fixture.ts';

const KEY = '{"session":"s1"}';

/** Long enough for this machine at its slowest, and never waited for where all is well. */
const PATIENCE = 10_000;

/** Before the credentials of the fixture expire. */
const now = () => CREDENTIALS.expiration.getTime() - 3_600_000;

const asked = (folder: string, patience = PATIENCE) => ask(KEY, SOURCE_IDENTITY, folder, { patience, now });

/** Announces a session until the test ends. */
async function announced(folder: string, session: ServedSession = sessionOf(), patience = PATIENCE) {
  const announcement = await announce(KEY, session, folder, patience);
  onTestFinished(() => announcement?.[Symbol.asyncDispose]());
  return announcement;
}

/** A folder in which a session is announced. */
async function announcing(session?: ServedSession, patience?: number): Promise<string> {
  const folder = join(temporaryFolder(), 'announced');
  expect(await announced(folder, session, patience)).toBeDefined();
  return folder;
}

/** Listens where a session would be announced. */
async function listening(folder: string, onConnection: (socket: Socket) => void = () => {}): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(join(folder, SOURCE_IDENTITY), resolve));
  return server;
}

function privateFolder(): string {
  const folder = join(temporaryFolder(), 'announced');
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a session that this user announces', () => {
  test('is found by its key, with the credentials that it has then', async () => {
    let held = CREDENTIALS;
    const folder = await announcing(sessionOf({ current: () => held }));
    expect(await asked(folder)).toEqual({ credentials: CREDENTIALS });
    held = { ...CREDENTIALS, accessKeyId: 'ASIARENEWEDEXAMPLE00' };
    expect(await asked(folder)).toEqual({ credentials: held });
  });

  test('is found while it waits for its credentials', async () => {
    const folder = await announcing(waitingSession(async () => CREDENTIALS));
    expect(await asked(folder)).toEqual({ credentials: CREDENTIALS });
  });

  test('stays refused where it is refused', async () => {
    const refusal = new SessionBrokerError('AssumeRoleDenied', 'sts:AssumeRole was denied');
    const folder = await announcing(waitingSession(() => Promise.reject(refusal)));
    expect(await asked(folder)).toEqual({ error: { code: 'AssumeRoleDenied', message: 'sts:AssumeRole was denied' } });
  });

  test.each<[string, Error]>([
    ['is closed', new SessionBrokerError('SessionClosed', 'the session is closed')],
    ['ends in what has no code', new TypeError('canary')],
  ])('is as if it were not there when it %s', async (_, error) => {
    const folder = await announcing(waitingSession(() => Promise.reject(error)));
    expect(await asked(folder)).toBeUndefined();
  });

  test.each(['', '{"session":"s2"}', KEY.slice(0, -1), `${KEY} `, `${KEY}\n${KEY}`, `${KEY}\0`])(
    'is not given to who asks by another key: %j',
    async (key) => {
      const session = sessionOf({ current: vi.fn(() => CREDENTIALS) });
      const folder = await announcing(session);
      expect(await ask(key, SOURCE_IDENTITY, folder, { patience: PATIENCE, now })).toBeUndefined();
      expect(session.current).not.toHaveBeenCalled();
    },
  );

  test('lies in a folder and a socket of this user alone', async () => {
    const folder = await announcing();
    expect(lstatSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual([SOURCE_IDENTITY]);
    expect(lstatSync(join(folder, SOURCE_IDENTITY)).isSocket()).toBe(true);
  });

  test('is gone with its socket once the announcement ends', async () => {
    const folder = join(temporaryFolder(), 'announced');
    const announcement = (await announced(folder)) as Announcement;
    await announcement[Symbol.asyncDispose]();
    expect(readdirSync(folder)).toEqual([]);
    expect(await asked(folder)).toBeUndefined();
    await announcement[Symbol.asyncDispose]();
  });

  test('does not hold the process open', async () => {
    const holding = async () => {
      // What was closed before is closed then.
      await setTimeout(5);
      return process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
    };
    const before = await holding();
    const folder = await announcing();
    const asker = connect(join(folder, SOURCE_IDENTITY)).unref();
    onTestFinished(() => void asker.destroy());
    expect(await holding()).toBe(before);
  });

  test('is left alone by a second one, which is not announced', async () => {
    const folder = await announcing();
    expect(await announced(folder, sessionOf({ current: () => undefined }))).toBeUndefined();
    expect(await asked(folder)).toEqual({ credentials: CREDENTIALS });
    expect(readdirSync(folder)).toEqual([SOURCE_IDENTITY]);
  });

  test('takes the place of what a killed process left behind', async () => {
    const folder = privateFolder();
    const path = join(folder, SOURCE_IDENTITY);
    const server = await listening(folder);
    renameSync(path, `${path}.kept`);
    await new Promise((resolve) => server.close(resolve));
    renameSync(`${path}.kept`, path);
    expect(await asked(folder)).toBeUndefined();

    expect(await announced(folder)).toBeDefined();
    expect(await asked(folder)).toEqual({ credentials: CREDENTIALS });
  });

  test('leaves what took its own place alone when it ends', async () => {
    const folder = join(temporaryFolder(), 'announced');
    const announcement = (await announced(folder)) as Announcement;
    renameSync(join(folder, SOURCE_IDENTITY), join(folder, 'moved'));
    await listening(folder);
    await announcement[Symbol.asyncDispose]();
    expect(readdirSync(folder)).toContain(SOURCE_IDENTITY);
  });
});

function giveAway(folder: string): void {
  chownSync(join(folder, '..'), 65_534, 65_534);
}

/** What another user, or a mistake, can make of the folder. */
const BREACHES: readonly (readonly [string, (folder: string) => void])[] = [
  ['others may enter', (folder) => chmodSync(folder, 0o711)],
  ['a group may write to', (folder) => chmodSync(folder, 0o720)],
  [
    'is a link to a folder',
    (folder) => {
      renameSync(folder, `${folder}-real`);
      symlinkSync(`${folder}-real`, folder);
    },
  ],
  ['others may rename', (folder) => chmodSync(join(folder, '..'), 0o777)],
  // Only root can give what it has to another.
  ...(process.getuid?.() === 0 ? [['lies in one of another user', giveAway] as const] : []),
  [
    'belongs to another user',
    () => {
      const own = process.getuid?.() ?? 0;
      vi.spyOn(process, 'getuid').mockReturnValue(own + 1);
    },
  ],
];

describe("a folder that is not this user's alone", () => {
  test.each(BREACHES)('is not announced in: one that %s', async (_, breach) => {
    const folder = privateFolder();
    breach(folder);
    expect(await announced(folder)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(BREACHES)('is not believed: one that %s', async (_, breach) => {
    const folder = await announcing();
    expect(await asked(folder)).toBeDefined();
    breach(folder);
    expect(await asked(folder)).toBeUndefined();
  });

  test("may lie in one to which all may write if nobody may rename what is another's, such as /tmp", async () => {
    const folder = await announcing();
    chmodSync(join(folder, '..'), 0o1777);
    expect(await asked(folder)).toBeDefined();
  });

  test('is neither a file nor one that cannot be made', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '', { mode: 0o600 });
    expect(isPrivateFolder(file)).toBe(false);
    expect(await announced(file)).toBeUndefined();
    expect(await announced(join(file, 'below'))).toBeUndefined();
    expect(await asked(file)).toBeUndefined();
  });
});

describe('what is in the way of a socket', () => {
  test.skipIf(process.getuid?.() !== 0)("is not believed if it is another user's", async () => {
    const folder = await announcing();
    chownSync(join(folder, SOURCE_IDENTITY), 65_534, 65_534);
    expect(await asked(folder)).toBeUndefined();
  });

  test('is not followed if it is a link', async () => {
    const elsewhere = await announcing();
    const folder = privateFolder();
    symlinkSync(join(elsewhere, SOURCE_IDENTITY), join(folder, SOURCE_IDENTITY));
    expect(await asked(folder)).toBeUndefined();
  });

  test('is replaced if it is a file', async () => {
    const folder = privateFolder();
    writeFileSync(join(folder, SOURCE_IDENTITY), '');
    expect(await asked(folder)).toBeUndefined();
    expect(await announced(folder)).toBeDefined();
    expect(await asked(folder)).toBeDefined();
  });

  test('is left if it is a folder, and nothing is announced', async () => {
    const folder = privateFolder();
    mkdirSync(join(folder, SOURCE_IDENTITY));
    expect(await announced(folder)).toBeUndefined();
    expect(await asked(folder)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([SOURCE_IDENTITY]);
  });

  test.each(['', '.', '..', '../escaped', 'a/b', 'a\0b'])('is nothing where the name is no name: %j', async (name) => {
    const folder = privateFolder();
    expect(await announced(folder, sessionOf({ sourceIdentity: name }))).toBeUndefined();
    expect(await ask(KEY, name, folder, { now })).toBeUndefined();
    expect([readdirSync(folder), readdirSync(join(folder, '..'))]).toEqual([[], ['announced']]);
  });

  test("is nothing where a path is longer than a socket's may be", async () => {
    const above = temporaryFolder();
    const folder = join(above, 'x'.repeat(80));
    expect(await announced(folder)).toBeUndefined();
    expect(await asked(folder)).toBeUndefined();
    expect(readdirSync(above)).toEqual([]);
  });
});

describe('who asks', () => {
  const LINE = `${formatAnswer({ credentials: CREDENTIALS })}\n`;

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['that it serves another', '{}\n'],
    ['what is no JSON', 'canary\n'],
    ['JSON that is no answer', 'null\n'],
    ['half an answer', LINE.slice(0, 40)],
    ['an answer without an end', LINE.slice(0, -1)],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x0a])],
  ])('goes on to STS if it is told %s', async (_, said) => {
    const folder = privateFolder();
    await listening(folder, (socket) => socket.end(said));
    expect(await asked(folder)).toBeUndefined();
  });

  test('goes on to STS if an answer has no end, and lets the server go', async () => {
    const folder = privateFolder();
    const left = deferred<void>();
    const chunk = Buffer.alloc(16 * 1024, 'x');
    await listening(folder, (socket) => {
      const more = () => {
        while (socket.write(chunk));
      };
      more();
      socket.on('drain', more).on('close', () => left.resolve());
    });
    expect(await asked(folder)).toBeUndefined();
    await left.promise;
  });

  test('goes on to STS if nothing is said in time, and lets the server go', async () => {
    const folder = privateFolder();
    const left = deferred<void>();
    await listening(folder, (socket) => socket.resume().on('close', () => left.resolve()));
    expect(await asked(folder, 20)).toBeUndefined();
    await left.promise;
  });

  test.each([
    ['have expired', -1, undefined],
    ['end in a minute', 60_000, undefined],
    ['live longer', 60_001, { credentials: CREDENTIALS }],
  ])('takes credentials only if they live for more than a minute: they %s', async (_, life, taken) => {
    const folder = await announcing();
    const time = CREDENTIALS.expiration.getTime() - life;
    expect(await ask(KEY, SOURCE_IDENTITY, folder, { patience: PATIENCE, now: () => time })).toEqual(taken);
  });

  test('goes on to STS if it is told credentials of another account than that of the role', async () => {
    const folder = await announcing();
    expect(await ask(KEY, SOURCE_IDENTITY, folder, { now, account: '999988887777' })).toBeUndefined();
    expect(await ask(KEY, SOURCE_IDENTITY, folder, { now, account: CREDENTIALS.accountId })).toBeDefined();
  });

  test('takes a first line and waits for no more', async () => {
    const folder = privateFolder();
    await listening(folder, (socket) => {
      socket.write(LINE.slice(0, 40));
      setImmediate(() => socket.write(LINE.slice(40)));
    });
    expect(await asked(folder)).toEqual({ credentials: CREDENTIALS });
  });
});

describe('who is asked', () => {
  /** What a client is told that says this and does not hang up. */
  function told(folder: string, said: string): Promise<string> {
    return new Promise((resolve) => {
      let text = '';
      const socket = connect(join(folder, SOURCE_IDENTITY), () => socket.write(said));
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      socket.on('error', () => {}).on('close', () => resolve(text));
    });
  }

  test('gives up a client that does not finish its line', async () => {
    const folder = await announcing(sessionOf(), 20);
    expect(await told(folder, KEY)).toBe('');
  });

  test('gives up a client that waits for too long', async () => {
    const folder = await announcing(waitingSession(), 20);
    expect(await told(folder, `${KEY}\n`)).toBe('');
  });

  test('says nothing of what has no code', async () => {
    const folder = await announcing(waitingSession(() => Promise.reject(new TypeError('canary'))));
    expect(await told(folder, `${KEY}\n`)).toBe('');
  });

  test('puts up with a client that leaves before it is answered', async () => {
    const asked = deferred<void>();
    const obtained = deferred<typeof CREDENTIALS>();
    const folder = await announcing(
      waitingSession(() => {
        asked.resolve();
        return obtained.promise;
      }),
    );
    const socket = connect(join(folder, SOURCE_IDENTITY), () => socket.write(`${KEY}\n`));
    await asked.promise;
    socket.destroy();
    obtained.resolve({ ...CREDENTIALS, sessionToken: 'x'.repeat(1024 * 1024) });
    expect(await told(folder, `${KEY} \n`)).toBe('{}\n');
  });

  test('takes 64 clients at a time and turns the others away', async () => {
    const folder = await announcing();
    const path = join(folder, SOURCE_IDENTITY);
    const clients = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const client = connect(path);
        await new Promise((resolve) => client.once('connect', resolve));
        return client;
      }),
    );
    expect(await told(folder, `${KEY}\n`)).toBe('');
    for (const client of clients) client.destroy();
  });

  test('reads no more than the length of its key', async () => {
    const folder = await announcing();
    expect(await told(folder, 'x'.repeat(KEY.length + 1))).toBe('{}\n');
  });

  test('answers a line that comes in pieces', async () => {
    const folder = await announcing();
    const socket = connect(join(folder, SOURCE_IDENTITY));
    const answer = new Promise((resolve) => socket.once('data', resolve));
    await new Promise((resolve) => socket.write(KEY.slice(0, 5), resolve));
    socket.write(`${KEY.slice(5)}\n`);
    expect(String(await answer)).toBe(`${formatAnswer({ credentials: CREDENTIALS })}\n`);
  });
});

describe('an answer', () => {
  const token = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
  });
  const credentials = fc.record({
    accessKeyId: token,
    secretAccessKey: token,
    sessionToken: token,
    expiration: fc.date({ noInvalidDate: true }),
    accountId: fc.stringMatching(/^\d{12}$/),
  });

  test('comes back exactly, on one line', () => {
    fc.assert(
      fc.property(credentials, (given) => {
        const text = formatAnswer({ credentials: given });
        expect(text).not.toContain('\n');
        expect(parseAnswer(text)).toEqual({ credentials: given });
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  test.each<[string, object]>([
    ['no access key id', { accessKeyId: undefined }],
    ['an empty secret', { secretAccessKey: '' }],
    ['a line break in its token', { sessionToken: 'a\nb' }],
    ['a number for a token', { sessionToken: 1 }],
    ['a time that is none', { expiration: 'soon' }],
    ['no time', { expiration: undefined }],
    ['an account that is none', { accountId: '1111' }],
  ])('is none with %s', (_, fault) => {
    expect(parseAnswer(JSON.stringify({ credentials: { ...CREDENTIALS, ...fault } }))).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['a code that is none', { code: 'NoSuchCode', message: 'x' }],
    ['a code of every object', { code: 'toString', message: 'x' }],
    ['no message', { code: 'Throttled' }],
    ['a message of two lines', { code: 'Throttled', message: 'a\nb' }],
    ['a message with control characters', { code: 'Throttled', message: 'a\x1b[2Jb' }],
    ['text for an error', 'Throttled'],
  ])('is none with %s', (_, error) => {
    expect(parseAnswer(JSON.stringify({ error }))).toBeUndefined();
  });

  test('is no reason to throw, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseAnswer(text)).toBeUndefined();
      }),
      { seed: SEED, numRuns: 100 },
    );
  });
});

test.each([
  ['/run/user/1000', '/run/user/1000/session-broker-1000'],
  [undefined, '/tmp/session-broker-1000'],
  ['', '/tmp/session-broker-1000'],
  ['relative', '/tmp/session-broker-1000'],
])('sockets lie in the folder of this user, where XDG_RUNTIME_DIR is %j', (XDG_RUNTIME_DIR, folder) => {
  vi.spyOn(process, 'getuid').mockReturnValue(1000);
  expect(announcementFolder({ XDG_RUNTIME_DIR })).toBe(folder);
});
