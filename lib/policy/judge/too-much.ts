import type { SessionBrokerError } from '../../errors.ts';
import { notUnderstood } from '../fault.ts';

/**
 * The refusal to judge a policy that would take too long. The limits are far above what a policy of IAM's size asks
 * for unless it is made to.
 */
export function tooMuch(what: string): SessionBrokerError {
  return notUnderstood('trust policy', `it has too many ${what} to be judged together; split its statements`);
}
