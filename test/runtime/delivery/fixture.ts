import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { onTestFinished } from 'vitest';
import type { ServedSession } from '../../../lib/runtime/delivery/served-session.ts';
import type { SessionCredentials } from '../../../lib/runtime/index.ts';

/** Text that a variable of the environment can hold, with what shells and parsers trip over. */
export const hostileText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'\'"`$\\!*?~#&|;<>(){}[]=%^ \t\r\n'),
    fc.integer({ min: 1, max: 0xd7ff }).map((code) => String.fromCharCode(code)),
  ),
});

export const SOURCE_IDENTITY = 'agent.acme.s1';

export const CREDENTIALS: SessionCredentials = Object.freeze({
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLXdlc3QtMiJ+token==',
  expiration: new Date('2026-11-22T13:00:00.999Z'),
  accountId: '111122223333',
});

/** A session that has its credentials, or what is given instead. */
export function sessionOf(given: Partial<ServedSession> = {}): ServedSession {
  return {
    sourceIdentity: SOURCE_IDENTITY,
    credentials: async () => CREDENTIALS,
    current: () => CREDENTIALS,
    ...given,
  };
}

/** A session that is waiting for STS: its next call ends in what is given, or never. */
export function waitingSession(credentials: ServedSession['credentials'] = () => new Promise(() => {})): ServedSession {
  return sessionOf({ current: () => undefined, credentials });
}

/** A folder with a short path, as a socket's has to be, removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'sb-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A promise and what fulfils it. */
export function deferred<Value>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
