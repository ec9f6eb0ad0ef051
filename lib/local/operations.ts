import type { Call, Environment } from './call.ts';
import {
  createAccessEntry,
  deleteAccessEntry,
  describeAccessEntry,
  listAccessEntries,
  updateAccessEntry,
} from './eks/access-entries.ts';
import { describeCluster, describeUpdate, updateClusterConfig } from './eks/clusters.ts';
import {
  createPodIdentityAssociation,
  describePodIdentityAssociation,
  listPodIdentityAssociations,
  updatePodIdentityAssociation,
} from './eks/pod-identity.ts';
import { getAccountAuthorizationDetails, getAccountSummary } from './iam/account.ts';
import { createPolicy, deletePolicy, getPolicy, listEntitiesForPolicy } from './iam/policies.ts';
import {
  createPolicyVersion,
  deletePolicyVersion,
  getPolicyVersion,
  listPolicyVersions,
  setDefaultPolicyVersion,
} from './iam/policy-versions.ts';
import {
  attachRolePolicy,
  deleteRolePolicy,
  detachRolePolicy,
  getRolePolicy,
  listAttachedRolePolicies,
  listRolePolicies,
  putRolePolicy,
} from './iam/role-policies.ts';
import { listRoleTags, tagRole, untagRole } from './iam/role-tags.ts';
import {
  createRole,
  deleteRole,
  deleteRolePermissionsBoundary,
  getRole,
  listRoles,
  putRolePermissionsBoundary,
  updateAssumeRolePolicy,
  updateRole,
} from './iam/roles.ts';
import type { JsonObject } from './json-input.ts';
import { lookupEvents } from './lookup-events.ts';
import type { QueryParameters, XmlValue } from './query.ts';
import type { RestInput, Route } from './rest.ts';
import {
  deleteParameter,
  getParameter,
  getParameterHistory,
  getParameters,
  getParametersByPath,
  putParameter,
} from './ssm.ts';
import { assumeRole, assumeRoleWithWebIdentity, getCallerIdentity, refuseToRoleCredentials } from './sts.ts';

export interface OperationTraits {
  /** Whether CloudTrail calls it so. */
  readonly readOnly: boolean;
  /** Whether calls of it are not signed. */
  readonly isUnsigned?: boolean;
  /** Whether its answer has an element for a result that holds nothing. Others that answer with nothing have none. */
  readonly hasEmptyResult?: boolean;
}

interface Operation<Input, Output> extends OperationTraits {
  readonly run: (call: Call, input: Input, environment: Environment) => Output;
}

type QueryOperation = Operation<QueryParameters, { readonly [name: string]: XmlValue }>;
type JsonOperation = Operation<JsonObject, JsonObject>;
type RestOperation = Operation<RestInput, JsonObject> & Route;

/** A service of the Query protocol. */
export interface QueryService {
  readonly protocol: 'query';
  readonly version: string;
  readonly namespace: string;
  readonly operations: Readonly<Record<string, QueryOperation>>;
}

/** A service of the AWS JSON 1.1 protocol. */
export interface JsonService {
  readonly protocol: 'json';
  /** What `X-Amz-Target` has before the operation; SDKs differ in how they call one service. */
  readonly targets: readonly string[];
  readonly operations: Readonly<Record<string, JsonOperation>>;
}

/** A service of the REST JSON protocol. */
export interface RestService {
  readonly protocol: 'rest';
  readonly operations: Readonly<Record<string, RestOperation>>;
}

const read = <Input, Output>(run: Operation<Input, Output>['run']): Operation<Input, Output> => ({
  run,
  readOnly: true,
});
const write = <Input, Output>(run: Operation<Input, Output>['run']): Operation<Input, Output> => ({
  run,
  readOnly: false,
});

const STS: QueryService = {
  protocol: 'query',
  version: '2011-06-15',
  namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  operations: {
    AssumeRole: read(assumeRole),
    AssumeRoleWithWebIdentity: { ...read(assumeRoleWithWebIdentity), isUnsigned: true },
    GetCallerIdentity: read(getCallerIdentity),
    GetFederationToken: read(refuseToRoleCredentials),
    GetSessionToken: read(refuseToRoleCredentials),
  },
};

