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
export function openSession(
  broker: SessionBroker,
  request: SessionRequest,
  { environment }: Pick<Shell, 'environment'>,
): OpenedSession {
  const { region: _, ...given } = request;
  return { id: given.session, session: broker.session(given), key: sessionKey(request, environment) };
}

/**
 * Waits until sessions have their first credentials.
 * @param hasLog whether a long wait is told where there is no terminal, too
 */
export async function mint(opened: readonly OpenedSession[], shell: Shell, hasLog = false): Promise<void> {
  const minted = Promise.all(opened.map(({ session }) => session.credentials()));
  try {
    await saying('waiting for STS ...', minted, shell, hasLog);
  } catch (error) {
    throw unwrapLoop(error, shell.nestedMark);
  }
}

/** Sessions of one command that others can find: each takes a file descriptor of the process. */
const ANNOUNCED = 100;

/** A session of a command, and what leads others to it. */
export interface OpenedSession {
  /** The session id. */
  readonly id: string;
  readonly session: Session;
  /** Made before the first call, so that it tells from which profiles the credentials come. */
  readonly key: string;
}

/**
 * Lets `session-broker credentials` of the same user find sessions, where the machine lets it: the first
 * {@link ANNOUNCED}, one after the other.
 */
export async function announceSessions(opened: readonly OpenedSession[], shell: Shell): Promise<AsyncDisposable> {
  const folder = announcementFolder(shell.environment);
  const announcements: (AsyncDisposable | undefined)[] = [];
  if (folder !== undefined) {
    for (const { key, session } of opened.slice(0, ANNOUNCED)) announcements.push(await announce(key, session, folder));
    const rest = opened.length - ANNOUNCED;
    if (rest > 0)
      warner(shell)(`${rest} of ${opened.length} sessions are not announced: credentials asks STS for them`);
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(announcements.map((announcement) => announcement?.[Symbol.asyncDispose]()));
    },
  };
}
