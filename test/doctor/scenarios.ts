import type { FindingCode, Severity } from '../../lib/doctor/findings.ts';
import type { LocalAccountOptions } from '../../lib/local/index.ts';
import {
  ACCOUNT,
  CALLER_POLICY_ARN,
  HEALTHY,
  PARAMETER,
  READER_ARN,
  ROLE,
  ROLE_ARN,
  TENANT_ROLE,
  TENANT_ROLE_ARN,
  type World,
} from './world.ts';

/** A deployment of which one thing is wrong. */
export interface Scenario {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly because: string;
  readonly yaml?: string;
  /** What others have in the account, before and after each deployment. */
  readonly arrange?: (world: World) => Promise<void>;
  /** What goes wrong. */
  readonly spoil?: (world: World) => unknown;
  /** What the fix asks of somebody before its commands. */
  readonly owner?: (world: World) => Promise<unknown>;
  readonly options?: Partial<LocalAccountOptions>;
  /** Whether there is nothing that a command could do without taking more away. */
  readonly isByHand?: boolean;
}

const EVERYTHING = { Effect: 'Allow', Action: '*', Resource: '*' };

export function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** The healthy configuration with a line more for acme. */
function acmeWith(line: string): string {
  return HEALTHY.replace('        models:', `        ${line}\n        models:`);
}

const EKS_LINE = '        eks: { kubernetesGroups: [agents] }\n';
const DOCS_ARN = `arn:aws:iam::${ACCOUNT}:policy/docs`;
const EDGE_ARN = `arn:aws:iam::${ACCOUNT}:policy/edge`;
const MANAGED = acmeWith(`managedPolicies: ["${DOCS_ARN}"]`);

/** The caller's policy with another statement about the session-broker role, or none about the parameters. */
export function callerPolicy(actions: readonly string[], hasParameters = true): string {
  return policy(
    { Effect: 'Allow', Action: actions, Resource: ROLE_ARN },
    ...(hasParameters
      ? [
          {
            Effect: 'Allow',
            Action: 'ssm:GetParameter',
            Resource: `arn:aws:ssm:us-west-2:${ACCOUNT}:parameter/eks-agent-platform/hub/session-broker/acme/*`,
          },
        ]
      : []),
  );
}

