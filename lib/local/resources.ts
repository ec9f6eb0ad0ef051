import { createHash } from 'node:crypto';
import { quote } from '../errors.ts';
import { parseIamPath, ROLE_NAME_LENGTH } from '../identity/index.ts';
import type { Stack } from '../template/assembly.ts';
import { Unresolvable } from '../template/intrinsics.ts';
import { AwsFault, noSuchEntity, notModelled } from './aws-fault.ts';
import { addAccessEntry } from './eks/access-entries.ts';
import { assertPolicyNameIsFree } from './iam/policies.ts';
import { readPolicy } from './policy-text.ts';
import { assertManagedPolicySize, assertTrustPolicySize, type Quotas } from './quotas.ts';
import { parameterAlreadyExists } from './ssm.ts';
import type { Role, Store } from './store.ts';
import { storedTrust } from './trust-principals.ts';

/** Of a resource, without intrinsic functions. */
export type Properties = Readonly<Record<string, unknown>>;

/** Values of `Ref` (under an empty name) and of `Fn::GetAtt`. */
export type Attributes = Readonly<Record<string, string>>;

/** Where resources go. */
export interface DeployTarget {
  readonly store: Store;
  readonly quotas: Quotas;
  readonly now: Date;
}

/** Creates a resource. */
export type Create = (logicalId: string, properties: Properties, stack: Stack, target: DeployTarget) => Attributes;

/** By type, the resources that are modelled. */
export const RESOURCES: Readonly<Record<string, Create>> = {
  'AWS::EKS::AccessEntry': createAccessEntry,
  'AWS::IAM::Role': createRole,
  'AWS::IAM::ManagedPolicy': createManagedPolicy,
  'AWS::IAM::Policy': createInlinePolicy,
  'AWS::SSM::Parameter': createParameter,
};

function createRole(logicalId: string, properties: Properties, stack: Stack, target: DeployTarget): Attributes {
  const { account, partition } = stack;
  const { store, quotas, now } = target;
  const name = optionalText(properties, 'RoleName') ?? generatedName(stack, logicalId);
  if (store.findRole(account, name) !== undefined) {
    throw new AwsFault('EntityAlreadyExists', 409, `Role with name ${name} already exists.`);
  }
  const document = readPolicy(properties['AssumeRolePolicyDocument'], 'trust', 'trust policy');
  assertTrustPolicySize(document, quotas);
  const inline = objects(properties, 'Policies').map(
    (policy) =>
      [
        text(policy, 'PolicyName'),
        readPolicy(policy['PolicyDocument'], 'identity', text(policy, 'PolicyName')),
      ] as const,
  );
  const role = store.addRole({
    account,
    partition,
    name,
    path: parseIamPath(optionalText(properties, 'Path') ?? '/'),
    trust: storedTrust(document, store),
    createdAt: now,
    description: optionalText(properties, 'Description'),
    maxSessionDurationSeconds:
      properties['MaxSessionDuration'] === undefined ? undefined : Number(properties['MaxSessionDuration']),
    permissionsBoundary: optionalText(properties, 'PermissionsBoundary'),
    tags: tagsOf(properties),
  });
  for (const [policyName, policy] of inline) role.inlinePolicies.set(policyName, policy);
  for (const arn of texts(properties, 'ManagedPolicyArns')) role.attachedPolicies.add(arn);
  return { '': role.name, Arn: role.arn, RoleId: role.id };
}

function createManagedPolicy(
  logicalId: string,
  properties: Properties,
  stack: Stack,
  { store, quotas, now }: DeployTarget,
): Attributes {
  const { account, partition } = stack;
  const name = optionalText(properties, 'ManagedPolicyName') ?? generatedName(stack, logicalId);
  const roles = rolesNamed(properties, stack, store);
  const document = readPolicy(properties['PolicyDocument'], 'identity', name);
  assertPolicyNameIsFree(account, name, store);
  assertManagedPolicySize(document, quotas);
  const { arn } = store.addPolicy({
    partition,
    account,
    path: parseIamPath(optionalText(properties, 'Path') ?? '/'),
    name,
    document,
    createdAt: now,
    description: optionalText(properties, 'Description'),
  });
  for (const role of roles) role.attachedPolicies.add(arn);
  return { '': arn, PolicyArn: arn };
}

