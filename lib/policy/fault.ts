import { SessionBrokerError } from '../errors.ts';

/**
 * The error for what the evaluator does not know. It never guesses: a policy that is half understood could be
 * called safe when it is not.
 * @param where `trust policy, statement AssumeAsAgent`
 */
export function notUnderstood(where: string, fault: string): SessionBrokerError {
  return new SessionBrokerError('PolicyNotUnderstood', `${where}: ${fault}`);
}
