import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SessionBrokerError } from '../../../lib/errors.ts';
import {
  type CredentialsEndpoint,
  startCredentialsEndpoint,
} from '../../../lib/runtime/delivery/credentials-endpoint.ts';
import type { ServedSession } from '../../../lib/runtime/delivery/served-session.ts';
import { refusalOf, rejectionOf } from '../../support/refusal.ts';
import { CREDENTIALS, deferred, SOURCE_IDENTITY, sessionOf, waitingSession } from './fixture.ts';
import { exchange, requestOf, type WireAnswer } from './wire.ts';

const PATH = `/credentials/${SOURCE_IDENTITY}`;

const BODY = `${JSON.stringify({
  AccessKeyId: CREDENTIALS.accessKeyId,
  SecretAccessKey: CREDENTIALS.secretAccessKey,
  Token: CREDENTIALS.sessionToken,
  Expiration: '2026-11-22T13:00:00Z',
  AccountId: '111122223333',
})}\n`;

const refused = (status: number, Code: string, Message: string) => ({
  status,
  body: `${JSON.stringify({ Code, Message })}\n`,
});
const UNAUTHORIZED = refused(401, 'AccessDenied', 'access denied');
const FORBIDDEN = refused(403, 'AccessDenied', 'access denied');
const FAILURE = refused(500, 'InternalFailure', 'the broker failed');
const UNAVAILABLE = refused(503, 'ServiceUnavailable', 'credentials are not available now, ask again');

const throttled = new SessionBrokerError('Throttled', 'STS refused the call');
const denied = new SessionBrokerError('AssumeRoleDenied', 'sts:AssumeRole was denied');

interface Served {
  readonly endpoint: CredentialsEndpoint;
  readonly token: string;
  readonly log: readonly string[];
  /** Asks as a client does that has the token. */
  readonly ask: (headers?: Readonly<Record<string, string | undefined>>, path?: string) => Promise<WireAnswer>;
}

