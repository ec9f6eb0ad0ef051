import { quote } from '../errors.ts';
import { AwsFault, notModelled } from './aws-fault.ts';
import type { JsonObject } from './json-input.ts';
import { own, type RestService, SERVICES } from './operations.ts';
import { QueryParameters, renderXml } from './query.ts';
import { type RestInput, routeOf } from './rest.ts';
import { header, queryOf, scopeOf, type WireRequest } from './sigv4.ts';

/** An answer as it goes over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Codes that JSON services call otherwise than the Query protocol does. */
const JSON_CODES: Readonly<Record<string, string>> = {
  AccessDenied: 'AccessDeniedException',
  ExpiredToken: 'ExpiredTokenException',
  IncompleteSignature: 'IncompleteSignatureException',
  InvalidClientTokenId: 'UnrecognizedClientException',
  MissingAuthenticationToken: 'MissingAuthenticationTokenException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
};

/** What a request asks, as far as it can be read. */
export type Asked = Named & (AskedByQuery | AskedByJson | AskedByRest);

interface Named {
  /** As signatures name it. */
  readonly service: string | undefined;
  /** What the request says it is signed for. */
  readonly region: string | undefined;
  readonly operation: string | undefined;
  /** Why it cannot be answered whoever asks. Absent: it can be read. */
  readonly fault?: AwsFault | undefined;
}

interface AskedByQuery {
  readonly protocol: 'query';
  readonly parameters: QueryParameters;
}

interface AskedByJson {
  readonly protocol: 'json';
  readonly body: Buffer;
}

interface AskedByRest {
  readonly protocol: 'rest';
  /** @throws {AwsFault} SerializationException */
  readonly input: () => RestInput;
}

/** Reads a request without verifying any of it. */
export function readRequest(request: WireRequest): Asked {
  const contentType = header(request, 'content-type') ?? '';
  const target = header(request, 'x-amz-target');
  const scope = scopeOf(request);
  const service = own(SERVICES, scope?.service ?? '');
  if (service?.protocol === 'rest') return readRest(request, service, scope);
  if (target !== undefined || /^application\/(?:x-amz-)?json/.test(contentType)) {
    return readJsonTarget(request, target ?? '', scope);
  }
  return readQuery(request, contentType, scope);
}

type Scope = ReturnType<typeof scopeOf>;

/** Only a signature says that a request is for a REST service. */
function readRest(request: WireRequest, { operations }: RestService, scope: Scope): Asked {
  const found = routeOf(request, operations);
  const named = { protocol: 'rest', service: scope?.service, region: scope?.region } as const;
  return found instanceof AwsFault
    ? { ...named, operation: undefined, fault: found, input: () => ({ path: {}, query: {}, body: {} }) }
    : { ...named, operation: found.operation, input: found.input };
}

function readJsonTarget(request: WireRequest, target: string, scope: Scope): Asked {
  const { prefix, operation } = partsOf(target);
  const named = Object.entries(SERVICES).find(
    ([, known]) => known.protocol === 'json' && known.targets.includes(prefix),
  );
  const service = scope?.service ?? named?.[0];
  return {
    protocol: 'json',
    service,
    region: scope?.region,
    operation: printable(operation),
    body: request.body,
    fault: placeFault(request, ['POST']) ?? targetFault(service, target),
  };
}

function readQuery(request: WireRequest, contentType: string, scope: Scope): Asked {
  const { body } = request;
  const hasBody = body.length > 0;
  const parameters = new QueryParameters(hasBody ? new URLSearchParams(body.toString('utf8')) : queryOf(request));
  const version = parameters.get('Version');
  const named = Object.entries(SERVICES).find(([, known]) => known.protocol === 'query' && known.version === version);
  return {
    protocol: 'query',
    service: scope?.service ?? named?.[0],
    region: scope?.region,
    operation: printable(parameters.get('Action')),
    parameters,
    fault:
      placeFault(request, ['GET', 'POST']) ??
      (hasBody ? bodyFault(request, contentType) : undefined) ??
      (parameters.repeated === undefined ? undefined : repeatedParameter(parameters.repeated)),
  };
}

