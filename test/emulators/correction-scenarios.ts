import { expect } from 'vitest';
import { allowing, createRole, iam } from './deployments.ts';
import type { Boto3Answer, Boto3Call } from './python-tools.ts';

export const ACCOUNT = '111122223333';

type Keys = Readonly<Record<string, unknown>>;

/** What shows a behaviour of AWS to a client. No two use the same names. */
export interface Scenario {
  /** Calls, some with a name by which {@link Scenario.seen} finds their answer; the others must succeed. */
  readonly calls: readonly (Boto3Call & { readonly as?: string })[];
  readonly seen: (answers: Readonly<Record<string, Boto3Answer>>) => unknown;
  readonly onAws: unknown;
}

const policyArn = (name: string) => `arn:aws:iam::${ACCOUNT}:policy/${name}`;
const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const READ = allowing({ Action: 's3:GetObject', Resource: '*' });
const trusting = (principal: string) => allowing({ Principal: { AWS: principal }, Action: 'sts:AssumeRole' });
const FOR_EKS = allowing({ Principal: { Service: 'eks.amazonaws.com' }, Action: 'sts:AssumeRole' });

const createPolicy = (PolicyName: string) => iam('create_policy', { PolicyName, PolicyDocument: READ });
const role = (RoleName: string, keys: Keys = {}) => ({
  Type: 'AWS::IAM::Role',
  Properties: { RoleName, AssumeRolePolicyDocument: JSON.parse(FOR_EKS), ...keys },
});
const managedPolicy = (ManagedPolicyName: string, keys: Keys = {}) => ({
  Type: 'AWS::IAM::ManagedPolicy',
  Properties: { ManagedPolicyName, PolicyDocument: JSON.parse(READ), ...keys },
});

