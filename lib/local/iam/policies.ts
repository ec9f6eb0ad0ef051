import { authorize, requestTags } from '../authorize.ts';
import { AwsFault } from '../aws-fault.ts';
import { type Call, callerOf, type Environment } from '../call.ts';
import { Constraints } from '../constraints.ts';
import { readPolicyText } from '../policy-text.ts';
import type { QueryParameters } from '../query.ts';
import { assertManagedPolicySize, assertRoomForPolicy } from '../quotas.ts';
import { readTags } from '../session-tags.ts';
import { placeOf, type Store } from '../store.ts';
import { listPage, PAGE_PARAMETERS } from './pages.ts';
import { type Answer, checkedDocument, POLICY_NAME, policyFor, readPath } from './request.ts';
import { instant, shownPolicy } from './shown.ts';

const DESCRIPTION_LENGTH = 1000;

export function createPolicy(call: Call, parameters: QueryParameters, { store, quotas }: Environment): Answer {
  parameters.assertOnly('iam:CreatePolicy', [
    'PolicyName',
    'Path',
    'PolicyDocument',
    'Description',
    'Tags.member.N.Key',
    'Tags.member.N.Value',
  ]);
  const text = checkedDocument('policyDocument', parameters.get('PolicyDocument'));
  const description = parameters.get('Description');
  const constraints = new Constraints();
  const name = constraints.text('policyName', parameters.get('PolicyName'), POLICY_NAME);
  constraints.text('description', description, { max: DESCRIPTION_LENGTH });
  const tags = readTags(parameters, constraints, 'InvalidInput');
  constraints.assert();
  const path = readPath(parameters.get('Path') ?? '/');
  const { account, partition } = placeOf(callerOf(call));
  authorize(call, store, 'iam:CreatePolicy', `arn:${partition}:iam::${account}:policy${path}${name}`, {
    shownAs: `policy ${name}`,
    context: requestTags(tags),
  });
  assertPolicyNameIsFree(account, name, store);
  const document = readPolicyText(text, 'identity');
  assertManagedPolicySize(document, quotas);
  assertRoomForPolicy(account, store, quotas);
  const policy = store.addPolicy({ partition, account, path, name, document, createdAt: call.time, description, tags });
  call.record.requestParameters = { policyName: name, path, policyDocument: text };
  call.record.responseElements = {
    policy: { policyName: name, policyId: policy.id, arn: policy.arn, path, createDate: instant(policy.createdAt) },
  };
  return { Policy: shownPolicy(policy, store) };
}

/**
 * Whatever the path: IAM compares names alone, and those without regard to case.
 * @throws {AwsFault} EntityAlreadyExists
 */
export function assertPolicyNameIsFree(account: string, name: string, store: Store): void {
  if (!store.policies(account).some((policy) => policy.name.toLowerCase() === name.toLowerCase())) return;
  const message = `A policy called ${name} already exists. Duplicate names are not allowed.`;
  throw new AwsFault('EntityAlreadyExists', 409, message);
}

export function getPolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  return { Policy: shownPolicy(policyFor(call, parameters, store), store) };
}

export function deletePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const policy = policyFor(call, parameters, store);
  if (store.rolesWith(policy).length > 0 || store.rolesWithin(policy).length > 0) {
    throw new AwsFault('DeleteConflict', 409, 'Cannot delete a policy attached to entities.');
  }
  if (policy.versions.length > 1) {
    throw new AwsFault(
      'DeleteConflict',
      409,
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
    );
  }
  store.removePolicy(policy);
  return {};
}

/** Roles alone: the users here have nothing attached, and groups there are none. */
export function listEntitiesForPolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const entityFilter = parameters.get('EntityFilter');
  const usageFilter = parameters.get('PolicyUsageFilter');
  const constraints = new Constraints();
  constraints.text('entityFilter', entityFilter, {
    values: ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy'],
  });
  constraints.text('policyUsageFilter', usageFilter, { values: ['PermissionsPolicy', 'PermissionsBoundary'] });
  constraints.assert();
  const prefix = parameters.get('PathPrefix') ?? '/';
  const policy = policyFor(call, parameters, store, {
    known: ['EntityFilter', 'PathPrefix', 'PolicyUsageFilter', ...PAGE_PARAMETERS],
    recorded: {
      ...(entityFilter === undefined ? {} : { entityFilter }),
      ...(usageFilter === undefined ? {} : { policyUsageFilter: usageFilter }),
    },
  });
  const roles = new Set([
    ...(usageFilter === 'PermissionsBoundary' ? [] : store.rolesWith(policy)),
    ...(usageFilter === 'PermissionsPolicy' ? [] : store.rolesWithin(policy)),
  ]);
  const isListed = entityFilter === undefined || entityFilter === 'Role';
  const { items, rest } = listPage(
    parameters,
    [...roles].filter(({ path }) => isListed && path.startsWith(prefix)),
  );
  return {
    PolicyGroups: [],
    PolicyUsers: [],
    PolicyRoles: items.map(({ name, id }) => ({ RoleName: name, RoleId: id })),
    ...rest,
  };
}
