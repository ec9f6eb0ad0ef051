import { connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { startLocalAccount } from '../lib/local/index.ts';
import { listenOnLoopback } from '../lib/loopback.ts';
import { startCredentialsEndpoint } from '../lib/runtime/index.ts';
import { CONFIG, templatesOf, writeAssembly } from './local/fixture.ts';

/** The machine's other addresses; all of 127.0.0.0/8 are its own on Linux. */
const ELSEWHERE = [
  ...(process.platform === 'linux' ? ['127.0.0.2'] : []),
  ...Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address),
  '::1',
];

/** Whether something answers at a port of an address. */
function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const finish = (taken: boolean) => (): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', finish(true)).once('error', finish(false)).once('timeout', finish(false));
  });
}

test.each<[string, () => Promise<number>]>([
  ['the credentials endpoint', endpoint],
  ['the local account', localAccount],
])('%s answers on 127.0.0.1 and on no other address of the machine', async (_, start) => {
  const port = await start();
  expect(await isTaken('127.0.0.1', port)).toBe(true);
  for (const host of ELSEWHERE) expect(await isTaken(host, port), host).toBe(false);
});

test('a server on all addresses answers elsewhere, so that the test above is known to see it', async () => {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const found = await Promise.all(ELSEWHERE.map((host) => isTaken(host, portOf(server))));
  expect(found).toContain(true);
});

test('a server that is given no port gets a free one, and says which', async () => {
  const server = createServer();
  onTestFinished(() => void server.close());
  expect(await listenOnLoopback(server, 0)).toBe(portOf(server));
  expect(server.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
});

async function endpoint(): Promise<number> {
  const started = await startCredentialsEndpoint();
  onTestFinished(() => started.close());
  return Number(new URL(started.url).port);
}

async function localAccount(): Promise<number> {
  const account = await startLocalAccount({ assembly: writeAssembly(templatesOf(CONFIG)), config: CONFIG });
  onTestFinished(() => account.close());
  return Number(new URL(account.endpoint).port);
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
