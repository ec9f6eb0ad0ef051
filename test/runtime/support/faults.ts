import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../../lib/errors.ts';
import {
  assumed,
  DISPATCHER,
  type FakeAnswer,
  type FakeRequest,
  ISSUED,
  stsError,
  type WholeAnswer,
} from './fake-aws.ts';

/** What may come between the runtime and the answer to a call. */
export interface Fault {
  readonly name: string;
  /** `refused`: nobody takes the connection. */
  readonly answer: 'refused' | ((request: FakeRequest, now: () => number) => FakeAnswer);
  /** What a caller without live credentials is told. */
  readonly code: ErrorCode;
  /** How often a call is sent before it is given up. */
  readonly attempts: number;
}

/** How often what may pass is tried; of what is throttled, as often as the shortest waits fit into 30 seconds. */
const TRANSIENT = 3;
const THROTTLED = 11;

/** What a proxy or a service could repeat of a request or of an answer. */
const SECRETS = [...Object.values(DISPATCHER), ...Object.values(ISSUED)].join(' ');

/** STS repeats a request whose signature is wrong. */
const ECHO = `The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nhost:sts\nx-amz-security-token:${DISPATCHER.sessionToken}\n'`;

const PAGE = `<html><head><title>Sign in</title></head><body>${SECRETS}</body></html>`;

/** Faults on the way, whatever the call: of the connection, and of what stands in between. */
export const ON_THE_WAY: readonly Fault[] = [
  ...faults('Unavailable', TRANSIENT, {
    'a connection that is refused': 'refused',
    'a connection that ends before the answer': () => 'reset',
    'a connection that is reset before the answer': () => ({ bytes: '', finally: 'reset' }),
    'a reset within the answer': beginning('reset'),
    'an end within the answer': beginning('end'),
    'a stall before the answer': () => 'silence',
    'a stall within the answer': beginning('silence'),
    'bytes that are no HTTP': () => ({ bytes: `\0\x01${SECRETS}\r\n\r\n`, finally: 'end' }),
    'a failure of a proxy': page(502),
  }),
  ...faults('ResponseInvalid', TRANSIENT, {
    'an answer without end': () => 'endless',
    'a page instead of the answer': page(200),
    'a refusal by a proxy': page(403),
    'a redirect': redirect(302),
    'a redirect that keeps the method': redirect(308),
  }),
  ...faults('Throttled', THROTTLED, { 'a burst of throttling on the way': page(429) }),
];

/** Faults of what STS answers to AssumeRole. */
const OF_THE_ANSWER: readonly Fault[] = [
  ...faults('ResponseInvalid', TRANSIENT, {
    'half of an answer': changed((body) => body.slice(0, body.indexOf('<SessionToken>') + 100)),
    'an answer that is empty': changed(() => ''),
    'XML that is not closed': changed((body) => body.replace('</Credentials>', '')),
    'XML of another operation': changed((body) => body.replaceAll('AssumeRole', 'GetCallerIdentity')),
    'XML nested without end': changed(() => '<a>'.repeat(80_000)),
    'XML whose entities grow': changed(growing),
    'an answer that is compressed unasked': compressed,
    'an answer without credentials': changed(without('Credentials')),
    'an answer without a session token': changed(without('SessionToken')),
    'an answer without an expiration': changed(without('Expiration')),
    "another role's session": changed((body) => body.replace('role/hub-acme-session/', 'role/Admin/')),
  }),
  ...faults('SourceIdentityMismatch', 1, {
    'another source identity': (request, now) => assumed(request, now, { sourceIdentity: 'agent.globex.s1' }),
    'an answer without a source identity': changed(without('SourceIdentity')),
  }),
  ...faults('ClockSkew', 1, {
    'an expiration in the past': (request, now) => assumed(request, now, { expires: now() - 1000 }),
  }),
];

/** What STS says in place of an answer. */
export const OF_STS: readonly Fault[] = [
  ...faults('Unavailable', TRANSIENT, {
    'a failure of STS': () => stsError(500, 'InternalFailure', SECRETS),
    'STS out of service': () => stsError(503, 'ServiceUnavailable', SECRETS),
  }),
  ...faults('Throttled', THROTTLED, { 'a burst of throttling': () => stsError(400, 'Throttling', SECRETS) }),
  ...faults('ClockSkew', 2, {
    'a clock that is off': () =>
      stsError(403, 'SignatureDoesNotMatch', `Signature expired: 20260301T115000Z is now earlier ${SECRETS}`),
  }),
  ...faults('DispatcherCredentialsRejected', 2, {
    'a signature that is refused, and the request repeated': () => stsError(403, 'SignatureDoesNotMatch', ECHO),
  }),
  ...faults('AssumeRoleDenied', 1, { 'a denial': () => stsError(403, 'AccessDenied', SECRETS) }),
  ...faults('RequestRejected', 1, { 'a secret for a code': () => stsError(400, DISPATCHER.secretAccessKey, 'no') }),
];

/** Everything that may come between the runtime and its credentials. */
export const FAULTS: readonly Fault[] = [...ON_THE_WAY, ...OF_THE_ANSWER, ...OF_STS];

function faults(code: ErrorCode, attempts: number, answers: Readonly<Record<string, Fault['answer']>>): Fault[] {
  return Object.entries(answers).map(([name, answer]) => ({ name, answer, code, attempts }));
}

function changed(change: (body: string) => string): (request: FakeRequest, now: () => number) => WholeAnswer {
  return (request, now) => {
    const answer = assumed(request, now);
    return { ...answer, body: change(answer.body) };
  };
}

function without(element: string): (body: string) => string {
  return (body) => body.replace(new RegExp(`<${element}>.*</${element}>`), '');
}

/** The head of an answer, and the beginning of a body with credentials in it. */
function beginning(rest: 'end' | 'reset' | 'silence'): () => FakeAnswer {
  const { accessKeyId, secretAccessKey, sessionToken } = ISSUED;
  const body = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey><SessionToken>${sessionToken.slice(0, 100)}`;
  return () => ({ bytes: head(10_000) + body, finally: rest });
}

function head(length: number, ...lines: readonly string[]): string {
  return ['HTTP/1.1 200 OK', 'content-type: text/xml', `content-length: ${length}`, ...lines, '', ''].join('\r\n');
}

function compressed(request: FakeRequest, now: () => number): FakeAnswer {
  const body = gzipSync(assumed(request, now).body).toString('latin1');
  return { bytes: `${head(body.length, 'content-encoding: gzip', 'connection: close')}${body}`, finally: 'end' };
}

/** The good answer, with a session token of a hundred thousand million characters once it is written out. */
function growing(body: string): string {
  const entities = [...'bcdefghi'].map((name) => {
    const smaller = String.fromCharCode(name.charCodeAt(0) - 1);
    return `<!ENTITY ${name} "${`&${smaller};`.repeat(10)}">`;
  });
  const doctype = `<!DOCTYPE x [<!ENTITY a "${'x'.repeat(1000)}">${entities.join('')}]>`;
  return doctype + body.replace(/<SessionToken>[^<]*/, '<SessionToken>&i;');
}

function page(status: number): () => FakeAnswer {
  return () => ({ status, type: 'text/html', body: PAGE });
}

/** To the same server under another name. */
function redirect(status: number): (request: FakeRequest) => FakeAnswer {
  return ({ host }) => {
    const location = `http://${host.replace('127.0.0.1', 'localhost')}/elsewhere`;
    return { status, type: 'text/html', body: PAGE, headers: { location } };
  };
}
