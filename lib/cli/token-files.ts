import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { quote, SessionBrokerError } from '../errors.ts';
import { isSessionToken, TOKEN_LENGTH } from '../runtime/delivery/session-token.ts';

/** Tokens in files that only this user can read, and that go when it is disposed of, unless they hold others then. */
export interface TokenFiles extends AsyncDisposable {
  /**
   * Writes a token whole or not at all, without a line break at its end: SDKs refuse one. It replaces a token that
   * another run left behind, and nothing else.
   * @returns the file's absolute path
   * @throws {SessionBrokerError} TokenFileUnwritable
   */
  readonly write: (name: string, token: string) => Promise<string>;
}

/**
 * A folder for tokens, made if it is not there.
 * @throws {SessionBrokerError} TokenFileUnwritable
 */
export async function openTokenFiles(path: string): Promise<TokenFiles> {
  const folder = resolve(path);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(unwritable(folder));
  const written = new Map<string, string>();
  return {
    write: async (name, token) => {
      const file = join(folder, name);
      const draft = join(folder, `.${randomUUID()}`);
      await refuseOther(file).catch(unwritable(folder));
      try {
        await writeFile(draft, token, { mode: 0o600, flag: 'wx' });
        await rename(draft, file);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {});
        throw unwritable(folder)(error);
      }
      written.set(file, token);
      return file;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled([...written].map(([file, token]) => removeOwn(file, token)));
    },
  };
}

/** Leaves alone what another run has written since. */
async function removeOwn(file: string, token: string): Promise<void> {
  if ((await readFile(file, 'utf8')) === token) await rm(file);
}

/** @throws {SessionBrokerError} TokenFileUnwritable for what is there and no token: a file of somebody else, a link */
async function refuseOther(file: string): Promise<void> {
  const stats = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  const isReplaceable =
    stats === undefined ||
    (stats.isFile() && stats.size === TOKEN_LENGTH && isSessionToken(await readFile(file, 'utf8')));
  if (isReplaceable) return;
  throw new SessionBrokerError(
    'TokenFileUnwritable',
    `token file must be a new one, or hold a token (${TOKEN_LENGTH} characters): ${quote(file)} is something else; remove it, or give another token folder`,
  );
}

function unwritable(folder: string): (cause: unknown) => never {
  return (cause) => {
    if (cause instanceof SessionBrokerError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new SessionBrokerError(
      'TokenFileUnwritable',
      `token folder must be one that this user may write to: ${quote(folder)} is not (${code}); correct its path or its permissions`,
      { cause },
    );
  };
}
