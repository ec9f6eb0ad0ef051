import { authorize, requestTags } from '../authorize.ts';
import { AwsFault, noSuchEntity } from '../aws-fault.ts';
import { type Call, callerOf, type Environment } from '../call.ts';
import { Constraints } from '../constraints.ts';
import { readPolicyText } from '../policy-text.ts';
import type { QueryParameters } from '../query.ts';
import { assertRoomForRole, assertTrustPolicySize } from '../quotas.ts';
import { readTags } from '../session-tags.ts';
import { MAX_SESSION_DURATION_SECONDS, placeOf, type Store } from '../store.ts';
import { storedTrust } from '../trust-principals.ts';
import { listPage, PAGE_PARAMETERS } from './pages.ts';
import {
  type Answer,
  assertCharacters,
  checked,
  checkedDocument,
  POLICY_ARN,
  ROLE_NAME,
  readPath,
  roleFor,
} from './request.ts';
import { listedRole, shownRole } from './shown.ts';

/** @see IAM API Reference, CreateRole, MaxSessionDuration and Description */
const MAX_SESSION_DURATION = { min: 3600, max: 43_200 } as const;
const DESCRIPTION_LENGTH = 1000;
const DESCRIPTION = /^[\t\n\r\x20-\x7e\xa1-\xff]*$/;

export function createRole(call: Call, parameters: QueryParameters, { store, quotas }: Environment): Answer {
  parameters.assertOnly('iam:CreateRole', [
    'RoleName',
    'Path',
    'AssumeRolePolicyDocument',
    'Description',
    'MaxSessionDuration',
    'PermissionsBoundary',
    'Tags.member.N.Key',
    'Tags.member.N.Value',
  ]);
  const text = checkedDocument('assumeRolePolicyDocument', parameters.get('AssumeRolePolicyDocument'));
  const constraints = new Constraints();
  const name = constraints.text('roleName', parameters.get('RoleName'), ROLE_NAME);
  const { description, maxSessionDurationSeconds } = readSettings(parameters, constraints);
  const tags = readTags(parameters, constraints, 'InvalidInput');
  constraints.assert();
  const path = readPath(parameters.get('Path') ?? '/');
  const { account, partition } = placeOf(callerOf(call));
  const permissionsBoundary = parameters.get('PermissionsBoundary');
  authorize(call, store, 'iam:CreateRole', `arn:${partition}:iam::${account}:role${path}${name}`, {
    shownAs: `role ${name}`,
    context: { ...requestTags(tags), ...boundaryContext(permissionsBoundary) },
  });
  if (store.findRole(account, name) !== undefined) {
    throw new AwsFault('EntityAlreadyExists', 409, `Role with name ${name} already exists.`);
  }
  if (permissionsBoundary !== undefined) assertBoundary(permissionsBoundary, store);
  const document = readPolicyText(text, 'trust');
  assertTrustPolicySize(document, quotas);
  assertRoomForRole(account, store, quotas);
  const role = store.addRole({
    partition,
    account,
    path,
    name,
    trust: storedTrust(document, store),
    createdAt: call.time,
    description,
    maxSessionDurationSeconds,
    permissionsBoundary,
    tags,
  });
  call.record.requestParameters = { roleName: name, path, assumeRolePolicyDocument: text };
  call.record.responseElements = { role: { path, roleName: name, roleId: role.id, arn: role.arn } };
  return { Role: shownRole(role, store) };
}

export function getRole(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  return { Role: shownRole(roleFor(call, parameters, store), store) };
}

export function listRoles(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  parameters.assertOnly('iam:ListRoles', ['PathPrefix', ...PAGE_PARAMETERS]);
  const prefix = parameters.get('PathPrefix') ?? '/';
  const { account, partition } = placeOf(callerOf(call));
  authorize(call, store, 'iam:ListRoles', `arn:${partition}:iam::${account}:role${prefix}`);
  call.record.requestParameters = parameters.get('PathPrefix') === undefined ? {} : { pathPrefix: prefix };
  const { items, rest } = listPage(
    parameters,
    store.roles(account).filter(({ path }) => path.startsWith(prefix)),
  );
  return { Roles: items.map((role) => listedRole(role, store)), ...rest };
}

/** A permissions boundary goes with its role. */
export function deleteRole(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const role = roleFor(call, parameters, store);
  if (role.attachedPolicies.size > 0) {
    throw new AwsFault('DeleteConflict', 409, 'Cannot delete entity, must detach all policies first.');
  }
  if (role.inlinePolicies.size > 0) {
    throw new AwsFault('DeleteConflict', 409, 'Cannot delete entity, must delete policies first.');
  }
  store.removeRole(role);
  return {};
}

/** A duration that is not given is the default's again; a description that is not given stays. */
export function updateRole(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const constraints = new Constraints();
  const { description, maxSessionDurationSeconds } = readSettings(parameters, constraints);
  constraints.assert();
  const role = roleFor(call, parameters, store, {
    known: ['Description', 'MaxSessionDuration'],
    recorded: {
      ...(description === undefined ? {} : { description }),
      ...(maxSessionDurationSeconds === undefined ? {} : { maxSessionDuration: maxSessionDurationSeconds }),
    },
  });
  if (description !== undefined) role.description = description;
  role.maxSessionDurationSeconds = maxSessionDurationSeconds ?? MAX_SESSION_DURATION_SECONDS;
  return {};
}

export function updateAssumeRolePolicy(
  call: Call,
  parameters: QueryParameters,
  { store, quotas }: Environment,
): Answer {
  const text = checkedDocument('policyDocument', parameters.get('PolicyDocument'));
  const role = roleFor(call, parameters, store, { known: ['PolicyDocument'], recorded: { policyDocument: text } });
  const document = readPolicyText(text, 'trust');
  assertTrustPolicySize(document, quotas);
  role.trust = storedTrust(document, store);
  return {};
}

export function putRolePermissionsBoundary(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const arn = checked('permissionsBoundary', parameters.get('PermissionsBoundary'), POLICY_ARN);
  const role = roleFor(call, parameters, store, {
    known: ['PermissionsBoundary'],
    recorded: { permissionsBoundary: arn },
    context: boundaryContext(arn),
  });
  assertBoundary(arn, store);
  role.permissionsBoundary = arn;
  return {};
}

export function deleteRolePermissionsBoundary(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const role = roleFor(call, parameters, store);
  if (role.permissionsBoundary === undefined) {
    throw noSuchEntity(`The role with name ${role.name} has no permissions boundary.`);
  }
  role.permissionsBoundary = undefined;
  return {};
}

function readSettings(
  parameters: QueryParameters,
  constraints: Constraints,
): { readonly description: string | undefined; readonly maxSessionDurationSeconds: number | undefined } {
  const description = parameters.get('Description');
  constraints.text('description', description, { max: DESCRIPTION_LENGTH });
  if (description !== undefined) assertCharacters('description', description, DESCRIPTION);
  const maxSessionDurationSeconds = constraints.integer(
    'maxSessionDuration',
    parameters.get('MaxSessionDuration'),
    MAX_SESSION_DURATION,
  );
  return { description, maxSessionDurationSeconds };
}

function assertBoundary(arn: string, store: Store): void {
  if (store.findPolicy(arn) === undefined) {
    throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`);
  }
}

function boundaryContext(arn: string | undefined): Readonly<Record<string, string>> {
  return arn === undefined ? {} : { 'iam:PermissionsBoundary': arn };
}
