import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it arrived. */
export interface FakeRequest {
  /** `AssumeRole`, `GetParameter`, ... */
  readonly action: string;
  /** `127.0.0.1:40000` */
  readonly host: string;
  readonly authorization: string;
  readonly securityToken: string | undefined;
  /** The form of STS's Query protocol or the JSON of Systems Manager's. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface WholeAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

/** What is sent back: a whole answer, bytes as they are, or a connection that breaks, stays silent or never ends. */
export type FakeAnswer =
  | WholeAnswer
  /** What becomes of the connection after the bytes. */
  | { readonly bytes: string; readonly finally: 'end' | 'reset' | 'silence' }
  | 'reset'
  | 'silence'
  | 'endless';

type Responder = (request: FakeRequest) => FakeAnswer;

export interface FakeAws {
  readonly endpoint: string;
  /** Every request since the start, or since {@link FakeAws.forget}. */
  readonly requests: FakeRequest[];
  /** The bytes of an endless answer that somebody took, since then. */
  readonly taken: () => number;
  /** Answers one action from now on, in place of the well-behaved answer. */
  on(action: string, responder: Responder | FakeAnswer): void;
  /** Back to good behaviour, with no request remembered. */
  forget(): void;
  /** Refuses connections, or takes them again. */
  listen(listens: boolean): Promise<void>;
  close(): Promise<void>;
}

export const ACCOUNT = '111122223333';
export const REGION = 'us-west-2';
export const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-acme-session`;
export const PARAMETER = '/eks-agent-platform/hub/session-broker/acme/session_role_arn';

/** What the fake gives out. The values are searched for wherever they must not be, so they hold no word. */
export const ISSUED = {
  accessKeyId: 'ASIAISSUEDCANARY0001',
  secretAccessKey: 'QcnCiTrO6qS/RNPO7fuAOERfqM58dyRh7LS55BYZ',
  sessionToken: `${'43xG+wHRRpgGGyzCMqJVe6m9zuoZwelYpag1WI6yc/pP8Y6og/+aqXx7c2J2sFJwf8UePPBPg8CupR3h'.repeat(4)}==`,
} as const;

/** What the dispatcher in tests holds. */
export const DISPATCHER = {
  accessKeyId: 'ASIADISPATCHER000001',
  secretAccessKey: 'X9QQE/OerZfxTSMYsYEGr6VaSgLMKechog+xXwDA',
  sessionToken: `${'b/p1/Jd9BGCIxtIA4FLZ3K7f4l2DU+79o9ytPI+hZ74fWV3YsacP5QfxnAt3ziBWOCErxaXSJfau/lDI'.repeat(4)}==`,
} as const;

/** By what the dispatcher in tests proves under IRSA who it is. */
export const WEB_IDENTITY_TOKEN =
  'eyJhbGciOiJSUzI1NiIsImtpZCI6ImNhbmFyeSJ9.eyJpc3MiOiJodHRwczovL29pZGMuY2FuYXJ5Iiwic3ViIjoicG9kIn0.d2ViSWRlbnRpdHlDQU5BUlk';

/** What must show nowhere. */
export const CANARIES: readonly string[] = [...Object.values(ISSUED), ...Object.values(DISPATCHER), WEB_IDENTITY_TOKEN];

/**
 * STS and Systems Manager on loopback, by their wire protocols, without a policy or a signature check. It plays
 * faults that a real peer cannot be made to show.
 * @param now the clock that credentials expire by, in milliseconds since the epoch
 */
export async function startFakeAws(now: () => number = Date.now): Promise<FakeAws> {
  const requests: FakeRequest[] = [];
  let taken = 0;
  const responders = new Map<string, Responder>();
  const wellBehaved: Readonly<Record<string, Responder>> = {
    AssumeRole: (request) => assumed(request, now),
    AssumeRoleWithWebIdentity: () => dispatcherAnswer(now),
    GetCallerIdentity: () =>
      xml(
        200,
        `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/agent.acme.s1</Arn><UserId>AROAEXAMPLE:agent.acme.s1</UserId><Account>${ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      ),
    GetParameter: ({ parameters }) => parameterAnswer(ROLE_ARN, { name: parameters['Name'] ?? '' }),
  };

  const server = createServer(async (incoming, outgoing) => {
    const request = await readRequest(incoming);
    requests.push(request);
    const respond = responders.get(request.action) ?? wellBehaved[request.action];
    const answer = respond?.(request) ?? stsError(400, 'InvalidAction', `no ${request.action} here`);
    if (answer === 'endless') pump(outgoing, (bytes) => (taken += bytes));
    else send(answer, outgoing);
  });
  const start = (port: number): Promise<void> =>
    new Promise((resolve) => void server.listen(port, '127.0.0.1', () => resolve()));
  const stop = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => void server.close(() => resolve()));
  };
  await start(0);
  const { port } = server.address() as AddressInfo;

  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    taken: () => taken,
    on(action, responder) {
      responders.set(action, typeof responder === 'function' ? responder : () => responder);
    },
    forget() {
      responders.clear();
      requests.length = 0;
      taken = 0;
    },
    listen: (listens) => (listens ? start(port) : stop()),
    close: stop,
  };
}

