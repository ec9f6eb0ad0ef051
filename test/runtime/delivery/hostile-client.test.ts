import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { startCredentialsEndpoint } from '../../../lib/runtime/delivery/credentials-endpoint.ts';
import { SEED } from '../../support/seed.ts';
import { CREDENTIALS, sessionOf } from './fixture.ts';
import { exchange } from './wire.ts';

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
