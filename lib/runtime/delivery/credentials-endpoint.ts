import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { quote, SessionBrokerError } from '../../errors.ts';
import { isSourceIdentity } from '../../identity/index.ts';
import { LOOPBACK, listenOnLoopback } from '../../loopback.ts';
import { quietly } from '../quietly.ts';
import { ANSWERS, type EndpointAnswer, send } from './endpoint-answers.ts';
import { createAnswering, type ServedSession } from './served-session.ts';
import { createSessionToken, type SessionToken } from './session-token.ts';

export interface CredentialsEndpointOptions {
  /**
   * The loopback port, 0 to 65535.
   * @default 0: any free one
   */
  readonly port?: number | undefined;
  /**
   * Takes a line when clients begin to be refused, or to be refused for another reason. Never a secret.
   * @default nowhere
   */
  readonly log?: ((line: string) => void) | undefined;
}

/** What a client must be told. */
export interface ServedCredentials {
  /** The value of AWS_CONTAINER_CREDENTIALS_FULL_URI. */
  readonly uri: string;
  /** A secret: what the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE holds, without a line break. */
  readonly token: string;
}

/** A container-credentials endpoint, as the SDKs of all languages ask one. */
export interface CredentialsEndpoint extends AsyncDisposable {
  /** http://127.0.0.1:port */
  readonly url: string;
  /**
   * Begins to serve a session, under a token of its own.
   * @throws {TypeError} for what is no source identity, and for one that is served already
   * @throws {SessionBrokerError} SessionClosed after close()
   */
  serve(session: ServedSession): ServedCredentials;
  /** Ends serving a session: its token is worth nothing from now on. */
  withdraw(sourceIdentity: string): void;
  /** Answers that are under way are finished, all else ends at once. */
  close(): Promise<void>;
}

/** What a client may take, of memory in bytes and of time in milliseconds. */
const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5000,
  requestTimeout: 5000,
  connectionsCheckingInterval: 1000,
  keepAliveTimeout: 5000,
};

/** Milliseconds after which a connection on which nothing moves is given up. */
const IDLE = 10_000;

/** Connections at a time. */
const CONNECTIONS = 1024;

/** Milliseconds after which a closing endpoint cuts off a client that does not take its answer. */
const LAST_CALL = 2000;

/** Asked without a token. */
const HEALTH_PATH = '/health';

/** A session at its path. */
interface Served {
  readonly session: ServedSession;
  readonly token: SessionToken;
  readonly answer: () => EndpointAnswer | Promise<EndpointAnswer>;
}

/**
 * Starts a container-credentials endpoint on loopback. It serves no session yet.
 * @throws {SessionBrokerError} ListenFailed
 */
export async function startCredentialsEndpoint({
  port = 0,
  log: given,
}: CredentialsEndpointOptions = {}): Promise<CredentialsEndpoint> {
  const log = (line: string): void => {
    quietly(() => given?.(line));
  };
  const sessions = new Map<string, Served>();
  const nobody = createSessionToken();
  const noted = new Set<string>();
  const underWay = new Set<ServerResponse>();
  let closed: Promise<void> | undefined;

  const server = createServer(LIMITS, (request, response) => {
    const answer = answerTo(request);
    if (closed !== undefined) response.shouldKeepAlive = false;
    if (answer instanceof Promise) void sendLater(response, answer);
    else send(response, answer);
  });
  server.timeout = IDLE;
  server.maxConnections = CONNECTIONS;
  const bound = await listenOnLoopback(server, port);
  const url = `http://${LOOPBACK}:${bound}`;
  const hosts = [LOOPBACK, 'localhost'].flatMap((host) => (bound === 80 ? [host, `${host}:80`] : [`${host}:${bound}`]));

  /** A fault of one request ends neither the others nor the process. */
  function answerTo(request: IncomingMessage): EndpointAnswer | Promise<EndpointAnswer> {
    try {
      return respond(request);
    } catch {
      return ANSWERS.failure;
    }
  }

  function respond(request: IncomingMessage): EndpointAnswer | Promise<EndpointAnswer> {
    const { method, url: path = '', headers, rawHeaders } = request;
    // Only a page of a site whose name was bent to this address asks for another host.
    if (!hosts.includes(headers.host ?? '') || isRepeated('host', rawHeaders)) {
      return refuse(ANSWERS.forbidden, 'a client asked for another host');
    }
    if (method !== 'GET') return ANSWERS.notAllowed;
    if (Number(headers['content-length'] ?? 0) !== 0 || headers['transfer-encoding'] !== undefined) {
      return ANSWERS.badRequest;
    }
    if (closed !== undefined) return ANSWERS.unauthorized;
    if (path === HEALTH_PATH) return health();
    const served = sessions.get(path);
    const { token } = served ?? { token: nobody };
    if (!token.isSaid(headers.authorization) || served === undefined) {
      return refuse(ANSWERS.unauthorized, withoutToken(served?.session.sourceIdentity));
    }
    const answer = served.answer();
    if (!(answer instanceof Promise)) return answer;
    return answer.then((late) => (sessions.get(path) === served ? late : ANSWERS.unauthorized));
  }

  /** Each reason is logged once: clients ask again and again. */
  function refuse(answer: EndpointAnswer, reason: string): EndpointAnswer {
    if (!noted.has(reason)) log(`answered ${answer.status}: ${reason}`);
    noted.add(reason);
    return answer;
  }

  function health(): EndpointAnswer {
    const isLive = [...sessions.values()].every(({ session }) => session.current() !== undefined);
    return isLive ? ANSWERS.healthy : ANSWERS.unhealthy;
  }

  async function sendLater(response: ServerResponse, answer: Promise<EndpointAnswer>): Promise<void> {
    underWay.add(response);
    response.once('close', () => {
      underWay.delete(response);
      if (closed !== undefined && underWay.size === 0) server.closeAllConnections();
    });
    const answered = await answer.catch(() => ANSWERS.failure);
    if (closed !== undefined) response.shouldKeepAlive = false;
    send(response, answered);
  }

  function close(): Promise<void> {
    closed ??= new Promise((resolve) => {
      const cutOff = setTimeout(() => server.closeAllConnections(), LAST_CALL);
      server.close(() => {
        clearTimeout(cutOff);
        resolve();
      });
      if (underWay.size === 0) server.closeAllConnections();
    });
    return closed;
  }

  return {
    url,
    serve(session) {
      const { sourceIdentity } = session;
      if (closed !== undefined) {
        throw new SessionBrokerError('SessionClosed', `the endpoint ${url} is closed; start another`);
      }
      if (!isSourceIdentity(sourceIdentity)) {
        throw new TypeError(`sourceIdentity must be one: ${quote(sourceIdentity)}`);
      }
      const path = pathOf(sourceIdentity);
      if (sessions.has(path)) {
        throw new TypeError(`${quote(sourceIdentity)} is served already; withdraw it first`);
      }
      const token = createSessionToken();
      sessions.set(path, { session, token, answer: createAnswering(session, log) });
      return { uri: `${url}${path}`, token: token.text };
    },
    withdraw(sourceIdentity) {
      sessions.delete(pathOf(sourceIdentity));
      noted.delete(withoutToken(sourceIdentity));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function withoutToken(sourceIdentity = 'a session that is not served'): string {
  return `a client asked for ${sourceIdentity} without its token`;
}

function pathOf(sourceIdentity: string): string {
  return `/credentials/${sourceIdentity}`;
}

/** Whether a header is there twice: Node shows only the first of those that may stand once. */
function isRepeated(header: string, rawHeaders: readonly string[]): boolean {
  let times = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === header) times += 1;
  }
  return times > 1;
}
