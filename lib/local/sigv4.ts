import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AwsFault } from './aws-fault.ts';
import type { Credential } from './store.ts';

/** A request as it came over the wire. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** Names and values, as sent, in order. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** What a valid signature says. */
export interface Signer {
  readonly credential: Credential;
  readonly region: string;
  readonly service: string;
}

/** How far a request's time may be from ours. */
const CLOCK_SKEW_MINUTES = 5;

/** Longest life of a presigned request. */
const PRESIGNED_SECONDS = 604_800;

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Whether a request claims to be signed, in its header or its query. */
export function isSigned(request: WireRequest): boolean {
  return header(request, 'authorization') !== undefined || queryOf(request).has('X-Amz-Signature');
}

/** What a request says it is signed for, before anything is verified. */
export function scopeOf(request: WireRequest): { readonly region: string; readonly service: string } | undefined {
  const text = header(request, 'authorization') ?? `Credential=${queryOf(request).get('X-Amz-Credential')}`;
  const scope = /Credential=[^/, ]+\/\d{8}\/([\w-]{1,64})\/([\w-]{1,64})\/aws4_request/.exec(text);
  const [, region, service] = scope ?? [];
  return region === undefined || service === undefined ? undefined : { region, service };
}

/**
 * Verifies Signature Version 4, in a header or presigned.
 * @throws {AwsFault} with AWS's code for the first thing that is wrong
 * @see IAM User Guide, "Create a signed AWS API request"
 */
export function verifySignature(
  request: WireRequest,
  findCredential: (accessKeyId: string) => Credential | undefined,
  now: Date,
): Signer {
  const claim = claimOf(request);
  const credential = findCredential(claim.accessKeyId);
  if (credential === undefined || !isSame(claim.sessionToken ?? '', credential.sessionToken ?? '')) {
    throw new AwsFault('InvalidClientTokenId', 403, 'The security token included in the request is invalid.');
  }
  if (credential.expiresAt !== undefined && credential.expiresAt <= now) {
    throw new AwsFault('ExpiredToken', 403, 'The security token included in the request is expired');
  }
  assertTime(claim, now);
  assertSignedHeaders(request, claim);

  const { date, region, service } = claim;
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = [ALGORITHM, claim.timestamp, scope, sha256(canonicalRequest(request, claim))].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${credential.secretAccessKey}`,
  );
  if (!isSame(hmac(key, text).toString('hex'), claim.signature)) {
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  return { credential, region, service };
}

/** What a signed request says about itself. */
interface Claim {
  readonly accessKeyId: string;
  /** YYYYMMDD, from the credential scope. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** Lower case. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** YYYYMMDDTHHMMSSZ */
  readonly timestamp: string;
  readonly sessionToken: string | undefined;
  /** Present in a presigned request. */
  readonly expiresInSeconds?: number;
}

function claimOf(request: WireRequest): Claim {
  const query = queryOf(request);
  const authorization = header(request, 'authorization');
  if (authorization === undefined) return presignedClaim(query);
  if (request.headers.filter(([name]) => name.toLowerCase() === 'authorization').length > 1) {
    throw incomplete('Authorization header must be given once.');
  }
  if (!authorization.startsWith(`${ALGORITHM} `)) {
    throw incomplete(`Authorization header must begin with '${ALGORITHM}'.`);
  }
  const parts = new Map<string, string>();
  for (const part of authorization.slice(ALGORITHM.length).split(',')) {
    const [name = '', value = ''] = part.trim().split(/=(.*)/s);
    if (parts.has(name)) throw incomplete(`Authorization header requires one '${name}' parameter.`);
    parts.set(name, value);
  }
  const require = (name: string): string => {
    const value = parts.get(name);
    if (!value) throw incomplete(`Authorization header requires '${name}' parameter.`);
    return value;
  };
  return {
    ...credentialScope(require('Credential')),
    signedHeaders: require('SignedHeaders').toLowerCase().split(';'),
    signature: require('Signature'),
    timestamp: timestamp(header(request, 'x-amz-date')),
    sessionToken: header(request, 'x-amz-security-token'),
  };
}

function presignedClaim(query: URLSearchParams): Claim {
  const require = (name: string): string => {
    const value = query.get(name);
    if (!value) throw incomplete(`AWS query-string parameters must include '${name}'.`);
    return value;
  };
  if (require('X-Amz-Algorithm') !== ALGORITHM) throw incomplete(`X-Amz-Algorithm must be '${ALGORITHM}'.`);
  const expires = require('X-Amz-Expires');
  if (!/^\d{1,7}$/.test(expires) || Number(expires) > PRESIGNED_SECONDS) {
    throw incomplete(`X-Amz-Expires must be less than or equal to ${PRESIGNED_SECONDS} seconds.`);
  }
  return {
    ...credentialScope(require('X-Amz-Credential')),
    signedHeaders: require('X-Amz-SignedHeaders').toLowerCase().split(';'),
    signature: require('X-Amz-Signature'),
    timestamp: timestamp(require('X-Amz-Date')),
    sessionToken: query.get('X-Amz-Security-Token') ?? undefined,
    expiresInSeconds: Number(expires),
  };
}

function credentialScope(text: string): Pick<Claim, 'accessKeyId' | 'date' | 'region' | 'service'> {
  const [accessKeyId, date, region, service, terminator, ...rest] = text.split('/');
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || rest.length > 0) {
    throw incomplete(
      "Credential must have the form '<access-key-id>/YYYYMMDD/<region>/<service>/aws4_request', in slash-delimited parts.",
    );
  }
  return { accessKeyId, date, region, service };
}

function timestamp(text: string | undefined): string {
  if (text === undefined) throw incomplete("Authorization header requires existence of an 'X-Amz-Date' header.");
  if (!/^\d{8}T\d{6}Z$/.test(text) || Number.isNaN(instantOf(text).getTime())) {
    throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${text}'.`);
  }
  return text;
}