/** What the caller's policy allows. */
const HOP = [
  { Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'], Resource: ROLE_ARN },
  { Effect: 'Allow', Action: 'ssm:GetParameter', Resource: `arn:aws:ssm:us-west-2:${ACCOUNT}:parameter${PARAMETER}` },
];

function putPolicy(world: World, role: string, name: string, ...statements: readonly object[]): Promise<unknown> {
  const words = ['--role-name', role, '--policy-name', name, '--policy-document', policy(...statements)];
  return world.aws('iam', 'put-role-policy', ...words);
}

export function saveCallerPolicy(world: World, document: string): Promise<unknown> {
  const words = ['--policy-arn', CALLER_POLICY_ARN, '--policy-document', document, '--set-as-default'];
  return world.aws('iam', 'create-policy-version', ...words);
}

async function boundTenantRole(world: World, ...statements: readonly object[]): Promise<void> {
  const arn = await world.createPolicy('edge', ...statements);
  const words = ['--role-name', TENANT_ROLE, '--permissions-boundary', arn];
  await world.aws('iam', 'put-role-permissions-boundary', ...words);
}

export async function trust(world: World, role: string, document: string): Promise<void> {
  await world.aws('iam', 'update-assume-role-policy', '--role-name', role, '--policy-document', document);
}

export async function trustPodIdentity(world: World): Promise<void> {
  const Action = ['sts:AssumeRole', 'sts:TagSession'];
  await trust(
    world,
    TENANT_ROLE,
    policy({ Effect: 'Allow', Principal: { Service: 'pods.eks.amazonaws.com' }, Action }),
  );
}

function acmeTrust(stringLike: string, ...further: readonly object[]): string {
  const Condition = {
    StringLike: { 'sts:SourceIdentity': stringLike },
    StringNotLike: { 'sts:SourceIdentity': 'agent.acme.*.*' },
  };
  const Principal = { AWS: TENANT_ROLE_ARN };
  return policy(
    { Sid: 'AssumeAsAgent', Effect: 'Allow', Principal, Action: 'sts:AssumeRole', Condition },
    { Sid: 'SetAgentIdentity', Effect: 'Allow', Principal, Action: 'sts:SetSourceIdentity', Condition },
    ...further,
  );
}

export const SCENARIOS: readonly Scenario[] = [
  {
    code: 'NotDeployed',
    severity: 'error',
    because: 'the stack was never deployed',
    spoil: (world) => world.undeploy('SessionBroker-hub-acme'),
  },
  {
    code: 'RoleDeleted',
    severity: 'error',
    because: 'somebody deleted the role by hand',
    spoil: (world) => world.deleteRole(ROLE),
  },
  {
    code: 'RoleDeleted',
    severity: 'error',
    because: 'somebody deleted the role by hand, and the owner of the tenant role had attached the policy',
    yaml: acmeWith('callerPolicy: external'),
    spoil: (world) => world.deleteRole(ROLE),
  },
  {
    code: 'DeployedUnderOtherPath',
    severity: 'error',
    because: 'the path was changed after the deployment',
    spoil: (world) => world.configure('clusters.hub.iamPath', '/agents/'),
  },
  {
    code: 'DeployedInOtherRegion',
    severity: 'error',
    because: 'the Region was changed after the deployment',
    spoil: (world) => world.configure('clusters.hub.region', 'eu-west-1'),
  },
  {
    code: 'DeployedThoughOptedOut',
    severity: 'error',
    because: 'nobody deployed after the opt-out',
    spoil: (world) => world.configure('clusters.hub.tenants.acme.attribution', false),
  },
  {
    code: 'DeployedThoughOptedOut',
    severity: 'error',
    because: 'nobody deployed after the opt-out, and the stack is protected',
    yaml: HEALTHY.replace('    tenants:', '    terminationProtection: true\n    tenants:'),
    spoil: (world) => world.configure('clusters.hub.tenants.acme.attribution', false),
  },
  {
    code: 'DeployedThoughOptedOut',
    severity: 'error',
    because: 'nobody deployed after the opt-out, and the owner of the tenant role has attached the policy',
    yaml: acmeWith('callerPolicy: external'),
    spoil: (world) => world.configure('clusters.hub.tenants.acme.attribution', false),
  },
  {
    code: 'DeployedThoughNotOptedIn',
    severity: 'error',
    because: 'the line was removed',
    spoil: (world) => world.configure('clusters.hub.tenants.acme.attribution', undefined),
  },
  {
    code: 'DeployedThoughNotInFile',
    severity: 'error',
    because: 'the tenant was removed',
    spoil: (world) => world.configure('clusters.hub.tenants.acme', undefined),
  },
  {
    code: 'DeployedThoughNotInFile',
    severity: 'error',
    because: 'the tenant was removed, and its stack is protected',
    yaml: HEALTHY.replace('    tenants:', '    terminationProtection: true\n    tenants:'),
    spoil: (world) => world.configure('clusters.hub.tenants.acme', undefined),
  },
  {
    code: 'StsEndpointGlobal',
    severity: 'warning',
    because: 'a variable says so',
    spoil: (world) => {
      world.environment = { AWS_STS_REGIONAL_ENDPOINTS: 'legacy', AWS_ENDPOINT_URL_STS: 'https://sts.amazonaws.com/' };
    },
  },
  {
    code: 'TenantRoleMissing',
    severity: 'error',
    because: 'it was deleted',
    spoil: (world) => world.deleteRole(TENANT_ROLE),
    owner: (world) => {
      const document = policy({
        Effect: 'Allow',
        Principal: { Service: 'ec2.amazonaws.com' },
        Action: 'sts:AssumeRole',
      });
      const named = ['--role-name', TENANT_ROLE, '--path', '/tenants/'];
      return world.aws('iam', 'create-role', ...named, '--assume-role-policy-document', document);
    },
  },
  {
    code: 'TenantRoleMissing',
    severity: 'error',
    because: 'it stands under another path',
    spoil: (world) =>
      world.configure('clusters.hub.tenants.acme.tenantRole', `arn:aws:iam::${ACCOUNT}:role/${TENANT_ROLE}`),
  },
  {
    code: 'TrustNamesDeletedRole',
    severity: 'error',
    because: 'the tenant role was made again',
    spoil: (world) => world.recreateRole(TENANT_ROLE),
  },
  {
    code: 'TrustDrifted',
    severity: 'error',
    because: 'somebody let all tenants in',
    spoil: (world) => trust(world, ROLE, acmeTrust('agent.*')),
  },
  {
    code: 'TrustDrifted',
    severity: 'error',
    because: 'somebody let the reader in without a name',
    spoil: (world) =>
      trust(
        world,
        ROLE,
        acmeTrust('agent.acme.?*', { Effect: 'Allow', Principal: { AWS: READER_ARN }, Action: 'sts:AssumeRole' }),
      ),
  },
  {
    code: 'TrustDrifted',
    severity: 'error',
    because: 'somebody denied what is not MFA',
    spoil: (world) =>
      trust(
        world,
        ROLE,
        acmeTrust('agent.acme.?*', { Effect: 'Deny', Principal: '*', Action: 'sts:SetSourceIdentity' }),
      ),
  },
  {
    code: 'TrustDrifted',
    severity: 'warning',
    because: 'somebody narrowed it to one name',
    spoil: (world) => {
      const one = acmeTrust('agent.acme.doctor');
      return trust(world, ROLE, one);
    },
  },
  {
    code: 'PodIdentityNeedsTagSession',
    severity: 'error',
    because: 'the tenant role is associated with a service account',
    spoil: async (world) => {
      await trustPodIdentity(world);
      const words = ['--cluster-name', 'hub', '--namespace', 'acme', '--service-account', 'dispatcher'];
      await world.aws('eks', 'create-pod-identity-association', ...words, '--role-arn', TENANT_ROLE_ARN);
    },
  },
  {
    code: 'BoundaryDeniesHop',
    severity: 'error',
    because: 'the boundary denies all roles',
    arrange: (world) =>
      boundTenantRole(world, EVERYTHING, { Sid: 'NoRoles', Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' }),
  },
  {
    code: 'BoundaryDeniesHop',
    severity: 'error',
    because: 'the boundary denies roles by a pattern, among much else',
    arrange: (world) =>
      boundTenantRole(world, EVERYTHING, {
        Effect: 'Deny',
        Action: ['iam:*', 'sts:*'],
        Resource: `arn:aws:iam::${ACCOUNT}:role/*`,
      }),
  },
  {
    code: 'BoundaryOmitsHop',
    severity: 'error',
    because: 'the boundary is about buckets',
    arrange: (world) => boundTenantRole(world, { Effect: 'Allow', Action: 's3:*', Resource: '*' }),
  },
  {
    code: 'BoundaryDeniesHop',
    severity: 'warning',
    because: 'the boundary denies parameters',
    arrange: (world) =>
      boundTenantRole(world, EVERYTHING, { Effect: 'Deny', Action: 'ssm:GetParameter*', Resource: '*' }),
    isByHand: true,
  },
  {
    code: 'BoundaryDeniesHop',
    severity: 'warning',
    because: 'the boundary denies one action on parameters',
    arrange: (world) =>
      boundTenantRole(world, EVERYTHING, { Effect: 'Deny', Action: 'ssm:GetParameter', Resource: '*' }),
  },
  {
    code: 'BoundaryOmitsHop',
    severity: 'warning',
    because: 'the boundary is about roles alone',
    arrange: (world) => boundTenantRole(world, { Effect: 'Allow', Action: 'sts:*', Resource: '*' }),
  },
  {
    code: 'CallerPolicyDeniesHop',
    severity: 'warning',
    because: 'a policy of the tenant role denies parameters',
    spoil: (world) =>
      putPolicy(world, TENANT_ROLE, 'no-parameters', {
        Effect: 'Deny',
        Action: 'ssm:GetParameter',
        NotResource: 'arn:aws:ssm:*:*:parameter/others/*',
      }),
  },
  {
    code: 'ServiceControlPolicyDeniesHop',
    severity: 'warning',
    because: 'the organization denies parameters',
    spoil: (world) => {
      const Statement = [{ Effect: 'Deny', Action: 'ssm:GetParameter', Resource: '*' }];
      world.scp = [{ Version: '2012-10-17', Statement }];
    },
  },
  {
    code: 'ServiceControlPolicyOmitsHop',
    severity: 'warning',
    because: 'the organization allows no parameters',
    spoil: (world) => {
      const Statement = [{ Effect: 'Allow', Action: ['bedrock:*', 'eks:*', 'sts:*'], Resource: '*' }];
      world.scp = [{ Version: '2012-10-17', Statement }];
    },
  },
  {
    code: 'CallerPolicyDeniesHop',
    severity: 'error',
    because: 'a policy of the tenant role denies identities',
    spoil: (world) =>
      putPolicy(world, TENANT_ROLE, 'no-names', { Effect: 'Deny', Action: 'sts:SetSourceIdentity', Resource: '*' }),
  },
  {
    code: 'ServiceControlPolicyDeniesHop',
    severity: 'error',
    because: 'the organization denies chains',
    spoil: (world) => {
      const Statement = [
        {
          Sid: 'NoChains',
          Effect: 'Deny',
          Action: 'sts:AssumeRole',
          Resource: '*',
          Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/tenants/*' } },
        },
      ];
      world.scp = [{ Version: '2012-10-17', Statement }];
    },
  },
  {
    code: 'ServiceControlPolicyOmitsHop',
    severity: 'error',
    because: 'the organization allows other services alone',
    spoil: (world) => {
      const Statement = [
        { Effect: 'Allow', Action: ['bedrock:*', 'eks:*', 'ssm:*'], Resource: '*' },
        { Effect: 'Allow', Action: 'sts:*', Resource: READER_ARN },
      ];
      world.scp = [
        { Version: '2012-10-17', Statement: [EVERYTHING] },
        { Version: '2012-10-17', Statement },
      ];
    },
  },
  {
    code: 'ServiceControlPolicyHidesPermissions',
    severity: 'error',
    because: 'the organization denies other Regions',
    spoil: (world) => {
      const Statement = [
        {
          Sid: 'OneRegion',
          Effect: 'Deny',
          NotAction: ['iam:*', 'sts:*'],
          Resource: '*',
          Condition: { StringNotEquals: { 'aws:RequestedRegion': 'us-west-2' } },
        },
      ];
      world.scp = [{ Version: '2012-10-17', Statement }];
    },
  },
  {
    code: 'CallerPolicyMissing',
    severity: 'error',
    because: 'somebody deleted it',
    spoil: (world) => world.deletePolicy(CALLER_POLICY_ARN),
  },
  {
    code: 'CallerPolicyNotAttached',
    severity: 'error',
    because: 'Terraform removed the attachment',
    spoil: (world) =>
      world.aws('iam', 'detach-role-policy', '--role-name', TENANT_ROLE, '--policy-arn', CALLER_POLICY_ARN),
  },
  {
    code: 'CallerPolicyNotAttached',
    severity: 'error',
    because: 'the owner never attached it',
    yaml: acmeWith('callerPolicy: external'),
    spoil: (world) =>
      world.aws('iam', 'detach-role-policy', '--role-name', TENANT_ROLE, '--policy-arn', CALLER_POLICY_ARN),
  },
  {
    code: 'CallerPolicyMissing',
    severity: 'warning',
    because: 'somebody deleted it, and the owner of the tenant role has the same inline',
    spoil: async (world) => {
      await putPolicy(world, TENANT_ROLE, 'own', ...HOP);
      await world.deletePolicy(CALLER_POLICY_ARN);
    },
  },
  {
    code: 'CallerPolicyNotAttached',
    severity: 'warning',
    because: 'the owner of the tenant role has the same inline',
    spoil: async (world) => {
      await putPolicy(world, TENANT_ROLE, 'own', ...HOP);
      await world.aws('iam', 'detach-role-policy', '--role-name', TENANT_ROLE, '--policy-arn', CALLER_POLICY_ARN);
    },
  },
  {
    code: 'CallerPolicyDrifted',
    severity: 'warning',
    because: 'somebody wrote it anew, with the same in it',
    spoil: (world) => saveCallerPolicy(world, callerPolicy(['sts:AssumeRole', 'sts:SetSourceIdentity'])),
  },
  {
    code: 'CallerLacksAssumeRole',
    severity: 'warning',
    because: 'somebody removed it',
    spoil: (world) => saveCallerPolicy(world, callerPolicy(['sts:SetSourceIdentity'])),
  },
  {
    code: 'CallerLacksSetSourceIdentity',
    severity: 'error',
    because: 'somebody removed it',
    spoil: (world) => saveCallerPolicy(world, callerPolicy(['sts:AssumeRole'])),
  },
  {
    code: 'CallerLacksGetParameter',
    severity: 'warning',
    because: 'somebody removed it',
    spoil: (world) => saveCallerPolicy(world, callerPolicy(['sts:AssumeRole', 'sts:SetSourceIdentity'], false)),
  },
  {
    code: 'TenantRoleDoesMore',
    severity: 'warning',
    because: 'it has what the tenant had before',
    spoil: async (world) => {
      await putPolicy(world, TENANT_ROLE, 'old', EVERYTHING);
      const docs = await world.createPolicy('docs', { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });
      await world.aws('iam', 'attach-role-policy', '--role-name', TENANT_ROLE, '--policy-arn', docs);
    },
  },
  {
    code: 'SessionLimitDrifted',
    severity: 'warning',
    because: 'somebody raised it',
    spoil: (world) => world.aws('iam', 'update-role', '--role-name', ROLE, '--max-session-duration', '43200'),
  },
  {
    code: 'BoundaryDrifted',
    severity: 'warning',
    because: 'somebody set one',
    spoil: async (world) => {
      const arn = await world.createPolicy('edge', EVERYTHING);
      await world.aws('iam', 'put-role-permissions-boundary', '--role-name', ROLE, '--permissions-boundary', arn);
    },
  },
  {
    code: 'BoundaryDrifted',
    severity: 'error',
    because: 'somebody took it away',
    yaml: HEALTHY.replace('    tenants:', `    permissionsBoundary: ${EDGE_ARN}\n    tenants:`),
    arrange: async (world) => void (await world.createPolicy('edge', EVERYTHING)),
    spoil: (world) => world.aws('iam', 'delete-role-permissions-boundary', '--role-name', ROLE),
  },
  {
    code: 'BoundaryHidesPermissions',
    severity: 'error',
    because: 'the boundary knows no models',
    yaml: HEALTHY.replace('    tenants:', `    permissionsBoundary: ${EDGE_ARN}\n    tenants:`),
    arrange: async (world) =>
      void (await world.createPolicy('edge', { Effect: 'Allow', Action: ['eks:*', 'sts:*', 's3:*'], Resource: '*' })),
  },
  {
    code: 'GuardDrifted',
    severity: 'error',
    because: 'somebody deleted it',
    spoil: (world) => world.aws('iam', 'delete-role-policy', '--role-name', ROLE, '--policy-name', 'guard'),
  },
  {
    code: 'GuardDrifted',
    severity: 'error',
    because: 'somebody let roles be passed',
    spoil: (world) =>
      putPolicy(world, ROLE, 'guard', { Effect: 'Deny', Action: 'sts:AssumeRole', NotResource: READER_ARN }),
  },
  {
    code: 'PermissionsDrifted',
    severity: 'warning',
    because: 'somebody took a model away',
    spoil: (world) =>
      putPolicy(world, ROLE, 'permissions', { Effect: 'Allow', Action: 'eks:DescribeCluster', Resource: '*' }),
  },
  {
    code: 'PolicyNotConfigured',
    severity: 'warning',
    because: 'somebody gave it a bucket',
    spoil: (world) => putPolicy(world, ROLE, 'bucket', { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }),
  },
  {
    code: 'PolicyNotConfigured',
    severity: 'warning',
    because: 'somebody attached a policy',
    spoil: async (world) => {
      const arn = await world.createPolicy('docs', { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' });
      await world.aws('iam', 'attach-role-policy', '--role-name', ROLE, '--policy-arn', arn);
    },
  },
  {
    code: 'ManagedPolicyDetached',
    severity: 'warning',
    because: 'somebody detached it',
    yaml: MANAGED,
    arrange: async (world) =>
      void (await world.createPolicy('docs', { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' })),
    spoil: (world) => world.aws('iam', 'detach-role-policy', '--role-name', ROLE, '--policy-arn', DOCS_ARN),
  },
  {
    code: 'PolicyGrantsTooMuch',
    severity: 'error',
    because: 'a policy from outside of the app has it',
    yaml: MANAGED,
    arrange: async (world) =>
      void (await world.createPolicy('docs', { Sid: 'Hops', Effect: 'Allow', Action: 'sts:*', Resource: '*' })),
  },
  {
    code: 'IdentityLost',
    severity: 'warning',
    because: 'a policy from outside of the app starts functions',
    yaml: MANAGED,
    arrange: async (world) =>
      void (await world.createPolicy('docs', { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' })),
  },
  {
    code: 'IdentityLost',
    severity: 'warning',
    because: 'a role of chainTo lets others in without a name',
    arrange: (world) =>
      trust(
        world,
        'reader',
        policy(
          { Effect: 'Allow', Principal: { AWS: ROLE_ARN }, Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'] },
          { Effect: 'Allow', Principal: { AWS: TENANT_ROLE_ARN }, Action: 'sts:AssumeRole' },
        ),
      ),
  },
  {
    code: 'ParameterMissing',
    severity: 'error',
    because: 'somebody deleted it',
    spoil: (world) => world.aws('ssm', 'delete-parameter', '--name', PARAMETER),
  },
  {
    code: 'ParameterStale',
    severity: 'error',
    because: 'somebody set it to an older role',
    spoil: (world) =>
      world.aws(
        'ssm',
        'put-parameter',
        '--name',
        PARAMETER,
        '--value',
        `${ROLE_ARN}-old`,
        '--type',
        'String',
        '--overwrite',
      ),
  },
  {
    code: 'ParameterOfOtherAccount',
    severity: 'error',
    because: 'it was copied from the account for tests',
    spoil: (world) => {
      const other = ROLE_ARN.replace(ACCOUNT, '444455556666');
      return world.aws(
        'ssm',
        'put-parameter',
        '--name',
        PARAMETER,
        '--value',
        other,
        '--type',
        'String',
        '--overwrite',
      );
    },
  },
  {
    code: 'ParameterOfOtherAccount',
    severity: 'error',
    because: 'it was copied from China',
    spoil: (world) => {
      const other = ROLE_ARN.replace('arn:aws:', 'arn:aws-cn:');
      return world.aws(
        'ssm',
        'put-parameter',
        '--name',
        PARAMETER,
        '--value',
        other,
        '--type',
        'String',
        '--overwrite',
      );
    },
  },
  {
    code: 'EksClusterMissing',
    severity: 'error',
    because: 'the cluster is called otherwise',
    spoil: async (world) => {
      world.configure('clusters.hub.eks', { clusterName: 'Hub' });
      await world.fix('PermissionsDrifted');
    },
    owner: async (world) => {
      world.configure('clusters.hub.eks', { clusterName: 'hub' });
      await world.fix('PermissionsDrifted');
    },
  },
  {
    code: 'AccessEntriesOff',
    severity: 'error',
    because: 'the cluster is older than access entries',
    yaml: HEALTHY.replace(EKS_LINE, ''),
    options: { authenticationMode: 'CONFIG_MAP' },
    spoil: async (world) => {
      world.configure('clusters.hub.tenants.acme.eks', { kubernetesGroups: ['agents'] });
      await world.fix('PermissionsDrifted');
    },
  },
  {
    code: 'AccessEntryMissing',
    severity: 'error',
    because: 'somebody deleted it',
    spoil: (world) => world.aws('eks', 'delete-access-entry', '--cluster-name', 'hub', '--principal-arn', ROLE_ARN),
  },
  {
    code: 'AccessEntryOfDeletedRole',
    severity: 'error',
    because: 'the role was made again',
    spoil: async (world) => {
      world.aheadMs = 60_000;
      await world.recreateRole(ROLE);
      await world.trustReader();
    },
  },
  {
    code: 'AccessEntryDrifted',
    severity: 'warning',
    because: 'somebody gave it another group',
    spoil: async (world) => {
      const entry = ['--cluster-name', 'hub', '--principal-arn', ROLE_ARN];
      await world.aws('eks', 'delete-access-entry', ...entry);
      await world.aws('eks', 'create-access-entry', ...entry, '--kubernetes-groups', 'agents', 'admins');
    },
  },
  {
    code: 'AccessEntryDrifted',
    severity: 'error',
    because: 'all sessions have one name in Kubernetes',
    spoil: async (world) => {
      const entry = ['--cluster-name', 'hub', '--principal-arn', ROLE_ARN];
      await world.aws('eks', 'delete-access-entry', ...entry);
      const words = ['--kubernetes-groups', 'agents', '--username', 'agent'];
      await world.aws('eks', 'create-access-entry', ...entry, ...words);
    },
  },
  {
    code: 'ChainRoleMissing',
    severity: 'warning',
    because: 'its owner deleted it',
    spoil: (world) => world.deleteRole('reader'),
  },
  {
    code: 'ChainRoleRefuses',
    severity: 'warning',
    because: 'its owner forgot the second action',
    spoil: (world) =>
      trust(
        world,
        'reader',
        policy({
          Effect: 'Allow',
          Principal: { AWS: ROLE_ARN },
          Action: 'sts:AssumeRole',
          Condition: { StringLike: { 'aws:SourceIdentity': 'agent.acme.?*' } },
        }),
      ),
  },
  {
    code: 'QuotaNearLimit',
    severity: 'warning',
    because: 'the account has nearly as many roles as it may',
    options: { quotas: { RolesQuota: 5 } },
  },
];
