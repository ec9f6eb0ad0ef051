import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib/core';
import { describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { buildApp, SessionBrokerStack } from '../../lib/stacks/index.ts';
import { inTemporaryFolder, synthesize } from '../support/synthesize.ts';

const ACCOUNT = '111122223333';

/** A configuration of one cluster, with the lines of its tenants and of the cluster itself. */
function hub(tenants: string, cluster = '', region = 'us-west-2'): string {
  return `
clusters:
  hub:
    account: "${ACCOUNT}"
    region: ${region}
${cluster}
    tenants:
${tenants}
`;
}

const tenant = (name: string, lines = 'attribution: true', partition = 'aws'): string =>
  `      ${name}: { tenantRole: "arn:${partition}:iam::${ACCOUNT}:role/tenants/hub-${name}-tenant", ${lines} }`;

const BOOTSTRAP = {
  Parameters: {
    BootstrapVersion: {
      Type: 'AWS::SSM::Parameter::Value<String>',
      Default: '/cdk-bootstrap/hnb659fds/version',
      Description: expect.any(String),
    },
  },
  Rules: { CheckBootstrapVersion: expect.any(Object) },
};

/** The whole template of a tenant of which nothing but the name is configured. */
function plainTemplate(name: string): Record<string, unknown> {
  const scope = {
    StringLike: { 'sts:SourceIdentity': `agent.${name}.?*` },
    StringNotLike: { 'sts:SourceIdentity': `agent.${name}.*.*` },
  };
  const Principal = { AWS: `arn:aws:iam::${ACCOUNT}:role/tenants/hub-${name}-tenant` };
  const prefix = `/eks-agent-platform/hub/session-broker/${name}`;
  const tags = { 'session-broker:cluster': 'hub', 'session-broker:tenant': name };
  const parameter = (last: string, Value: unknown, Description: string) => ({
    Type: 'AWS::SSM::Parameter',
    Properties: { Name: `${prefix}/${last}`, Type: 'String', Tier: 'Standard', Value, Description, Tags: tags },
  });
  const roleArn = { 'Fn::GetAtt': ['Role1ABCC5F0', 'Arn'] };
  return {
    ...BOOTSTRAP,
    Description: `session-broker: agent sessions of tenant ${name} on cluster hub`,
    Resources: {
      Role1ABCC5F0: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: `hub-${name}-session`,
          Path: '/session-broker/',
          Description: `Sessions of agents of tenant ${name} on cluster hub, each under its own source identity`,
          MaxSessionDuration: 3600,
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              { Sid: 'AssumeAsAgent', Effect: 'Allow', Principal, Action: 'sts:AssumeRole', Condition: scope },
              {
                Sid: 'SetAgentIdentity',
                Effect: 'Allow',
                Principal,
                Action: 'sts:SetSourceIdentity',
                Condition: scope,
              },
            ],
          },
          Policies: [
            {
              PolicyName: 'guard',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [
                  { Sid: 'DenyUnlistedRoles', Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' },
                  {
                    Sid: 'DenyLeavingTheIdentity',
                    Effect: 'Deny',
                    Action: ['bedrock-mantle:CallWithBearerToken', 'bedrock:CallWithBearerToken', 'iam:PassRole'],
                    Resource: '*',
                  },
                ],
              },
            },
          ],
          Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
        },
      },
      RoleSessionRoleArn0AD2C7B0: parameter('session_role_arn', roleArn, 'ARN of the session-broker role'),
      RoleSourceIdentityPattern69543A38: parameter(
        'source_identity_pattern',
        `agent.${name}.?*`,
        'StringLike half of the condition on the source identity of the session-broker role',
      ),
      RoleCallerPolicy2C0F5B2E: {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: {
          ManagedPolicyName: `hub-${name}-caller`,
          Path: '/session-broker/',
          Description: `Lets the tenant role of ${name} start agent sessions on cluster hub`,
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Sid: 'AssumeUnderAnIdentity',
                Effect: 'Allow',
                Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
                Resource: `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-${name}-session`,
              },
              {
                Sid: 'FindTheRole',
                Effect: 'Allow',
                Action: 'ssm:GetParameter',
                Resource: ['session_role_arn', 'source_identity_pattern'].map(
                  (last) => `arn:aws:ssm:us-west-2:${ACCOUNT}:parameter${prefix}/${last}`,
                ),
              },
            ],
          },
          Roles: [`hub-${name}-tenant`],
        },
      },
    },
    Outputs: {
      SessionRoleArn: { Value: roleArn, Description: 'ARN of the session-broker role' },
      SourceIdentityPattern: {
        Value: `agent.${name}.?*`,
        Description: 'StringLike half of the condition on the source identity of the session-broker role',
      },
    },
  };
}

