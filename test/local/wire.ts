import { createHash, createHmac } from 'node:crypto';
import type { LocalAccount, LocalCredentials } from '../../lib/local/index.ts';
import { REGION } from './fixture.ts';

/** A signer of its own, so that a test can sign what no SDK would. */
export interface SignOptions {
  readonly service: string;
  /** @default POST */
  readonly method?: string;
  /**
   * Path and query.
   * @default /
   */
  readonly target?: string;
  readonly credentials: Pick<LocalCredentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly at?: Date;
  /** Of the credential scope. */
  readonly date?: string;
  readonly leaveUnsigned?: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

function signature(secret: string, scope: string, timestamp: string, canonical: string): string {
  const key = scope.split('/').reduce<string | Buffer>((derived, part) => hmac(derived, part), `AWS4${secret}`);
  return hmac(key, ['AWS4-HMAC-SHA256', timestamp, scope, sha256(canonical)].join('\n')).toString('hex');
}

export function timestampOf(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

/** Headers of a signed request. */
export function sign(endpoint: string, options: SignOptions): Record<string, string> {
  const { service, method = 'POST', target = '/', credentials, body = '', leaveUnsigned = [] } = options;
  const timestamp = timestampOf(options.at ?? new Date());
  const headers: Record<string, string> = {
    ...options.headers,
    host: new URL(endpoint).host,
    'x-amz-date': timestamp,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const names = Object.keys(headers)
    .filter((name) => !leaveUnsigned.includes(name))
    .sort();
  const scope = `${options.date ?? timestamp.slice(0, 8)}/${REGION}/${service}/aws4_request`;
  const [path = '', query = ''] = target.split('?');
  const canonical = [
    method,
    path.split('/').map(encodeURIComponent).join('/'),
    query.split('&').sort().join('&'),
    names.map((name) => `${name}:${headers[name]}\n`).join(''),
    names.join(';'),
    sha256(body),
  ].join('\n');
  const { host: _, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature(credentials.secretAccessKey, scope, timestamp, canonical)}`,
  };
}

/** A presigned URL, as kubectl's token has it. */
export function presign(
  endpoint: string,
  query: Readonly<Record<string, string>>,
  credentials: Pick<LocalCredentials, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>,
  { at = new Date(), expires = 60, clusterHeader = 'hub', method = 'GET' } = {},
): { url: string; headers: Record<string, string> } {
  const timestamp = timestampOf(at);
  const scope = `${timestamp.slice(0, 8)}/${REGION}/sts/aws4_request`;
  const parameters: Record<string, string> = {
    ...query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scope}`,
    'X-Amz-Date': timestamp,
    'X-Amz-Expires': String(expires),
    'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
    ...(credentials.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': credentials.sessionToken }),
  };
  const encoded = Object.keys(parameters)
    .sort()
    .map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(parameters[name] ?? '')}`)
    .join('&');
  const headers = `host:${new URL(endpoint).host}\nx-k8s-aws-id:${clusterHeader}\n`;
  const canonical = [method, '/', encoded, headers, 'host;x-k8s-aws-id', sha256('')].join('\n');
  return {
    url: `${endpoint}/?${encoded}&X-Amz-Signature=${signature(credentials.secretAccessKey, scope, timestamp, canonical)}`,
    headers: { 'x-k8s-aws-id': clusterHeader },
  };
}

export async function post(endpoint: string, headers: Record<string, string>, body: string): Promise<Answer> {
  const response = await fetch(endpoint, { method: 'POST', headers, body });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** A signed call in the Query protocol. */
export async function callQuery(
  account: LocalAccount,
  service: 'sts' | 'iam',
  credentials: LocalCredentials,
  parameters: Readonly<Record<string, string>>,
  at?: Date,
): Promise<Answer> {
  const version = service === 'sts' ? '2011-06-15' : '2010-05-08';
  return callForm(account, service, credentials, new URLSearchParams({ Version: version, ...parameters }), at);
}

/** A signed call with a form of any shape. */
export function callForm(
  account: LocalAccount,
  service: 'sts' | 'iam',
  credentials: LocalCredentials,
  form: URLSearchParams,
  at?: Date,
): Promise<Answer> {
  const body = form.toString();
  const contentType = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const options = { service, credentials, body, headers: contentType };
  return post(account.endpoint, sign(account.endpoint, at === undefined ? options : { ...options, at }), body);
}

/** The text of the first element of a name. */
export function elementOf(answer: Answer, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(answer.text)?.[1];
}

/** Code and message of a refusal, as a person reads them. */
export function refusalIn(answer: Answer): { status: number; code: string | undefined; message: string | undefined } {
  const message = elementOf(answer, 'Message')?.replace(/&(quot|apos|lt|gt|amp);/g, (_, name: string) => {
    return { quot: '"', apos: "'", lt: '<', gt: '>', amp: '&' }[name] ?? '';
  });
  return { status: answer.status, code: elementOf(answer, 'Code'), message };
}