function assertTime({ timestamp: sent, date, expiresInSeconds }: Claim, now: Date): void {
  if (!sent.startsWith(date)) {
    throw mismatch(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${sent.slice(0, 8)}', from '${sent}'.`,
    );
  }
  const skew = CLOCK_SKEW_MINUTES * 60_000;
  const at = instantOf(sent).getTime();
  const current = basicFormat(now);
  if (at > now.getTime() + skew) {
    const latest = basicFormat(new Date(now.getTime() + skew));
    throw mismatch(
      `Signature not yet current: ${sent} is still later than ${latest} (${current} + ${CLOCK_SKEW_MINUTES} min.)`,
    );
  }
  if (expiresInSeconds !== undefined) {
    const end = new Date(at + expiresInSeconds * 1000);
    if (end < now) throw mismatch(`Signature expired: ${basicFormat(end)} is now earlier than ${current}`);
  } else if (at < now.getTime() - skew) {
    const earliest = basicFormat(new Date(now.getTime() - skew));
    throw mismatch(
      `Signature expired: ${sent} is now earlier than ${earliest} (${current} - ${CLOCK_SKEW_MINUTES} min.)`,
    );
  }
}

function assertSignedHeaders(request: WireRequest, { signedHeaders }: Claim): void {
  if (!signedHeaders.includes('host')) throw mismatch("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  for (const [name] of request.headers) {
    const lower = name.toLowerCase();
    if (lower.startsWith('x-amz-') && !signedHeaders.includes(lower)) {
      throw mismatch(`'${lower}' must be a 'SignedHeader' in the AWS Authorization.`);
    }
  }
}

function canonicalRequest(request: WireRequest, { signedHeaders }: Claim): string {
  const [path = '/'] = request.target.split('?', 1);
  const headers = signedHeaders.map((name) => `${name}:${header(request, name) ?? ''}\n`).join('');
  return [
    request.method,
    // Every service but S3 encodes the path, which is encoded already, once more.
    path.split('/').map(uriEncode).join('/') || '/',
    canonicalQuery(queryOf(request)),
    headers,
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([name, value], [otherName, otherValue]) => compare(name, otherName) || compare(value, otherValue))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** The values of a header as the signature has them: trimmed, inner spaces collapsed, repeated ones joined. */
export function header({ headers }: WireRequest, name: string): string | undefined {
  const values = headers
    .filter(([given]) => given.toLowerCase() === name)
    .map(([, value]) => value.trim().replace(/ +/g, ' '));
  return values.length === 0 ? undefined : values.join(',');
}

/** The parameters after the path. */
export function queryOf({ target }: WireRequest): URLSearchParams {
  const start = target.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : target.slice(start + 1));
}

function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function basicFormat(instant: Date): string {
  return `${instant.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

function instantOf(text: string): Date {
  return new Date(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return first !== undefined && second !== undefined && timingSafeEqual(first, second);
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function incomplete(message: string): AwsFault {
  return new AwsFault('IncompleteSignature', 400, message);
}

function mismatch(message: string): AwsFault {
  return new AwsFault('SignatureDoesNotMatch', 403, message);
}
