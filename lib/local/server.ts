import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { LOOPBACK, listenOnLoopback } from '../loopback.ts';
import type { WireAnswer } from './protocol.ts';
import type { WireRequest } from './sigv4.ts';

/** The longest body: a policy of IAM's greatest length, percent-encoded throughout, fits. */
const BODY_BYTES = 1024 * 1024;

export interface RunningServer {
  readonly endpoint: string;
  close(): Promise<void>;
}

/**
 * Answers requests on a loopback port.
 * @param port 0: any free one
 * @throws {SessionBrokerError} ListenFailed
 */
export async function listen(port: number, respond: (request: WireRequest) => WireAnswer): Promise<RunningServer> {
  const server = createServer((incoming, outgoing) => {
    // The client has gone away.
    answer(incoming, outgoing, respond).catch(() => outgoing.destroy());
  });
  const bound = await listenOnLoopback(server, port);
  let closed: Promise<void> | undefined;
  return {
    endpoint: `http://${LOOPBACK}:${bound}`,
    close: () => {
      closed ??= close(server);
      return closed;
    },
  };
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  respond: (request: WireRequest) => WireAnswer,
): Promise<void> {
  const body = await readBody(incoming);
  if (body === undefined) {
    outgoing.writeHead(413, { connection: 'close' }).end(`the request body must have at most ${BODY_BYTES} bytes\n`);
    return;
  }
  const {
    status,
    headers,
    body: text,
  } = respond({
    method: incoming.method ?? 'GET',
    target: incoming.url ?? '/',
    headers: pairs(incoming.rawHeaders),
    body,
  });
  outgoing.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
}

/** The body, or undefined if it is too long. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Whoever sends too much is still to be told.
  for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function pairs(rawHeaders: readonly string[]): (readonly [string, string])[] {
  return rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : []));
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
