import { randomUUID } from 'node:crypto';
import type { RequestContext } from '../../policy/index.ts';
import { authorize, requestTags, resourceTags } from '../authorize.ts';
import { AwsFault, notModelled } from '../aws-fault.ts';
import type { Call, Environment } from '../call.ts';
import type { AccessEntry, Cluster } from '../cluster-store.ts';
import { type JsonObject, stringIn, stringsIn } from '../json-input.ts';
import type { RestInput } from '../rest.ts';
import type { Store } from '../store.ts';
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

/** What an access entry is made of. */
export interface AccessEntryProps {
  readonly principalArn: string;
  readonly type: string;
  /** @default EKS's own, which ends in the name of the session */
  readonly userName: string | undefined;
  readonly kubernetesGroups: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly clientRequestToken?: string | undefined;
}

const USER_NAME_PREFIXES = ['system:', 'eks:', 'aws:', 'amazon:', 'iam:'];

export function createAccessEntry(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input, {
    body: ['principalArn', 'kubernetesGroups', 'tags', 'clientRequestToken', 'username', 'type'],
  });
  const { body } = input;
  const props: AccessEntryProps = {
    principalArn: stringIn(body, 'principalArn') ?? '',
    type: stringIn(body, 'type') ?? 'STANDARD',
    userName: stringIn(body, 'username'),
    kubernetesGroups: stringsIn(body, 'kubernetesGroups'),
    tags: tagsIn(input),
    clientRequestToken: stringIn(body, 'clientRequestToken'),
  };
  const { principalArn, type, userName, kubernetesGroups, tags, clientRequestToken } = props;
  const cluster = clusterFor(call, input, store, {
    recorded: { principalArn, type, kubernetesGroups },
    context: {
      ...requestTags(tags),
      'eks:accessEntryType': type,
      'eks:kubernetesGroups': kubernetesGroups,
      'eks:principalArn': principalArn,
      ...(userName === undefined ? {} : { 'eks:username': userName }),
    },
  });
  const known = cluster.accessEntries.get(principalArn);
  const isRepeated = clientRequestToken !== undefined && known?.clientRequestToken === clientRequestToken;
  const entry = isRepeated ? known : addAccessEntry(cluster, props, store, call.time);
  return { accessEntry: shown(entry, cluster) };
}

/** @throws {AwsFault} as EKS refuses one */
export function addAccessEntry(cluster: Cluster, props: AccessEntryProps, store: Store, createdAt: Date): AccessEntry {
  const { principalArn, type, kubernetesGroups } = props;
  assertMode(cluster);
  if (type !== 'STANDARD') throw notModelled(`access entries of the type ${type}`);
  assertGroups(kubernetesGroups);
  if (props.userName !== undefined) assertUserName(props.userName);
  const role = store.findRoleByArn(principalArn);
  const principal = role ?? store.findUser(principalArn);
  if (principal === undefined) throw invalidParameter('The specified principalArn is invalid: invalid principal.');
  if (cluster.accessEntries.has(principalArn)) {
    throw inUse('The specified access entry resource is already in use on this cluster.');
  }
  const { partition, account, region, name } = cluster;
  const owner = `${role === undefined ? 'user' : 'role'}/${principal.account}/${principal.name}`;
  const entry: AccessEntry = {
    ...props,
    arn: `arn:${partition}:eks:${region}:${account}:access-entry/${name}/${owner}/${randomUUID()}`,
    principalId: principal.id,
    userName:
      props.userName ??
      (role === undefined
        ? principalArn
        : `arn:${role.partition}:sts::${role.account}:assumed-role/${role.name}/{{SessionName}}`),
    createdAt,
    clientRequestToken: props.clientRequestToken,
  };
  cluster.accessEntries.set(principalArn, entry);
  return entry;
}

export function describeAccessEntry(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input);
  const { cluster, entry } = entryFor(call, input, store);
  return { accessEntry: shown(entry, cluster) };
}