/** The answer to AssumeRole, with any part of it replaced. `null` leaves a part out. */
export function assumed(
  { parameters }: FakeRequest,
  now: () => number = Date.now,
  parts: {
    readonly arn?: string | null;
    readonly sourceIdentity?: string | null;
    readonly secretAccessKey?: string | null;
    readonly sessionToken?: string | null;
    readonly expires?: number | null;
  } = {},
): WholeAnswer {
  const [, partition, , , account, ...path] = (parameters['RoleArn'] ?? '').split(/[:/]/);
  const {
    arn = `arn:${partition}:sts::${account}:assumed-role/${path.at(-1)}/${parameters['RoleSessionName']}`,
    sourceIdentity = parameters['SourceIdentity'] ?? null,
    expires = now() + Number(parameters['DurationSeconds'] ?? 3600) * 1000,
    secretAccessKey = ISSUED.secretAccessKey,
    sessionToken = ISSUED.sessionToken,
  } = parts;
  const credentials = credentialsXml({ accessKeyId: ISSUED.accessKeyId, secretAccessKey, sessionToken }, expires);
  const user = `<AssumedRoleUser><AssumedRoleId>AROAEXAMPLE:${parameters['RoleSessionName']}</AssumedRoleId>${element('Arn', arn)}</AssumedRoleUser>`;
  return xml(
    200,
    `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>${element('SourceIdentity', sourceIdentity)}${user}${credentials}</AssumeRoleResult><ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata></AssumeRoleResponse>`,
  );
}

/** The answer to AssumeRoleWithWebIdentity. */
export function dispatcherAnswer(now: () => number = Date.now): WholeAnswer {
  const credentials = credentialsXml(DISPATCHER, now() + 3_600_000);
  return xml(
    200,
    `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>${credentials}</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  );
}

/** An error in STS's form. */
export function stsError(status: number, code: string, message: string): WholeAnswer {
  return xml(
    status,
    `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ErrorResponse>`,
  );
}

/** The answer to GetParameter. `null` leaves the ARN out. */
export function parameterAnswer(
  value: string,
  { name = PARAMETER, arn }: { readonly name?: string; readonly arn?: string | null } = {},
): WholeAnswer {
  const ARN = arn === undefined ? `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${name}` : arn;
  return json(200, {
    Parameter: { ...(ARN !== null && { ARN }), DataType: 'text', Name: name, Type: 'String', Value: value, Version: 1 },
  });
}

/** An error in Systems Manager's form. */
export function ssmError(status: number, code: string, message: string): WholeAnswer {
  return json(status, { __type: code, message });
}

export function xml(status: number, body: string): WholeAnswer {
  return { status, type: 'text/xml', body };
}

function json(status: number, body: unknown): WholeAnswer {
  return { status, type: 'application/x-amz-json-1.1', body: JSON.stringify(body) };
}

function credentialsXml(
  parts: { accessKeyId: string; secretAccessKey: string | null; sessionToken: string | null },
  expires: number | null,
): string {
  const { accessKeyId, secretAccessKey, sessionToken } = parts;
  const expiration = expires === null ? null : new Date(expires).toISOString().replace(/\.\d{3}Z$/, 'Z');
  return `<Credentials>${element('AccessKeyId', accessKeyId)}${element('SecretAccessKey', secretAccessKey)}${element('SessionToken', sessionToken)}${element('Expiration', expiration)}</Credentials>`;
}

function element(name: string, text: string | null): string {
  return text === null ? '' : `<${name}>${escapeXml(text)}</${name}>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

async function readRequest(incoming: IncomingMessage): Promise<FakeRequest> {
  let body = '';
  for await (const chunk of incoming.setEncoding('utf8')) body += chunk;
  const header = (name: string): string | undefined => {
    const value = incoming.headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const target = header('x-amz-target');
  const parameters: Record<string, string> =
    target === undefined ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body);
  return {
    action: target?.split('.')[1] ?? parameters['Action'] ?? '',
    host: header('host') ?? '',
    authorization: header('authorization') ?? '',
    securityToken: header('x-amz-security-token'),
    parameters,
  };
}

function send(answer: Exclude<FakeAnswer, 'endless'>, outgoing: ServerResponse): void {
  const { socket } = outgoing;
  if (answer === 'silence' || socket === null) return;
  if (answer === 'reset') {
    socket.destroy();
    return;
  }
  if ('bytes' in answer) {
    socket.write(answer.bytes, 'latin1', () => {
      if (answer.finally === 'reset') socket.resetAndDestroy();
      if (answer.finally === 'end') socket.end();
    });
    return;
  }
  outgoing.writeHead(answer.status, { 'content-type': answer.type, ...answer.headers });
  outgoing.end(answer.body);
}

/** More than a client takes that stops, in bytes: what fits into the buffers on the way is sent in any case. */
const ENDLESS = 128 * 1024 * 1024;

/** Sends for as long as somebody reads. */
function pump(outgoing: ServerResponse, sent: (bytes: number) => number): void {
  const block = 'x'.repeat(64 * 1024);
  while (!outgoing.destroyed && sent(block.length) < ENDLESS && outgoing.write(block));
  if (outgoing.destroyed) return;
  if (sent(0) >= ENDLESS) outgoing.end();
  else outgoing.once('drain', () => pump(outgoing, sent));
}
