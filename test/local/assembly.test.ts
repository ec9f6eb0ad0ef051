import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../lib/config/config.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { rejectionOf } from '../support/refusal.ts';
import { assume, dispatcher, SESSION } from './clients.ts';
import {
  ACCOUNT,
  ACME_PARAMETER,
  ACME_ROLE,
  ACME_TENANT_ROLE,
  CONFIG,
  startFixture,
  type Template,
  templatesOf,
  temporaryFolder,
  writeAssembly,
  YAML,
} from './fixture.ts';
import { callQuery, elementOf } from './wire.ts';

const STACK = 'SessionBroker-hub-acme';

/** The fixture's assembly with one more resource in acme's stack. */
function assemblyWith(resources: Template['Resources']): string {
  const templates = templatesOf(CONFIG);
  Object.assign(templates[STACK]?.Resources ?? {}, resources);
  return writeAssembly(templates);
}

function roleTrusting(principal: unknown): Template['Resources'][string] {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole' }],
      },
    },
  };
}

function managedPolicy(properties: Record<string, unknown>, action = 'GetObject'): Template['Resources'][string] {
  return {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: {
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: `s3:${action}`, Resource: '*' }],
      },
      ...properties,
    },
  };
}

describe('a cloud assembly', () => {
  test('may have its stacks in a stage', async () => {
    const assembly = temporaryFolder();
    renameSync(writeAssembly(templatesOf(CONFIG)), join(assembly, 'assembly-prod'));
    const stage = { type: 'cdk:cloud-assembly', properties: { directoryName: 'assembly-prod' } };
    writeFileSync(join(assembly, 'manifest.json'), JSON.stringify({ artifacts: { prod: stage } }));

    const account = await startFixture({ assembly });

    expect((await assume(dispatcher(account), { SourceIdentity: SESSION })).SourceIdentity).toBe(SESSION);
  });

  test('has its functions resolved, whatever the order of its resources', async () => {
    const account = await startFixture({
      assembly: assemblyWith({
        Trusting: roleTrusting({ 'Fn::Sub': '${Trusted.Arn}' }),
        Attached: {
          Type: 'AWS::IAM::Policy',
          Properties: {
            PolicyName: 'attached',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [
                {
                  Effect: 'Allow',
                  Action: 's3:GetObject',
                  Resource: {
                    'Fn::Sub': [
                      'arn:${AWS::Partition}:s3:::${bucket}-${AWS::AccountId}-${AWS::Region}/${!aws:username}',
                      { bucket: { 'Fn::Join': ['-', ['a', { Ref: 'Name' }]] } },
                    ],
                  },
                },
              ],
            },
            Roles: [{ Ref: 'Trusted' }],
          },
        },
        Trusted: { ...roleTrusting(ACME_TENANT_ROLE), Type: 'AWS::IAM::Role' },
        Name: {
          Type: 'AWS::SSM::Parameter',
          Properties: { Name: 'plain', Type: 'String', Value: 'x', Description: { Ref: 'AWS::NoValue' } },
        },
      }),
    });
    const administrator = account.administratorCredentials(ACCOUNT);

    const roles = await callQuery(account, 'iam', administrator, { Action: 'ListRoles' });
    const trusted = /<RoleName>(SessionBroker-hub-acme-Trusted-[0-9A-F]{12})</.exec(roles.text)?.[1] ?? '';
    expect(roles.text).toContain(encodeURIComponent(`"AWS":"arn:aws:iam::${ACCOUNT}:role/${trusted}"`));
    const policy = await callQuery(account, 'iam', administrator, {
      Action: 'GetRolePolicy',
      RoleName: trusted,
      PolicyName: 'attached',
    });
    expect(JSON.parse(decodeURIComponent(elementOf(policy, 'PolicyDocument') ?? ''))).toMatchObject({
      Statement: [{ Resource: `arn:aws:s3:::a-plain-${ACCOUNT}-us-west-2/\${aws:username}` }],
    });
  });

  test('fails when a trust names a role that does not exist', async () => {
    const principal = `arn:aws:iam::${ACCOUNT}:role/absent`;

    const refusal = await rejectionOf(startFixture({ assembly: assemblyWith({ Extra: roleTrusting(principal) }) }));

    expect(refusal.code).toBe('AssemblyUnreadable');
    expect(refusal.message).toBe(
      `cloud assembly stack ${STACK}, AWS::IAM::Role Extra: MalformedPolicyDocument: Invalid principal in policy: "AWS":"${principal}"`,
    );
    expect(refusal.cause).toMatchObject({
      code: 'MalformedPolicyDocument',
      status: 400,
      message: `Invalid principal in policy: "AWS":"${principal}"`,
    });
  });

  test.each<[string, Template['Resources'][string], string]>([
    [
      'a function that is not modelled',
      { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: { 'Fn::ImportValue': 'other' } } },
      'AWS::SSM::Parameter Extra: the function Fn::ImportValue is not modelled',
    ],
    [
      'a resource that a condition decides on',
      { ...roleTrusting(ACME_TENANT_ROLE), Condition: 'IsProduction' },
      'AWS::IAM::Role Extra: its Condition is not modelled',
    ],
    [
      'an attribute that is not modelled',
      { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: { 'Fn::GetAtt': ['Role', 'constructor'] } } },
      'AWS::SSM::Parameter Extra: the attribute constructor of Role is not modelled',
    ],
    [
      'a reference to nothing',
      { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: { Ref: 'BootstrapVersion' } } },
      'AWS::SSM::Parameter Extra: "BootstrapVersion" is not a resource of the template',
    ],
    [
      'a role name that is taken',
      {
        ...roleTrusting(ACME_TENANT_ROLE),
        Properties: { ...roleTrusting(ACME_TENANT_ROLE).Properties, RoleName: 'hub-acme-tenant' },
      },
      'AWS::IAM::Role Extra: EntityAlreadyExists: Role with name hub-acme-tenant already exists.',
    ],
    [
      'a trust policy that is too long',
      roleTrusting([ACME_TENANT_ROLE, ...Array.from({ length: 200 }, (_, index) => `${100_000_000_000 + index}`)]),
      'AWS::IAM::Role Extra: LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048',
    ],
    [
      'a managed policy that is too long',
      managedPolicy({ ManagedPolicyName: 'long' }, 's'.repeat(6144)),
      'AWS::IAM::ManagedPolicy Extra: LimitExceeded: Cannot exceed quota for PolicySize: 6144',
    ],
    [
      'a parameter that there is',
      { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: 'x', Name: ACME_PARAMETER } },
      'AWS::SSM::Parameter Extra: ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
    ],
    [
      'a policy for a role that does not exist',
      managedPolicy({ Roles: ['absent'] }),
      'AWS::IAM::ManagedPolicy Extra: NoSuchEntity: The role with name absent cannot be found.',
    ],
    [
      'a policy that is not understood',
      {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: {
          ManagedPolicyName: 'odd',
          PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Maybe' }] },
        },
      },
      'AWS::IAM::ManagedPolicy Extra: odd, statement 1: Effect must be "Allow" or "Deny": "Maybe"',
    ],
  ])('fails for %s', async (_, resource, message) => {
    const refusal = await rejectionOf(startFixture({ assembly: assemblyWith({ Extra: resource }) }));

    expect(refusal.code).toBe('AssemblyUnreadable');
    expect(refusal.message).toBe(`cloud assembly stack ${STACK}, ${message}`);
  });

  test('fails for a policy name that is taken, by whichever stack comes later', async () => {
    const assembly = assemblyWith({ Extra: managedPolicy({ ManagedPolicyName: 'Hub-Initech-Caller' }) });

    expect((await rejectionOf(startFixture({ assembly }))).message).toBe(
      'cloud assembly stack SessionBroker-hub-initech, AWS::IAM::ManagedPolicy CallerPolicy: EntityAlreadyExists: A policy called hub-initech-caller already exists. Duplicate names are not allowed.',
    );
  });

  test('fails when two roles trust each other, which no order can create', async () => {
    const assembly = assemblyWith({
      One: roleTrusting({ 'Fn::GetAtt': ['Other', 'Arn'] }),
      Other: roleTrusting({ 'Fn::GetAtt': 'One.Arn' }),
    });

    expect((await rejectionOf(startFixture({ assembly }))).message).toBe(
      `cloud assembly stack ${STACK}, AWS::IAM::Role One: Other is not created`,
    );
  });

  test('fails without a manifest', async () => {
    const assembly = temporaryFolder();

    const refusal = await rejectionOf(startFixture({ assembly }));

    expect(refusal.code).toBe('AssemblyUnreadable');
    expect(refusal.message).toBe(
      `cloud assembly ${assembly}/manifest.json: the file must be readable; make the assembly with cdk synth and give its folder`,
    );
  });

  test('fails when a template is missing or cut short', async () => {
    const assembly = writeAssembly(templatesOf(CONFIG));
    const template = join(assembly, `${STACK}.template.json`);
    writeFileSync(template, '{"Resources":');
    expect((await rejectionOf(startFixture({ assembly }))).message).toBe(
      `cloud assembly ${template}: the file must be JSON; make the assembly again with cdk synth`,
    );

    rmSync(template);
    mkdirSync(template);
    expect((await rejectionOf(startFixture({ assembly }))).message).toBe(
      `cloud assembly ${template}: the file must be readable; make the assembly with cdk synth and give its folder`,
    );
  });

  test.each(['.', './', 'loop'])('fails when it is nested in itself: %s', async (directoryName) => {
    const assembly = temporaryFolder();
    symlinkSync(assembly, join(assembly, 'loop'));
    const artifacts = { 'assembly-Stage': { type: 'cdk:cloud-assembly', properties: { directoryName } } };
    writeFileSync(join(assembly, 'manifest.json'), JSON.stringify({ version: '48.0.0', artifacts }));

    const refusal = await rejectionOf(startFixture({ assembly }));

    expect(refusal.code).toBe('AssemblyUnreadable');
    expect(refusal.message).toBe(
      `cloud assembly ${assembly}/${directoryName}: an assembly must not be nested in itself; make the assembly again with cdk synth`,
    );
  });

  test('fails for a stack without an account', async () => {
    const assembly = writeAssembly(templatesOf(CONFIG), 'aws://unknown-account/us-west-2');

    expect((await rejectionOf(startFixture({ assembly }))).message).toBe(
      `cloud assembly ${assembly}, stack ${STACK}: the environment must name an account and a Region: "aws://unknown-account/us-west-2"; give the stack both as env`,
    );
  });
});

