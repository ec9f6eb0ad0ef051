export type { Decision, DecisionStep } from './call.ts';
export type { CloudTrailEvent, CloudTrailUserIdentity } from './cloudtrail.ts';
export {
  type LocalAccount,
  type LocalAccountOptions,
  type LocalCredentials,
  startLocalAccount,
} from './local-account.ts';
