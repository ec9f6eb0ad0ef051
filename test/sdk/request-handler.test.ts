import { once } from 'node:events';
import { Agent, createServer, type RequestOptions, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { inspect } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { handlerSettings } from '../../lib/sdk/request-handler.ts';

/** The values of a header at a server, and what an agent was told to connect with, for requests in turn. */
async function requestsBy(agent: Agent, times: number) {
  const seen: (string | string[] | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(headers['x-amz-security-token']);
    response.end();
  });
  onTestFinished(() => {
    agent.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connected = vi.fn((options: RequestOptions) => connect(Number(options.port), '127.0.0.1'));
  Object.assign(agent, { createConnection: connected });
  for (let sent = 0; sent < times; sent += 1) {
    const headers = { 'x-amz-security-token': 'token-canary' };
    const [answer] = await once(request({ host: '127.0.0.1', port, headers, agent }).end(), 'response');
    await once(answer.resume(), 'end');
  }
  return { seen, told: connected.mock.calls.map(([options]) => inspect(options, { depth: 5, showHidden: true })) };
}

test('an agent opens a connection without being told the headers of the request, which are sent', async () => {
  const { seen, told } = await requestsBy(handlerSettings().httpAgent, 2);
  expect(seen).toEqual(['token-canary', 'token-canary']);
  expect(told).toEqual([expect.stringContaining("host: '127.0.0.1'")]); // the second request goes the same way
  expect(told.join()).not.toContain('canary');
});

test("an agent of Node's own is told them, so that the test above is known to see them", async () => {
  expect((await requestsBy(new Agent(), 1)).told.join()).toContain('canary');
});

test('an agent that is given is taken as it is, settings of one are laid over ours', () => {
  const httpAgent = new Agent();
  const settings = handlerSettings({ httpAgent, httpsAgent: { maxSockets: 7 }, requestTimeout: 50 });
  expect(settings.httpAgent).toBe(httpAgent);
  expect(settings.httpsAgent).toMatchObject({ maxSockets: 7, keepAlive: true, protocol: 'https:' });
  expect(settings).toMatchObject({ requestTimeout: 50, connectionTimeout: 5000, throwOnRequestTimeout: true });
});

test('agents keep connections, as many as the SDK itself would', () => {
  const { httpAgent, httpsAgent } = handlerSettings();
  for (const agent of [httpAgent, httpsAgent]) expect(agent).toMatchObject({ keepAlive: true, maxSockets: 50 });
});
