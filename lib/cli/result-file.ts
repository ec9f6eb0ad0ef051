import { rmSync, writeFileSync } from 'node:fs';
import { quote, SessionBrokerError } from '../errors.ts';

/** The file of a result, which is written again as more is known. */
export interface ResultFile {
  readonly path: string;
  /** @throws {SessionBrokerError} ResultUnwritable */
  readonly write: (text: string) => void;
  /** Takes it away: there will be no result. */
  readonly discard: () => void;
}

/**
 * A new file, made at once: what cannot be written down should not begin.
 * @throws {SessionBrokerError} ResultUnwritable, also for a file that is there
 */
export function newResultFile(path: string): ResultFile {
  write(path, '', 'wx');
  return { ...resultFile(path), discard: () => rmSync(path, { force: true }) };
}

/** A file that holds an earlier result. */
export function resultFile(path: string): ResultFile {
  return { path, write: (text) => write(path, text, 'w'), discard: () => {} };
}

/** Account numbers and names of roles are nobody else's business. */
const MODE = 0o600;

function write(path: string, text: string, flag: 'w' | 'wx'): void {
  try {
    writeFileSync(path, text, { flag, mode: MODE });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'is there already, and may be the result of another run' : `is not (${code})`;
    throw new SessionBrokerError(
      'ResultUnwritable',
      `result must go to a new file that can be written: ${quote(path)} ${why}; give another with --output, or --json for standard output alone`,
      { cause },
    );
  }
}
