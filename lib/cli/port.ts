import { quote, SessionBrokerError } from '../errors.ts';

/**
 * A loopback port; 0 stands for any free one.
 * @throws {SessionBrokerError} UsageInvalid
 */
export function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new SessionBrokerError(
    'UsageInvalid',
    `port must be a number from 0 to 65535: ${quote(text)}; leave it out for any free one`,
  );
}
