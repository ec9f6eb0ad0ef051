import { randomBytes } from 'node:crypto';
import { evaluate } from '../../policy/index.ts';
import { authorize, requestTags, resourceTags } from '../authorize.ts';
import type { Call, Environment } from '../call.ts';
import type { Cluster, PodIdentityAssociation } from '../cluster-store.ts';
import { Constraints } from '../constraints.ts';
import { booleanIn, type JsonObject, stringIn } from '../json-input.ts';
import type { RestInput } from '../rest.ts';
import type { Role, Store } from '../store.ts';
import {
  assertKnown,
  clusterFor,
  findCluster,
  inUse,
  invalidParameter,
  listPage,
  notFound,
  PAGE_PARAMETERS,
  present,
  seconds,
  tagsIn,
} from './request.ts';

/** Who assumes the roles. */
const SERVICE = 'pods.eks.amazonaws.com';

export function createPodIdentityAssociation(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input, {
    body: ['namespace', 'serviceAccount', 'roleArn', 'tags', 'clientRequestToken', 'disableSessionTags'],
  });
  const { body } = input;
  const constraints = new Constraints();
  const required = (field: string): string =>
    constraints.text(field, stringIn(body, field), { required: true, min: 1 });
  const namespace = required('namespace');
  const serviceAccount = required('serviceAccount');
  const roleArn = required('roleArn');
  constraints.assert(invalidParameter);
  const tags = tagsIn(input);
  const disableSessionTags = booleanIn(body, 'disableSessionTags');
  const clientRequestToken = stringIn(body, 'clientRequestToken');
  const cluster = clusterFor(call, input, store, {
    recorded: { namespace, serviceAccount, roleArn },
    context: requestTags(tags),
  });
  authorize(call, store, 'iam:PassRole', roleArn, { context: { 'iam:PassedToService': SERVICE } });
  const role = store.findRoleByArn(roleArn);
  if (role === undefined) throw invalidParameter('Role provided in the request does not exist.');
  if (!trustsPodIdentity(role, cluster, { namespace, serviceAccount, disableSessionTags })) {
    throw invalidParameter('Trust policy of the role provided is invalid.');
  }
  const known = [...cluster.podIdentityAssociations.values()].find(
    (other) => other.namespace === namespace && other.serviceAccount === serviceAccount,
  );
  if (known !== undefined) {
    const isRepeated = clientRequestToken !== undefined && known.clientRequestToken === clientRequestToken;
    if (!isRepeated) throw inUse(`Association already exists: ${known.id}`);
    return { association: shown(known, cluster) };
  }
  const id = `a-${randomId()}`;
  const association: PodIdentityAssociation = {
    arn: associationArn(cluster.arn, id),
    id,
    namespace,
    serviceAccount,
    roleArn,
    disableSessionTags,
    tags,
    createdAt: call.time,
    clientRequestToken,
  };
  cluster.podIdentityAssociations.set(id, association);
  return { association: shown(association, cluster) };
}

export function listPodIdentityAssociations(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input, { query: ['namespace', 'serviceAccount', ...PAGE_PARAMETERS] });
  const { namespace, serviceAccount } = input.query;
  const cluster = clusterFor(call, input, store, {
    recorded: {
      ...(namespace === undefined ? {} : { namespace }),
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
    },
  });
  const found = [...cluster.podIdentityAssociations.values()].filter(
    (association) =>
      (namespace === undefined || association.namespace === namespace) &&
      (serviceAccount === undefined || association.serviceAccount === serviceAccount),
  );
  const { items, rest } = listPage(input, found);
  return { associations: items.map((association) => listed(association, cluster)), ...rest };
}

export function describePodIdentityAssociation(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input);
  const { cluster, association } = associationFor(call, input, store);
  return { association: shown(association, cluster) };
}

/** What is not given stays as it is. */
export function updatePodIdentityAssociation(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input, { body: ['disableSessionTags', 'clientRequestToken'] });
  const { cluster, association } = associationFor(call, input, store);
  const { body } = input;
  const disableSessionTags =
    body['disableSessionTags'] === undefined ? association.disableSessionTags : booleanIn(body, 'disableSessionTags');
  const updated = { ...association, disableSessionTags };
  const role = store.findRoleByArn(association.roleArn);
  if (role === undefined || !trustsPodIdentity(role, cluster, updated)) {
    throw invalidParameter('Trust policy of the role provided is invalid.');
  }
  cluster.podIdentityAssociations.set(association.id, updated);
  return { association: shown(updated, cluster) };
}

/** The association that a call names, once the caller may do with it what the call asks. */
function associationFor(
  call: Call,
  input: RestInput,
  store: Store,
): { readonly cluster: Cluster; readonly association: PodIdentityAssociation } {
  const { name, arn, cluster: found } = findCluster(call, input, store);
  const id = input.path['associationId'] ?? '';
  const association = found?.podIdentityAssociations.get(id);
  authorize(call, store, `eks:${call.operation}`, associationArn(arn, id), {
    context: resourceTags(association?.tags ?? {}),
  });
  call.record.requestParameters = { name, associationId: id };
  const cluster = present(found, name);
  if (association === undefined) throw notFound(`The specified association could not be found: ${id}`);
  return { cluster, association };
}

/** EKS assumes a role with session tags, unless they are disabled. */
function trustsPodIdentity(
  { trust, arn }: Role,
  cluster: Cluster,
  asked: Pick<PodIdentityAssociation, 'namespace' | 'serviceAccount' | 'disableSessionTags'>,
): boolean {
  const actions = ['sts:AssumeRole', ...(asked.disableSessionTags ? [] : ['sts:TagSession'])];
  const context = {
    'aws:SourceAccount': cluster.account,
    'aws:SourceArn': cluster.arn,
    ...(asked.disableSessionTags
      ? {}
      : requestTags({
          'eks-cluster-arn': cluster.arn,
          'eks-cluster-name': cluster.name,
          'kubernetes-namespace': asked.namespace,
          'kubernetes-service-account': asked.serviceAccount,
        })),
  };
  return actions.every((action) => {
    const request = { requester: { kind: 'service', service: SERVICE }, action, resource: arn, context } as const;
    const verdict = evaluate(request, { identity: [], resource: { name: 'trust policy', document: trust } });
    return verdict.decision === 'allow';
  });
}

function listed(association: PodIdentityAssociation, { name }: Cluster): JsonObject {
  return {
    clusterName: name,
    namespace: association.namespace,
    serviceAccount: association.serviceAccount,
    associationArn: association.arn,
    associationId: association.id,
  };
}

function shown(association: PodIdentityAssociation, cluster: Cluster): JsonObject {
  return {
    ...listed(association, cluster),
    roleArn: association.roleArn,
    tags: association.tags,
    createdAt: seconds(association.createdAt),
    modifiedAt: seconds(association.createdAt),
    disableSessionTags: association.disableSessionTags,
  };
}

function associationArn(clusterArn: string, id: string): string {
  return `${clusterArn.replace(':cluster/', ':podidentityassociation/')}/${id}`;
}

function randomId(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';
  return [...randomBytes(17)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
