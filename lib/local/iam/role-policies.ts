import type { PolicyDocument } from '../../policy/index.ts';
import { noSuchEntity } from '../aws-fault.ts';
import type { Call, Environment } from '../call.ts';
import { readPolicyText } from '../policy-text.ts';
import type { QueryParameters } from '../query.ts';
import { assertInlinePoliciesSize, assertRoomForAttachment } from '../quotas.ts';
import type { Role } from '../store.ts';
import { listPage, PAGE_PARAMETERS } from './pages.ts';
import { type Answer, checked, checkedDocument, POLICY_ARN, POLICY_NAME, roleFor } from './request.ts';
import { encoded, shownAttachments } from './shown.ts';

export function putRolePolicy(call: Call, parameters: QueryParameters, { store, quotas }: Environment): Answer {
  const name = checked('policyName', parameters.get('PolicyName'), POLICY_NAME);
  const text = checkedDocument('policyDocument', parameters.get('PolicyDocument'));
  const role = roleFor(call, parameters, store, {
    known: ['PolicyName', 'PolicyDocument'],
    recorded: { policyName: name, policyDocument: text },
  });
  const document = readPolicyText(text, 'identity');
  assertInlinePoliciesSize(role.name, new Map([...role.inlinePolicies, [name, document]]), quotas);
  role.inlinePolicies.set(name, document);
  return {};
}

export function getRolePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const { role, name } = inlinePolicyFor(call, parameters, store);
  return { RoleName: role.name, PolicyName: name, PolicyDocument: encoded(inlinePolicy(role, name)) };
}

export function deleteRolePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const { role, name } = inlinePolicyFor(call, parameters, store);
  inlinePolicy(role, name);
  role.inlinePolicies.delete(name);
  return {};
}

export function listRolePolicies(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const role = roleFor(call, parameters, store, { known: PAGE_PARAMETERS });
  const { items, rest } = listPage(parameters, [...role.inlinePolicies.keys()]);
  return { PolicyNames: items, ...rest };
}

export function attachRolePolicy(call: Call, parameters: QueryParameters, { store, quotas }: Environment): Answer {
  const { role, arn } = attachmentFor(call, parameters, store);
  if (store.findPolicy(arn) === undefined) {
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  }
  if (!role.attachedPolicies.has(arn)) assertRoomForAttachment(role, quotas);
  role.attachedPolicies.add(arn);
  return {};
}

export function detachRolePolicy(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const { role, arn } = attachmentFor(call, parameters, store);
  if (!role.attachedPolicies.delete(arn)) throw noSuchEntity(`Policy ${arn} was not found.`);
  return {};
}

export function listAttachedRolePolicies(call: Call, parameters: QueryParameters, { store }: Environment): Answer {
  const role = roleFor(call, parameters, store, { known: PAGE_PARAMETERS });
  const { items, rest } = listPage(parameters, shownAttachments(role));
  return { AttachedPolicies: items, ...rest };
}

function inlinePolicyFor(
  call: Call,
  parameters: QueryParameters,
  store: Environment['store'],
): { readonly role: Role; readonly name: string } {
  const name = checked('policyName', parameters.get('PolicyName'), POLICY_NAME);
  return { name, role: roleFor(call, parameters, store, { known: ['PolicyName'], recorded: { policyName: name } }) };
}

function inlinePolicy(role: Role, name: string): PolicyDocument {
  const document = role.inlinePolicies.get(name);
  if (document === undefined) throw noSuchEntity(`The role policy with name ${name} cannot be found.`);
  return document;
}

function attachmentFor(
  call: Call,
  parameters: QueryParameters,
  store: Environment['store'],
): { readonly role: Role; readonly arn: string } {
  const arn = checked('policyArn', parameters.get('PolicyArn'), POLICY_ARN);
  const role = roleFor(call, parameters, store, {
    known: ['PolicyArn'],
    recorded: { policyArn: arn },
    context: { 'iam:PolicyARN': arn },
  });
  return { role, arn };
}