describe('a cloud assembly that does not belong to the configuration', () => {
  const start = (config: Config) => startFixture({ config, assembly: writeAssembly(templatesOf(CONFIG)) });
  const changed = (from: string, to: string) => parseConfig(YAML.replace(from, to), 'tenants.yaml');
  const prefix = 'cloud assembly does not belong to the configuration: ';

  test('fails without the role of a tenant that is opted in', async () => {
    const config = changed('globex:', 'globex:\n        attribution: true');

    const refusal = await rejectionOf(start(config));

    expect(refusal.code).toBe('AssemblyUnreadable');
    expect(refusal.message).toBe(
      `${prefix}it has no session-broker role "arn:aws:iam::${ACCOUNT}:role/session-broker/hub-globex-session" of tenant globex of cluster hub, which is opted in; synthesize it again`,
    );
  });

  test('fails with the role of a tenant that is opted out', async () => {
    const config = changed('acme:\n        attribution: true', 'acme:\n        attribution: false');

    expect((await rejectionOf(start(config))).message).toBe(
      `${prefix}it has the session-broker role "${ACME_ROLE}" of tenant acme of cluster hub, which is not opted in; synthesize it again`,
    );
  });

  test("fails without an external caller's policy", async () => {
    const templates = templatesOf(CONFIG);
    delete templates['SessionBroker-hub-initech']?.Resources['CallerPolicy'];

    expect((await rejectionOf(startFixture({ assembly: writeAssembly(templates) }))).message).toBe(
      `${prefix}it has no caller's policy "arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-initech-caller" of tenant initech of cluster hub; synthesize it again`,
    );
  });
});

