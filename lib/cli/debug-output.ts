import { debuglog } from 'node:util';
import { quote, SessionBrokerError } from '../errors.ts';
import type { Shell } from './command.ts';

/** The parts of Node that write down what they send or start: headers with tokens, the environment of a child. */
const TELLING = ['http', 'https', 'http2', 'net', 'tls', 'child_process'];

/**
 * Refuses to run where Node itself would write credentials to standard error, which nothing in this process can stop.
 * @param isOn whether NODE_DEBUG names a part of Node
 * @throws {SessionBrokerError} UsageInvalid
 */
export function refuseDebugOutput(
  { environment }: Pick<Shell, 'environment'>,
  isOn = (part: string): boolean => debuglog(part).enabled,
): void {
  const telling = TELLING.filter(isOn);
  if (telling.length === 0) return;
  throw new SessionBrokerError(
    'UsageInvalid',
    `NODE_DEBUG must not name ${telling.join(', ')}, by which Node writes session tokens to standard error: ${quote(environment['NODE_DEBUG'])}; unset it, or set it for the agent alone: session-broker exec ... -- env NODE_DEBUG=... COMMAND`,
  );
}
