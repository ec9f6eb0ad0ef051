import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import { startCredentialsEndpoint } from '../../../lib/runtime/delivery/credentials-endpoint.ts';
import { createSessionToken, TOKEN_LENGTH } from '../../../lib/runtime/delivery/session-token.ts';
import { sessionOf } from './fixture.ts';
import { exchange, requestOf } from './wire.ts';

let compare: MockInstance<typeof crypto.timingSafeEqual>;
beforeEach(() => {
  compare = vi.spyOn(crypto, 'timingSafeEqual');
  syncBuiltinESMExports();
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** The sizes of what was compared, in bytes, of each comparison. */
const compared = (): readonly (readonly number[])[] =>
  compare.mock.calls.map((sides) => sides.map(({ byteLength }) => byteLength));

describe('a header is compared with the whole token, in the same time', () => {
  test.each<[string, (token: string) => string | undefined, boolean]>([
    ['that is the token', (token) => token, true],
    ['that is missing', () => undefined, false],
    ['that is empty', () => '', false],
    ['of one character', (token) => token.slice(0, 1), false],
    ['that is wrong at once', (token) => `!${token.slice(1)}`, false],
    ['that is wrong in the end', (token) => `${token.slice(0, -1)}!`, false],
    ['that ends too early', (token) => token.slice(0, -1), false],
    ['that goes on', (token) => `${token}A`, false],
    ['that goes on for long', (token) => token.padEnd(8192, 'A'), false],
    ['that is the token with zeros behind it', (token) => `${token}\0`, false],
    ['that is the token without its end, with zeros', (token) => `${token.slice(0, -1)}\0`, false],
  ])('if it is one %s', (_, headerOf, isToken) => {
    const token = createSessionToken();
    expect(token.isSaid(headerOf(token.text))).toBe(isToken);
    expect(compared()).toEqual([[TOKEN_LENGTH, TOKEN_LENGTH]]);
  });
});

test.each(['/credentials/agent.acme.s1', '/credentials/agent.acme.s2', '/anything'])(
  'an endpoint compares once, whether or not it serves what is asked for: %s',
  async (path) => {
    await using endpoint = await startCredentialsEndpoint();
    endpoint.serve(sessionOf());
    const { host: Host } = new URL(endpoint.url);
    expect((await exchange(endpoint.url, requestOf(path, { Host, Authorization: 'wrong' }))).status).toBe(401);
    expect(compared()).toEqual([[TOKEN_LENGTH, TOKEN_LENGTH]]);
  },
);

test('tokens are 256 bits of chance, each its own', () => {
  const random = vi.spyOn(crypto, 'randomBytes');
  syncBuiltinESMExports();
  const tokens = Array.from({ length: 100 }, () => createSessionToken().text);
  expect(random.mock.calls).toEqual(Array(100).fill([32]));
  expect(new Set(tokens).size).toBe(100);
  for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/);
});
