import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CfnRole } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { SessionBrokerError } from '../errors.ts';
import { partitionOf, type Scope } from '../identity/index.ts';
import { Stack, Stage, Token } from './cdk.ts';
import { collectPolicies, policyFaults } from './policy-faults.ts';
import { type FinishedTemplate, type Template, TemplateValues } from './template.ts';
import { trustFaults } from './trust-faults.ts';

/** What a session-broker role promises, against which its finished template is judged. */
export interface JudgedRole {
  readonly construct: IConstruct;
  /** Its resource, from which the template's logical id follows. */
  readonly resource: CfnRole;
  /** Whose names it may admit. */
  readonly scope: Scope;
  /** ARNs of the roles that may assume it, some perhaps tokens. */
  readonly callerArns: () => readonly string[];
  /** ARNs of the roles that a session may go on to. */
  readonly chainTo: readonly string[];
}

const judgedRoles = new WeakMap<IConstruct, JudgedRole[]>();

/**
 * Has an app judge a session-broker role in its finished templates, after every override: synthesis fails when the
 * trust policy admits a request without a source identity of the role's scope, or when a policy that reaches the role
 * would let a session leave its name.
 *
 * It follows `synth` of the app itself. What CDK offers instead can be passed by: an Aspect sees no overrides,
 * validations of constructs are left out by `skipValidation`, and the report of a validation plugin is dropped by an
 * acknowledgement or by the context key `@aws-cdk/core:failSynthOnValidationErrors`.
 */
export function judgeWhenFinished(role: JudgedRole): void {
  const { root } = role.construct.node;
  const known = judgedRoles.get(root);
  if (known !== undefined) {
    known.push(role);
    return;
  }
  const roles = [role];
  judgedRoles.set(root, roles);
  if (!Stage.isStage(root)) return; // nothing is synthesized from it
  const synth = root.synth.bind(root);
  root.synth = (options) => {
    const assembly = synth(options);
    const faults = faultsOf(root, roles);
    if (faults.length > 0) {
      // Nothing deploys from a folder without it.
      rmSync(join(assembly.directory, 'manifest.json'), { force: true });
      throw refused(faults);
    }
    return assembly;
  };
}

function refused(faults: readonly string[]): SessionBrokerError {
  const count = faults.length === 1 ? 'in 1 place' : `in ${faults.length} places`;
  return new SessionBrokerError(
    'TemplateRefused',
    `finished templates would let a session leave its name, ${count}\n${faults.join('\n')}`,
    { detail: { faults } },
  );
}

function faultsOf(root: Stage, roles: readonly JudgedRole[]): readonly string[] {
  const templates = readTemplates(root);
  const values = new TemplateValues([...templates.values()]);
  const policies = collectPolicies([...templates.values()], values);
  return roles.flatMap(({ construct, resource, scope, callerArns, chainTo }) => {
    const stack = Stack.of(construct);
    const logicalId = String(stack.resolve(resource.logicalId));
    const template = templates.get(stack);
    const finished = template?.template.Resources?.[logicalId];
    const roleArn = template && values.arn(template, logicalId);
    const properties = template && (values.resolve(template, finished?.Properties ?? {}) as Record<string, unknown>);
    const at = (fault: string): string => `${construct.node.path}: ${fault}`;
    if (!template || !finished || !properties || roleArn === undefined) {
      return [at('role must stand in its template as a resource of type AWS::IAM::Role; restore it')];
    }
    if (template.template.Transform !== undefined) {
      return [at('template must have no Transform, which would change it once more; move the role to another stack')];
    }
    return [
      ...trustFaults({
        document: properties['AssumeRolePolicyDocument'],
        roleArn,
        callerArns: callerArns().map((arn) => String(values.resolve(template, stack.resolve(arn)))),
        scope,
      }),
      ...policyFaults(
        { account: stack.account, roleName: roleArn.slice(roleArn.lastIndexOf('/') + 1), properties, chainTo },
        policies,
      ),
    ].map(at);
  });
}

function readTemplates(root: Stage): ReadonlyMap<Stack, FinishedTemplate> {
  const templates = new Map<Stack, FinishedTemplate>();
  for (const stack of root.node.findAll().filter((construct) => Stack.isStack(construct))) {
    const file = join(Stage.of(stack)?.outdir ?? root.outdir, stack.templateFile);
    const { account, region } = stack;
    templates.set(stack, {
      path: stack.node.path,
      template: JSON.parse(readFileSync(file, 'utf8')) as Template,
      account: Token.isUnresolved(account) ? undefined : account,
      region: Token.isUnresolved(region) ? undefined : region,
      partition: knownPartition(region),
      parent: parentOf(stack, templates),
    });
  }
  return templates;
}

function knownPartition(region: string): string | undefined {
  try {
    return partitionOf(region);
  } catch {
    return undefined; // left to the deployment, or of a partition without session-broker roles
  }
}

function parentOf(stack: Stack, templates: ReadonlyMap<Stack, FinishedTemplate>): FinishedTemplate['parent'] {
  const { nestedStackParent, nestedStackResource } = stack;
  const parent = nestedStackParent && templates.get(nestedStackParent); // read before its children
  if (!parent || !nestedStackResource) return undefined;
  const logicalId = String(stack.resolve(nestedStackResource.logicalId));
  return { template: parent, parameters: parent.template.Resources?.[logicalId]?.Properties?.['Parameters'] };
}
