export type { Decision, DecisionStep } from './call.ts';
export { CONFLICTING_VARIABLES, type LocalCredentials } from './client-environment.ts';
export type { AuthenticationMode } from './cluster-store.ts';
export type { KubernetesUser } from './eks/kubernetes-user.ts';
export type { CloudTrailEvent, CloudTrailUserIdentity } from './event.ts';
export {
  type LocalAccount,
  type LocalAccountOptions,
  startLocalAccount,
} from './local-account.ts';
export type { Quotas } from './quotas.ts';
