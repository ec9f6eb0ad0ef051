export { addStacks, buildApp } from './app.ts';
export { type AppShell, runApp } from './run-app.ts';
export { SessionBrokerStack, type SessionBrokerStackProps } from './session-broker-stack.ts';
