import type { Draft } from '../amendments.ts';
import { findingOf, type TenantCase } from '../tenant-case.ts';

/** How the role session name stands to the source identity. */
export function* checkNames(tested: TenantCase): Iterable<Draft> {
  const { cluster, tenant, names } = tested.expected;
  const path = `clusters.${cluster.name}.tenants.${tenant.name}.roleSessionName`;
  const deploy = [tested.settings.commands.deploy(names.stackName)];
  if (tenant.roleSessionName === 'free') {
    const evidence = `the dispatcher of ${tenant.name} chooses the role session name, which is all that Kubernetes and the logs of Bedrock and S3 see`;
    yield findingOf(tested, 'NamesFree', 'note', evidence, {
      summary: 'bind it to the source identity, once verify has shown on the pilot that AWS lets such sessions in',
      configuration: { path, value: 'bound' },
      commands: deploy,
    });
    return;
  }
  const evidence = `the role session name of ${tenant.name} is bound to the source identity by a policy variable that AWS does not document there`;
  yield findingOf(tested, 'NamesBound', 'note', evidence, {
    summary: 'run verify on the pilot; set it free where sessions are refused',
    configuration: { path, value: 'free' },
    commands: deploy,
  });
}
