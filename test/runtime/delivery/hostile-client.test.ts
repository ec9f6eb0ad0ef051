import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import fc from 'fast-check';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startCredentialsEndpoint } from '../../../lib/runtime/delivery/credentials-endpoint.ts';
import { SEED } from '../../support/seed.ts';
import { CREDENTIALS, sessionOf } from './fixture.ts';
import { exchange, requestOf } from './wire.ts';

const RUNS = { seed: SEED, numRuns: 150 };

const PATH = '/credentials/agent.acme.s1';
const AUTHORITY = 'AUTHORITY';
const TOKEN = 'TOKEN';

/** Whitespace that HTTP takes off a value, some that it does not, and what parsers trip over. */
const noise = fc.constantFrom('', ' ', '\t', '\0', '\r', '\n', '\x0b', '\u00a0', ',', ';', '\r\n ', '"', '%00', 'x');
const near = (text: string) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(text) },
    { weight: 2, arbitrary: fc.tuple(noise, noise).map(([before, after]) => `${before}${text}${after}`) },
    { weight: 1, arbitrary: fc.constantFrom('', text.slice(1), text.toLowerCase(), `${text},${text}`, 'attacker') },
  );
const nearName = (name: string) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(name, name.toLowerCase(), name.toUpperCase()) },
    { weight: 1, arbitrary: fc.constantFrom(`${name} `, ` ${name}`, `X-${name}`, `${name}\t`) },
  );