describe('notices', () => {
  test('name what is modelled otherwise than AWS would', async () => {
    const templates = templatesOf(CONFIG);
    const { Resources: resources } = templates[STACK] ?? { Resources: {} };
    Object.assign(resources['Role']?.Properties ?? {}, {
      PermissionsBoundary: `arn:aws:iam::${ACCOUNT}:policy/absent`,
      ManagedPolicyArns: [{ 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::aws:policy/ReadOnlyAccess']] }],
    });
    resources['Topic'] = { Type: 'AWS::SNS::Topic', Properties: {} };
    resources['Meta'] = { Type: 'AWS::CDK::Metadata', Properties: {} };

    const account = await startFixture({ assembly: writeAssembly(templates) });

    expect(account.notices).toEqual([
      `AWS::SNS::Topic in ${STACK} is not modelled`,
      `the caller's policy of tenant initech of cluster hub is external: it counts as attached to arn:aws:iam::${ACCOUNT}:role/eks-agent-platform/tenants/hub-initech-tenant`,
      'the managed policy arn:aws:iam::aws:policy/ReadOnlyAccess is not in the assembly: it grants and denies nothing here',
      `the permissions boundary arn:aws:iam::${ACCOUNT}:policy/absent is not in the assembly: it limits nothing here`,
    ]);
    expect((await assume(dispatcher(account), { SourceIdentity: SESSION })).SourceIdentity).toBe(SESSION);
  });
});
