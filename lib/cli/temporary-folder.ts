import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quote, SessionBrokerError } from '../errors.ts';

/** A folder that disappears when it is disposed of. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** @throws {SessionBrokerError} UsageInvalid where none can be made */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const place = tmpdir();
  try {
    const path = await mkdtemp(join(place, 'session-broker-'));
    return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
  } catch (cause) {
    throw new SessionBrokerError(
      'UsageInvalid',
      `temporary folder must be writable: ${quote(place)} is not; set TMPDIR to one that is`,
      { cause },
    );
  }
}