const header = fc.oneof(
  fc.tuple(nearName('Host'), near(AUTHORITY)),
  fc.tuple(nearName('Authorization'), near(TOKEN)),
  fc.tuple(fc.constantFrom('Content-Length', 'Transfer-Encoding'), fc.constantFrom('0', '-1', '0, 1', 'chunked', 'x')),
);
const head = fc.record({
  method: fc.oneof({ weight: 5, arbitrary: fc.constant('GET') }, fc.constantFrom('get', 'HEAD', 'GET ', '\r\nGET')),
  path: fc.oneof(
    { weight: 5, arbitrary: fc.constant(PATH) },
    fc.constantFrom(`http://${AUTHORITY}${PATH}`, `${PATH}?`, `//x${PATH}`, '/health', '*', PATH.replace('s1', 's%31')),
  ),
  version: fc.oneof({ weight: 5, arbitrary: fc.constant('HTTP/1.1') }, fc.constantFrom('HTTP/1.0', 'HTTP/2.0', '')),
  headers: fc.array(header, { maxLength: 4 }),
  lineEnd: fc.oneof({ weight: 5, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r')),
});

test('no head is answered with credentials unless it holds the exact token and host', async () => {
  const endpoint = await startCredentialsEndpoint();
  onTestFinished(() => endpoint.close());
  const { token } = endpoint.serve(sessionOf());
  const { host } = new URL(endpoint.url);
  const fill = (text: string) => text.replaceAll(AUTHORITY, host).replaceAll(TOKEN, token);
  let granted = 0;
  await fc.assert(
    fc.asyncProperty(head, async ({ method, path, version, headers, lineEnd }) => {
      const lines = [...headers, ['Connection', 'close'] as const].map(([name, value]) => `${name}: ${value}`);
      const bytes = fill([`${method} ${path} ${version}`, ...lines, '', ''].join(lineEnd));
      const { body } = await exchange(endpoint.url, bytes, { ends: true });
      if (!body.includes(CREDENTIALS.secretAccessKey)) return;
      granted += 1;
      const values = (wanted: string) =>
        headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => fill(value).trim());
      expect(values('host')).toEqual([host]);
      expect(values('authorization')[0]).toBe(token);
      expect([method.trim(), path]).toEqual(['GET', PATH]);
    }),
    {
      ...RUNS,
      // What is asked as it has to be is answered, so that the property is not empty.
      examples: [
        [
          {
            method: 'GET',
            path: PATH,
            version: 'HTTP/1.1',
            headers: [
              ['Host', AUTHORITY],
              ['Authorization', TOKEN],
            ],
            lineEnd: '\r\n',
          },
        ],
      ],
    },
  );
  expect(granted).toBeGreaterThan(0);
});

/** What a client may send that knows nothing. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }).map((chunk) => Buffer.from(chunk).toString('latin1')),
  fc
    .tuple(head, fc.string({ unit: 'binary', maxLength: 50 }))
    .map(
      ([{ method, path, version, headers, lineEnd }, rest]) =>
        `${[`${method} ${path} ${version}`, ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join(lineEnd)}${rest}`,
    ),
  fc.integer({ min: 1, max: 20_000 }).map((length) => `GET ${PATH} HTTP/1.1\r\nX: ${'x'.repeat(length)}\r\n\r\n`),
  fc.integer({ min: 1, max: 3000 }).map((count) => `GET ${PATH} HTTP/1.1\r\n${'X: y\r\n'.repeat(count)}\r\n`),
  fc.integer({ min: 1, max: 20_000 }).map((length) => `GET /${'x'.repeat(length)} HTTP/1.1\r\n\r\n`),
  fc.integer({ min: 1, max: 50 }).map((count) => requestOf(PATH, { Host: AUTHORITY }).repeat(count)),
);

test('bytes of whatever kind are refused or not answered at all, and the next client is served', async () => {
  const endpoint = await startCredentialsEndpoint();
  onTestFinished(() => endpoint.close());
  const { token } = endpoint.serve(sessionOf());
  const { host } = new URL(endpoint.url);
  await fc.assert(
    fc.asyncProperty(bytes, async (given) => {
      const sent = given.replaceAll(AUTHORITY, host).replaceAll(TOKEN, 'x'.repeat(token.length));
      const { status, head: said, body } = await exchange(endpoint.url, sent, { ends: true });
      expect([undefined, 200, 400, 401, 403, 405, 413, 431]).toContain(status);
      // Nobody is told more without a token than whether the broker is well.
      if (status === 200) expect(body).toBe('{"status":"ok"}\n');
      expect([...said, body].join()).not.toContain(CREDENTIALS.secretAccessKey);
    }),
    RUNS,
  );
  const request = requestOf(PATH, { Host: host, Authorization: token });
  expect((await exchange(endpoint.url, request)).body).toContain(CREDENTIALS.secretAccessKey);
});

describe('a client that takes its time', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  /** An endpoint whose patience is a hundredth of what it is, and what it was made with. */
  async function impatient() {
    const { createServer } = http;
    let made: http.ServerOptions = {};
    let server = createServer();
    vi.spyOn(http, 'createServer').mockImplementation(((
      options: http.ServerOptions,
      listener: http.RequestListener,
    ) => {
      made = options;
      const milliseconds = Object.entries(options).filter(([name]) => /Timeout$|Interval$/.test(name));
      const shorter = Object.fromEntries(milliseconds.map(([name, value]) => [name, value / 100]));
      server = createServer({ ...options, ...shorter }, listener);
      return server;
    }) as typeof createServer);
    syncBuiltinESMExports();
    const endpoint = await startCredentialsEndpoint();
    onTestFinished(() => endpoint.close());
    const { token } = endpoint.serve(sessionOf());
    return { endpoint, token, made, server };
  }

  test('with its head is cut off', async () => {
    const { endpoint, token } = await impatient();
    const { host } = new URL(endpoint.url);
    const whole = requestOf(PATH, { Host: host, Authorization: token });
    expect(await exchange(endpoint.url, whole.slice(0, -2))).toMatchObject({ status: 408, body: '' });
  });

  test('has 5 seconds for a request and 10 without a byte, and no more than a thousand have so at a time', async () => {
    const { made, server } = await impatient();
    expect(made).toEqual({
      maxHeaderSize: 8192,
      headersTimeout: 5000,
      requestTimeout: 5000,
      connectionsCheckingInterval: 1000,
      keepAliveTimeout: 5000,
    });
    expect([server.timeout, server.maxConnections]).toEqual([10_000, 1024]);
  });
});
