import { type AssumeRoleAttempt, type AssumeRoleVerdict, evaluateAssumeRole } from './assume-role.ts';
import { parsePolicyDocument } from './compile.ts';
import { type PolicyDocument, policyDocument } from './document.ts';

/** How verdicts call it. */
export const TRUST_POLICY = 'trust policy';

const EVERYTHING = parsePolicyDocument(policyDocument([{ Effect: 'Allow', Action: '*', Resource: '*' }]));

/**
 * Whether a role's trust policy lets a call in, when nothing else stands in its way: the caller's own policies allow
 * everything.
 * @throws {SessionBrokerError} PolicyNotUnderstood
 */
export function evaluateTrustAlone(attempt: AssumeRoleAttempt, trust: PolicyDocument): AssumeRoleVerdict {
  return evaluateAssumeRole(attempt, {
    identity: [{ name: 'caller', document: EVERYTHING }],
    resource: { name: TRUST_POLICY, document: trust },
  });
}
