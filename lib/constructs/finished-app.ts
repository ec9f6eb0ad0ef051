import type { CfnRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { Scope } from '../identity/index.ts';
import type { Acknowledgement } from '../policy/index.ts';
import { type FinishedTemplate, type TemplateResource, TemplateValues } from '../template/values.ts';
import { Stack } from './cdk.ts';
import { NamedInAccounts } from './named-in-accounts.ts';
import {
  type AppPolicies,
  collectPolicies,
  type FinishedRole,
  type ReachingPolicies,
  reachingPolicies,
} from './policy-faults.ts';

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
  /** Granted actions by which the identity is lost, as their author knows. */
  readonly acknowledgements: readonly Acknowledgement[];
  /** ARN of the permissions boundary that was given, perhaps a token. */
  readonly permissionsBoundaryArn: string | undefined;
}

/** All that roles are judged by. */
export interface FinishedApp {
  readonly templates: ReadonlyMap<Stack, FinishedTemplate>;
  readonly values: TemplateValues;
  readonly policies: AppPolicies;
  /** The roles of all templates. */
  readonly roles: NamedInAccounts<PlacedResource>;
}

/** A resource and the template that it stands in. */
export interface PlacedResource {
  readonly template: FinishedTemplate;
  readonly logicalId: string;
  readonly resource: TemplateResource;
}

/** A session-broker role where it stands. */
export interface PlacedRole extends PlacedResource, FinishedRole {
  readonly roleArn: string;
  readonly reaching: ReachingPolicies;
}

export function finishedApp(templates: ReadonlyMap<Stack, FinishedTemplate>): FinishedApp {
  const finished = [...templates.values()];
  const values = new TemplateValues(finished);
  return { templates, values, policies: collectPolicies(finished, values), roles: collectRoles(finished, values) };
}

function collectRoles(templates: readonly FinishedTemplate[], values: TemplateValues): NamedInAccounts<PlacedResource> {
  const roles = new NamedInAccounts<PlacedResource>();
  for (const template of templates) {
    for (const [logicalId, resource] of Object.entries(template.template.Resources ?? {})) {
      const name = resource.Type === 'AWS::IAM::Role' ? values.name(template, logicalId) : undefined;
      if (name !== undefined) roles.add(template.account, name, { template, logicalId, resource });
    }
  }
  return roles;
}

/** A session-broker role in its finished template; undefined where that has no such role any more. */
export function placeRole(
  { construct, resource: { logicalId: token }, chainTo }: JudgedRole,
  { templates, values, policies }: FinishedApp,
): PlacedRole | undefined {
  const stack = Stack.of(construct);
  const template = templates.get(stack);
  const logicalId = String(stack.resolve(token));
  const resource = template?.template.Resources?.[logicalId];
  const roleArn = template && values.arn(template, logicalId);
  if (!template || !resource || roleArn === undefined) return undefined;
  const role: FinishedRole = {
    account: stack.account,
    roleName: roleArn.slice(roleArn.lastIndexOf('/') + 1),
    properties: values.resolve(template, resource.Properties ?? {}) as Record<string, unknown>,
    chainTo,
  };
  return { ...role, template, logicalId, resource, roleArn, reaching: reachingPolicies(role, policies) };
}