const OPTED_OUT = { Description: 'session-broker: tenant acme on cluster hub is opted out' };

describe('the stacks of a configuration', () => {
  test('are none where no tenant is opted in', () => {
    expect(synthesize(hub(tenant('acme', '')))).toEqual(new Map());
  });

  test('are one for the one tenant that is', () => {
    expect(synthesize(hub(`${tenant('acme')}\n${tenant('globex', '')}`))).toEqual(
      new Map([['SessionBroker-hub-acme', plainTemplate('acme')]]),
    );
  });

  test('are one for each that is', () => {
    const names = ['acme', 'globex', 'initech'];
    expect(synthesize(hub(names.map((name) => tenant(name)).join('\n'), '    rollout: general'))).toEqual(
      new Map(names.map((name) => [`SessionBroker-hub-${name}`, plainTemplate(name)])),
    );
  });

  test('hold nothing at all for a tenant that is opted out, so that the next deploy deletes it', () => {
    const text = hub(tenant('acme', 'attribution: false'), '    terminationProtection: true');
    expect(synthesize(text)).toEqual(new Map([['SessionBroker-hub-acme', OPTED_OUT]]));
  });
});

describe('a stack', () => {
  const stackOf = (text: string): SessionBrokerStack => {
    const app = buildApp(parseConfig(text, 'tenants.yaml'), {
      autoSynth: false,
      builtinCloudFormationValidation: false,
    });
    return app.node.findChild('SessionBroker-hub-acme') as SessionBrokerStack;
  };

  test('has the account, the Region and the termination protection of its cluster', () => {
    const stack = stackOf(hub(tenant('acme'), '    terminationProtection: true'));
    expect([stack.stackName, stack.account, stack.region, stack.terminationProtection]).toEqual([
      'SessionBroker-hub-acme',
      ACCOUNT,
      'us-west-2',
      true,
    ]);
    expect(stackOf(hub(tenant('acme'), '    terminationProtection: false')).terminationProtection).toBe(false);
  });

  test('has no termination protection once it is opted out', () => {
    const stack = stackOf(hub(tenant('acme', 'attribution: false'), '    terminationProtection: true'));
    expect(stack.terminationProtection).toBe(false);
    expect(stack.role).toBeUndefined();
  });

  test('is tagged, with every taggable resource in it, by the cluster and then the tenant', () => {
    const text = hub(
      tenant('acme', 'attribution: true, eks: {}, tags: { team: acme }'),
      '    tags: { team: platform, stage: live }',
    );
    const tags = { 'session-broker:cluster': 'hub', 'session-broker:tenant': 'acme', stage: 'live', team: 'acme' };
    const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const found = Object.values(synthesize(text).get('SessionBroker-hub-acme')?.Resources ?? {});
    expect(found.map(({ Type, Properties }) => [Type, Properties['Tags']])).toEqual([
      ['AWS::IAM::Role', list],
      ['AWS::SSM::Parameter', tags],
      ['AWS::SSM::Parameter', tags],
      ['AWS::IAM::ManagedPolicy', undefined], // CloudFormation tags none
      ['AWS::EKS::AccessEntry', list],
    ]);
    inTemporaryFolder((outdir) => {
      const app = buildApp(parseConfig(text, 'tenants.yaml'), {
        outdir,
        autoSynth: false,
        builtinCloudFormationValidation: false,
      });
      expect(app.synth().getStackByName('SessionBroker-hub-acme').tags).toEqual({ stage: 'live', team: 'acme' });
    });
  });

  test('puts out the ARN of the caller policy for the owner who attaches it', () => {
    const template = synthesize(hub(tenant('acme', 'attribution: true, callerPolicy: external'))).get(
      'SessionBroker-hub-acme',
    );
    expect(template?.['Outputs']).toEqual({
      ...(plainTemplate('acme')['Outputs'] as object),
      CallerPolicyArn: {
        Value: { Ref: 'RoleCallerPolicy2C0F5B2E' },
        Description:
          'ARN of the caller policy: the owner of the tenant role attaches it, or in another account one with the same statements',
      },
    });
    expect(template?.Resources?.['RoleCallerPolicy2C0F5B2E']?.Properties).not.toHaveProperty('Roles');
  });

  const options: [string, string, string][] = [
    ['models', '', 'models: [amazon.nova-lite-v1:0]'],
    ['statements', '', 'statements: [{ Effect: Allow, Action: "s3:GetObject", Resource: "*" }]'],
    ['managedPolicies', '', `managedPolicies: ["arn:aws:iam::${ACCOUNT}:policy/docs"]`],
    ['chainTo', '', `chainTo: ["arn:aws:iam::${ACCOUNT}:role/deployer"]`],
    ['roleSessionName', '', 'roleSessionName: bound'],
    ['permissionsBoundary', `    permissionsBoundary: "arn:aws:iam::${ACCOUNT}:policy/edge"`, ''],
    ['iamPath', '    iamPath: /agents/', ''],
    ['parameterPrefix', '    parameterPrefix: /agents', ''],
    ['eks', '    eks: { clusterName: Hub }', 'eks: { kubernetesGroups: [agents] }'],
  ];
  test.each(options)('takes %s from the configuration', (key, cluster, lines) => {
    const template = synthesize(hub(tenant('acme', `attribution: true, ${lines}`), cluster)).get(
      'SessionBroker-hub-acme',
    );
    const shown: Record<string, string[]> = {
      models: ['foundation-model/amazon.nova-lite-v1:0'],
      statements: ['s3:GetObject'],
      managedPolicies: [`"ManagedPolicyArns":["arn:aws:iam::${ACCOUNT}:policy/docs"]`],
      chainTo: [`"NotResource":"arn:aws:iam::${ACCOUNT}:role/deployer"`],
      roleSessionName: ['"sts:RoleSessionName":"${sts:SourceIdentity}"'],
      permissionsBoundary: [`"PermissionsBoundary":"arn:aws:iam::${ACCOUNT}:policy/edge"`],
      iamPath: ['"Path":"/agents/"', 'role/agents/hub-acme-session'],
      parameterPrefix: ['"Name":"/agents/hub/session-broker/acme/session_role_arn"'],
      eks: ['"ClusterName":"Hub"', '"KubernetesGroups":["agents"]', ':cluster/Hub"'],
    };
    expect(template).not.toEqual(plainTemplate('acme'));
    for (const text of shown[key] ?? []) expect(JSON.stringify(template)).toContain(text);
  });

  test.each([
    ['aws-us-gov', 'us-gov-west-1'],
    ['aws-cn', 'cn-north-1'],
  ])('names nothing of another partition in %s', (partition, region) => {
    const lines = 'attribution: true, eks: {}, models: [amazon.nova-lite-v1:0]';
    const templates = synthesize(hub(tenant('acme', lines, partition), '', region));
    const arns = JSON.stringify([...templates]).match(/arn:[a-z-]+:/g) ?? [];
    expect(new Set(arns)).toEqual(new Set([`arn:${partition}:`]));
  });

  test('passes the validator that CDK brings, without a word', () => {
    const text = hub(
      `${tenant('acme', 'attribution: true, eks: {}')}\n${tenant('old', 'attribution: false')}`,
      '    tags: { team: platform }',
    );
    vi.stubEnv('CDK_VALIDATION', 'true');
    inTemporaryFolder((outdir) => {
      buildApp(parseConfig(text, 'tenants.yaml'), { outdir, autoSynth: false }).synth();
      const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8'));
      expect(report.pluginReports.flatMap(({ violations }: { violations: unknown[] }) => violations)).toEqual([]);
    });
    vi.unstubAllEnvs();
  });

  test('can stand in an app of somebody else', () => {
    const [cluster] = parseConfig(hub(tenant('acme')), 'tenants.yaml').clusters;
    const [acme] = cluster?.tenants ?? [];
    if (!cluster || !acme) throw new Error('no tenant');
    const stack = new SessionBrokerStack(new App({ autoSynth: false }), 'Mine', { cluster, tenant: acme });
    expect(stack.role?.sourceIdentityPattern).toBe('agent.acme.?*');
  });
});
