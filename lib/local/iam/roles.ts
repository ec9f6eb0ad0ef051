import { SessionBrokerError } from '../errors.ts';
import { parseIamPath } from '../identity/index.ts';
import type { PolicyDocument } from '../policy/index.ts';
import { authorize } from './authorize.ts';
import { AwsFault, noSuchEntity, validationError } from './aws-fault.ts';
import { type Call, callerOf, type Environment } from './call.ts';
import { Constraints } from './constraints.ts';
import { readPolicyText } from './policy-text.ts';
import type { QueryParameters, XmlValue } from './query.ts';
import { readTags } from './session-tags.ts';
import { accountOf, type Role, type Store } from './store.ts';
import { shownTrust, storedTrust } from './trust-principals.ts';

type Answer = { readonly [name: string]: XmlValue };

const ROLE_NAME = { required: true, min: 1, max: 64, pattern: '[\\w+=,.@-]+' } as const;
const POLICY_NAME = { required: true, min: 1, max: 128, pattern: '[\\w+=,.@-]+' } as const;
const DOCUMENT = { required: true, min: 1, max: 131_072 } as const;
const MAX_SESSION_DURATION_SECONDS = { min: 3600, max: 43_200 } as const;

export function createRole(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
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
  const constraints = new Constraints();
  const name = constraints.text('roleName', parameters.get('RoleName'), ROLE_NAME);
  const text = constraints.text('assumeRolePolicyDocument', parameters.get('AssumeRolePolicyDocument'), DOCUMENT);
  const maxSessionDurationSeconds = constraints.integer(
    'maxSessionDuration',
    parameters.get('MaxSessionDuration'),
    MAX_SESSION_DURATION_SECONDS,
  );
  const tags = readTags(parameters, constraints, 'InvalidInput');
  constraints.assert();
  const path = readPath(parameters.get('Path') ?? '/');
  const caller = callerOf(call);
  const account = accountOf(caller);
  const { partition } = caller.kind === 'user' ? caller : caller.role;
  authorizeOn(call, store, 'iam:CreateRole', `arn:${partition}:iam::${account}:role${path}${name}`, name);
  if (store.findRole(account, name) !== undefined) {
    throw new AwsFault('EntityAlreadyExists', 409, `Role with name ${name} already exists.`);
  }
  const permissionsBoundary = parameters.get('PermissionsBoundary');
  if (permissionsBoundary !== undefined && store.findPolicy(permissionsBoundary) === undefined) {
    throw noSuchEntity(`Scope ARN: ${permissionsBoundary} does not exist or is not attachable.`);
  }
  const role = store.addRole({
    partition,
    account,
    path,
    name,
    trust: storedTrust(readPolicyText(text, 'trust'), store),
    createdAt: call.time,
    description: parameters.get('Description'),
    maxSessionDurationSeconds,
    permissionsBoundary,
    tags,
  });
  call.record.requestParameters = { roleName: name, path, assumeRolePolicyDocument: text };
  call.record.responseElements = { role: { path, roleName: name, roleId: role.id, arn: role.arn } };
  return { Role: shownRole(role, store) };
}

export function getRole(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  return { Role: shownRole(roleFor(call, parameters, store, []), store) };
}

export function listRoles(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  parameters.assertOnly('iam:ListRoles', ['PathPrefix']);
  const prefix = parameters.get('PathPrefix') ?? '/';
  const caller = callerOf(call);
  const account = accountOf(caller);
  const { partition } = caller.kind === 'user' ? caller : caller.role;
  const resource = `arn:${partition}:iam::${account}:role${prefix}`;
  authorize(call, store, 'iam:ListRoles', resource);
  call.record.requestParameters = parameters.get('PathPrefix') === undefined ? {} : { pathPrefix: prefix };
  const roles = store.roles(account).filter(({ path }) => path.startsWith(prefix));
  return { Roles: roles.map((role) => shownRole(role, store)), IsTruncated: false };
}

export function deleteRole(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const role = roleFor(call, parameters, store, []);
  if (role.attachedPolicies.size > 0) {
    throw new AwsFault('DeleteConflict', 409, 'Cannot delete entity, must detach all policies first.');
  }
  if (role.inlinePolicies.size > 0) {
    throw new AwsFault('DeleteConflict', 409, 'Cannot delete entity, must delete policies first.');
  }
  store.removeRole(role);
  return {};
}

export function updateAssumeRolePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const text = checked('policyDocument', parameters.get('PolicyDocument'), DOCUMENT);
  const role = roleFor(call, parameters, store, ['PolicyDocument'], { policyDocument: text });
  role.trust = storedTrust(readPolicyText(text, 'trust'), store);
  return {};
}

