export {
  type AssumeAction,
  type AssumeOperation,
  type AssumeRoleAttempt,
  type AssumeRoleStep,
  type AssumeRoleVerdict,
  evaluateAssumeRole,
} from './assume-role.ts';
export { parsePolicyDocument } from './compile.ts';
export {
  type Conditions,
  listOf,
  type OneOrMany,
  oneOrMany,
  type PolicyDocument,
  policyDocument,
  type Statement,
} from './document.ts';
export {
  type AccessRequest,
  type Decider,
  evaluate,
  type NamedPolicy,
  type PoliciesInForce,
  type PolicyKind,
  type RequestContext,
  type Requester,
  requesterContext,
  type Verdict,
} from './evaluate.ts';
export { parseForeignPolicy, parseUniqueJson } from './foreign-policy.ts';
export { type ForbiddenGrant, forbiddenGrants, isForbiddenManagedPolicy } from './grants.ts';
export type { StatementPlace } from './judge/explain.ts';
export {
  type ClosedWay,
  judgeTrust,
  type NamePattern,
  type TrustJudgement,
  type TrustWay,
  type TrustWitness,
} from './judge/judge-trust.ts';
export {
  type Acknowledgement,
  type LaunderingGrant,
  type LaunderingOptions,
  launderingGrants,
  staleAcknowledgements,
  unacknowledged,
} from './laundering.ts';
export {
  type CallableRole,
  isGlobalProfile,
  type PermissionsPolicyProps,
  renderCallerPolicy,
  renderChainTrustPolicy,
  renderGuardPolicy,
  renderPermissionsPolicy,
} from './permissions.ts';
export { assertPrincipals } from './principals.ts';
export { assertInlinePoliciesSize, assertManagedPolicySize, assertTrustPolicySize, policySize } from './size.ts';
export { type RoleSessionName, renderTrustPolicy, type TrustPolicyProps } from './trust.ts';
export { evaluateTrustAlone } from './trust-alone.ts';
