import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** What a service answered, or answers in its place. */
export interface EdgeAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * An endpoint before another that changes answers which the other cannot be made to give, until the test ends.
 * @returns its URL
 */
export async function startEdge(endpoint: string, change: (answer: EdgeAnswer) => EdgeAnswer): Promise<string> {
  const server = createServer((asked, answer) => {
    const { method, url, headers } = asked;
    const passed = request(new URL(url ?? '/', endpoint), { method, headers, setHost: false }, (reply) => {
      let body = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      reply.on('end', () => {
        const changed = change({ status: reply.statusCode ?? 500, body });
        const { 'content-length': _, 'transfer-encoding': __, ...kept } = reply.headers;
        answer.writeHead(changed.status, kept).end(changed.body);
      });
    });
    asked.pipe(passed);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
