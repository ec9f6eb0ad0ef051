import { SessionBrokerError } from '../errors.ts';
import { type PolicyDocument, parsePolicyDocument } from '../policy/index.ts';
import { malformedPolicyDocument } from './aws-fault.ts';

/** `identity`: of a role or a session. `trust`: of a role, on who may assume it. */
export type PolicyUse = 'identity' | 'trust';

/**
 * A policy that came with a call.
 * @throws {AwsFault} MalformedPolicyDocument, also for what the evaluator does not know
 */
export function readPolicyText(text: string, use: PolicyUse): PolicyDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformedPolicyDocument('This policy contains invalid Json');
  }
  try {
    return readPolicy(value, use);
  } catch (error) {
    if (error instanceof SessionBrokerError) throw malformedPolicyDocument(error.message);
    throw error;
  }
}

/**
 * A policy with the elements that its use asks for.
 * @param name how an error of the evaluator calls it
 * @throws {AwsFault} MalformedPolicyDocument
 * @throws {SessionBrokerError} PolicyNotUnderstood
 */
export function readPolicy(value: unknown, use: PolicyUse, name?: string): PolicyDocument {
  const document = parsePolicyDocument(value, name);
  for (const { Principal, NotPrincipal, Resource, NotResource } of document.Statement) {
    const hasPrincipal = Principal !== undefined || NotPrincipal !== undefined;
    const hasResource = Resource !== undefined || NotResource !== undefined;
    if (use === 'trust') {
      if (hasResource) throw malformedPolicyDocument('Has prohibited field Resource');
      if (!hasPrincipal) throw malformedPolicyDocument('Missing required field Principal');
    } else {
      if (hasPrincipal) throw malformedPolicyDocument('Policy document should not specify a principal.');
      if (!hasResource) throw malformedPolicyDocument('Policy statement must contain resources.');
    }
  }
  return document;
}
