import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { quote, SessionBrokerError } from '../errors.ts';

/** Tokens in files that only this user can read, and that go when it is disposed of. */
export interface TokenFiles extends AsyncDisposable {
  /**
   * Writes a token whole or not at all, without a line break at its end: SDKs refuse one.
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
  const written: string[] = [];
  return {
    write: async (name, token) => {
      const file = join(folder, name);
      const draft = join(folder, `.${randomUUID()}`);
      try {
        await writeFile(draft, token, { mode: 0o600, flag: 'wx' });
        await rename(draft, file);
      } catch (error) {
        await rm(draft, { force: true }).catch(() => {});
        throw unwritable(folder)(error);
      }
      written.push(file);
      return file;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.allSettled(written.map((file) => rm(file, { force: true })));
    },
  };
}

function unwritable(folder: string): (cause: unknown) => never {
  return (cause) => {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SessionBrokerError(
      'TokenFileUnwritable',
      `token folder must be one that this user may write to: ${quote(folder)} is not (${code}); correct its path or its permissions`,
      { cause },
    );
  };
}
