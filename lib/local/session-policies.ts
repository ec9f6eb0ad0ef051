import { quote } from '../errors.ts';
import { notModelled } from './aws-fault.ts';
import { readPolicyText } from './policy-text.ts';
import type { QueryParameters } from './query.ts';
import type { SessionPolicy, Store } from './store.ts';

/**
 * The policies that a session is limited to.
 * @throws {AwsFault} MalformedPolicyDocument; NotModelled for a managed policy that is not here
 */
export function readSessionPolicies(parameters: QueryParameters, store: Store): readonly SessionPolicy[] {
  const policies: SessionPolicy[] = [];
  const inline = parameters.get('Policy');
  if (inline !== undefined) policies.push({ name: 'Policy', document: readPolicyText(inline, 'identity') });
  for (const arn of parameters.list('PolicyArns', 'arn')) {
    const policy = store.findPolicy(arn ?? '');
    if (policy === undefined) throw notModelled(`the session policy ${quote(arn ?? '')}, which is not in the assembly`);
    // By reference: a session has the version that is in force when it makes a call.
    policies.push(policy);
  }
  return policies;
}

/** The same as an event shows them. */
export function policyParameters(parameters: QueryParameters): Readonly<Record<string, unknown>> {
  const policy = parameters.get('Policy');
  const arns = parameters.list('PolicyArns', 'arn');
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(arns.length === 0 ? {} : { policyArns: arns.map((arn) => ({ arn })) }),
  };
}