/** An endpoint that serves one session. */
async function serving(session: ServedSession = sessionOf()): Promise<Served> {
  const log: string[] = [];
  const endpoint = await startCredentialsEndpoint({ log: (line) => log.push(line) });
  onTestFinished(() => endpoint.close());
  const { uri, token } = endpoint.serve(session);
  expect(uri).toBe(`${endpoint.url}/credentials/${session.sourceIdentity}`);
  const { host } = new URL(endpoint.url);
  return {
    endpoint,
    token,
    log,
    ask: (headers = {}, path = PATH) =>
      exchange(endpoint.url, requestOf(path, { Host: host, Authorization: token, ...headers })),
  };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('the endpoint answers', () => {
  test('with credentials in the shape of the protocol, never to be stored', async () => {
    const { ask } = await serving();
    expect(await ask()).toEqual({
      status: 200,
      head: [
        'content-type: application/json',
        `content-length: ${BODY.length}`,
        'cache-control: no-store',
        'connection: close',
      ],
      body: BODY,
    });
  });

  test('on loopback alone, under its address and its name', async () => {
    const { endpoint, ask } = await serving();
    const { port } = new URL(endpoint.url);
    expect(endpoint.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await ask({ Host: `localhost:${port}` })).toMatchObject({ status: 200, body: BODY });
  });

  test('without waiting while the session has credentials', async () => {
    const { ask } = await serving(sessionOf({ credentials: () => Promise.reject(denied) }));
    expect(await ask()).toMatchObject({ status: 200 });
  });

  test('with the new credentials once there are any', async () => {
    let held = CREDENTIALS;
    const { ask } = await serving(sessionOf({ current: () => held }));
    expect(await ask()).toMatchObject({ body: BODY });
    held = { ...CREDENTIALS, accessKeyId: 'ASIARENEWEDEXAMPLE00' };
    expect((await ask()).body).toContain('ASIARENEWEDEXAMPLE00');
  });

  test('with credentials for which it had to wait', async () => {
    const { ask } = await serving(waitingSession(async () => CREDENTIALS));
    expect(await ask()).toMatchObject({ status: 200, body: BODY });
  });

  test('each session under a token of its own, of 256 bits', async () => {
    const { endpoint, token, ask } = await serving();
    const other = endpoint.serve(sessionOf({ sourceIdentity: 'agent.acme.s2' }));
    expect([token, other.token]).toEqual([expect.stringMatching(/^[\w-]{43}$/), expect.stringMatching(/^[\w-]{43}$/)]);
    expect(other.token).not.toBe(token);
    expect(await ask({ Authorization: other.token })).toMatchObject(UNAUTHORIZED);
    expect(await ask({ Authorization: other.token }, '/credentials/agent.acme.s2')).toMatchObject({ status: 200 });
  });
});

describe('the endpoint refuses', () => {
  test.each<[string, (token: string) => string | undefined]>([
    ['no token', () => undefined],
    ['an empty token', () => ''],
    ['another token', (token) => token.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))],
    ['the beginning of the token', (token) => token.slice(0, -1)],
    ['more than the token', (token) => `${token}A`],
    ['the token behind a scheme', (token) => `Bearer ${token}`],
  ])('a client with %s: 401, and what is wrong goes to the log', async (_, headerOf) => {
    const { token, log, ask } = await serving();
    expect(await ask({ Authorization: headerOf(token) })).toMatchObject(UNAUTHORIZED);
    expect(log).toEqual(['answered 401: a client asked for agent.acme.s1 without its token']);
  });

  test.each(['/', '/credentials', '/credentials/', '/credentials/agent.acme.s2', `${PATH}/`, `${PATH}?`, `/${PATH}`])(
    'a session that it does not serve exactly as a wrong token, so that nobody learns which it serves: %s',
    async (path) => {
      const { ask } = await serving();
      expect(await ask({}, path)).toEqual(await ask({ Authorization: 'wrong' }));
    },
  );

  test.each([
    ['of a site whose name was bent to it', 'attacker.example'],
    ['without its port', '127.0.0.1'],
    ['with another port', '127.0.0.1:1'],
    ['in another writing', '127.1:PORT'],
    ['with more behind it', '127.0.0.1:PORT.attacker.example'],
    ['that is empty', ''],
  ])('a host %s: 403, whatever the token', async (_, host) => {
    const { endpoint, ask, log } = await serving();
    const given = host.replace('PORT', new URL(endpoint.url).port);
    expect(await ask({ Host: given })).toMatchObject(FORBIDDEN);
    expect(await ask({ Host: given }, '/health')).toMatchObject(FORBIDDEN);
    expect(log).toEqual(['answered 403: a client asked for another host']);
  });

  test('a request that names two hosts, or none', async () => {
    const { endpoint, token } = await serving();
    const { host } = new URL(endpoint.url);
    const two = `GET ${PATH} HTTP/1.1\r\nHost: ${host}\r\nhost: attacker.example\r\nAuthorization: ${token}\r\nConnection: close\r\n\r\n`;
    expect(await exchange(endpoint.url, two)).toMatchObject(FORBIDDEN);
    const none = `GET ${PATH} HTTP/1.0\r\nAuthorization: ${token}\r\n\r\n`;
    expect(await exchange(endpoint.url, none)).toMatchObject(FORBIDDEN);
  });

  test.each(['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('the method %s: 405', async (method) => {
    const { endpoint, token } = await serving();
    const { host } = new URL(endpoint.url);
    const answer = await exchange(endpoint.url, requestOf(PATH, { Host: host, Authorization: token }, method));
    expect(answer).toMatchObject({ status: 405 });
    expect(answer.head).toContain('allow: GET'.toLowerCase());
    expect(answer.body).not.toContain(CREDENTIALS.accessKeyId);
  });

  test.each([
    ['of a length', { 'Content-Length': '2' }, 'ab'],
    ['in chunks', { 'Transfer-Encoding': 'chunked' }, '0\r\n\r\n'],
  ])('a body %s: 400', async (_, headers, body) => {
    const { endpoint, token } = await serving();
    const { host } = new URL(endpoint.url);
    const request = requestOf(PATH, { Host: host, Authorization: token, ...headers }, 'GET', body);
    expect(await exchange(endpoint.url, request)).toMatchObject(
      refused(400, 'BadRequest', 'the request must have no body'),
    );
  });

  test('a head that is longer than any client sends', async () => {
    const { ask } = await serving();
    expect(await ask({ 'X-Padding': 'x'.repeat(9 * 1024) })).toMatchObject({ status: 431 });
  });
});

