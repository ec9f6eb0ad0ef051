import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new value for `NESTED`: the path of a file that is not there. */
export function newMark(): string {
  return join(tmpdir(), `session-broker-nested-${randomUUID()}`);
}