/** Scenarios by the behaviour of AWS that they show. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a condition of a template compares what Fn::Join makes of its parameters': {
    calls: [
      ...stack('create', 'joined', {
        Parameters: { Names: { Type: 'CommaDelimitedList', Default: '' } },
        Conditions: { Named: { 'Fn::Not': [{ 'Fn::Equals': ['', { 'Fn::Join': ['', { Ref: 'Names' }] }] }] } },
        Resources: {
          Parameter: {
            Type: 'AWS::SSM::Parameter',
            Properties: { Name: 'joined', Type: 'String', Value: { 'Fn::If': ['Named', 'some', 'none'] } },
          },
        },
      }),
      { as: 'value', service: 'ssm', operation: 'get_parameter', parameters: { Name: 'joined' } },
    ],
    seen: ({ value }) => value?.answer,
    onAws: { Parameter: expect.objectContaining({ Value: 'none' }) },
  },

  'a stack does not take over a role or a managed policy that exists': {
    calls: [
      createRole('taken'),
      createPolicy('taken'),
      ...stack('create', 'taker-of-role', { Resources: { Role: role('taken') } }),
      ...stack('create', 'taker-of-policy', { Resources: { Policy: managedPolicy('taken') } }),
    ],
    seen: (answers) => [failureOf(answers['create taker-of-role']), failureOf(answers['create taker-of-policy'])],
    onAws: [
      'Role with name taken already exists.',
      'A policy called taken already exists. Duplicate names are not allowed.',
    ],
  },

  'a stack fails to delete a role or a managed policy that has attachments from elsewhere': {
    calls: [
      createRole('outsider'),
      createPolicy('outsider'),
      ...stack('create', 'kept', {
        Resources: { Attached: role('kept'), Inline: role('kept-too'), Policy: managedPolicy('kept') },
      }),
      iam('attach_role_policy', { RoleName: 'kept', PolicyArn: policyArn('outsider') }),
      iam('put_role_policy', { RoleName: 'kept-too', PolicyName: 'outsider', PolicyDocument: READ }),
      iam('attach_role_policy', { RoleName: 'outsider', PolicyArn: policyArn('kept') }),
      ...stack('delete', 'kept'),
    ],
    seen: (answers) => failuresOf(answers['delete kept']).toSorted(),
    onAws: [
      'Cannot delete a policy attached to entities.',
      'Cannot delete entity, must delete policies first.',
      'Cannot delete entity, must detach all policies first.',
    ],
  },

  'a role that a stack makes was made at a whole second, as IAM tells time': {
    calls: [
      // One may be made at a whole second by chance.
      ...stack('create', 'timely', {
        Resources: { One: role('timely-1'), Two: role('timely-2'), Three: role('timely-3') },
      }),
      { as: 'roles', ...iam('list_roles', {}) },
    ],
    seen: ({ roles }) =>
      ((roles?.answer?.['Roles'] ?? []) as readonly Readonly<Record<string, string>>[])
        .filter(({ RoleName = '' }) => RoleName.startsWith('timely'))
        .every(({ CreateDate = '' }) => /:\d\d\+00:00$/.test(CreateDate)),
    onAws: true,
  },

  "a stack sets, changes and removes a role's permissions boundary": {
    calls: [
      createPolicy('first'),
      createPolicy('second'),
      ...stack('create', 'bounded', {
        Resources: { Role: role('bounded', { PermissionsBoundary: policyArn('first') }) },
      }),
      { as: 'set', ...iam('get_role', { RoleName: 'bounded' }) },
      ...stack('update', 'bounded', {
        Resources: { Role: role('bounded', { PermissionsBoundary: policyArn('second') }) },
      }),
      { as: 'changed', ...iam('get_role', { RoleName: 'bounded' }) },
      ...stack('update', 'bounded', { Resources: { Role: role('bounded') } }),
      { as: 'removed', ...iam('get_role', { RoleName: 'bounded' }) },
      ...stack('create', 'unbounded', {
        Resources: { Role: role('unbounded', { PermissionsBoundary: policyArn('no') }) },
      }),
    ],
    seen: ({ set, changed, removed, ...answers }) => [
      ...[set, changed, removed].map((answer) => boundaryOf(answer?.answer?.['Role'])),
      failureOf(answers['create unbounded']),
    ],
    onAws: [policyArn('first'), policyArn('second'), undefined, expect.stringContaining('does not exist')],
  },

  "the account's authorization details have the permissions boundaries of roles": {
    calls: [
      createPolicy('limit'),
      iam('create_role', {
        RoleName: 'limited',
        AssumeRolePolicyDocument: FOR_EKS,
        PermissionsBoundary: policyArn('limit'),
      }),
      { as: 'details', ...iam('get_account_authorization_details', { Filter: ['Role'] }) },
    ],
    seen: ({ details }) => {
      const roles = (details?.answer?.['RoleDetailList'] ?? []) as readonly Keys[];
      return boundaryOf(roles.find(({ RoleName }) => RoleName === 'limited'));
    },
    onAws: policyArn('limit'),
  },

  'only a managed policy that exists is attached to a role': {
    calls: [
      createRole('attacher'),
      { as: 'call', ...iam('attach_role_policy', { RoleName: 'attacher', PolicyArn: policyArn('absent') }) },
      ...stack('create', 'attaching', {
        Resources: { Role: role('attaching', { ManagedPolicyArns: [policyArn('absent')] }) },
      }),
    ],
    seen: ({ call, ...answers }) => [call?.error?.code, failureOf(answers['create attaching'])],
    onAws: ['NoSuchEntity', `Policy ${policyArn('absent')} does not exist or is not attachable.`],
  },

  'a stack attaches a managed policy only to roles, users and groups that exist': {
    calls: stack('create', 'attached', { Resources: { Policy: managedPolicy('attached', { Roles: ['absent'] }) } }),
    seen: (answers) => failureOf(answers['create attached']),
    onAws: 'The role with name absent cannot be found.',
  },

  'a trust policy is saved only if the roles and users that it names exist': {
    calls: [
      createRole('friend'),
      createRole('trusting'),
      {
        as: 'created',
        ...iam('create_role', { RoleName: 'never', AssumeRolePolicyDocument: trusting(roleArn('absent')) }),
      },
      {
        as: 'updated',
        ...iam('update_assume_role_policy', {
          RoleName: 'trusting',
          PolicyDocument: trusting(`arn:aws:iam::${ACCOUNT}:user/absent`),
        }),
      },
      {
        as: 'right',
        ...iam('update_assume_role_policy', { RoleName: 'trusting', PolicyDocument: trusting(roleArn('friend')) }),
      },
      ...stack('create', 'distrusted', {
        Resources: {
          Role: role('distrusted', { AssumeRolePolicyDocument: JSON.parse(trusting(roleArn('x/friend'))) }),
        },
      }),
    ],
    seen: ({ created, updated, right, ...answers }) => [
      created?.error?.code,
      updated?.error?.message,
      right?.error,
      failureOf(answers['create distrusted']),
    ],
    onAws: [
      'MalformedPolicyDocument',
      `Invalid principal in policy: "AWS":"arn:aws:iam::${ACCOUNT}:user/absent"`,
      undefined,
      // The role has no such path.
      `Invalid principal in policy: "AWS":"${roleArn('x/friend')}"`,
    ],
  },

  'a trust policy shows the unique id of a role that has been deleted': {
    calls: [
      { as: 'first', ...createRole('mortal') },
      iam('create_role', { RoleName: 'survivor', AssumeRolePolicyDocument: trusting(roleArn('mortal')) }),
      iam('delete_role', { RoleName: 'mortal' }),
      createRole('mortal'),
      { as: 'survivor', ...iam('get_role', { RoleName: 'survivor' }) },
    ],
    seen: ({ first, survivor }) => {
      const [deleted, trusts] = [first, survivor].map((answer) => answer?.answer?.['Role'] as Keys);
      return JSON.stringify(trusts?.['AssumeRolePolicyDocument']) === trusting(String(deleted?.['RoleId']));
    },
    onAws: true,
  },

  'an access entry needs an authentication mode with API, and has a user name': {
    calls: [
      createRole('kubernetes'),
      createRole('visitor', '/guests/'),
      createCluster('old', 'CONFIG_MAP', 'kubernetes'),
      createCluster('new', 'API_AND_CONFIG_MAP', 'kubernetes'),
      { as: 'refused', ...eks('create_access_entry', 'old', { principalArn: roleArn('guests/visitor') }) },
      { as: 'entry', ...eks('create_access_entry', 'new', { principalArn: roleArn('guests/visitor') }) },
    ],
    seen: ({ refused, entry }) => [refused?.error?.code, (entry?.answer?.['accessEntry'] as Keys)?.['username']],
    onAws: ['InvalidRequestException', `arn:aws:sts::${ACCOUNT}:assumed-role/visitor/{{SessionName}}`],
  },

  'a stack creates, updates and deletes access entries of an EKS cluster': {
    calls: [
      createRole('guest'),
      createRole('innkeeper'),
      createCluster('inn', 'API', 'innkeeper'),
      ...stack('create', 'entry', accessEntry(['a'], { team: 'one' })),
      { as: 'created', ...eks('describe_access_entry', 'inn', { principalArn: roleArn('guest') }) },
      ...stack('update', 'entry', accessEntry(['b', 'c'], { owner: 'two' })),
      { as: 'updated', ...eks('describe_access_entry', 'inn', { principalArn: roleArn('guest') }) },
      ...stack('delete', 'entry'),
      { as: 'deleted', ...eks('describe_access_entry', 'inn', { principalArn: roleArn('guest') }) },
    ],
    seen: ({ created, updated, deleted }) => [
      ...[created, updated].map((answer) => {
        const { kubernetesGroups, tags = {} } = (answer?.answer?.['accessEntry'] ?? {}) as Keys;
        return [
          kubernetesGroups,
          Object.fromEntries(Object.entries(tags as Keys).filter(([key]) => !key.includes(':'))),
        ];
      }),
      deleted?.error?.code,
    ],
    onAws: [[['a'], { team: 'one' }], [['b', 'c'], { owner: 'two' }], 'ResourceNotFoundException'],
  },
};

/** Creates, updates or deletes a stack and waits until that has ended. Its events are named `create stack`. */
function stack(operation: 'create' | 'update' | 'delete', StackName: string, template?: Keys): Scenario['calls'] {
  const cloudformation = (call: Omit<Boto3Call, 'service'>, parameters: Keys = {}): Boto3Call => ({
    ...call,
    service: 'cloudformation',
    parameters: { StackName, ...parameters },
  });
  const body = template && { TemplateBody: JSON.stringify(template), Capabilities: ['CAPABILITY_NAMED_IAM'] };
  return [
    { ...cloudformation({ operation: `${operation}_stack` }, body), as: `begin to ${operation} ${StackName}` },
    cloudformation({ waiter: `stack_${operation}_complete` }),
    { ...cloudformation({ operation: 'describe_stack_events' }), as: `${operation} ${StackName}` },
  ];
}

