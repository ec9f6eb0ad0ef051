/** A server under load: the credentials endpoint with a session that is held, or node:http with a given body. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type * as runtime from '../lib/runtime/index.ts';
import { compiled, givenArguments, say } from './processes.ts';

const { kind, body } = givenArguments<{ readonly kind: 'ours' | 'bare'; readonly body?: string }>();

if (kind === 'ours') {
  const { startCredentialsEndpoint } = await compiled<typeof runtime>('lib/runtime/index.js');
  const credentials = {
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    secretAccessKey: 's'.repeat(40),
    sessionToken: 't'.repeat(800),
    expiration: new Date(Date.now() + 3_600_000),
    accountId: '111122223333',
  };
  const endpoint = await startCredentialsEndpoint();
  const { uri, token } = endpoint.serve({
    sourceIdentity: 'agent.acme.s1',
    credentials: async () => credentials,
    current: () => credentials,
  });
  const answer = await fetch(uri, { headers: { authorization: token } });
  say({ uri, token, body: await answer.text() });
} else {
  const answer = Buffer.from(body ?? '');
  const headers = { 'content-type': 'application/json', 'content-length': answer.length };
  const server = createServer((_, response) => {
    response.writeHead(200, headers).end(answer);
  });
  server.listen(0, '127.0.0.1', () => say({ uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }));
}
