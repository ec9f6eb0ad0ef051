import { type ErrorCode, SessionBrokerError } from '../../lib/errors.ts';

/** The coded error that an action ends in; anything else, a success included, fails the test. */
export function refusalOf(action: () => unknown): SessionBrokerError {
  try {
    action();
  } catch (error) {
    if (error instanceof SessionBrokerError) return error;
    throw error;
  }
  throw new Error('expected a SessionBrokerError, nothing was thrown');
}

/** The coded error that a promise ends in; anything else fails the test. */
export async function rejectionOf(promise: Promise<unknown>): Promise<SessionBrokerError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SessionBrokerError) return error;
    throw error;
  }
  throw new Error('expected a SessionBrokerError, the promise was fulfilled');
}

/** The code of {@link refusalOf}, or undefined when the action succeeds. */
export function codeOf(action: () => unknown): ErrorCode | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof SessionBrokerError) return error.code;
    throw error;
  }
}
