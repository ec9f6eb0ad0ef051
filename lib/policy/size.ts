import { SessionBrokerError } from '../errors.ts';
import { MANAGED_POLICY_LENGTH, ROLE_INLINE_POLICIES_LENGTH, TRUST_POLICY_LENGTH } from '../identity/limits.ts';
import type { PolicyDocument } from './document.ts';

/**
 * How IAM counts a policy: its characters without white space. White space inside a value is counted here, since
 * whether IAM leaves that out too is not documented.
 * @see IAM User Guide, "IAM and AWS STS quotas"
 */
export function policySize(document: PolicyDocument): number {
  return JSON.stringify(document).length;
}

/** @throws {SessionBrokerError} PolicyTooLarge */
export function assertTrustPolicySize(document: PolicyDocument): void {
  assertSize('trust policy', policySize(document), TRUST_POLICY_LENGTH, 'name fewer principals or session tags');
}

/**
 * @param documents all inline policies of one role
 * @throws {SessionBrokerError} PolicyTooLarge
 */
export function assertInlinePoliciesSize(documents: readonly PolicyDocument[]): void {
  const size = documents.reduce((sum, document) => sum + policySize(document), 0);
  assertSize(
    'the inline policies of a role together',
    size,
    ROLE_INLINE_POLICIES_LENGTH,
    'move statements to a managed policy and list its ARN',
  );
}

/** @throws {SessionBrokerError} PolicyTooLarge */
export function assertManagedPolicySize(document: PolicyDocument): void {
  assertSize('managed policy', policySize(document), MANAGED_POLICY_LENGTH, 'split it');
}

function assertSize(what: string, size: number, limit: number, remedy: string): void {
  if (size <= limit) return;
  throw new SessionBrokerError(
    'PolicyTooLarge',
    `${what} must have at most ${limit} characters without white space: it has ${size}; ${remedy}`,
    { detail: { size, limit } },
  );
}
