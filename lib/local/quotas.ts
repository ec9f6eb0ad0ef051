import {
  MANAGED_POLICIES_PER_ROLE,
  MANAGED_POLICY_LENGTH,
  ROLE_INLINE_POLICIES_LENGTH,
  TRUST_POLICY_LENGTH,
} from '../identity/limits.ts';
import { type PolicyDocument, policySize } from '../policy/index.ts';
import { AwsFault } from './aws-fault.ts';
import type { Role, Store } from './store.ts';

/**
 * IAM's quotas as an account has them before anybody asks for more, by the names of GetAccountSummary.
 * @see IAM User Guide, "IAM and AWS STS quotas"
 */
export const DEFAULT_QUOTAS = {
  AssumeRolePolicySizeQuota: TRUST_POLICY_LENGTH,
  AttachedPoliciesPerRoleQuota: MANAGED_POLICIES_PER_ROLE,
  PoliciesQuota: 1500,
  PolicySizeQuota: MANAGED_POLICY_LENGTH,
  RolePolicySizeQuota: ROLE_INLINE_POLICIES_LENGTH,
  RolesQuota: 1000,
  VersionsPerPolicyQuota: 5,
} as const;

export type Quotas = Readonly<Record<keyof typeof DEFAULT_QUOTAS, number>>;

/** @throws {AwsFault} LimitExceeded */
export function assertRoomForRole(account: string, store: Store, quotas: Quotas): void {
  if (store.roles(account).length >= quotas.RolesQuota) throw exceeded('RolesPerAccount', quotas.RolesQuota);
}

/** @throws {AwsFault} LimitExceeded */
export function assertRoomForPolicy(account: string, store: Store, quotas: Quotas): void {
  if (store.policies(account).length >= quotas.PoliciesQuota) {
    throw exceeded('PoliciesPerAccount', quotas.PoliciesQuota);
  }
}

/** @throws {AwsFault} LimitExceeded */
export function assertTrustPolicySize(document: PolicyDocument, quotas: Quotas): void {
  const { AssumeRolePolicySizeQuota: quota } = quotas;
  if (policySize(document) > quota) throw exceeded('ACLSizePerRole', quota);
}

/** @throws {AwsFault} LimitExceeded */
export function assertManagedPolicySize(document: PolicyDocument, quotas: Quotas): void {
  if (policySize(document) > quotas.PolicySizeQuota) throw exceeded('PolicySize', quotas.PolicySizeQuota);
}

/**
 * The inline policies of a role count together.
 * @throws {AwsFault} LimitExceeded
 */
export function assertInlinePoliciesSize(
  roleName: string,
  policies: ReadonlyMap<string, PolicyDocument>,
  quotas: Quotas,
): void {
  const size = [...policies.values()].reduce((sum, document) => sum + policySize(document), 0);
  if (size <= quotas.RolePolicySizeQuota) return;
  throw limitExceeded(`Maximum policy size of ${quotas.RolePolicySizeQuota} bytes exceeded for role ${roleName}`);
}

/** @throws {AwsFault} LimitExceeded */
export function assertRoomForAttachment(role: Role, quotas: Quotas): void {
  const { AttachedPoliciesPerRoleQuota: quota } = quotas;
  if (role.attachedPolicies.size >= quota) throw exceeded('PoliciesPerRole', quota);
}

export function limitExceeded(message: string): AwsFault {
  return new AwsFault('LimitExceeded', 409, message);
}

function exceeded(what: string, quota: number): AwsFault {
  return limitExceeded(`Cannot exceed quota for ${what}: ${quota}`);
}
