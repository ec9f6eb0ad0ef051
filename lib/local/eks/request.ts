import type { RequestContext } from '../../policy/index.ts';
import { authorize } from '../authorize.ts';
import { AwsFault } from '../aws-fault.ts';
import { type Call, callerOf } from '../call.ts';
import type { Cluster } from '../cluster-store.ts';
import { Constraints } from '../constraints.ts';
import { assertOnly, isObject, type JsonObject } from '../json-input.ts';
import { pageOf } from '../page.ts';
import type { RestInput } from '../rest.ts';
import { placeOf, type Store } from '../store.ts';

/** What an operation takes beside its path. */
export interface Known {
  readonly query?: readonly string[];
  readonly body?: readonly string[];
}

/** @throws {AwsFault} NotModelled */
export function assertKnown(call: Call, { query, body }: RestInput, known: Known = {}): void {
  assertOnly(call, query, known.query ?? []);
  assertOnly(call, body, known.body ?? []);
}

/** The cluster that a call names, if there is one, and how policies name it. */
export function findCluster(
  call: Call,
  { path }: RestInput,
  store: Store,
): { readonly name: string; readonly arn: string; readonly cluster: Cluster | undefined } {
  const { account, partition } = placeOf(callerOf(call));
  const name = path['name'] ?? '';
  return {
    name,
    arn: `arn:${partition}:eks:${call.region}:${account}:cluster/${name}`,
    cluster: store.clusters.find(account, call.region, name),
  };
}

/** The cluster that a call names, once the caller may do with it what the call asks. */
export function clusterFor(
  call: Call,
  input: RestInput,
  store: Store,
  { recorded = {}, context = {} }: { readonly recorded?: JsonObject; readonly context?: RequestContext } = {},
): Cluster {
  const { name, arn, cluster } = findCluster(call, input, store);
  authorize(call, store, `eks:${call.operation}`, arn, { context });
  call.record.requestParameters = { name, ...recorded };
  return present(cluster, name);
}

/** @throws {AwsFault} ResourceNotFoundException */
export function present(cluster: Cluster | undefined, name: string): Cluster {
  if (cluster === undefined) throw notFound(`No cluster found for name: ${name}.`);
  return cluster;
}

/** @see Amazon EKS API Reference, maxResults */
const MAX_RESULTS = { min: 1, max: 100, default: 100 } as const;

export const PAGE_PARAMETERS = ['maxResults', 'nextToken'];

/** A page of a list, and what an answer tells of the rest. */
export function listPage<Item>(
  { query }: RestInput,
  all: readonly Item[],
): { readonly items: readonly Item[]; readonly rest: { readonly nextToken?: string } } {
  const constraints = new Constraints();
  const count = constraints.integer('maxResults', query['maxResults'], MAX_RESULTS) ?? MAX_RESULTS.default;
  constraints.assert(invalidParameter);
  const { items, next } = pageOf(all, query['nextToken'], count, invalidParameter('The nextToken is not valid.'));
  return { items, rest: next === undefined ? {} : { nextToken: next } };
}

/** @throws {AwsFault} InvalidParameterException */
export function tagsIn({ body }: RestInput): Readonly<Record<string, string>> {
  const tags = body['tags'] ?? {};
  const isMap = isObject(tags) && Object.values(tags).every((value) => typeof value === 'string');
  if (!isMap) throw invalidParameter('tags must be an object of strings.');
  return tags as Readonly<Record<string, string>>;
}

/** Times go over the wire in seconds. */
export function seconds(instant: Date): number {
  return instant.getTime() / 1000;
}

export function notFound(message: string): AwsFault {
  return new AwsFault('ResourceNotFoundException', 404, message);
}

export function invalidParameter(message: string): AwsFault {
  return new AwsFault('InvalidParameterException', 400, message);
}

export function inUse(message: string): AwsFault {
  return new AwsFault('ResourceInUseException', 409, message);
}