function failureOf(events: Boto3Answer | undefined): string | undefined {
  return failuresOf(events)[0];
}

/** Why resources failed, by a stack's events. */
function failuresOf(events: Boto3Answer | undefined): readonly string[] {
  const found = (events?.answer?.['StackEvents'] ?? []) as readonly Readonly<Record<string, string>>[];
  return found
    .filter(
      ({ ResourceStatus = '', ResourceType }) =>
        ResourceStatus.endsWith('_FAILED') && ResourceType !== 'AWS::CloudFormation::Stack',
    )
    .map(({ ResourceStatusReason = '' }) => ResourceStatusReason);
}

function boundaryOf(role: unknown): unknown {
  const { PermissionsBoundary } = (role ?? {}) as { readonly PermissionsBoundary?: Keys };
  return PermissionsBoundary?.['PermissionsBoundaryArn'];
}

function eks(operation: string, clusterName: string, parameters: Keys): Boto3Call {
  return { service: 'eks', operation, parameters: { clusterName, ...parameters } };
}

function createCluster(name: string, authenticationMode: string, role: string): Boto3Call {
  const parameters = { name, roleArn: roleArn(role), resourcesVpcConfig: {}, accessConfig: { authenticationMode } };
  return { service: 'eks', operation: 'create_cluster', parameters };
}

function accessEntry(KubernetesGroups: readonly string[], tags: Readonly<Record<string, string>>): Keys {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const Properties = { ClusterName: 'inn', PrincipalArn: roleArn('guest'), Type: 'STANDARD', KubernetesGroups, Tags };
  return { Resources: { Entry: { Type: 'AWS::EKS::AccessEntry', Properties } } };
}