/** What is not given stays as it is. The role is still the one that the entry was made for. */
export function updateAccessEntry(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input, { body: ['kubernetesGroups', 'username', 'clientRequestToken'] });
  const { cluster, entry } = entryFor(call, input, store);
  const { body } = input;
  const kubernetesGroups = body['kubernetesGroups'] === undefined ? undefined : stringsIn(body, 'kubernetesGroups');
  const userName = stringIn(body, 'username');
  assertGroups(kubernetesGroups ?? []);
  if (userName !== undefined) assertUserName(userName);
  const updated = {
    ...entry,
    kubernetesGroups: kubernetesGroups ?? entry.kubernetesGroups,
    userName: userName ?? entry.userName,
  };
  cluster.accessEntries.set(entry.principalArn, updated);
  return { accessEntry: shown(updated, cluster) };
}

export function listAccessEntries(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input, { query: PAGE_PARAMETERS });
  const cluster = clusterFor(call, input, store);
  assertMode(cluster);
  const { items, rest } = listPage(input, [...cluster.accessEntries.keys()]);
  return { accessEntries: items, ...rest };
}

export function deleteAccessEntry(call: Call, input: RestInput, { store }: Environment): JsonObject {
  assertKnown(call, input);
  const { cluster, entry } = entryFor(call, input, store);
  cluster.accessEntries.delete(entry.principalArn);
  return {};
}

/** The entry that a call names, once the caller may do with it what the call asks. */
function entryFor(
  call: Call,
  input: RestInput,
  store: Store,
): { readonly cluster: Cluster; readonly entry: AccessEntry } {
  const { name, arn, cluster: found } = findCluster(call, input, store);
  const principalArn = input.path['principalArn'] ?? '';
  const entry = found?.accessEntries.get(principalArn);
  // An entry that is not there has no names to ask about.
  const absent = `${arn.slice(0, arn.lastIndexOf(':') + 1)}access-entry/${name}////*`;
  authorize(call, store, `eks:${call.operation}`, entry?.arn ?? absent, {
    context: entry === undefined ? {} : entryContext(entry, name),
  });
  call.record.requestParameters = { name, principalArn };
  const cluster = present(found, name);
  assertMode(cluster);
  if (entry === undefined) {
    throw notFound(
      "The specified principalArn could not be found. You can view your available access entries with 'list-access-entries'.",
    );
  }
  return { cluster, entry };
}

function entryContext(entry: AccessEntry, clusterName: string): RequestContext {
  return {
    ...resourceTags(entry.tags),
    'eks:accessEntryType': entry.type,
    'eks:clusterName': clusterName,
    'eks:kubernetesGroups': entry.kubernetesGroups,
    'eks:principalArn': entry.principalArn,
    'eks:username': entry.userName,
  };
}

function assertMode({ authenticationMode }: Cluster): void {
  if (authenticationMode !== 'CONFIG_MAP') return;
  throw new AwsFault(
    'InvalidRequestException',
    400,
    "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
  );
}

function assertGroups(kubernetesGroups: readonly string[]): void {
  for (const group of kubernetesGroups) {
    if (group.startsWith('system:')) {
      throw invalidParameter(`The kubernetes group name ${group} is invalid, it cannot start with system:`);
    }
  }
}

/** @see Amazon EKS User Guide, "Create access entries", custom user names */
function assertUserName(userName: string): void {
  const prefix = USER_NAME_PREFIXES.find((reserved) => userName.startsWith(reserved));
  if (prefix !== undefined) throw invalidParameter(`The username must not begin with ${prefix}: ${userName}`);
  const session = userName.search(/\{\{SessionName(?:Raw)?\}\}/);
  if (session !== -1 && !userName.slice(0, session).includes(':')) {
    throw invalidParameter(`The username must have a colon before the name of the session: ${userName}`);
  }
}

function shown(entry: AccessEntry, { name }: Cluster): JsonObject {
  return {
    clusterName: name,
    principalArn: entry.principalArn,
    kubernetesGroups: entry.kubernetesGroups,
    accessEntryArn: entry.arn,
    createdAt: seconds(entry.createdAt),
    modifiedAt: seconds(entry.createdAt),
    tags: entry.tags,
    username: entry.userName,
    type: entry.type,
  };
}
