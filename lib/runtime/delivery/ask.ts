import { createConnection } from 'node:net';
import {
  ANSWER_BYTES,
  type Answer,
  isPrivateFolder,
  LINE_END,
  ownSocket,
  PATIENCE,
  parseAnswer,
  socketPath,
} from './discovery.ts';

/**
 * Asks the endpoint of this user that serves the session, if there is one.
 * @param key of the session that is wanted
 * @param folder of this user's sockets
 * @param patience milliseconds
 * @returns undefined if there is none, it serves another, or it does not answer properly or in time: then ask STS
 */
export async function ask(
  key: string,
  sourceIdentity: string,
  folder: string,
  patience = PATIENCE,
): Promise<Answer | undefined> {
  const path = socketPath(folder, sourceIdentity);
  if (path === undefined || !isPrivateFolder(folder) || ownSocket(path) === undefined) return undefined;
  const text = await exchange(path, key + LINE_END, patience);
  return text === undefined ? undefined : parseAnswer(text);
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
