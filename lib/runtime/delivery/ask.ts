import { createConnection } from 'node:net';
import type { Variables } from '../../credential-variables.ts';
import {
  ANSWER_BYTES,
  type Answer,
  announcementFolder,
  isPrivateFolder,
  LINE_END,
  ownSocket,
  PATIENCE,
  parseAnswer,
  socketPath,
} from './discovery.ts';
import { roleArnOf, type SessionRequest, sessionKey } from './session-key.ts';

/** Milliseconds that credentials must live for to be worth handing out. */
const LEAST_LIFE = 60_000;

/** How an answer is waited for, and what it must be. */
interface AskOptions {
  /** Milliseconds. */
  readonly patience?: number;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: () => number;
  /** The account whose credentials these must be, where that is known. */
  readonly account?: string | undefined;
}

/**
 * What an endpoint of this user says of the session that is requested, or undefined if there is none: see
 * {@link ask}.
 */
export async function askFor(
  request: SessionRequest,
  sourceIdentity: string,
  environment: Variables,
): Promise<Answer | undefined> {
  const folder = announcementFolder(environment);
  if (folder === undefined) return undefined;
  const [, , , , account] = roleArnOf(request, environment)?.split(':') ?? [];
  return ask(sessionKey(request, environment), sourceIdentity, folder, { account });
}

/**
 * Asks the endpoint of this user that serves the session, if there is one.
 * @param key of the session that is wanted
 * @param folder of this user's sockets
 * @returns undefined if there is none, it serves another, it does not answer properly or in time, or its credentials
 * are of another account or end within a minute: then ask STS
 */
export async function ask(
  key: string,
  sourceIdentity: string,
  folder: string,
  { patience = PATIENCE, now = Date.now, account }: AskOptions = {},
): Promise<Answer | undefined> {
  const path = socketPath(folder, sourceIdentity);
  if (path === undefined || !isPrivateFolder(folder) || ownSocket(path) === undefined) return undefined;
  const text = await exchange(path, key + LINE_END, patience);
  const answer = text === undefined ? undefined : parseAnswer(text);
  if (answer === undefined || 'error' in answer) return answer;
  const { expiration, accountId } = answer.credentials;
  const isOfUse = expiration.getTime() - now() > LEAST_LIFE && (account ?? accountId) === accountId;
  return isOfUse ? answer : undefined;
}

/** The line that is answered, or undefined. */
function exchange(path: string, question: string, patience: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const socket = createConnection(path, () => socket.write(question));
    const finish = (line?: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(line);
    };
    const timer = setTimeout(finish, patience);
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf(LINE_END);
      if (end !== -1) finish(answer.toString('utf8', 0, end));
      else if (answer.length > ANSWER_BYTES) finish();
    });
    socket.on('error', () => finish());
    socket.on('end', () => finish());
  });
}
