import { AwsFault, noSuchEntity } from '../aws-fault.ts';
import type { Call, Environment } from '../call.ts';
import { Constraints } from '../constraints.ts';
import type { ManagedPolicy, PolicyVersion } from '../managed-policy.ts';
import { readPolicyText } from '../policy-text.ts';
import type { QueryParameters } from '../query.ts';
import { assertManagedPolicySize, limitExceeded } from '../quotas.ts';
import type { Store } from '../store.ts';
import { listPage, PAGE_PARAMETERS } from './pages.ts';
import { type Answer, checked, checkedDocument, policyFor } from './request.ts';
import { instant, listedVersion, shownVersion } from './shown.ts';

/** @see IAM API Reference, GetPolicyVersion, VersionId */
const VERSION_ID = { required: true, pattern: 'v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?' } as const;

export function createPolicyVersion(call: Call, parameters: QueryParameters, { store, quotas }: Environment): Answer {
  const text = checkedDocument('policyDocument', parameters.get('PolicyDocument'));
  const constraints = new Constraints();
  const setAsDefault = constraints.boolean('setAsDefault', parameters.get('SetAsDefault')) ?? false;
  constraints.assert();
  const policy = policyFor(call, parameters, store, {
    known: ['PolicyDocument', 'SetAsDefault'],
    recorded: { policyDocument: text, setAsDefault },
  });
  const document = readPolicyText(text, 'identity');
  assertManagedPolicySize(document, quotas);
  const { VersionsPerPolicyQuota: quota } = quotas;
  if (policy.versions.length >= quota) {
    throw limitExceeded(
      `A managed policy can have up to ${quota} versions. Before you create a new version, you must delete an existing version.`,
    );
  }
  const version = policy.addVersion(document, call.time);
  if (setAsDefault) policy.defaultVersion = version;
  call.record.responseElements = {
    policyVersion: { versionId: version.id, isDefaultVersion: setAsDefault, createDate: instant(version.createdAt) },
  };
  return { PolicyVersion: listedVersion(version, policy) };
}

export function getPolicyVersion(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const { policy, version } = versionFor(call, parameters, store);
  return { PolicyVersion: shownVersion(version, policy) };
}

/** Newest first. */
export function listPolicyVersions(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const policy = policyFor(call, parameters, store, { known: PAGE_PARAMETERS });
  const { items, rest } = listPage(parameters, policy.versions.toReversed());
  return { Versions: items.map((version) => listedVersion(version, policy)), ...rest };
}

export function setDefaultPolicyVersion(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const { policy, version } = versionFor(call, parameters, store);
  policy.defaultVersion = version;
  return {};
}

export function deletePolicyVersion(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const { policy, version } = versionFor(call, parameters, store);
  if (version === policy.defaultVersion) {
    throw new AwsFault('DeleteConflict', 409, 'Cannot delete the default version of a policy.');
  }
  policy.removeVersion(version);
  return {};
}

function versionFor(
  call: Call,
  parameters: QueryParameters,
  store: Store,
): { readonly policy: ManagedPolicy; readonly version: PolicyVersion } {
  const id = checked('versionId', parameters.get('VersionId'), VERSION_ID);
  const policy = policyFor(call, parameters, store, { known: ['VersionId'], recorded: { versionId: id } });
  const version = policy.findVersion(id);
  if (version === undefined) {
    throw noSuchEntity(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`);
  }
  return { policy, version };
}