/** Every operation of these protocols is one of `/`. */
function placeFault({ method, target }: WireRequest, methods: readonly string[]): AwsFault | undefined {
  const [path = ''] = target.split('?', 1);
  return path === '/' && methods.includes(method)
    ? undefined
    : notModelled(`the request ${quote(`${method} ${path}`)}`);
}

function targetFault(service: string | undefined, target: string): AwsFault | undefined {
  const known = own(SERVICES, service ?? '');
  if (known?.protocol !== 'json') return undefined;
  return known.targets.includes(partsOf(target).prefix) ? undefined : notModelled(`the target ${quote(target)}`);
}

/** What stands before and after the last dot of a target. */
function partsOf(target: string): { readonly prefix: string; readonly operation: string | undefined } {
  const dot = target.lastIndexOf('.');
  return dot === -1
    ? { prefix: target, operation: undefined }
    : { prefix: target.slice(0, dot), operation: target.slice(dot + 1) };
}

/** Parameters stand in the body or in the query, and those of the other would go unseen. */
function bodyFault(request: WireRequest, contentType: string): AwsFault | undefined {
  if (request.method !== 'POST' || !/^application\/x-www-form-urlencoded(?:;|$)/.test(contentType)) {
    return notModelled(`a ${request.method} with a body of the content type ${quote(contentType)}`);
  }
  const isSplit = [...queryOf(request).keys()].some((name) => !name.startsWith('X-Amz-'));
  return isSplit ? notModelled('parameters in both the query and the body') : undefined;
}

function repeatedParameter(name: string): AwsFault {
  return new AwsFault('MalformedInput', 400, `The parameter ${quote(name)} must be given once`);
}

/** A name from the wire, if it could be one. */
function printable(name: string | undefined): string | undefined {
  return name !== undefined && /^\w{1,100}$/.test(name) ? name : undefined;
}

/** A fault's code as it goes over the wire. */
export function wireCode({ protocol }: Asked, { code }: AwsFault): string {
  return protocol === 'query' ? code : (own(JSON_CODES, code) ?? code);
}

/** The answer of an operation that succeeded. */
export function answerOf(asked: Asked, requestId: string, result: JsonObject): WireAnswer {
  const service = own(SERVICES, asked.service ?? '');
  if (service?.protocol !== 'query') return json(asked, 200, requestId, result);
  const { operation } = asked;
  const hasResult = Object.keys(result).length > 0 || own(service.operations, operation ?? '')?.hasEmptyResult === true;
  const content = {
    ...(hasResult ? { [`${operation}Result`]: result as Record<string, string> } : {}),
    ResponseMetadata: { RequestId: requestId },
  };
  return xml(200, requestId, renderXml(`${operation}Response`, service.namespace, content));
}

/** The answer of one that did not. */
export function refusalOf(asked: Asked, requestId: string, fault: AwsFault): WireAnswer {
  const code = wireCode(asked, fault);
  const { status, message } = fault;
  if (asked.protocol !== 'query') {
    // Services of the JSON protocol answer every fault of a caller with 400.
    const shownStatus = asked.protocol === 'json' && status < 500 ? 400 : status;
    const answer = json(asked, shownStatus, requestId, { __type: code, message });
    return { ...answer, headers: { ...answer.headers, 'x-amzn-errortype': code } };
  }
  const service = own(SERVICES, asked.service ?? '');
  const namespace = service?.protocol === 'query' ? service.namespace : 'https://sts.amazonaws.com/doc/2011-06-15/';
  const content = {
    Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
    RequestId: requestId,
  };
  return xml(status, requestId, renderXml('ErrorResponse', namespace, content));
}

function json({ protocol }: Asked, status: number, requestId: string, value: JsonObject): WireAnswer {
  const contentType = protocol === 'rest' ? 'application/json' : 'application/x-amz-json-1.1';
  return {
    status,
    headers: { 'content-type': contentType, 'x-amzn-requestid': requestId },
    body: JSON.stringify(value),
  };
}

function xml(status: number, requestId: string, body: string): WireAnswer {
  return { status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body };
}
