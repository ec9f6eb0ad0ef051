import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ClusterConfig, Config, TenantConfig } from '../../lib/config/config.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { brokerNames, createScope, scopePatterns } from '../../lib/identity/index.ts';
import { type LocalAccount, type LocalAccountOptions, startLocalAccount } from '../../lib/local/index.ts';
import { renderGuardPolicy, renderPermissionsPolicy, renderTrustPolicy } from '../../lib/policy/index.ts';

export const ACCOUNT = '111122223333';
export const OTHER_ACCOUNT = '444455556666';
export const REGION = 'us-west-2';
export const ACME_ROLE = `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-acme-session`;
export const ACME_TENANT_ROLE = `arn:aws:iam::${ACCOUNT}:role/eks-agent-platform/tenants/hub-acme-tenant`;
export const ACME_PARAMETER = '/eks-agent-platform/hub/session-broker/acme/session_role_arn';
export const DATA_ROLE = `arn:aws:iam::${ACCOUNT}:role/data-reader`;
export const REMOTE_ROLE = `arn:aws:iam::${OTHER_ACCOUNT}:role/reports/reader`;

/** Two tenants opted in, one of them with an external caller's policy, and one that is not. */
export const YAML = `
clusters:
  hub:
    account: "${ACCOUNT}"
    region: ${REGION}
    rollout: general
    tenants:
      acme:
        attribution: true
        tenantRole: ${ACME_TENANT_ROLE}
        chainTo:
          - ${DATA_ROLE}
          - ${REMOTE_ROLE}
      initech:
        attribution: true
        tenantRole: arn:aws:iam::${ACCOUNT}:role/eks-agent-platform/tenants/hub-initech-tenant
        callerPolicy: external
      globex:
        tenantRole: arn:aws:iam::${ACCOUNT}:role/eks-agent-platform/tenants/hub-globex-tenant
`;

export const CONFIG: Config = parseConfig(YAML, 'tenants.yaml');

export type Template = {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown>; Condition?: string }>;
};

/** What CDK makes of an opted-in tenant, in the parts that the local account reads. */
export function tenantTemplate(cluster: ClusterConfig, tenant: TenantConfig): Template {
  const names = brokerNames({ cluster: cluster.name, tenant: tenant.name });
  const scope = createScope({ tenant: tenant.name });
  const tenantRoleName = tenant.tenantRole.slice(tenant.tenantRole.lastIndexOf('/') + 1);
  const roleArn = { 'Fn::GetAtt': ['Role', 'Arn'] };
  const parameterArn = (name: string) => ({
    'Fn::Join': [
      '',
      ['arn:', { Ref: 'AWS::Partition' }, `:ssm:${cluster.region}:`, { Ref: 'AWS::AccountId' }, `:parameter${name}`],
    ],
  });
  const parameter = (name: string, value: unknown) => ({
    Type: 'AWS::SSM::Parameter',
    Properties: { Name: name, Type: 'String', Value: value },
  });
  return {
    Resources: {
      // Before the role that it refers to: the order of a template is no order of creation.
      CallerPolicy: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: {
          ManagedPolicyName: names.callerPolicyName,
          Path: cluster.iamPath,
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'], Resource: roleArn },
              {
                Effect: 'Allow',
                Action: 'ssm:GetParameter',
                Resource: [names.parameters.sessionRoleArn, names.parameters.sourceIdentityPattern].map(parameterArn),
              },
            ],
          },
          ...(tenant.callerPolicy === 'attach' ? { Roles: [tenantRoleName] } : {}),
        },
      },
      Role: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: names.roleName,
          Path: cluster.iamPath,
          AssumeRolePolicyDocument: renderTrustPolicy({ scope, principals: [tenant.tenantRole] }),
          Policies: [
            { PolicyName: 'permissions', PolicyDocument: permissions(cluster, tenant) },
            { PolicyName: 'guard', PolicyDocument: renderGuardPolicy(tenant.chainTo) },
          ],
          MaxSessionDuration: 3600,
        },
      },
      RoleArn: parameter(names.parameters.sessionRoleArn, roleArn),
      Pattern: parameter(names.parameters.sourceIdentityPattern, scopePatterns(scope).stringLike),
      ...(tenant.eks === undefined
        ? {}
        : {
            AccessEntry: {
              Type: 'AWS::EKS::AccessEntry',
              Properties: {
                ClusterName: cluster.eksClusterName,
                PrincipalArn: roleArn,
                Type: 'STANDARD',
                KubernetesGroups: tenant.eks.kubernetesGroups,
              },
            },
          }),
    },
  };
}

function permissions(cluster: ClusterConfig, tenant: TenantConfig) {
  return renderPermissionsPolicy({
    partition: cluster.partition,
    account: cluster.account,
    region: cluster.region,
    models: ['anthropic.claude-3-haiku-20240307-v1:0'],
    inferenceProfiles: {},
    chainTo: tenant.chainTo,
    statements: tenant.statements,
  });
}

/** Templates by stack name, as the configuration has them. */
export function templatesOf(config: Config): Record<string, Template> {
  return Object.fromEntries(
    config.clusters.flatMap((cluster) =>
      cluster.tenants
        .filter(({ optIn }) => optIn === 'in')
        .map((tenant) => [`SessionBroker-${cluster.name}-${tenant.name}`, tenantTemplate(cluster, tenant)] as const),
    ),
  );
}

/** Writes a cloud assembly and returns its folder. */
export function writeAssembly(
  templates: Readonly<Record<string, Template>>,
  environment = `aws://${ACCOUNT}/${REGION}`,
): string {
  const folder = temporaryFolder();
  const artifacts: Record<string, unknown> = { Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } } };
  for (const [name, template] of Object.entries(templates)) {
    writeFileSync(join(folder, `${name}.template.json`), JSON.stringify(template));
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      environment,
      properties: { templateFile: `${name}.template.json`, stackName: name },
    };
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ version: '48.0.0', artifacts }));
  return folder;
}

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'session-broker-local-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A clock that only a test moves. */
export class TestClock {
  #now = new Date('2026-03-01T12:00:00.250Z');

  readonly read = (): Date => new Date(this.#now);

  advance(seconds: number): void {
    this.#now = new Date(this.#now.getTime() + seconds * 1000);
  }
}

/** A local account that ends with the test. */
export async function startFixture(options: Partial<LocalAccountOptions> = {}): Promise<LocalAccount> {
  const config = typeof options.config === 'object' ? options.config : CONFIG;
  const account = await startLocalAccount({
    assembly: options.assembly ?? writeAssembly(templatesOf(config)),
    config,
    ...options,
  });
  onTestFinished(() => account.close());
  return account;
}
