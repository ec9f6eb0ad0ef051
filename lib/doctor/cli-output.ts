import { SessionBrokerError } from '../errors.ts';
import { type AccountSummary, known, type Place, unknown } from './facts.ts';
import {
  DETAILS,
  type GivenAccessEntry,
  type GivenCluster,
  type GivenPodIdentity,
  type GivenRole,
  type GivenVersion,
  nameOf,
  readAccessEntry,
  readCluster,
  readDocument,
  readPodIdentity,
  readRole,
  spareVersionOf,
} from './given.ts';
import type { Snapshot } from './snapshot.ts';
import { inputUnreadable } from './unreadable.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** The commands of the AWS CLI whose output is read, by a key of it that no other has. */
const OUTPUTS: Readonly<Record<string, { readonly command: string; readonly add: Add }>> = {
  RoleDetailList: { command: 'iam get-account-authorization-details', add: addDetails },
  Roles: { command: 'iam list-roles', add: (output, snapshot) => addRoles(listIn(output, 'Roles'), snapshot, false) },
  Role: { command: 'iam get-role', add: ({ Role: role }, snapshot) => addRoles([role], snapshot, true) },
  SummaryMap: {
    command: 'iam get-account-summary',
    add: ({ SummaryMap: summary }, snapshot) => snapshot.addSummary(summary as AccountSummary),
  },
  Parameters: { command: 'ssm get-parameters-by-path', add: addParameters },
  Parameter: { command: 'ssm get-parameter', add: ({ Parameter: one }, snapshot) => addParameterList([one], snapshot) },
  cluster: { command: 'eks describe-cluster', add: addCluster },
  clusters: {
    command: 'eks list-clusters',
    add: (output, snapshot) => snapshot.addClusterNames(listIn(output, 'clusters').map(String)),
  },
  accessEntry: { command: 'eks describe-access-entry', add: addAccessEntry },
  accessEntries: {
    command: 'eks list-access-entries',
    add: (output, snapshot) => snapshot.addAccessEntryArns(listIn(output, 'accessEntries').map(String)),
  },
  associations: { command: 'eks list-pod-identity-associations', add: addAssociations },
  association: {
    command: 'eks describe-pod-identity-association',
    add: ({ association }, snapshot) => snapshot.addAssociation(readPodIdentity(association as GivenPodIdentity)),
  },
  RegionOptStatus: {
    command: 'account get-region-opt-status',
    add: (output, snapshot) => addRegions([output], snapshot),
  },
  Regions: {
    command: 'account list-regions',
    add: (output, snapshot) => addRegions(listIn(output, 'Regions'), snapshot),
  },
};

type Add = (output: JsonObject, snapshot: Snapshot) => void;

/** What the files of `--from` may be. */
export const FROM_COMMANDS: readonly string[] = Object.values(OUTPUTS).map(({ command }) => `aws ${command}`);

/**
 * Adds what the AWS CLI printed as JSON.
 * @param file how an error calls it
 * @throws {SessionBrokerError} InputUnreadable
 */
export function addCliOutput(output: unknown, file: string, snapshot: Snapshot): void {
  const known = isObject(output) ? Object.keys(OUTPUTS).find((key) => Object.hasOwn(output, key)) : undefined;
  const reader = known === undefined ? undefined : OUTPUTS[known];
  if (reader === undefined || !isObject(output)) {
    throw inputUnreadable(
      '--from',
      file,
      'must be a cloud assembly, or JSON that the AWS CLI printed',
      `of these commands: ${FROM_COMMANDS.join(', ')}`,
    );
  }
  try {
    reader.add(output, snapshot);
  } catch (cause) {
    if (cause instanceof SessionBrokerError && cause.code !== 'RoleArnInvalid') throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw inputUnreadable('--from', file, `must be the whole output of aws ${reader.command}`, reason, cause);
  }
}

interface GivenRoleDetail extends GivenRole {
  readonly RolePolicyList?: readonly { readonly PolicyName?: string; readonly PolicyDocument?: unknown }[];
  readonly AttachedManagedPolicies?: readonly { readonly PolicyArn?: string }[];
}