describe('a session without credentials', () => {
  test('is refused where AWS or the broker refuses it: 403, and the reason goes to the log', async () => {
    const { ask, log } = await serving(waitingSession(() => Promise.reject(denied)));
    expect(await ask()).toMatchObject(FORBIDDEN);
    expect(log).toEqual(['answered 403 for agent.acme.s1: sts:AssumeRole was denied [AssumeRoleDenied]']);
  });

  test('is to be asked for again where the fault passes: 503', async () => {
    const { ask, log } = await serving(waitingSession(() => Promise.reject(throttled)));
    expect(await ask()).toMatchObject(UNAVAILABLE);
    expect(log).toEqual(['answered 503 for agent.acme.s1: STS refused the call [Throttled]']);
  });

  test('is logged once for all retries of a client, and again for another fault or a later one', async () => {
    let answer: () => ReturnType<ServedSession['credentials']> = () => Promise.reject(throttled);
    const { ask, log } = await serving(waitingSession(() => answer()));
    for (let retry = 0; retry < 4; retry += 1) await ask();
    expect(log).toHaveLength(1);
    answer = () => Promise.reject(denied);
    await ask();
    expect(log).toHaveLength(2);
    answer = async () => CREDENTIALS;
    await ask();
    answer = () => Promise.reject(denied);
    await ask();
    expect(log).toHaveLength(3);
  });

  test('is answered before the SDKs give up, and its call goes on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { promise, resolve } = deferred<void>();
    const { ask, log } = await serving(
      waitingSession(() => {
        resolve();
        return new Promise(() => {});
      }),
    );
    const answer = ask();
    await promise;
    await vi.advanceTimersByTimeAsync(899);
    expect(log).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toMatchObject(UNAVAILABLE);
    expect(log).toEqual(['answered 503 for agent.acme.s1: new credentials are not there after 900 milliseconds']);
  });

  test.each<[string, ServedSession]>([
    ['when it is asked', sessionOf({ current: () => JSON.parse('{') })],
    ['later', waitingSession(() => Promise.reject(new TypeError('canary')))],
  ])('is a fault of the broker where it throws what has no code %s, and ends nothing else', async (_, session) => {
    const { ask, log } = await serving(session);
    expect(await ask()).toMatchObject(FAILURE);
    expect(log.join()).not.toContain('canary');
  });
});

test('a log that fails changes no answer', async () => {
  const endpoint = await startCredentialsEndpoint({
    log: () => {
      throw new Error('standard error is closed');
    },
  });
  onTestFinished(() => endpoint.close());
  const { token } = endpoint.serve(waitingSession(() => Promise.reject(denied)));
  const { host: Host } = new URL(endpoint.url);
  expect(await exchange(endpoint.url, requestOf(PATH, { Host }))).toMatchObject(UNAUTHORIZED);
  expect(await exchange(endpoint.url, requestOf(PATH, { Host, Authorization: token }))).toMatchObject(FORBIDDEN);
});

describe('the health path', () => {
  const ok = { status: 200, body: '{"status":"ok"}\n' };
  const unavailable = { status: 503, body: '{"status":"unavailable"}\n' };

  test('says ok without a token while every session has credentials, and for none', async () => {
    const { endpoint, ask } = await serving();
    const health = () => ask({ Authorization: undefined }, '/health');
    expect(await health()).toMatchObject(ok);
    endpoint.serve({ ...waitingSession(), sourceIdentity: 'agent.acme.s2' });
    expect(await health()).toMatchObject(unavailable);
    endpoint.withdraw('agent.acme.s2');
    expect(await health()).toMatchObject(ok);
    endpoint.withdraw(SOURCE_IDENTITY);
    expect(await health()).toMatchObject(ok);
  });
});

describe('a session that is withdrawn', () => {
  test('is not served from then on, and may be served again under another token', async () => {
    const { endpoint, token, ask, log } = await serving();
    await ask({ Authorization: 'wrong' });
    endpoint.withdraw(SOURCE_IDENTITY);
    expect(await ask()).toMatchObject(UNAUTHORIZED);
    const again = endpoint.serve(sessionOf());
    expect(again.token).not.toBe(token);
    expect(await ask()).toMatchObject(UNAUTHORIZED);
    expect(await ask({ Authorization: again.token })).toMatchObject({ status: 200 });
    expect(log).toEqual([
      'answered 401: a client asked for agent.acme.s1 without its token',
      'answered 401: a client asked for a session that is not served without its token',
      'answered 401: a client asked for agent.acme.s1 without its token',
    ]);
  });

  test('gives nothing to a client that waits for it', async () => {
    const asked = deferred<void>();
    const obtained = deferred<typeof CREDENTIALS>();
    const { endpoint, ask } = await serving(
      waitingSession(() => {
        asked.resolve();
        return obtained.promise;
      }),
    );
    const answer = ask();
    await asked.promise;
    endpoint.withdraw(SOURCE_IDENTITY);
    obtained.resolve(CREDENTIALS);
    expect(await answer).toMatchObject(UNAUTHORIZED);
  });
});

