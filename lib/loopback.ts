import type { AddressInfo, Server } from 'node:net';
import { quote, SessionBrokerError } from './errors.ts';

/** Where everything that this package serves listens: nothing outside the machine reaches it. */
export const LOOPBACK = '127.0.0.1';

/**
 * Lets a server listen on loopback.
 * @param port 0: any free one
 * @returns the port
 * @throws {SessionBrokerError} ListenFailed
 */
export async function listenOnLoopback(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    // It stays: a connection that cannot be accepted later is no reason to end the process.
    server.on('error', (cause) =>
      reject(
        new SessionBrokerError(
          'ListenFailed',
          `port must be free on ${LOOPBACK}: ${quote(port)} is not, ${cause.message}; give another, or 0 for any`,
          { cause, detail: { port } },
        ),
      ),
    );
    server.listen(port, LOOPBACK, resolve);
  });
  return (server.address() as AddressInfo).port;
}