/** A cluster that the configuration does not name is none of ours. */
function createAccessEntry(
  _logicalId: string,
  properties: Properties,
  { account, region }: Stack,
  { store, now }: DeployTarget,
): Attributes {
  const name = text(properties, 'ClusterName');
  const cluster = store.clusters.find(account, region, name);
  if (cluster === undefined) throw notModelled(`the EKS cluster ${name}, which the configuration does not name`);
  const props = {
    principalArn: text(properties, 'PrincipalArn'),
    type: optionalText(properties, 'Type') ?? 'STANDARD',
    userName: optionalText(properties, 'Username'),
    kubernetesGroups: texts(properties, 'KubernetesGroups'),
    tags: tagsOf(properties),
  };
  const { arn } = addAccessEntry(cluster, props, store, now);
  return { '': `${props.principalArn}|${name}`, AccessEntryArn: arn };
}

function createInlinePolicy(
  _logicalId: string,
  properties: Properties,
  stack: Stack,
  { store }: DeployTarget,
): Attributes {
  const name = text(properties, 'PolicyName');
  const policy = readPolicy(properties['PolicyDocument'], 'identity', name);
  for (const role of rolesNamed(properties, stack, store)) role.inlinePolicies.set(name, policy);
  return { '': name };
}

function createParameter(
  logicalId: string,
  properties: Properties,
  { account, region, partition, name: stackName }: Stack,
  { store, now }: DeployTarget,
): Attributes {
  const name = optionalText(properties, 'Name') ?? generatedName({ name: stackName }, logicalId);
  const type = text(properties, 'Type');
  const value = text(properties, 'Value');
  if (store.parameters.find(account, region, name) !== undefined) throw parameterAlreadyExists();
  const arn = `arn:${partition}:ssm:${region}:${account}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
  store.parameters.write(
    account,
    region,
    { arn, name, type },
    {
      value,
      tier: optionalText(properties, 'Tier') === 'Advanced' ? 'Advanced' : 'Standard',
      description: optionalText(properties, 'Description'),
      modifiedAt: now,
      modifiedBy: `arn:${partition}:iam::${account}:root`,
    },
  );
  return { '': name, Type: type, Value: value };
}

function rolesNamed(properties: Properties, { account }: Stack, store: Store): readonly Role[] {
  return texts(properties, 'Roles').map((name) => {
    const role = store.findRole(account, name);
    if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
    return role;
  });
}

/** The form of the names that CloudFormation gives; always the same here, where a stack is created once. */
function generatedName(stack: Pick<Stack, 'name'>, logicalId: string): string {
  const suffix = createHash('sha256').update(`${stack.name}/${logicalId}`).digest('hex').slice(0, 12).toUpperCase();
  return `${`${stack.name}-${logicalId}`.slice(0, ROLE_NAME_LENGTH - suffix.length - 1)}-${suffix}`;
}

function tagsOf(properties: Properties): Readonly<Record<string, string>> {
  return Object.fromEntries(objects(properties, 'Tags').map((tag) => [text(tag, 'Key'), text(tag, 'Value')]));
}

function optionalText(properties: Properties, name: string): string | undefined {
  return properties[name] === undefined ? undefined : text(properties, name);
}

function text(properties: Properties, name: string): string {
  const value = properties[name];
  if (typeof value === 'string') return value;
  throw new Unresolvable(`${name} must be text: ${quote(value)}`);
}

function texts(properties: Properties, name: string): readonly string[] {
  const value = properties[name] ?? [];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw new Unresolvable(`${name} must be a list of texts: ${quote(value)}`);
}

function objects(properties: Properties, name: string): readonly Properties[] {
  const value = properties[name] ?? [];
  const isList = Array.isArray(value) && value.every((entry) => typeof entry === 'object' && entry !== null);
  if (isList) return value as Properties[];
  throw new Unresolvable(`${name} must be a list of objects: ${quote(value)}`);
}
