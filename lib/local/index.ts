export type { Decision, DecisionStep } from './call.ts';
export { CONFLICTING_VARIABLES, type LocalCredentials } from './client-environment.ts';
export type { CloudTrailEvent, CloudTrailUserIdentity } from './cloudtrail.ts';
export {
  type LocalAccount,
  type LocalAccountOptions,
  startLocalAccount,
} from './local-account.ts';
