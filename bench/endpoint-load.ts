/**
 * Connections that ask again as soon as they are answered. They speak just enough HTTP to cost little: an answer
 * is there when as many bytes are as the first one had.
 */
import { connect, type Socket } from 'node:net';
import { givenArguments, say } from './processes.ts';
import { quantile } from './statistics.ts';

export interface Load {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const { uri, token, connections, seconds } = givenArguments<{
  readonly uri: string;
  readonly token: string;
  readonly connections: number;
  readonly seconds: number;
}>();

const { hostname, port, host, pathname } = new URL(uri);
const REQUEST = Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${token}\r\n\r\n`, 'latin1');
/** Part of the time before anything counts. */
const WARM_UP = 0.2;

const begin = performance.now() + seconds * WARM_UP * 1000;
const end = begin + seconds * 1000;
const latencies: number[] = [];

function ask(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let length: number | undefined;
    let received = 0;
    let asked = 0;
    const send = (): void => {
      received = 0;
      asked = performance.now();
      socket.write(REQUEST);
    };
    socket.on('data', (chunk) => {
      length ??= lengthOf(chunk.toString('latin1'));
      received += chunk.length;
      if (received < length) return;
      if (received > length) reject(new Error('the answer is longer than the first'));
      const answered = performance.now();
      if (asked >= begin) latencies.push(answered - asked);
      if (answered < end) send();
      else resolve();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed a connection')));
    send();
  });
}

/** Bytes of a whole answer, by its head. */
function lengthOf(text: string): number {
  const head = text.slice(0, text.indexOf('\r\n\r\n') + 4);
  const [, body] = /^content-length: (\d+)\r$/im.exec(head) ?? [];
  if (!head.startsWith('HTTP/1.1 200 ') || body === undefined) throw new Error(`not an answer: ${head}`);
  return head.length + Number(body);
}

const sockets = Array.from({ length: connections }, () =>
  connect({ host: hostname, port: Number(port), noDelay: true }),
);
await Promise.all(sockets.map(ask));
say({
  perSecond: latencies.length / seconds,
  p50Ms: quantile(latencies, 0.5),
  p99Ms: quantile(latencies, 0.99),
} satisfies Load);
process.exit();