describe('an endpoint that is closed', () => {
  test('finishes the answers that are under way and takes nothing new', async () => {
    const asked = deferred<void>();
    const obtained = deferred<typeof CREDENTIALS>();
    const { endpoint, token } = await serving(
      waitingSession(() => {
        asked.resolve();
        return obtained.promise;
      }),
    );
    const keptAlive = fetch(`${endpoint.url}${PATH}`, { headers: { Authorization: token } });
    await asked.promise;
    const closed = endpoint.close();
    expect((await exchange(endpoint.url, requestOf('/health', {}))).status).toBeUndefined();
    obtained.resolve(CREDENTIALS);
    const answer = await keptAlive;
    expect(answer.headers.get('connection')).toBe('close');
    expect(await answer.text()).toBe(BODY);
    await closed;
    await endpoint.close();
  });

  test.each(['/credentials/agent.acme.fast', '/health'])(
    'refuses a request that arrives whole only after that: %s',
    async (path) => {
      const { endpoint, obtained } = await waitedFor();
      const { token } = endpoint.serve(sessionOf({ sourceIdentity: 'agent.acme.fast' }));
      const { host, hostname, port } = new URL(endpoint.url);
      const socket = connect(Number(port), hostname);
      socket.setEncoding('latin1');
      let said = '';
      socket.on('data', (text: string) => {
        said += text;
      });
      const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${token}\r\n`;
      await new Promise<void>((resolve) => socket.write(request, () => resolve()));
      // By then the server has taken the others.
      await (await fetch(`${endpoint.url}/health`)).text();
      const closed = endpoint.close();
      socket.write('\r\n');
      await once(socket, 'close');
      expect(said).toMatch(/^HTTP\/1\.1 401 /);
      expect(said.toLowerCase()).toContain('connection: close');
      obtained.resolve(CREDENTIALS);
      await closed;
    },
  );

  test('ends at once what is not under way: connections that are kept alive, silent, or in the middle of a head', async () => {
    const { endpoint } = await serving();
    const silent = ['', 'GET / HTTP/1.1\r\n'].map((bytes) => exchange(endpoint.url, bytes));
    // By then the server has taken the others.
    await (await fetch(`${endpoint.url}/health`)).text();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await endpoint.close();
    await Promise.all(silent);
  });

  /** An endpoint with a client that waits for its answer. */
  async function waitedFor() {
    const asked = deferred<void>();
    const obtained = deferred<typeof CREDENTIALS>();
    const served = await serving(
      waitingSession(() => {
        asked.resolve();
        return obtained.promise;
      }),
    );
    const { host, hostname, port } = new URL(served.endpoint.url);
    const client = connect(Number(port), hostname, () =>
      client.pause().write(requestOf(PATH, { Host: host, Authorization: served.token })),
    );
    client.on('error', () => {});
    onTestFinished(() => void client.destroy());
    await asked.promise;
    return { ...served, obtained };
  }

  test('ends what is silent as soon as nothing is under way', async () => {
    const { endpoint, obtained } = await waitedFor();
    const silent = exchange(endpoint.url, 'GET / HTTP/1.1\r\n');
    // By then the server has taken it.
    await (await fetch(`${endpoint.url}/health`)).text();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const closed = endpoint.close();
    obtained.resolve(CREDENTIALS);
    await closed;
    await silent;
  });

  test('cuts off a client that does not take its answer, after a while', async () => {
    const { endpoint, obtained } = await waitedFor();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const closed = endpoint.close();
    obtained.resolve({ ...CREDENTIALS, sessionToken: 'x'.repeat(8 * 1024 * 1024) });
    await vi.advanceTimersByTimeAsync(2000);
    await closed;
  });

  test('fails to serve another session', async () => {
    const { endpoint } = await serving();
    await endpoint[Symbol.asyncDispose]();
    const { code, message } = refusalOf(() => endpoint.serve(sessionOf({ sourceIdentity: 'agent.acme.s2' })));
    expect({ code, message }).toEqual({
      code: 'SessionClosed',
      message: `the endpoint ${endpoint.url} is closed; start another`,
    });
  });
});

test('fails on a port that is taken', async () => {
  const server = createServer();
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { code, message } = await rejectionOf(startCredentialsEndpoint({ port }));
  expect(code).toBe('ListenFailed');
  expect(message).toBe(
    `port must be free on 127.0.0.1: ${port} is not, listen EADDRINUSE: address already in use 127.0.0.1:${port}; give another, or 0 for any`,
  );
});

test.each(['', 'agent.acme', '../agent.acme.s1', 'agent.acme.s1?', 'agent:acme:s1'])(
  'fails to serve what is no source identity: %j',
  async (sourceIdentity) => {
    const { endpoint } = await serving();
    expect(() => endpoint.serve(sessionOf({ sourceIdentity }))).toThrow(
      new TypeError(`sourceIdentity must be one: ${JSON.stringify(sourceIdentity)}`),
    );
  },
);

test('fails to serve a session that is served already', async () => {
  const { endpoint } = await serving();
  expect(() => endpoint.serve(sessionOf())).toThrow(
    new TypeError('"agent.acme.s1" is served already; withdraw it first'),
  );
});
