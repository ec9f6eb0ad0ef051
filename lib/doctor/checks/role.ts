import { GUARD_POLICY, PERMISSIONS_POLICY } from '../../policy/permissions.ts';
import type { Draft } from '../amendments.ts';
import { differenceOf } from '../difference.ts';
import { need, type PolicyFacts } from '../facts.ts';
import { brokerRole, findingOf, type TenantCase } from '../tenant-case.ts';

/** What a deploy would not change back, since the template is the same. */
const NO_CHANGE = 'a deploy would see no change';

/** Whether sessions may last as long as the role says. */
export function* checkSessionLimit(tested: TenantCase): Iterable<Draft> {
  const { expected, settings } = tested;
  const { cluster, names, role } = expected;
  const seconds = need(brokerRole(tested).maxSessionDurationSeconds);
  const wanted = role.maxSessionDurationSeconds;
  if (seconds === wanted) return;
  const words = ['--role-name', names.roleName, '--max-session-duration', String(wanted)];
  const evidence = `${names.roleName} lets sessions last ${seconds} seconds, and it should be ${wanted}: more is of no use, since role chaining ends at an hour`;
  yield findingOf(tested, 'SessionLimitDrifted', 'warning', evidence, {
    summary: `set it back: ${NO_CHANGE}`,
    commands: [settings.commands.iam(cluster, 'update-role', ...words)],
  });
}

/** Whether the role has the permissions boundary that it should have. */
export function* checkBoundary(tested: TenantCase): Iterable<Draft> {
  const { expected, settings } = tested;
  const { cluster, names, role } = expected;
  const boundary = need(brokerRole(tested).permissionsBoundary)?.arn;
  const wanted = role.permissionsBoundary;
  if (boundary === wanted) return;
  const words = ['--role-name', names.roleName];
  const command =
    wanted === undefined
      ? settings.commands.iam(cluster, 'delete-role-permissions-boundary', ...words)
      : settings.commands.iam(cluster, 'put-role-permissions-boundary', ...words, '--permissions-boundary', wanted);
  const evidence = `${names.roleName} has ${boundary === undefined ? 'no permissions boundary' : `the permissions boundary ${boundary}`}, and the configuration says ${wanted ?? 'none'}`;
  yield findingOf(tested, 'BoundaryDrifted', wanted === undefined ? 'warning' : 'error', evidence, {
    summary: `${wanted === undefined ? 'take it away, or write it down as permissionsBoundary' : 'set it again'}: ${NO_CHANGE}`,
    commands: [command],
  });
}

/** Whether the guard stands as it was made. */
export function* checkGuard(tested: TenantCase): Iterable<Draft> {
  yield* inlineFindings(tested, GUARD_POLICY, 'GuardDrifted', 'error');
}

/** Whether the configured permissions stand as they were made. */
export function* checkPermissions(tested: TenantCase): Iterable<Draft> {
  yield* inlineFindings(tested, PERMISSIONS_POLICY, 'PermissionsDrifted', 'warning');
}

function* inlineFindings(
  tested: TenantCase,
  name: string,
  code: 'GuardDrifted' | 'PermissionsDrifted',
  severity: 'error' | 'warning',
): Iterable<Draft> {
  const { expected, settings } = tested;
  const { cluster, names, roleArn } = expected;
  const { commands } = settings;
  const wanted = expected.role.inlinePolicies[name];
  const found = need(brokerRole(tested).inlinePolicies).find((policy) => policy.name === name);
  if (wanted === undefined) {
    if (found === undefined) return;
    yield findingOf(
      tested,
      code,
      severity,
      `${names.roleName} has the inline policy ${name}, and nothing is configured`,
      {
        summary: `delete it: ${NO_CHANGE}`,
        commands: [commands.deleteInline(cluster, roleArn, name)],
      },
    );
    return;
  }
  const drift = found === undefined ? 'it is missing' : differenceOf(need(found.document), wanted);
  if (drift === undefined) return;
  const evidence = `the inline policy ${name} of ${names.roleName} is not as configured: ${drift}`;
  yield findingOf(tested, code, severity, evidence, {
    summary: `put it back: ${NO_CHANGE}`,
    commands: [commands.putInline(cluster, roleArn, name, wanted)],
  });
}

/** Whether the role has the policies of the configuration and no others. */
export function* checkPolicies(tested: TenantCase): Iterable<Draft> {
  const { expected, settings } = tested;
  const { cluster, names, roleArn, role } = expected;
  const { commands } = settings;
  const others = 'unless its owner put it there on purpose: then write it down under statements or managedPolicies';
  const { inlinePolicies, attachedPolicies } = brokerRole(tested);
  const further = (policy: PolicyFacts): boolean => ![GUARD_POLICY, PERMISSIONS_POLICY].includes(policy.name);
  for (const { name } of need(inlinePolicies).filter(further)) {
    const evidence = `${names.roleName} has the inline policy ${name}, which is not in the configuration`;
    yield findingOf(tested, 'PolicyNotConfigured', 'warning', evidence, {
      summary: `delete it, ${others}`,
      commands: [commands.deleteInline(cluster, roleArn, name)],
    });
  }
  const attached = need(attachedPolicies).map(({ arn }) => arn);
  for (const arn of attached.filter((given) => !role.managedPolicies.includes(given))) {
    const evidence = `${names.roleName} has the managed policy ${arn}, which is not in the configuration`;
    yield findingOf(tested, 'PolicyNotConfigured', 'warning', evidence, {
      summary: `detach it, ${others}`,
      commands: [commands.detach(cluster, roleArn, arn)],
    });
  }
  for (const arn of role.managedPolicies.filter((given) => !attached.includes(given))) {
    const evidence = `${names.roleName} does not have the managed policy ${arn} of the configuration`;
    yield findingOf(tested, 'ManagedPolicyDetached', 'warning', evidence, {
      summary: `attach it again: ${NO_CHANGE}`,
      commands: [commands.attach(cluster, roleArn, arn)],
    });
  }
}
