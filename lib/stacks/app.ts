import type { AppProps } from 'aws-cdk-lib/core';
import type { Config } from '../config/config.ts';
import { App } from '../constructs/cdk.ts';
import { brokerNames } from '../identity/index.ts';
import { SessionBrokerStack } from './session-broker-stack.ts';

/** An app with the stacks of a configuration. */
export function buildApp(config: Config, props: AppProps = {}): App {
  const app = new App(props);
  addStacks(app, config);
  return app;
}

/** One stack for each tenant that is opted in or opted out, named so that `cdk deploy` reads well. */
export function addStacks(app: App, config: Config): void {
  for (const cluster of config.clusters) {
    for (const tenant of cluster.tenants) {
      if (tenant.optIn === 'never') continue;
      const { stackName } = brokerNames({ cluster: cluster.name, tenant: tenant.name });
      new SessionBrokerStack(app, stackName, { cluster, tenant });
    }
  }
}
