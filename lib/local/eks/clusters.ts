import { randomUUID } from 'node:crypto';
import type { Call, Environment } from '../call.ts';
import type { AuthenticationMode, ClusterUpdate } from '../cluster-store.ts';
import { Constraints } from '../constraints.ts';
import { assertOnly, type JsonObject, objectIn, stringIn } from '../json-input.ts';
import type { RestInput } from '../rest.ts';
import { assertKnown, clusterFor, invalidParameter, notFound, seconds } from './request.ts';

/** In the order in which a cluster can go from one to the next, and never back. */
const MODES: readonly AuthenticationMode[] = ['CONFIG_MAP', 'API_AND_CONFIG_MAP', 'API'];

export function describeCluster(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input);
  const { name, arn, issuer, createdAt, authenticationMode } = clusterFor(call, input, store);
  return {
    cluster: {
      name,
      arn,
      createdAt: seconds(createdAt),
      status: 'ACTIVE',
      accessConfig: { authenticationMode },
      identity: { oidc: { issuer: `https://${issuer}` } },
      tags: {},
    },
  };
}

/** Changes the authentication mode. The answer says that it is under way, as on AWS; here it is done by then. */
export function updateClusterConfig(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input, { body: ['accessConfig', 'clientRequestToken'] });
  const accessConfig = objectIn(input.body, 'accessConfig');
  if (accessConfig === undefined) throw invalidParameter('The type for cluster update was not provided.');
  assertOnly(call, accessConfig, ['authenticationMode']);
  const asked = stringIn(accessConfig, 'authenticationMode');
  const constraints = new Constraints();
  constraints.text('authenticationMode', asked, { required: true, values: MODES });
  constraints.assert(invalidParameter);
  const authenticationMode = asked as AuthenticationMode;
  const cluster = clusterFor(call, input, store, {
    recorded: { accessConfig: { authenticationMode } },
    context: { 'eks:authenticationMode': authenticationMode },
  });
  const { authenticationMode: current } = cluster;
  if (MODES.indexOf(authenticationMode) !== MODES.indexOf(current) + 1) {
    throw invalidParameter(`Unsupported authentication mode update from ${current} to ${authenticationMode}`);
  }
  cluster.authenticationMode = authenticationMode;
  const update: ClusterUpdate = { id: randomUUID(), authenticationMode, createdAt: call.time };
  cluster.updates.set(update.id, update);
  return { update: shownUpdate(update, 'InProgress') };
}

export function describeUpdate(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input);
  const id = input.path['updateId'] ?? '';
  const update = clusterFor(call, input, store, { recorded: { updateId: id } }).updates.get(id);
  if (update === undefined) throw notFound(`No update found for ID: ${id}`);
  return { update: shownUpdate(update, 'Successful') };
}

function shownUpdate({ id, authenticationMode, createdAt }: ClusterUpdate, status: string): JsonObject {
  return {
    id,
    status,
    type: 'AccessConfigUpdate',
    params: [{ type: 'AuthenticationMode', value: JSON.stringify(authenticationMode) }],
    createdAt: seconds(createdAt),
    errors: [],
  };
}
