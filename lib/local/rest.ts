import { quote } from '../errors.ts';
import { AwsFault, notModelled } from './aws-fault.ts';
import { type JsonObject, readJson } from './json-input.ts';
import { queryOf, type WireRequest } from './sigv4.ts';

/** What a request of a REST service asks with: each part has names of its own. */
export interface RestInput {
  /** The parts of the path that its pattern names. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

/** Where an operation stands. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/clusters/{name}/access-entries` */
  readonly path: string;
}

/** A request that was found to be one of an operation. */
export interface Routed {
  readonly operation: string;
  /** @throws {AwsFault} SerializationException */
  readonly input: () => RestInput;
}

/**
 * Finds the operation that a request is one of.
 * @returns why it is none that can be answered, otherwise
 */
export function routeOf(request: WireRequest, routes: Readonly<Record<string, Route>>): Routed | AwsFault {
  const { method, target, body } = request;
  const [path = ''] = target.split('?', 1);
  for (const [operation, route] of Object.entries(routes)) {
    const parts = route.method === method ? partsOf(path, route.path) : undefined;
    if (parts === undefined) continue;
    const parameters = [...queryOf(request)].filter(([name]) => !name.startsWith('X-Amz-'));
    const query = Object.fromEntries(parameters);
    if (Object.keys(query).length < parameters.length) {
      return new AwsFault('MalformedInput', 400, 'Each parameter of the query must be given once');
    }
    if (method !== 'POST' && body.length > 0) return notModelled(`a ${method} with a body`);
    return { operation, input: () => ({ path: parts, query, body: body.length === 0 ? {} : readJson(body) }) };
  }
  return notModelled(`the request ${quote(`${method} ${path}`)}`);
}

/** The parts of a path that a pattern names, decoded, or undefined where the path has another form. */
function partsOf(path: string, pattern: string): Readonly<Record<string, string>> | undefined {
  const given = path.split('/');
  const expected = pattern.split('/');
  if (given.length !== expected.length) return undefined;
  const parts: [string, string][] = [];
  for (const [index, segment] of expected.entries()) {
    const text = given[index] ?? '';
    const name = /^\{(\w+)\}$/.exec(segment)?.[1];
    if (name === undefined) {
      if (segment !== text) return undefined;
      continue;
    }
    const decoded = decodedSegment(text);
    if (!decoded) return undefined;
    parts.push([name, decoded]);
  }
  return Object.fromEntries(parts);
}

function decodedSegment(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