const IAM: QueryService = {
  protocol: 'query',
  version: '2010-05-08',
  namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
  operations: {
    AttachRolePolicy: write(attachRolePolicy),
    CreatePolicy: write(createPolicy),
    CreatePolicyVersion: write(createPolicyVersion),
    CreateRole: write(createRole),
    DeletePolicy: write(deletePolicy),
    DeletePolicyVersion: write(deletePolicyVersion),
    DeleteRole: write(deleteRole),
    DeleteRolePermissionsBoundary: write(deleteRolePermissionsBoundary),
    DeleteRolePolicy: write(deleteRolePolicy),
    DetachRolePolicy: write(detachRolePolicy),
    GetAccountAuthorizationDetails: read(getAccountAuthorizationDetails),
    GetAccountSummary: read(getAccountSummary),
    GetPolicy: read(getPolicy),
    GetPolicyVersion: read(getPolicyVersion),
    GetRole: read(getRole),
    GetRolePolicy: read(getRolePolicy),
    ListAttachedRolePolicies: read(listAttachedRolePolicies),
    ListEntitiesForPolicy: read(listEntitiesForPolicy),
    ListPolicyVersions: read(listPolicyVersions),
    ListRolePolicies: read(listRolePolicies),
    ListRoleTags: read(listRoleTags),
    ListRoles: read(listRoles),
    PutRolePermissionsBoundary: write(putRolePermissionsBoundary),
    PutRolePolicy: write(putRolePolicy),
    SetDefaultPolicyVersion: write(setDefaultPolicyVersion),
    TagRole: write(tagRole),
    UntagRole: write(untagRole),
    UpdateAssumeRolePolicy: write(updateAssumeRolePolicy),
    UpdateRole: { ...write(updateRole), hasEmptyResult: true },
  },
};

const SSM: JsonService = {
  protocol: 'json',
  targets: ['AmazonSSM'],
  operations: {
    DeleteParameter: write(deleteParameter),
    GetParameter: read(getParameter),
    GetParameterHistory: read(getParameterHistory),
    GetParameters: read(getParameters),
    GetParametersByPath: read(getParametersByPath),
    PutParameter: write(putParameter),
  },
};

const CLUSTER = '/clusters/{name}';
const ACCESS_ENTRIES = `${CLUSTER}/access-entries`;
const ACCESS_ENTRY = `${ACCESS_ENTRIES}/{principalArn}`;
const ASSOCIATIONS = `${CLUSTER}/pod-identity-associations`;

const EKS: RestService = {
  protocol: 'rest',
  operations: {
    CreateAccessEntry: { ...write(createAccessEntry), method: 'POST', path: ACCESS_ENTRIES },
    CreatePodIdentityAssociation: { ...write(createPodIdentityAssociation), method: 'POST', path: ASSOCIATIONS },
    DeleteAccessEntry: { ...write(deleteAccessEntry), method: 'DELETE', path: ACCESS_ENTRY },
    DescribeAccessEntry: { ...read(describeAccessEntry), method: 'GET', path: ACCESS_ENTRY },
    DescribeCluster: { ...read(describeCluster), method: 'GET', path: CLUSTER },
    DescribePodIdentityAssociation: {
      ...read(describePodIdentityAssociation),
      method: 'GET',
      path: `${ASSOCIATIONS}/{associationId}`,
    },
    DescribeUpdate: { ...read(describeUpdate), method: 'GET', path: `${CLUSTER}/updates/{updateId}` },
    ListAccessEntries: { ...read(listAccessEntries), method: 'GET', path: ACCESS_ENTRIES },
    ListPodIdentityAssociations: { ...read(listPodIdentityAssociations), method: 'GET', path: ASSOCIATIONS },
    UpdateAccessEntry: { ...write(updateAccessEntry), method: 'POST', path: ACCESS_ENTRY },
    UpdateClusterConfig: { ...write(updateClusterConfig), method: 'POST', path: `${CLUSTER}/update-config` },
    UpdatePodIdentityAssociation: {
      ...write(updatePodIdentityAssociation),
      method: 'POST',
      path: `${ASSOCIATIONS}/{associationId}`,
    },
  },
};

const CLOUDTRAIL: JsonService = {
  protocol: 'json',
  targets: ['CloudTrail_20131101', 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101'],
  operations: { LookupEvents: read(lookupEvents) },
};

/** What is modelled, by the name that signatures have for the service. */
export const SERVICES: Readonly<Record<string, QueryService | JsonService | RestService>> = {
  cloudtrail: CLOUDTRAIL,
  eks: EKS,
  iam: IAM,
  ssm: SSM,
  sts: STS,
};

/** A record's own value: names come from the wire, and `constructor` is not an operation. */
export function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
