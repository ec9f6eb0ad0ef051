import type { Call, Environment } from './call.ts';
import {
  attachRolePolicy,
  createRole,
  deleteRole,
  deleteRolePolicy,
  detachRolePolicy,
  getRole,
  getRolePolicy,
  listAttachedRolePolicies,
  listRolePolicies,
  listRoles,
  putRolePolicy,
  updateAssumeRolePolicy,
} from './iam.ts';
import type { QueryParameters, XmlValue } from './query.ts';
import { getParameter, getParameters, getParametersByPath, type JsonObject } from './ssm.ts';
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
  /** What `X-Amz-Target` begins with. */
  readonly target: string;
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
    CreateRole: write(createRole),
    DeleteRole: write(deleteRole),
    DeleteRolePolicy: write(deleteRolePolicy),
    DetachRolePolicy: write(detachRolePolicy),
    GetRole: read(getRole),
    GetRolePolicy: read(getRolePolicy),
    ListAttachedRolePolicies: read(listAttachedRolePolicies),
    ListRolePolicies: read(listRolePolicies),
    ListRoles: read(listRoles),
    PutRolePolicy: write(putRolePolicy),
    UpdateAssumeRolePolicy: write(updateAssumeRolePolicy),
  },
};

const SSM: JsonService = {
  protocol: 'json',
  target: 'AmazonSSM',
  operations: {
    GetParameter: read(getParameter),
    GetParameters: read(getParameters),
    GetParametersByPath: read(getParametersByPath),
  },
};

/** What is modelled, by the name that signatures have for the service. */
export const SERVICES: Readonly<Record<string, QueryService | JsonService>> = { iam: IAM, ssm: SSM, sts: STS };

/** A record's own value: names come from the wire, and `constructor` is not an operation. */
export function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
