import { lstatSync, type Stats, statSync } from 'node:fs';
import type { Variables } from '../../credential-variables.ts';
import { ERRORS, type ErrorCode } from '../../errors.ts';
import type { SessionCredentials } from '../assume.ts';
import { userId } from '../environment.ts';

/*
 * How a command finds an endpoint of the same user that already serves its session. For each session a socket
 * named by the source identity listens in a folder that no other user can enter. The asker sends its session key
 * and a line break; the answer is one line of JSON, then the end. Askers with another key are told so.
 */

/** What ends a question and an answer. */
export const LINE_END = '\n';

/** The longest answer, in bytes: a session token has thousands at most. */
export const ANSWER_BYTES = 64 * 1024;

/** Milliseconds after which either side gives the other up. */
export const PATIENCE = 2000;

/** The longest path of a socket, in bytes: 104 on macOS with the zero that ends it, 108 on Linux. */
const SOCKET_PATH_BYTES = 103;

/** What an endpoint says of the session. */
export type Answer =
  | { readonly credentials: SessionCredentials }
  /** The error in which the session ended, as it would end for a caller in the same process. */
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

/** The answer to a key that is not the session's own. */
export const NOT_MINE = '{}';

/**
 * The folder of this user's sockets.
 * @returns undefined where users have no numbers
 */
export function announcementFolder(environment: Variables): string | undefined {
  const user = userId();
  if (user === undefined) return undefined;
  const runtime = environment['XDG_RUNTIME_DIR'];
  return `${runtime?.startsWith('/') ? runtime : '/tmp'}/session-broker-${user}`;
}

/** Path of a socket in the folder, or undefined if there can be none of that name. */
export function socketPath(folder: string, name: string): string | undefined {
  const path = `${folder}/${name}`;
  return /^\w[\w.-]*$/.test(name) && Buffer.byteLength(path) <= SOCKET_PATH_BYTES ? path : undefined;
}

/**
 * Whether nobody but this user (and root) can put anything into the folder or put another in its place.
 * A link to a folder is none.
 */
export function isPrivateFolder(folder: string): boolean {
  const stats = lookUp(() => lstatSync(folder));
  if (stats === undefined || !stats.isDirectory() || stats.uid !== userId() || (stats.mode & 0o077) !== 0) return false;
  const parent = lookUp(() => statSync(`${folder}/..`));
  if (parent === undefined || (parent.uid !== 0 && parent.uid !== userId())) return false;
  return (parent.mode & 0o022) === 0 || (parent.mode & STICKY) !== 0;
}

/** Others may write to such a folder and can still not rename what is not theirs. */
const STICKY = 0o1000;

/** What is at a path, if it is a socket of this user. */
export function ownSocket(path: string): Stats | undefined {
  const stats = lookUp(() => lstatSync(path));
  return stats?.isSocket() && stats.uid === userId() ? stats : undefined;
}

/** What is at a path, or undefined if that cannot be told. */
export function lookUp(read: () => Stats): Stats | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

export function formatAnswer(answer: Answer): string {
  return JSON.stringify(answer);
}

/**
 * The one gate between what a socket says and credentials.
 * @returns undefined for everything that is no whole answer, {@link NOT_MINE} included
 */
export function parseAnswer(text: string): Answer | undefined {
  const { credentials, error } = asRecord(parseJson(text));
  if (error !== undefined) {
    const { code, message } = asRecord(error);
    return isCode(code) && isLine(message) ? { error: { code, message } } : undefined;
  }
  const { accessKeyId, secretAccessKey, sessionToken, expiration, accountId } = asRecord(credentials);
  if (!isToken(accessKeyId) || !isToken(secretAccessKey) || !isToken(sessionToken)) return undefined;
  if (!isToken(expiration) || !isToken(accountId) || !/^\d{12}$/.test(accountId)) return undefined;
  const expires = new Date(expiration);
  if (Number.isNaN(expires.getTime())) return undefined;
  return { credentials: { accessKeyId, secretAccessKey, sessionToken, expiration: expires, accountId } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function isCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** Text that a terminal shows as one line. */
function isLine(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value);
}

/** Text without spaces, line breaks and other characters that a header or a shell would read differently. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}