export function putRolePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const name = checked('policyName', parameters.get('PolicyName'), POLICY_NAME);
  const text = checked('policyDocument', parameters.get('PolicyDocument'), DOCUMENT);
  const role = roleFor(call, parameters, store, ['PolicyName', 'PolicyDocument'], {
    policyName: name,
    policyDocument: text,
  });
  role.inlinePolicies.set(name, readPolicyText(text, 'identity'));
  return {};
}

export function getRolePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const name = checked('policyName', parameters.get('PolicyName'), POLICY_NAME);
  const role = roleFor(call, parameters, store, ['PolicyName'], { policyName: name });
  return { RoleName: role.name, PolicyName: name, PolicyDocument: encoded(inlinePolicy(role, name)) };
}

export function deleteRolePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const name = checked('policyName', parameters.get('PolicyName'), POLICY_NAME);
  const role = roleFor(call, parameters, store, ['PolicyName'], { policyName: name });
  inlinePolicy(role, name);
  role.inlinePolicies.delete(name);
  return {};
}

export function listRolePolicies(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const role = roleFor(call, parameters, store, []);
  return { PolicyNames: [...role.inlinePolicies.keys()], IsTruncated: false };
}

export function attachRolePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const arn = checked('policyArn', parameters.get('PolicyArn'), { required: true, min: 20, max: 2048 });
  const role = roleFor(call, parameters, store, ['PolicyArn'], { policyArn: arn });
  if (store.findPolicy(arn) === undefined) {
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  }
  role.attachedPolicies.add(arn);
  return {};
}

export function detachRolePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const arn = checked('policyArn', parameters.get('PolicyArn'), { required: true, min: 20, max: 2048 });
  const role = roleFor(call, parameters, store, ['PolicyArn'], { policyArn: arn });
  if (!role.attachedPolicies.delete(arn)) throw noSuchEntity(`Policy ${arn} was not found.`);
  return {};
}

export function listAttachedRolePolicies(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const role = roleFor(call, parameters, store, []);
  const attached = [...role.attachedPolicies].map((arn) => ({
    PolicyName: arn.slice(arn.lastIndexOf('/') + 1),
    PolicyArn: arn,
  }));
  return { AttachedPolicies: attached, IsTruncated: false };
}

/** The role that a call names, once the caller may do what it asks with it. */
function roleFor(
  call: Call,
  parameters: QueryParameters,
  store: Store,
  known: readonly string[],
  recorded: Readonly<Record<string, unknown>> = {},
): Role {
  parameters.assertOnly(`iam:${call.operation}`, ['RoleName', ...known]);
  const name = checked('roleName', parameters.get('RoleName'), ROLE_NAME);
  const caller = callerOf(call);
  const account = accountOf(caller);
  const { partition } = caller.kind === 'user' ? caller : caller.role;
  const role = store.findRole(account, name);
  const arn = role?.arn ?? `arn:${partition}:iam::${account}:role/${name}`;
  authorizeOn(call, store, `iam:${call.operation}`, arn, name);
  call.record.requestParameters = { roleName: name, ...recorded };
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

/** IAM's refusals name a role by its name alone. */
function authorizeOn(call: Call, store: Store, action: string, arn: string, name: string): void {
  authorize(call, store, action, arn, `role ${name}`);
}

function inlinePolicy(role: Role, name: string): PolicyDocument {
  const document = role.inlinePolicies.get(name);
  if (document === undefined) throw noSuchEntity(`The role policy with name ${name} cannot be found.`);
  return document;
}

function shownRole(role: Role, store: Store): Answer {
  const tags = Object.entries(role.tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: `${role.createdAt.toISOString().slice(0, 19)}Z`,
    AssumeRolePolicyDocument: encoded(shownTrust(role.trust, store)),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDurationSeconds,
    PermissionsBoundary:
      role.permissionsBoundary === undefined
        ? undefined
        : { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: role.permissionsBoundary },
    Tags: tags.length === 0 ? undefined : tags,
  };
}

/** IAM answers with policies in percent-encoding. */
function encoded(document: PolicyDocument): string {
  return encodeURIComponent(JSON.stringify(document));
}

function checked(field: string, value: string | undefined, rule: Parameters<Constraints['text']>[2]): string {
  const constraints = new Constraints();
  const text = constraints.text(field, value, rule);
  constraints.assert();
  return text;
}

function readPath(text: string): string {
  try {
    return parseIamPath(text);
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    throw validationError(
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
    );
  }
}
