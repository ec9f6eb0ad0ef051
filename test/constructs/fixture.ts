import { Role } from 'aws-cdk-lib/aws-iam';
import { App, Stack } from 'aws-cdk-lib/core';
import { SessionBrokerRole, type SessionBrokerRoleProps } from '../../lib/constructs/index.ts';
import { SessionBrokerError } from '../../lib/errors.ts';
import { type FinishedTemplate, inTemporaryFolder, templatesOf } from '../support/synthesize.ts';

export const ACCOUNT = '111122223333';
export const ENV = { account: ACCOUNT, region: 'us-west-2' };
export const TENANT_ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/eks-agent-platform/tenants/hub-acme-tenant`;
export const CHAIN_ARN = `arn:aws:iam::${ACCOUNT}:role/deployer`;

/** What a test builds on: an app with one stack. */
export interface Base {
  readonly app: App;
  readonly stack: Stack;
}

/** A session-broker role of tenant acme on cluster hub. */
export function acmeRole(stack: Stack, props: Partial<SessionBrokerRoleProps> = {}): SessionBrokerRole {
  return new SessionBrokerRole(stack, 'Sessions', {
    cluster: 'hub',
    tenant: 'acme',
    tenantRole: Role.fromRoleArn(stack, 'TenantRole', TENANT_ROLE_ARN, { mutable: false }),
    ...props,
  });
}

/** Builds an app in a temporary folder. */
export function withApp<Result>(run: (base: Base) => Result, context: Record<string, unknown> = {}): Result {
  return inTemporaryFolder((outdir) => {
    const app = new App({
      outdir,
      analyticsReporting: false,
      autoSynth: false,
      context,
      builtinCloudFormationValidation: false,
      treeMetadata: false,
    });
    return run({ app, stack: new Stack(app, 'Stack', { env: ENV }) });
  });
}

/** The finished template of the stack that `build` adds to. */
export function templateOf(build: (base: Base) => void): FinishedTemplate {
  return withApp((base) => {
    build(base);
    return templatesOf(base.app).get('Stack') ?? {};
  });
}

/** The faults for which the app that `build` adds to is refused; none where it synthesizes. */
export function refusalsOf(build: (base: Base) => void): readonly unknown[] {
  try {
    templateOf(build);
    return [];
  } catch (error) {
    if (!(error instanceof SessionBrokerError) || error.code !== 'TemplateRefused') throw error;
    return error.detail['faults'] as unknown[];
  }
}

/** The properties of the one resource of a type. */
export function propertiesOf(template: FinishedTemplate, type: string): Record<string, unknown> {
  const found = Object.values(template.Resources ?? {}).filter(({ Type }) => Type === type);
  if (found.length !== 1) throw new Error(`${found.length} resources of type ${type}`);
  return found[0]?.Properties ?? {};
}
