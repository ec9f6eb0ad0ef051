import { SessionBrokerError } from '../../errors.ts';
import type { SessionCredentials } from '../assume.ts';
import { ANSWERS, credentialsAnswer, type EndpointAnswer } from './endpoint-answers.ts';

/** A session as an endpoint serves it; a `Session` of `SessionBroker` is one. */
export interface ServedSession {
  readonly sourceIdentity: string;
  readonly credentials: () => Promise<SessionCredentials>;
  /** What a call would return without waiting. */
  current(): SessionCredentials | undefined;
}

/** Milliseconds that a client waits for credentials: SDKs give up after a second and ask again. */
const PATIENCE = 900;

/**
 * What a session answers to a client that may have its credentials: at once if it can. While it takes longer than
 * clients wait, they are told to ask again.
 * @param log takes a fault when it begins or changes: clients ask again and again
 */
export function createAnswering(
  session: ServedSession,
  log: (line: string) => void,
): () => EndpointAnswer | Promise<EndpointAnswer> {
  let last: { readonly credentials: SessionCredentials; readonly answer: EndpointAnswer } | undefined;
  let fault: string | undefined;

  const succeed = (credentials: SessionCredentials): EndpointAnswer => {
    fault = undefined;
    if (last?.credentials !== credentials) last = { credentials, answer: credentialsAnswer(credentials) };
    return last.answer;
  };

  const fail = (answer: EndpointAnswer, reason: string): EndpointAnswer => {
    if (reason !== fault) log(`answered ${answer.status} for ${session.sourceIdentity}: ${reason}`);
    fault = reason;
    return answer;
  };

  const wait = async (): Promise<EndpointAnswer> => {
    try {
      const credentials = await within(PATIENCE, session.credentials());
      if (credentials !== undefined) return succeed(credentials);
      return fail(ANSWERS.unavailable, `new credentials are not there after ${PATIENCE} milliseconds`);
    } catch (error) {
      if (!(error instanceof SessionBrokerError)) return fail(ANSWERS.failure, 'an unexpected fault of the broker');
      const answer = error.retryable ? ANSWERS.unavailable : ANSWERS.forbidden;
      return fail(answer, `${error.message} [${error.code}]`);
    }
  };

  return () => {
    const credentials = session.current();
    return credentials === undefined ? wait() : succeed(credentials);
  };
}

/** What a promise becomes in time, or undefined. */
async function within<Result>(milliseconds: number, promise: Promise<Result>): Promise<Result | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
