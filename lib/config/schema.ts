import * as v from 'valibot';
import { DEFAULT_IAM_PATH, DEFAULT_PARAMETER_PREFIX } from '../identity/index.ts';

/** A file's content with every default filled in, each value of the right type and none yet judged. */
export type RawConfig = v.InferOutput<ReturnType<typeof createConfigSchema>>;
export type RawCluster = RawConfig['clusters'][string];
export type RawTenant = RawCluster['tenants'][string];

let configSchema: ReturnType<typeof createConfigSchema> | undefined;

/**
 * The one source of truth on which keys a configuration has, their types and defaults; the JSON Schema is made
 * from it. What a value must look like is the parsers' of identity and policy.
 */
export function getConfigSchema(): ReturnType<typeof createConfigSchema> {
  configSchema ??= createConfigSchema();
  return configSchema;
}

/**
 * A mapping with these keys and no others. The message of an unknown key lists the known ones, between commas; it
 * is for {@link known}.
 */
function closed<const Entries extends v.ObjectEntries>(entries: Entries) {
  return notList(v.objectWithRest(entries, v.never(Object.keys(entries).join(','))));
}

/** A mapping from names that the file chooses. */
function named<const Value extends v.GenericSchema>(value: Value) {
  return notList(v.record(v.string(), value));
}

/** valibot takes a list for an object with the keys 0, 1 and so on. */
function notList<const Schema extends v.GenericSchema>(schema: Schema): Schema {
  return {
    ...schema,
    '~run': (dataset, config) => schema['~run'](Array.isArray(dataset.value) ? { value: undefined } : dataset, config),
  };
}

/** The keys that could have been meant, from the message of an unknown one. */
export function known(message: string): readonly string[] {
  return message.split(',');
}

function documented(description: string, examples: readonly unknown[]) {
  return examples.length === 0 ? { description } : { description, examples };
}

function text(description: string, ...examples: string[]) {
  return v.pipe(v.string(), v.metadata(documented(description, examples)));
}

function texts(description: string, ...examples: string[][]) {
  return v.optional(v.pipe(v.array(v.string()), v.metadata(documented(description, examples))), []);
}

function flag(description: string) {
  return v.pipe(v.boolean(), v.description(description));
}

function choice<const Values extends readonly string[]>(description: string, values: Values) {
  return v.optional(v.pipe(v.picklist(values), v.description(description)), values[0] as Values[number]);
}

function tags(description: string) {
  return v.optional(v.pipe(named(v.string()), v.metadata({ description, examples: [{ team: 'agents' }] })), {});
}

