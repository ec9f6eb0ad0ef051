import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { SessionBrokerError } from '../../errors.ts';
import { formatAnswer, isPrivateFolder, LINE_END, NOT_MINE, ownSocket, PATIENCE, socketPath } from './discovery.ts';
import type { ServedSession } from './served-session.ts';

/** A session that other processes of this user find, until it is disposed of. */
export type Announcement = AsyncDisposable;

/** Askers at a time: each asks once and is gone. */
const CONNECTIONS = 64;

/**
 * Lets other processes of this user find a session, and with its key its credentials. It never holds the process
 * open.
 * @param key of the session, see `sessionKey`
 * @param folder of this user's sockets, made if it is missing
 * @param patience milliseconds that an asker may take, and be kept waiting
 * @returns undefined if the folder is not this user's alone, another process announces the session already, or the
 * machine does not let it: then nobody finds it
 */
export async function announce(
  key: string,
  session: ServedSession,
  folder: string,
  patience = PATIENCE,
): Promise<Announcement | undefined> {
  const path = socketPath(folder, session.sourceIdentity);
  // A socket gets its name only once it listens: a rename replaces what a killed process left behind.
  const unnamed = socketPath(folder, `unnamed-${randomBytes(4).toString('hex')}`);
  if (path === undefined || unnamed === undefined) return undefined;
  makeFolder(folder);
  if (!isPrivateFolder(folder) || (await isAnswered(path))) return undefined;

  const server = createServer((socket) => answer(socket, key, session, patience));
  server.maxConnections = CONNECTIONS;
  server.unref();
  try {
    await listen(server, unnamed);
    renameSync(unnamed, path);
  } catch {
    server.close();
    return undefined;
  }
  const own = ownSocket(path)?.ino;
  return {
    async [Symbol.asyncDispose]() {
      if (own !== undefined && ownSocket(path)?.ino === own) rmSync(path, { force: true });
      server.close();
    },
  };
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // It is there, or cannot be made: what counts is what is found.
  }
}

/** Whether a process listens there. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED' && error.code !== 'ENOTSOCK');
    });
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // It stays: a connection that cannot be accepted later is no reason to end the process.
    server.on('error', reject);
    server.listen(path, resolve);
  });
}

/** Reads one line, no longer than the key, and answers it. */
function answer(socket: Socket, key: string, session: ServedSession, patience: number): void {
  const expected = Buffer.from(key + LINE_END);
  let asked = Buffer.alloc(0);
  socket.unref();
  const timer = setTimeout(() => socket.destroy(), patience).unref();
  socket.on('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    asked = Buffer.concat([asked, chunk]);
    if (asked.length < expected.length && !asked.includes(LINE_END)) return;
    socket.removeAllListeners('data').pause();
    if (!asked.equals(expected)) socket.end(NOT_MINE + LINE_END);
    else
      void reply(session).then(
        (text) => socket.end(text + LINE_END),
        () => socket.destroy(),
      );
  });
}

async function reply(session: ServedSession): Promise<string> {
  try {
    return formatAnswer({ credentials: session.current() ?? (await session.credentials()) });
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    // A session that was ended here may be started elsewhere.
    if (error.code === 'SessionClosed') return NOT_MINE;
    return formatAnswer({ error: { code: error.code, message: error.message } });
  }
}