function addDetails(output: JsonObject, snapshot: Snapshot): void {
  const roles = listIn(output, 'RoleDetailList') as readonly GivenRoleDetail[];
  const policies = listIn(output, 'Policies') as readonly JsonObject[];
  for (const role of roles) {
    const { Arn: arn = '', RolePolicyList: inline = [], AttachedManagedPolicies: attached = [] } = role;
    snapshot.addRole({
      ...readRole(role, true),
      inlinePolicies: known(
        inline.map(({ PolicyName: name = '', PolicyDocument: document }) => ({
          name,
          document: readDocument(document, `${name} of ${nameOf(arn)}`),
        })),
      ),
      attachedArns: known(attached.flatMap(({ PolicyArn }) => PolicyArn ?? [])),
    });
  }
  for (const policy of policies) {
    const arn = String(policy['Arn']);
    const versions = listIn(policy, 'PolicyVersionList') as readonly (GivenVersion & { readonly Document?: unknown })[];
    const document = readDocument(versions.find(({ IsDefaultVersion }) => IsDefaultVersion)?.Document, arn);
    snapshot.addPolicy({ name: nameOf(arn), arn, document, spareVersion: known(spareVersionOf(versions)) });
  }
  const isWhole = output['IsTruncated'] !== true && output['NextToken'] === undefined && output['Marker'] === undefined;
  if (!isWhole) return;
  // With --filter the other lists are empty, which does not say that there are none.
  const accounts = new Set(roles.map(({ Arn }) => accountOf(Arn)));
  const ofPolicies = new Set(policies.map(({ Arn }) => accountOf(Arn)));
  for (const account of accounts) snapshot.addWholeAccount(account, ofPolicies.has(account));
}

function addRoles(roles: readonly unknown[], snapshot: Snapshot, isWhole: boolean): void {
  for (const role of roles as readonly GivenRole[]) {
    const missing = unknown(`the policies of ${nameOf(role.Arn ?? '')} are in none of --from; add ${DETAILS}`);
    snapshot.addRole({ ...readRole(role, isWhole), inlinePolicies: missing, attachedArns: missing });
  }
}

interface GivenParameter {
  readonly Name?: string;
  readonly Value?: string;
  readonly ARN?: string;
}

function addParameters(output: JsonObject, snapshot: Snapshot): void {
  const places = addParameterList(listIn(output, 'Parameters'), snapshot);
  if (output['InvalidParameters'] !== undefined) {
    for (const name of listIn(output, 'InvalidParameters')) snapshot.addMissingParameter(String(name));
    return;
  }
  if (output['NextToken'] !== undefined) return;
  if (places.length === 0) snapshot.addWholeParameters(undefined);
  for (const place of places) snapshot.addWholeParameters(place);
}

/** @returns where they are */
function addParameterList(parameters: readonly unknown[], snapshot: Snapshot): readonly Place[] {
  return (parameters as readonly GivenParameter[]).map(({ Name: name = '', Value: value = '', ARN }) => {
    const place = placeOf(ARN);
    snapshot.addParameter(place, name, value);
    return place;
  });
}

function addCluster(output: JsonObject, snapshot: Snapshot): void {
  const cluster = output['cluster'] as GivenCluster & { readonly name?: string; readonly arn?: string };
  snapshot.addCluster(placeOf(cluster.arn), cluster.name ?? '', readCluster(cluster));
}

function addAccessEntry(output: JsonObject, snapshot: Snapshot): void {
  const entry = output['accessEntry'] as GivenAccessEntry & {
    readonly clusterName?: string;
    readonly principalArn?: string;
    readonly accessEntryArn?: string;
  };
  const { clusterName = '', principalArn = '', accessEntryArn } = entry;
  snapshot.addAccessEntry(placeOf(accessEntryArn), clusterName, principalArn, readAccessEntry(entry));
}

function addAssociations(output: JsonObject, snapshot: Snapshot): void {
  const associations = listIn(output, 'associations');
  if (associations.length === 0) snapshot.addNoAssociations();
  for (const { clusterName, associationArn, associationId } of associations as readonly JsonObject[]) {
    snapshot.addAssociationIds(placeOf(associationArn), String(clusterName), [String(associationId)]);
  }
}

/** @see AWS Account Management API Reference, GetRegionOptStatus */
const ENABLED: readonly unknown[] = ['ENABLED', 'ENABLED_BY_DEFAULT'];

function addRegions(regions: readonly unknown[], snapshot: Snapshot): void {
  for (const { RegionName, RegionOptStatus } of regions as readonly JsonObject[]) {
    snapshot.addRegion(String(RegionName), ENABLED.includes(RegionOptStatus));
  }
}

/** Where an ARN's thing is. */
function placeOf(arn: unknown): Place {
  const [, , , region = '', account = ''] = String(arn).split(':');
  return { account, region };
}

function accountOf(arn: unknown): string {
  return placeOf(arn).account;
}

function listIn(object: JsonObject, key: string): readonly unknown[] {
  const value = object[key] ?? [];
  if (Array.isArray(value)) return value;
  throw new TypeError(`${key} is no list`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
