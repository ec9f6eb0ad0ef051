import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new value for `NESTED`: the path of a file that is not there. */
export function newMark(): string {
  return join(tmpdir(), `session-broker-nested-${randomUUID()}`);
}

/** Removes the file of a mark, if there is one. It never fails: what counts is what the command did. */
export function removeMark(mark: string): void {
  try {
    rmSync(mark, { force: true });
  } catch {
    // Where the temporary folder cannot be entered, there is no file either.
  }
}
