export type { SessionCredentials } from './assume.ts';
export type { ClientConfig } from './clients.ts';
export { type AgentCredentialsSource, agentEnvironment } from './delivery/agent-environment.ts';
export {
  type CredentialsEndpoint,
  type CredentialsEndpointOptions,
  type ServedCredentials,
  startCredentialsEndpoint,
} from './delivery/credentials-endpoint.ts';
export { type CredentialsFormat, formatCredentials } from './delivery/formats.ts';
export type { ServedSession } from './delivery/served-session.ts';
export type { DispatcherCredentials } from './dispatcher-credentials.ts';
export { fromSessionBroker } from './from-session-broker.ts';
export type { FromSessionBrokerOptions, RoleOptions, SessionBrokerOptions, SessionOptions } from './options.ts';
export type { RenewalRequest } from './renew.ts';
export type { SessionCredentialProvider } from './session.ts';
export { type Session, SessionBroker } from './session-broker.ts';
export type { Schedule } from './timing.ts';
