import type { ServerResponse } from 'node:http';
import type { SessionCredentials } from '../assume.ts';
import { formatTime } from './formats.ts';

/** An answer as it goes over the wire, made once and sent any number of times. */
export interface EndpointAnswer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/**
 * The answers that hold no credentials. They say nothing of the session, its path or its token: what is wrong is
 * for the broker's log.
 */
export const ANSWERS = {
  badRequest: refusal(400, 'BadRequest', 'the request must have no body'),
  unauthorized: refusal(401, 'AccessDenied', 'access denied'),
  forbidden: refusal(403, 'AccessDenied', 'access denied'),
  notAllowed: refusal(405, 'MethodNotAllowed', 'the method must be GET', ['allow', 'GET']),
  failure: refusal(500, 'InternalFailure', 'the broker failed'),
  unavailable: refusal(503, 'ServiceUnavailable', 'credentials are not available now, ask again'),
  healthy: answer(200, { status: 'ok' }),
  unhealthy: answer(503, { status: 'unavailable' }),
} as const;

/** Credentials in the names of the container-credentials protocol. */
export function credentialsAnswer(credentials: SessionCredentials): EndpointAnswer {
  return answer(200, {
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    Token: credentials.sessionToken,
    Expiration: formatTime(credentials.expiration),
    AccountId: credentials.accountId,
  });
}

export function send(response: ServerResponse, { status, headers, body }: EndpointAnswer): void {
  response.writeHead(status, headers as string[]).end(body);
}

function refusal(status: number, Code: string, Message: string, headers: readonly string[] = []): EndpointAnswer {
  return answer(status, { Code, Message }, headers);
}

function answer(status: number, document: object, headers: readonly string[] = []): EndpointAnswer {
  const body = Buffer.from(`${JSON.stringify(document)}\n`);
  return {
    status,
    headers: [
      ...['content-type', 'application/json', 'content-length', String(body.length), 'cache-control', 'no-store'],
      ...headers,
    ],
    body,
  };
}
