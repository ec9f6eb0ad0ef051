import type { Stack } from '../template/assembly.ts';
import { type FinishedTemplate, TemplateValues } from '../template/values.ts';
import { known, type PolicyFacts, unknown } from './facts.ts';
import { nameOf } from './given.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Adds what a cloud assembly would deploy. What its templates leave to the deployment is not known, and neither is what
 * only a deployment makes: unique ids and times.
 */
export function addAssembly(stacks: readonly Stack[], snapshot: Snapshot): void {
  const templates = stacks.map(finishedTemplate);
  const values = new TemplateValues(templates);
  const resources = stacks.flatMap((stack, index) => {
    const template = templates[index];
    if (template === undefined) return [];
    return Object.entries(stack.resources).flatMap(([logicalId, { type, properties, isConditional }]) => {
      const add = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
      // Whether what is conditional exists, the deployment decides.
      if (add === undefined || isConditional) return [];
      const resolved = values.resolve(template, properties) as Properties;
      return [
        { add, isRole: add === addRole, stack, properties: resolved, arn: values.arn(template, logicalId), snapshot },
      ];
    });
  });
  // What is attached to a role of the assembly is known before the role.
  for (const isRole of [false, true]) {
    for (const resource of resources) if (resource.isRole === isRole) resource.add(resource);
  }
}

type Properties = Readonly<Record<string, unknown>>;

interface Resource {
  readonly stack: Stack;
  /** With all that is known in them. */
  readonly properties: Properties;
  /** Of a role or a managed policy. */
  readonly arn: string | undefined;
  readonly snapshot: Snapshot;
}

const TYPES: Readonly<Record<string, (resource: Resource) => void>> = {
  'AWS::IAM::Role': addRole,
  'AWS::IAM::ManagedPolicy': addManagedPolicy,
  'AWS::IAM::Policy': addInlinePolicy,
  'AWS::SSM::Parameter': addParameter,
  'AWS::EKS::AccessEntry': addAccessEntry,
};

const NOT_DEPLOYED = 'the cloud assembly is not deployed yet';

/** What IAM gives a role that does not say. */
const MAX_SESSION_DURATION_SECONDS = 3600;

function addRole({ properties, arn, snapshot }: Resource): void {
  if (arn === undefined) return;
  const seconds = properties['MaxSessionDuration'] ?? MAX_SESSION_DURATION_SECONDS;
  const boundary = properties['PermissionsBoundary'];
  snapshot.addRole({
    arn,
    id: unknown(NOT_DEPLOYED),
    createdAt: unknown(NOT_DEPLOYED),
    maxSessionDurationSeconds: typeof seconds === 'number' ? known(seconds) : unknown(NOT_DEPLOYED),
    trust: known(properties['AssumeRolePolicyDocument']),
    boundaryArn: boundary === undefined || typeof boundary === 'string' ? known(boundary) : unknown(NOT_DEPLOYED),
    tags: known(tagsIn(properties['Tags'])),
    inlinePolicies: known(
      listIn(properties, 'Policies').map((policy): PolicyFacts => {
        const { PolicyName: name, PolicyDocument: document } = policy as Properties;
        return { name: String(name), document: known(document) };
      }),
    ),
    attachedArns: known(listIn(properties, 'ManagedPolicyArns').map(String)),
  });
}

function addManagedPolicy({ stack, properties, arn, snapshot }: Resource): void {
  if (arn === undefined) return;
  snapshot.addPolicy({
    name: nameOf(arn),
    arn,
    document: known(properties['PolicyDocument']),
    spareVersion: known(undefined),
  });
  for (const role of listIn(properties, 'Roles')) snapshot.addAttachment(stack.account, String(role), arn);
}

function addInlinePolicy({ stack, properties, snapshot }: Resource): void {
  const policy = { name: String(properties['PolicyName']), document: known(properties['PolicyDocument']) };
  for (const role of listIn(properties, 'Roles')) snapshot.addInlinePolicy(stack.account, String(role), policy);
}

function addParameter({ stack, properties, snapshot }: Resource): void {
  const { Name: name, Value: value } = properties;
  if (typeof name === 'string' && typeof value === 'string') snapshot.addParameter(stack, name, value);
}

function addAccessEntry({ stack, properties, snapshot }: Resource): void {
  const { ClusterName: cluster, PrincipalArn: principal, Type: type, Username: userName } = properties;
  if (typeof cluster !== 'string' || typeof principal !== 'string') return;
  snapshot.addAccessEntry(stack, cluster, principal, {
    type: String(type ?? 'STANDARD'),
    userName: String(userName ?? '{{SessionName}}'),
    kubernetesGroups: listIn(properties, 'KubernetesGroups').map(String),
    createdAt: unknown(NOT_DEPLOYED),
  });
}

function finishedTemplate({ name, account, region, partition, resources }: Stack): FinishedTemplate {
  const Resources = Object.fromEntries(
    Object.entries(resources).map(([logicalId, { type, properties }]) => [
      logicalId,
      { Type: type, Properties: properties },
    ]),
  );
  return { path: name, template: { Resources }, isTransformed: false, account, region, partition };
}

/** As a list of keys and values, or by key: types of resources differ. */
function tagsIn(tags: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(tags)) return (tags ?? {}) as Readonly<Record<string, string>>;
  return Object.fromEntries(tags.map(({ Key, Value }) => [String(Key), String(Value)]));
}

function listIn(properties: Properties, name: string): readonly unknown[] {
  const value = properties[name] ?? [];
  return Array.isArray(value) ? value : [];
}
