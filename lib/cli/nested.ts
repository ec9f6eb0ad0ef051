import { existsSync, writeFileSync } from 'node:fs';
import { SessionBrokerError } from '../errors.ts';

/**
 * Marks the children of this process that the SDK starts: the `credential_process` of a profile finds it. It names
 * a file by which a run that finds it tells the one that started it, since the SDK passes on no reason.
 */
export const NESTED = 'SESSION_BROKER_NESTED';

/**
 * Refuses to run for itself. A profile whose `credential_process` is this command, chosen by AWS_PROFILE, would be
 * where the command looks for the dispatcher's own credentials, and start it again without end.
 * @throws {SessionBrokerError} CredentialProcessLoop
 */
export function refuseNested(environment: Readonly<Record<string, string | undefined>>): void {
  const mark = environment[NESTED];
  if (!mark) return;
  try {
    writeFileSync(mark, '', { flag: 'wx', mode: 0o600 });
  } catch {
    // The other run then gives a reason that is less to the point.
  }
  throw loop();
}

/**
 * The error of a run that started itself.
 * @param mark that this run gave to its children
 * @returns CredentialProcessLoop if one of them found it, any other error as it is
 */
export function unwrapLoop(error: unknown, mark: string): unknown {
  return existsSync(mark) ? loop(error) : error;
}

function loop(cause?: unknown): SessionBrokerError {
  return new SessionBrokerError(
    'CredentialProcessLoop',
    'the profile that gives the dispatcher its own credentials must not be one whose credential_process is session-broker: it would start itself without end; begin that credential_process with "env -u AWS_PROFILE" where the dispatcher has a web identity, else with "env AWS_PROFILE=" and the profile of the tenant role',
    { cause },
  );
}
