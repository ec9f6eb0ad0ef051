export type { SessionCredentials } from './assume.ts';
export type { ClientConfig, DispatcherCredentials } from './clients.ts';
export { fromSessionBroker, type SessionCredentialProvider } from './from-session-broker.ts';
export type { FromSessionBrokerOptions } from './options.ts';
export type { RenewalRequest } from './renew.ts';
