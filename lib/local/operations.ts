import type { Call, Environment } from './call.ts';
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
}

interface Operation<Input, Output> extends OperationTraits {
  readonly run: (call: Call, input: Input, environment: Environment) => Output;
}

type QueryOperation = Operation<QueryParameters, { readonly [name: string]: XmlValue }>;
type JsonOperation = Operation<JsonObject, JsonObject>;

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
    UpdateRole: write(updateRole),
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

const CLOUDTRAIL: JsonService = {
  protocol: 'json',
  targets: ['CloudTrail_20131101', 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101'],
  operations: { LookupEvents: read(lookupEvents) },
};

/** What is modelled, by the name that signatures have for the service. */
export const SERVICES: Readonly<Record<string, QueryService | JsonService>> = {
  cloudtrail: CLOUDTRAIL,
  iam: IAM,
  ssm: SSM,
  sts: STS,
};

/** A record's own value: names come from the wire, and `constructor` is not an operation. */
export function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
