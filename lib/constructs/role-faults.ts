import { isDeepStrictEqual } from 'node:util';
import type { CfnRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { quote } from '../errors.ts';
import type { Scope } from '../identity/index.ts';
import { Stack } from './cdk.ts';
import { NamedInAccounts } from './named-in-accounts.ts';
import { type AppPolicies, collectPolicies, policyFaults } from './policy-faults.ts';
import { type FinishedTemplate, TemplateValues } from './template.ts';
import { trustFaults } from './trust-faults.ts';

/** What a session-broker role promises, against which its finished template is judged. */
export interface JudgedRole {
  readonly construct: Construct;
  /** Its resource, from which the template's logical id follows. */
  readonly resource: CfnRole;
  readonly cluster: string;
  /** Whose names it may admit. */
  readonly scope: Scope;
  /** ARNs of the roles that may assume it, some perhaps tokens. */
  readonly callerArns: () => readonly string[];
  /** ARNs of the roles that a session may go on to. */
  readonly chainTo: readonly string[];
  /** ARN of the permissions boundary that was given, perhaps a token. */
  readonly permissionsBoundaryArn: string | undefined;
}

/** All that roles are judged by. */
interface FinishedApp {
  readonly templates: ReadonlyMap<Stack, FinishedTemplate>;
  readonly values: TemplateValues;
  readonly policies: AppPolicies;
  /** The roles of all templates; as `<logical id> of <stack>`. */
  readonly roles: NamedInAccounts<string>;
  /** Who has a caller, by cluster and caller: the path of a role. */
  readonly callerOwners: Map<string, string>;
}

/**
 * What is wrong with session-broker roles as they stand in the finished templates.
 * @returns the role's path, rule, what was found and what to do, one text for each fault
 */
export function roleFaults(
  roles: readonly JudgedRole[],
  templates: ReadonlyMap<Stack, FinishedTemplate>,
): readonly string[] {
  const finished = [...templates.values()];
  const values = new TemplateValues(finished);
  const app: FinishedApp = {
    templates,
    values,
    policies: collectPolicies(finished, values),
    roles: collectRoles(finished, values),
    callerOwners: new Map(),
  };
  return roles.flatMap((role) => faultsOf(role, app).map((fault) => `${role.construct.node.path}: ${fault}`));
}

function collectRoles(templates: readonly FinishedTemplate[], values: TemplateValues): NamedInAccounts<string> {
  const roles = new NamedInAccounts<string>();
  for (const template of templates) {
    for (const [logicalId, { Type: type }] of Object.entries(template.template.Resources ?? {})) {
      const name = type === 'AWS::IAM::Role' ? values.name(template, logicalId) : undefined;
      if (name !== undefined) roles.add(template.account, name, placeOf(logicalId, template));
    }
  }
  return roles;
}

function faultsOf(
  role: JudgedRole,
  { templates, values, policies, roles, callerOwners }: FinishedApp,
): readonly string[] {
  const { construct, resource, scope, chainTo, permissionsBoundaryArn } = role;
  const stack = Stack.of(construct);
  const { account } = stack;
  const logicalId = String(stack.resolve(resource.logicalId));
  const template = templates.get(stack);
  const finished = template?.template.Resources?.[logicalId];
  const roleArn = template && values.arn(template, logicalId);
  if (!template || !finished || roleArn === undefined) {
    return ['role must stand in its template as a resource of type AWS::IAM::Role; restore it'];
  }
  if (template.isTransformed) {
    return [
      'template must have no Transform or Fn::Transform, which would change it once more; move the role to another stack',
    ];
  }
  const properties = values.resolve(template, finished.Properties ?? {}) as Record<string, unknown>;
  const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  const resolved = (arn: string): unknown => values.resolve(template, stack.resolve(arn));
  const callers = role.callerArns().map(resolved);
  const callerArns = callers.filter((arn) => typeof arn === 'string');
  if (callerArns.length < callers.length) {
    return callers
      .filter((arn) => typeof arn !== 'string')
      .map((arn) => `caller must be known before it is deployed: ${quote(arn)}; give the ARN of its role as text`);
  }
  const boundary = properties['PermissionsBoundary'];
  const faults: string[] = [];
  if (finished.Condition !== undefined) {
    faults.push(
      `role must have no Condition, by which another could stand in its place: ${quote(finished.Condition)}; remove it`,
    );
  }
  for (const place of roles.get(account, roleName)) {
    if (place === placeOf(logicalId, template)) continue;
    faults.push(
      `role name must be that of one role in an account: ${place} is called ${quote(roleName)} too; rename it`,
    );
  }
  if (permissionsBoundaryArn !== undefined && !isDeepStrictEqual(boundary, resolved(permissionsBoundaryArn))) {
    faults.push(`permissions boundary must be the one that was given: ${quote(boundary)}; restore it`);
  }
  return [
    ...faults,
    ...sharedCallerFaults(role, callerArns, callerOwners),
    ...trustFaults({ document: properties['AssumeRolePolicyDocument'], roleArn, callerArns, scope }),
    ...policyFaults({ account, roleName, properties, chainTo }, policies),
  ];
}

/** As in a configuration, callers count by account and name without regard to case, in one cluster. */
function sharedCallerFaults(
  { construct, cluster }: JudgedRole,
  callerArns: readonly string[],
  owners: Map<string, string>,
): readonly string[] {
  const { path } = construct.node;
  return callerArns.flatMap((arn) => {
    const [, , , , account, resource = ''] = arn.split(':');
    const name = resource.slice(resource.lastIndexOf('/') + 1).toLowerCase();
    const key = `${Stack.of(construct).account}/${cluster} ${account}/${name}`;
    const owner = owners.get(key) ?? path;
    owners.set(key, owner);
    if (owner === path) return [];
    return [
      `caller must be that of one tenant, and ${owner} has it too, so either could take the other's names: ${quote(arn)}; give each tenant a role of its own`,
    ];
  });
}

function placeOf(logicalId: string, { path }: FinishedTemplate): string {
  return `AWS::IAM::Role ${logicalId} of ${path}`;
}