function createConfigSchema() {
  const oneOrMany = v.union([v.string(), v.array(v.string())]);
  const condition = named(named(oneOrMany));
  const statement = closed({
    Sid: v.exactOptional(v.pipe(v.string(), v.description('Letters and digits, unlike every other Sid of the role.'))),
    Effect: v.pipe(v.picklist(['Allow', 'Deny']), v.description('Whether the actions are allowed or denied.')),
    Action: v.exactOptional(
      v.pipe(oneOrMany, v.description('Actions, as "<service>:<action>". sts:AssumeRole is granted by chainTo.')),
    ),
    NotAction: v.exactOptional(v.pipe(oneOrMany, v.description('All actions but these. Only with Effect: Deny.'))),
    Resource: v.exactOptional(v.pipe(oneOrMany, v.description('ARNs in the partition of the cluster, or "*".'))),
    NotResource: v.exactOptional(v.pipe(oneOrMany, v.description('All resources but these.'))),
    Condition: v.exactOptional(
      v.pipe(condition, v.description('By operator and key, the values; booleans and numbers in quotes.')),
    ),
  });

  const acknowledgement = closed({
    action: v.pipe(v.string(), v.description('The action as the policy writes it, "<service>:<action>".')),
    reason: v.pipe(v.string(), v.description('Why it is granted, in one line of 10 to 500 characters.')),
  });

  const tenant = v.pipe(
    closed({
      attribution: v.exactOptional(
        flag(
          'true opts the tenant in. false opts it out again: write it and deploy, which deletes what is deployed; removing the lines would leave it behind. Default: not opted in, nothing is made.',
        ),
      ),
      tenantRole: text(
        "ARN of the tenant's IRSA role, the only one that may assume the session-broker role. Exact, in the partition of the cluster.",
        'arn:<partition>:iam::111122223333:role/eks-agent-platform/tenants/hub-acme-tenant',
      ),
      models: texts(
        "Foundation models that a session may invoke by their own id, in the cluster's Region. Most current models need an inference profile instead.",
        ['amazon.nova-lite-v1:0'],
      ),
      inferenceProfiles: v.optional(
        v.pipe(
          named(v.array(v.string())),
          v.metadata({
            description:
              'Inference profiles that a session may use: by id, the Regions that the profile routes to. A profile that begins with "global." takes an empty list.',
            examples: [{ 'us.anthropic.claude-sonnet-4-5-20250929-v1:0': ['us-east-1', 'us-east-2', 'us-west-2'] }],
          }),
        ),
        {},
      ),
      roleSessionName: choice(
        'free: the dispatcher chooses the role session name. bound: it must equal the source identity; not confirmed on a live account, try it on the pilot.',
        ['free', 'bound'],
      ),
      chainTo: texts(
        'ARNs of the roles that a session may go on to, under the same source identity. Their owners allow it in their trust policies.',
      ),
      statements: v.optional(
        v.pipe(
          v.array(statement),
          v.metadata({
            description:
              'Further IAM statements of the session-broker role, in the form of AWS. They may not grant "*", iam:*, sts:* or sts:AssumeRole.',
            examples: [
              [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:<partition>:s3:::acme-documents/*' }],
            ],
          }),
        ),
        [],
      ),
      managedPolicies: texts(
        "ARNs of managed policies attached to the session-broker role: AWS's own, or customer managed ones of the cluster's account. At most 10.",
      ),
      acknowledgeIdentityLoss: v.optional(
        v.pipe(
          v.array(acknowledgement),
          v.metadata({
            description:
              'Granted actions by which the identity of a session is lost, such as lambda:InvokeFunction, each with the reason why it is granted all the same. Without one, synthesis warns of the action.',
            examples: [
              [
                {
                  action: 'lambda:InvokeFunction',
                  reason: 'The billing function logs the session id that it is called with.',
                },
              ],
            ],
          }),
        ),
        [],
      ),
      eks: v.exactOptional(
        v.pipe(
          closed({
            kubernetesGroups: texts(
              'Kubernetes groups of the access entry, to which RoleBindings refer. None may begin with "system:".',
              ['acme-agents'],
            ),
          }),
          v.description(
            'Present: sessions may describe the EKS cluster and get an access entry; the authentication mode must include API. Default: neither.',
          ),
        ),
      ),
      callerPolicy: choice(
        "attach: the stack attaches the caller's policy to the tenant role. external: it only outputs the policy's ARN, for a role whose owner manages attachments (Terraform); the owner of a role in another account makes a policy with the same statements there.",
        ['attach', 'external'],
      ),
      tags: tags("Added to the cluster's tags on this tenant's resources."),
    }),
    v.description('A tenant by its name: a lower-case DNS label of at most 31 characters.'),
  );

  const cluster = v.pipe(
    closed({
      account: text('The AWS account of the cluster: twelve digits in quotes.', '111122223333'),
      region: text('The Region of the cluster; the partition follows from it.', 'us-west-2'),
      rollout: choice('pilot: one tenant at most may be opted in. general: any number.', ['pilot', 'general']),
      parameterPrefix: v.optional(
        text("Where the names of the cluster's parameters begin. Not /aws... or /ssm..., which AWS keeps for itself."),
        DEFAULT_PARAMETER_PREFIX,
      ),
      iamPath: v.optional(
        text(
          'IAM path of roles and policies. Changing it later replaces roles and fails: opt out first, then in again.',
        ),
        DEFAULT_IAM_PATH,
      ),
      permissionsBoundary: v.exactOptional(
        text(
          'ARN of a managed policy, the permissions boundary of every session-broker role of the cluster. Default: none.',
          'arn:<partition>:iam::111122223333:policy/boundary',
        ),
      ),
      eks: v.exactOptional(
        v.pipe(
          closed({
            clusterName: v.exactOptional(
              text("The EKS cluster's own name. Default: the key under clusters.", 'production-1'),
            ),
          }),
          v.description('The EKS cluster, where it differs from the key under clusters.'),
        ),
      ),
      terminationProtection: v.optional(
        flag('Whether CloudFormation refuses to delete the stacks of the tenants. Default: false.'),
        false,
      ),
      tags: tags('Tags on every taggable resource of the cluster. At most 45, with those of the tenant.'),
      tenants: v.optional(v.pipe(named(tenant), v.description('The tenants of the cluster, opted in or not.')), {}),
    }),
    v.description('A cluster by its name: a lower-case DNS label.'),
  );

  return v.pipe(
    closed({
      clusters: v.pipe(named(cluster), v.description('The clusters, by name.')),
    }),
    v.metadata({ title: 'session-broker configuration' }),
  );
}
