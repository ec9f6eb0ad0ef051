import type { SessionBrokerError } from '../errors.ts';

/** How a command says what went wrong. */
export function errorLine({ message, code }: SessionBrokerError): string {
  return `error: ${message} [${code}]`;
}
