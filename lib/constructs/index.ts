export { SessionBrokerRole } from './session-broker-role.ts';
export type { SessionBrokerRoleProps } from './session-broker-role-props.ts';
