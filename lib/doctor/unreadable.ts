import { quote, SessionBrokerError } from '../errors.ts';

/**
 * A file that an option names and that cannot be used.
 * @param rule reads on after the option
 * @param remedy reads on after the path
 */
export function inputUnreadable(
  option: string,
  path: string,
  rule: string,
  remedy: string,
  cause?: unknown,
): SessionBrokerError {
  return new SessionBrokerError('InputUnreadable', `${option} ${rule}: ${quote(path)}; ${remedy}`, { cause });
}
