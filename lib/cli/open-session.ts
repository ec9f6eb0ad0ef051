import { announce } from '../runtime/delivery/announcement.ts';
import { announcementFolder } from '../runtime/delivery/discovery.ts';
import { type SessionRequest, sessionKey } from '../runtime/delivery/session-key.ts';
import { type Session, SessionBroker } from '../runtime/index.ts';
import type { Shell } from './command.ts';
import { unwrapLoop } from './nested.ts';
import { type RoleInput, readPolicy, type ScopeInput } from './session-options.ts';
import { saying } from './waiting.ts';

/** Takes warnings as lines on standard error. */
export function warner({ note }: Pick<Shell, 'note'>): (message: string) => void {
  return (message) => note(`warning: ${message}`);
}

/** The sessions of one command, closed when it is disposed of. */
export function openBroker({ region }: Pick<RoleInput, 'region'>, shell: Shell): SessionBroker {
  return new SessionBroker({ region, logger: { warn: warner(shell) }, ...shell.time });
}

/**
 * What is asked for: the options with the session policy's text in place of its path.
 * @throws {SessionBrokerError} SessionPolicyInvalid
 */
export function sessionRequest(
  session: string,
  { policy, ...input }: RoleInput & ScopeInput,
  shell: Pick<Shell, 'readFile'>,
): SessionRequest {
  return { ...input, session, policy: policy === undefined ? undefined : readPolicy(policy, shell.readFile) };
}

/** The session of a request. */
export function openSession(broker: SessionBroker, { region: _, ...request }: SessionRequest): Session {
  return broker.session(request);
}

/** Waits until sessions have their first credentials. */
export async function mint(sessions: readonly Session[], shell: Shell): Promise<void> {
  const minted = Promise.all(sessions.map((session) => session.credentials()));
  try {
    await saying('waiting for STS ...', minted, shell);
  } catch (error) {
    throw unwrapLoop(error, shell.nestedMark);
  }
}

/** Lets `session-broker credentials` of the same user find a session, where the machine lets it. */
export async function announceSession(
  request: SessionRequest,
  session: Session,
  { environment }: Pick<Shell, 'environment'>,
): Promise<AsyncDisposable | undefined> {
  const folder = announcementFolder(environment);
  return folder === undefined ? undefined : announce(sessionKey(request, environment), session, folder);
}
