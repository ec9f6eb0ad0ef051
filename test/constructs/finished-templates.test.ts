import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AnyPrincipal,
  ArnPrincipal,
  CfnPolicy,
  CfnRole,
  CfnRolePolicy,
  Effect,
  ManagedPolicy,
  Policy,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Aspects, Aws, CfnParameter, CfnResource, Stack, Stage, Validations } from 'aws-cdk-lib/core';
import { describe, expect, test } from 'vitest';
import { SessionBrokerRole } from '../../lib/constructs/index.ts';
import { policyDocument } from '../../lib/policy/index.ts';
import { ACCOUNT, acmeRole, type Base, CHAIN_ARN, ENV, refusalsOf, TENANT_ROLE_ARN, withApp } from './fixture.ts';

const cfn = (role: SessionBrokerRole): CfnRole => role.node.defaultChild as CfnRole;
const MACRO =
  'Stack/Sessions: template must have no Transform or Fn::Transform, which would change it once more; move the role to another stack';
const admits = (statement: string, how: string): string =>
  `Stack/Sessions: trust policy must admit no name but agent.acme.<session>: ${statement} admits ${TENANT_ROLE_ARN} ${how}; remove what changed it`;

describe('the trust policy of a finished template', () => {
  test('passes as it was made', () => {
    expect(refusalsOf(({ stack }) => acmeRole(stack))).toEqual([]);
  });

  test.each(['x', 'z', 'acme-2', 'a'.repeat(31)])('passes as it was made for a tenant called %s', (tenant) => {
    expect(refusalsOf(({ stack }) => acmeRole(stack, { tenant }))).toEqual([]);
  });

  test('fails for a one-letter tenant when a statement admits every one-letter tenant', () => {
    const faults = refusalsOf(({ stack }) =>
      acmeRole(stack, { tenant: 'x' }).assumeRolePolicy?.addStatements(
        new PolicyStatement({
          sid: 'Looser',
          actions: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
          principals: [new ArnPrincipal(TENANT_ROLE_ARN)],
          conditions: { StringLike: { 'sts:SourceIdentity': 'agent.?.night' } },
        }),
      ),
    );
    expect(faults).toEqual([
      `Stack/Sessions: trust policy must admit no name but agent.x.<session>: Looser admits ${TENANT_ROLE_ARN} as "agent.z.night"; remove what changed it`,
    ]);
  });

  test('fails when a property deletion override removes the condition', () => {
    const faults = refusalsOf(({ stack }) => {
      const role = cfn(acmeRole(stack));
      role.addPropertyDeletionOverride('AssumeRolePolicyDocument.Statement.0.Condition');
      role.addPropertyDeletionOverride('AssumeRolePolicyDocument.Statement.1.Condition');
    });
    expect(faults).toContain(admits('AssumeAsAgent', 'without a source identity'));
    expect(faults).toContain(admits('AssumeAsAgent', 'as "internal.acme.s1"'));
    expect(faults).toContain(admits('AssumeAsAgent', 'as "agent.acme-2.s1"'));
    expect(faults).toContain(admits('AssumeAsAgent', 'as "agent.acme.x.s1"'));
    expect(faults).toContain(admits('AssumeAsAgent', 'as "agent.acme."'));
    expect(faults).toContain(admits('AssumeAsAgent', 'as "agent.x.s1"'));
  });

  test('fails when the condition of sts:AssumeRole alone is removed, which lets sessions in without a name', () => {
    const faults = refusalsOf(({ stack }) =>
      cfn(acmeRole(stack)).addPropertyDeletionOverride('AssumeRolePolicyDocument.Statement.0.Condition'),
    );
    expect(faults).toEqual([admits('AssumeAsAgent', 'without a source identity')]);
  });

  test.each([
    ['StringNotLike', 'agent.acme.x.s1'],
    ['StringLike', 'agent.x.s1'],
  ])('fails when %s is removed from both statements', (operator, admitted) => {
    const faults = refusalsOf(({ stack }) => {
      const role = cfn(acmeRole(stack));
      for (const index of [0, 1]) {
        role.addPropertyDeletionOverride(`AssumeRolePolicyDocument.Statement.${index}.Condition.${operator}`);
      }
    });
    expect(faults).toContain(admits('AssumeAsAgent', `as "${admitted}"`));
  });

  test.each([
    ['without a condition', undefined, 'without a source identity'],
    ['under a condition on something else', { StringEquals: { 'sts:ExternalId': 'x' } }, 'without a source identity'],
    [
      'that tests the name only where there is one',
      { StringLikeIfExists: { 'sts:SourceIdentity': 'agent.acme.?*' } },
      'without a source identity',
    ],
    ['for one other name', { StringEquals: { 'sts:SourceIdentity': 'agent.globex.night' } }, 'as "agent.globex.night"'],
    ['for names that begin alike', { StringLike: { 'sts:SourceIdentity': 'agent.acme*' } }, 'as "agent.acme-2.s1"'],
  ])('fails when a second, looser statement %s is added to it', (_how, conditions, how) => {
    const faults = refusalsOf(({ stack }) =>
      acmeRole(stack).assumeRolePolicy?.addStatements(
        new PolicyStatement({
          sid: 'Looser',
          actions: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
          principals: [new ArnPrincipal(TENANT_ROLE_ARN)],
          ...(conditions && { conditions }),
        }),
      ),
    );
    expect(faults).toContain(admits('Looser', how));
  });

  test('fails when an escape hatch adds a looser statement', () => {
    const faults = refusalsOf(({ stack }) =>
      cfn(acmeRole(stack)).addPropertyOverride('AssumeRolePolicyDocument.Statement.2', {
        Effect: 'Allow',
        Principal: { AWS: TENANT_ROLE_ARN },
        Action: 'sts:*',
      }),
    );
    expect(faults).toContain(admits('statement 3', 'without a source identity'));
  });

  test('fails when an escape hatch replaces it', () => {
    const faults = refusalsOf(({ stack }) => {
      cfn(acmeRole(stack)).assumeRolePolicyDocument = {
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Principal: { AWS: TENANT_ROLE_ARN }, Action: 'sts:AssumeRole' },
      };
    });
    expect(faults).toEqual([admits('statement 1', 'without a source identity')]);
  });

  test.each([
    ['everyone', new AnyPrincipal(), '"*"'],
    ['the account', new ArnPrincipal(`arn:aws:iam::${ACCOUNT}:root`), `"arn:aws:iam::${ACCOUNT}:root"`],
    ['another role', new ArnPrincipal(CHAIN_ARN), `"${CHAIN_ARN}"`],
    ['a service', new ServicePrincipal('ec2.amazonaws.com'), '{"Service":"ec2.amazonaws.com"}'],
  ])('fails when it names %s, under whatever condition', (_who, principal, shown) => {
    const faults = refusalsOf(({ stack }) =>
      acmeRole(stack).assumeRolePolicy?.addStatements(
        new PolicyStatement({
          sid: 'Stranger',
          actions: ['sts:AssumeRole'],
          principals: [principal],
          conditions: {
            StringLike: { 'sts:SourceIdentity': 'agent.acme.?*' },
            StringNotLike: { 'sts:SourceIdentity': 'agent.acme.*.*' },
          },
        }),
      ),
    );
    expect(faults).toEqual([
      `Stack/Sessions: trust policy must name no one but "${TENANT_ROLE_ARN}": Stranger names ${shown}; remove it, grantAssume names further roles`,
    ]);
  });

  test('fails when it cannot be judged', () => {
    const faults = refusalsOf(({ stack }) => {
      const condition = new CfnParameter(stack, 'Given', { type: 'String' });
      cfn(acmeRole(stack)).addPropertyOverride('AssumeRolePolicyDocument.Statement.0.Condition', {
        StringLike: { 'sts:SourceIdentity': condition.value },
      });
    });
    expect(faults).toEqual([
      'Stack/Sessions: trust policy must be one that can be judged before it is deployed: trust policy, AssumeAsAgent, Condition StringLike sts:SourceIdentity: must be text or a list of texts that is not empty: {"Ref":"Given"}',
    ]);
  });

  test('fails when it tests the name against a policy variable', () => {
    const faults = refusalsOf(({ stack }) =>
      acmeRole(stack).assumeRolePolicy?.addStatements(
        new PolicyStatement({
          actions: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
          principals: [new ArnPrincipal(TENANT_ROLE_ARN)],
          conditions: { StringLike: { 'sts:SourceIdentity': '${aws:PrincipalTag/name}' } },
        }),
      ),
    );
    expect(faults).toEqual([
      'Stack/Sessions: trust policy must test the source identity against fixed names: "${aws:PrincipalTag/name}" has a policy variable, whose value is the caller\'s; remove it',
    ]);
  });

  test('passes when it is narrowed by a denial or a further condition', () => {
    const faults = refusalsOf(({ stack }) => {
      const role = acmeRole(stack, { roleSessionName: 'bound' });
      role.assumeRolePolicy?.addStatements(
        new PolicyStatement({
          effect: Effect.DENY,
          actions: ['sts:AssumeRole'],
          principals: [new AnyPrincipal()],
          conditions: { StringEquals: { 'sts:SourceIdentity': 'agent.acme.stopped' } },
        }),
      );
      cfn(role).addPropertyOverride('AssumeRolePolicyDocument.Statement.0.Condition.IpAddress', {
        'aws:SourceIp': '10.0.0.0/8',
      });
    });
    expect(faults).toEqual([]);
  });

  test('fails when it is widened, also where a denial would hide that for now', () => {
    const faults = refusalsOf(({ stack }) => {
      const role = acmeRole(stack);
      cfn(role).addPropertyDeletionOverride('AssumeRolePolicyDocument.Statement.0.Condition');
      role.assumeRolePolicy?.addStatements(
        new PolicyStatement({ effect: Effect.DENY, actions: ['sts:*'], principals: [new AnyPrincipal()] }),
      );
    });
    expect(faults).toEqual([admits('AssumeAsAgent', 'without a source identity')]);
  });

  test('fails when the resource was removed', () => {
    const faults = refusalsOf(({ stack }) => acmeRole(stack).node.tryRemoveChild('Resource'));
    expect(faults).toContain(
      'Stack/Sessions: role must stand in its template as a resource of type AWS::IAM::Role; restore it',
    );
  });

  test('is found again under another logical id', () => {
    const faults = refusalsOf(({ stack }) => {
      const role = cfn(acmeRole(stack));
      role.overrideLogicalId('Moved');
      role.addPropertyDeletionOverride('AssumeRolePolicyDocument.Statement.0.Condition');
    });
    expect(faults).toEqual([admits('AssumeAsAgent', 'without a source identity')]);
  });

  test('fails when a macro would change the template once more', () => {
    expect(
      refusalsOf(({ stack }) => {
        acmeRole(stack);
        stack.addTransform('Macro');
      }),
    ).toEqual([MACRO]);
  });
});

describe('a macro', () => {
  const transform = { 'Fn::Transform': { Name: 'Macro' } };

  test.each<[string, (base: Base, role: CfnRole) => void]>([
    ['on the resource of the role', (_base, role) => role.addOverride('Fn::Transform', { Name: 'Macro' })],
    ['anywhere else in the template', ({ stack }) => stack.addMetadata('Fn::Transform', { Name: 'Macro' })],
    [
      'beside a policy document',
      (_base, role) => role.addPropertyOverride('Policies.0.Fn::Transform', { Name: 'Macro' }),
    ],
    [
      'beside a statement',
      (_base, role) => role.addPropertyOverride('Policies.0.PolicyDocument.Fn::Transform', { Name: 'Macro' }),
    ],
  ])('fails %s', (_where, add) => {
    expect(refusalsOf((base) => add(base, cfn(acmeRole(base.stack))))).toEqual([MACRO]);
  });

  test('passes as a text that only reads like one', () => {
    expect(
      refusalsOf(({ stack }) => {
        acmeRole(stack);
        stack.templateOptions.description = JSON.stringify(transform);
      }),
    ).toEqual([]);
  });

  test('fails in a policy of another stack that reaches the role', () => {
    const faults = refusalsOf(({ app, stack }) => {
      acmeRole(stack);
      const other = new Stack(app, 'Other', { env: ENV });
      new CfnPolicy(other, 'Policy', {
        policyName: 'reads',
        roles: ['hub-acme-session'],
        policyDocument: policyDocument([{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }]),
      }).addOverride('Fn::Transform', { Name: 'Macro' });
    });
    expect(faults).toEqual([
      'Stack/Sessions: AWS::IAM::Policy Policy of Other must have no Fn::Transform, which would change it once more',
    ]);
  });
});

describe('the resource of the role', () => {
  test('fails under a Condition, by which another could stand in its place', () => {
    const faults = refusalsOf(({ stack }) => {
      cfn(acmeRole(stack)).addOverride('Condition', 'Never');
      new CfnRole(stack, 'Other', { roleName: 'Hub-Acme-Session', assumeRolePolicyDocument: {} });
    });
    expect(faults).toEqual([
      'Stack/Sessions: role must have no Condition, by which another could stand in its place: "Never"; remove it',
      'Stack/Sessions: role name must be that of one role in an account: AWS::IAM::Role Other of Stack is called "hub-acme-session" too; rename it',
    ]);
  });

  test('passes beside a role of its name in another account', () => {
    const faults = refusalsOf(({ app, stack }) => {
      acmeRole(stack);
      const other = new Stack(app, 'Other', { env: { ...ENV, account: '444455556666' } });
      new CfnRole(other, 'Role', { roleName: 'hub-acme-session', assumeRolePolicyDocument: {} });
    });
    expect(faults).toEqual([]);
  });

  test('fails twice when the same tenant has a role in two stacks', () => {
    const faults = refusalsOf(({ app, stack }) => {
      acmeRole(stack);
      acmeRole(new Stack(app, 'Other', { env: ENV }));
    });
    expect(faults).toEqual([
      expect.stringMatching(
        /^Stack\/Sessions: role name must be that of one role in an account: AWS::IAM::Role \w+ of Other /,
      ),
      expect.stringMatching(
        /^Other\/Sessions: role name must be that of one role in an account: AWS::IAM::Role \w+ of Stack /,
      ),
      expect.stringMatching(/^Other\/Sessions: caller must be that of one tenant/),
    ]);
  });

  test('fails when its permissions boundary is removed or replaced', () => {
    const boundary = 'arn:aws:iam::111122223333:policy/boundary';
    const build = ({ stack }: Base): CfnRole =>
      cfn(acmeRole(stack, { permissionsBoundary: ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', boundary) }));
    expect(refusalsOf(build)).toEqual([]);
    expect(refusalsOf((base) => build(base).addPropertyDeletionOverride('PermissionsBoundary'))).toEqual([
      'Stack/Sessions: permissions boundary must be the one that was given: undefined; restore it',
    ]);
    expect(refusalsOf((base) => build(base).addPropertyOverride('PermissionsBoundary', `${boundary}-2`))).toEqual([
      `Stack/Sessions: permissions boundary must be the one that was given: "${boundary}-2"; restore it`,
    ]);
  });

  test('passes with a boundary of another hand where none was given', () => {
    expect(
      refusalsOf(({ stack }) =>
        cfn(acmeRole(stack)).addPropertyOverride('PermissionsBoundary', 'arn:aws:iam::111122223333:policy/boundary'),
      ),
    ).toEqual([]);
  });
});

describe('a caller', () => {
  const globex = (stack: Stack, tenantRoleArn: string, cluster = 'hub'): SessionBrokerRole =>
    new SessionBrokerRole(stack, 'Globex', {
      cluster,
      tenant: 'globex',
      tenantRole: Role.fromRoleArn(stack, 'GlobexRole', tenantRoleArn, { mutable: false }),
    });
  const GLOBEX = `arn:aws:iam::${ACCOUNT}:role/hub-globex-tenant`;
  const shared = (path: string, owner: string, arn: string): string =>
    `${path}: caller must be that of one tenant, and ${owner} has it too, so either could take the other's names: "${arn}"; give each tenant a role of its own`;

  test('fails when two tenants of a cluster have the same role, in whatever case', () => {
    const arn = TENANT_ROLE_ARN.replace('hub-acme', 'HUB-acme');
    const faults = refusalsOf(({ stack }) => {
      acmeRole(stack);
      globex(stack, arn);
    });
    expect(faults).toEqual([shared('Stack/Globex', 'Stack/Sessions', arn)]);
  });

  test("fails when it is granted another tenant's names", () => {
    const faults = refusalsOf(({ stack }) => {
      const acme = acmeRole(stack);
      globex(stack, GLOBEX);
      acme.grantAssume(Role.fromRoleArn(stack, 'Second', GLOBEX));
    });
    expect(faults).toEqual([shared('Stack/Globex', 'Stack/Sessions', GLOBEX)]);
  });

  test('passes in another cluster, and with a role of its own', () => {
    expect(
      refusalsOf(({ stack }) => {
        acmeRole(stack);
        globex(stack, TENANT_ROLE_ARN, 'spoke');
      }),
    ).toEqual([]);
    expect(
      refusalsOf(({ stack }) => {
        acmeRole(stack);
        globex(stack, GLOBEX);
      }),
    ).toEqual([]);
  });

  test('fails when it was only pushed onto the list of callers', () => {
    const faults = refusalsOf(({ stack }) => {
      const role = acmeRole(stack);
      (role.callerArns as string[]).push(CHAIN_ARN);
      for (const index of [0, 1]) {
        cfn(role).addPropertyOverride(`AssumeRolePolicyDocument.Statement.${index}.Principal.AWS`, [
          TENANT_ROLE_ARN,
          CHAIN_ARN,
        ]);
      }
    });
    expect(faults).toEqual([
      expect.stringContaining(`AssumeAsAgent names "${CHAIN_ARN}"`),
      expect.stringContaining(`SetAgentIdentity names "${CHAIN_ARN}"`),
    ]);
  });

  test('fails when its ARN is known at deployment only', () => {
    const faults = refusalsOf(({ stack }) => {
      const arn = new CfnParameter(stack, 'Given').valueAsString;
      acmeRole(stack, { tenantRole: Role.fromRoleArn(stack, 'Known', arn, { mutable: false }) });
    });
    expect(faults).toEqual([
      'Stack/Sessions: caller must be known before it is deployed: {"Ref":"Given"}; give the ARN of its role as text',
    ]);
  });

  test('passes when its ARN has the account of the stack as a pseudo parameter', () => {
    const faults = refusalsOf(({ stack }) => {
      const arn = `arn:aws:iam::${Aws.ACCOUNT_ID}:role/hub-acme-tenant`;
      acmeRole(stack, { tenantRole: Role.fromRoleArn(stack, 'Known', arn, { mutable: false }) });
    });
    expect(faults).toEqual([]);
  });
});

describe('a policy of the app that reaches the role', () => {
  const grant = (...actions: string[]): PolicyStatement =>
    new PolicyStatement({ sid: 'Extra', actions, resources: ['*'] });
  const chain = 'reaches roles that are not in chainTo; list them there, by their exact ARNs';

  test('passes with what does not let a session leave its name', () => {
    const faults = refusalsOf(({ app, stack }) => {
      const role = acmeRole(stack, { chainTo: [CHAIN_ARN] });
      role.addToPolicy(grant('s3:*'));
      role.addToPolicy(new PolicyStatement({ actions: ['sts:AssumeRole'], resources: [CHAIN_ARN] }));
      const other = new Stack(app, 'Other', { env: ENV });
      new Policy(other, 'Admin', { statements: [grant('*')], roles: [Role.fromRoleName(other, 'Ops', 'ops')] });
    });
    expect(faults).toEqual([]);
  });

  test('fails when it lets a session change its own role, named by its exact ARN', () => {
    const own = `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-acme-session`;
    const faults = refusalsOf(({ stack }) =>
      acmeRole(stack).addToPolicy(new PolicyStatement({ actions: ['iam:DeleteRolePolicy'], resources: [own] })),
    );
    expect(faults).toEqual([
      expect.stringContaining('"iam:DeleteRolePolicy" may change the session-broker role itself on such a resource'),
    ]);
  });

  test.each([
    ['*', 'does not name one service; write <service>:<action>'],
    ['iam:*', 'covers actions of IAM that change who may do what; write each action out'],
    ['sts:*', 'covers sts:AssumeRole or sts:AssumeRoot; list the roles in chainTo, which grants it'],
    ['sts:AssumeRole', chain],
  ])('fails with %s by addToPolicy', (action, reason) => {
    expect(refusalsOf(({ stack }) => acmeRole(stack).addToPolicy(grant(action)))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^Stack/Sessions: AWS::IAM::Policy SessionsDefaultPolicy\\w+ of Stack, Extra: "${action.replace('*', '\\*')}" ${reason}$`,
        ),
      ),
    ]);
  });

  const ways: [string, (base: Base, role: SessionBrokerRole) => void][] = [
    [
      'a managed policy that the role attaches',
      ({ stack }, role) => role.addManagedPolicy(new ManagedPolicy(stack, 'Admin', { statements: [grant('sts:*')] })),
    ],
    [
      'a managed policy that attaches itself',
      ({ stack }, role) => new ManagedPolicy(stack, 'Admin', { statements: [grant('sts:*')], roles: [role] }),
    ],
    [
      'a managed policy of another stack',
      ({ app }, role) => {
        const other = new Stack(app, 'Other', { env: ENV });
        role.addManagedPolicy(new ManagedPolicy(other, 'Admin', { statements: [grant('sts:*')] }));
      },
    ],
    [
      'a policy of another stack, by the role itself',
      ({ app }, role) => {
        const other = new Stack(app, 'Other', { env: ENV });
        new Policy(other, 'Admin', { statements: [grant('sts:*')], roles: [role] });
      },
    ],
    [
      'a policy of another stack, by the name of the role in another case',
      ({ app }) => {
        const other = new Stack(app, 'Other', { env: ENV });
        new Policy(other, 'Admin', {
          statements: [grant('sts:*')],
          roles: [Role.fromRoleName(other, 'Sessions', 'Hub-Acme-Session')],
        });
      },
    ],
    [
      'a policy of a nested stage',
      ({ app }) => {
        const other = new Stack(new Stage(app, 'Stage', { env: ENV }), 'Other');
        new Policy(other, 'Admin', {
          statements: [grant('sts:*')],
          roles: [Role.fromRoleName(other, 'Sessions', 'hub-acme-session')],
        });
      },
    ],
    [
      'a policy of a stack whose account the deployment decides',
      ({ app }) => {
        const other = new Stack(app, 'Other');
        new Policy(other, 'Admin', {
          statements: [grant('sts:*')],
          roles: [Role.fromRoleName(other, 'Sessions', 'hub-acme-session')],
        });
      },
    ],
    [
      'a policy of a role whose name the deployment decides',
      ({ stack }) => {
        const name = new CfnParameter(stack, 'Name').valueAsString;
        new Policy(stack, 'Admin', {
          statements: [grant('sts:*')],
          roles: [Role.fromRoleName(stack, 'Given', name)],
        });
      },
    ],
    [
      'an AWS::IAM::RolePolicy',
      ({ stack }, role) =>
        new CfnResource(stack, 'RolePolicy', {
          type: 'AWS::IAM::RolePolicy',
          properties: {
            RoleName: role.roleName,
            PolicyName: 'admin',
            PolicyDocument: {
              Version: '2012-10-17',
              Statement: [{ Sid: 'Extra', Effect: 'Allow', Action: 'sts:*', Resource: '*' }],
            },
          },
        }),
    ],
    [
      'an inline policy',
      (_base, role) =>
        cfn(role).addPropertyOverride('Policies.1', {
          PolicyName: 'admin',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Sid: 'Extra', Effect: 'Allow', Action: 'sts:*', Resource: '*' }],
          },
        }),
    ],
  ];
  test.each(ways)('fails with sts:* by %s', (_way, build) => {
    const faults = refusalsOf((base) => build(base, acmeRole(base.stack)));
    expect(faults).toEqual([
      expect.stringMatching(/^Stack\/Sessions: .*, Extra: "sts:\*" covers sts:AssumeRole or sts:AssumeRoot; /),
    ]);
  });

  test('passes in another account, where it reaches another role', () => {
    const faults = refusalsOf(({ app, stack }) => {
      acmeRole(stack);
      const other = new Stack(app, 'Other', { env: { ...ENV, account: '444455556666' } });
      new Policy(other, 'Admin', {
        statements: [grant('sts:*')],
        roles: [Role.fromRoleName(other, 'Sessions', 'hub-acme-session')],
      });
    });
    expect(faults).toEqual([]);
  });

  const reading = policyDocument([{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }]);

  test.each<[string, (role: SessionBrokerRole) => void]>([
    [
      'CfnPolicy',
      (role) => new CfnPolicy(role, 'Second', { policyName: 'guard', roles: [role.roleName], policyDocument: reading }),
    ],
    [
      'CfnRolePolicy',
      (role) =>
        new CfnRolePolicy(role, 'Second', { policyName: 'Guard', roleName: role.roleName, policyDocument: reading }),
    ],
    [
      'Policy',
      (role) => new Policy(role, 'Second', { policyName: 'permissions', roles: [role], statements: [grant('s3:*')] }),
    ],
  ])('fails as a %s that would take the place of an inline policy of the role', (_how, add) => {
    expect(refusalsOf(({ stack }) => add(acmeRole(stack)))).toEqual([
      expect.stringMatching(
        / must not take the place of the role's own inline policy "(guard|Guard|permissions)"; rename it$/,
      ),
    ]);
  });

  test('fails as a second inline policy of a name, or one without a known name', () => {
    const add = (name: unknown) =>
      refusalsOf(({ stack }) =>
        cfn(acmeRole(stack)).addPropertyOverride('Policies.1', { PolicyName: name, PolicyDocument: reading }),
      );
    expect(add('Guard')).toEqual([
      'Stack/Sessions: inline policy "Guard" must appear once: its name is given twice; rename one',
    ]);
    expect(add({ Ref: 'Given' })).toEqual([
      expect.stringMatching(
        /^Stack\/Sessions: inline policy .* must have a name that is known before it is deployed: /,
      ),
    ]);
    expect(add('reads')).toEqual([]);
  });

  test('fails as one whose name is known at deployment only', () => {
    const faults = refusalsOf(({ stack }) => {
      const policyName = new CfnParameter(stack, 'Name').valueAsString;
      const role = acmeRole(stack);
      new CfnPolicy(stack, 'Second', { policyName, roles: [role.roleName], policyDocument: reading });
    });
    expect(faults).toEqual([
      'Stack/Sessions: AWS::IAM::Policy Second of Stack must have a name that is known before it is deployed: {"Ref":"Name"}; write it out',
    ]);
  });

  test('fails with an element beside its statements that IAM does not know', () => {
    expect(
      refusalsOf(({ stack }) =>
        cfn(acmeRole(stack)).addPropertyOverride('Policies.1', {
          PolicyName: 'reads',
          PolicyDocument: { ...reading, statement: [] },
        }),
      ),
    ).toEqual([
      'Stack/Sessions: inline policy "reads" must have no element but Version, Id, Statement: "statement"; remove it',
    ]);
  });

  test.each([
    ['of a stack whose account the deployment decides', {}, 'broad', 'policy/broad'],
    ['by its name in another case', { env: ENV }, 'broad', 'policy/Broad'],
    ['under another path', { env: ENV }, 'broad', 'policy/some/where/broad'],
  ])('fails as a managed policy %s', (_how, props, managedPolicyName, resource) => {
    const faults = refusalsOf(({ app, stack }) => {
      new ManagedPolicy(new Stack(app, 'Other', props), 'Broad', { managedPolicyName, statements: [grant('*')] });
      const arn = `arn:aws:iam::${ACCOUNT}:${resource}`;
      acmeRole(stack).addManagedPolicy(ManagedPolicy.fromManagedPolicyArn(stack, 'Attached', arn));
    });
    expect(faults).toEqual([
      expect.stringMatching(
        /^Stack\/Sessions: AWS::IAM::ManagedPolicy \w+ of Other, Extra: "\*" does not name one service/,
      ),
    ]);
  });

  test.each([
    ['of another account', { ...ENV, account: '444455556666' }, 'policy/broad'],
    ['of another name', ENV, 'policy/narrow'],
  ])('passes as a managed policy %s', (_how, env, resource) => {
    const faults = refusalsOf(({ app, stack }) => {
      const other = new Stack(app, 'Other', { env });
      new ManagedPolicy(other, 'Broad', { managedPolicyName: 'broad', statements: [grant('*')] });
      const arn = `arn:aws:iam::${ACCOUNT}:${resource}`;
      acmeRole(stack).addManagedPolicy(ManagedPolicy.fromManagedPolicyArn(stack, 'Attached', arn));
    });
    expect(faults).toEqual([]);
  });

  test('passes with another role of a stack whose account the deployment decides', () => {
    const faults = refusalsOf(({ app, stack }) => {
      acmeRole(stack);
      const other = new Stack(app, 'Other');
      new Role(other, 'Ops', { assumedBy: new AnyPrincipal() }).addToPolicy(grant('sts:AssumeRole'));
    });
    expect(faults).toEqual([]);
  });

  test('passes beside a resource whose type is named like a member of every object', () => {
    const faults = refusalsOf(({ stack }) => {
      const role = acmeRole(stack);
      const properties = { [String(Object)]: [role.roleName] };
      new CfnResource(stack, 'Other', { type: 'constructor', properties });
    });
    expect(faults).toEqual([]);
  });

  test('fails where a managed policy is a resource of such a type, which has no known ARN', () => {
    const faults = refusalsOf(({ stack }) => {
      const { ref } = new CfnResource(stack, 'Other', { type: 'constructor' });
      acmeRole(stack).addManagedPolicy(ManagedPolicy.fromManagedPolicyArn(stack, 'Given', ref));
    });
    expect(faults).toEqual([
      'Stack/Sessions: managed policy must be known before it is deployed: {"Ref":"Other"}; give its ARN',
    ]);
  });

  test('fails as a managed policy whose name the deployment decides, where one is attached by ARN', () => {
    const faults = refusalsOf(({ stack }) => {
      const managedPolicyName = new CfnParameter(stack, 'Name').valueAsString;
      new ManagedPolicy(stack, 'Broad', { managedPolicyName, statements: [grant('*')] });
      const arn = `arn:aws:iam::${ACCOUNT}:policy/broad`;
      acmeRole(stack).addManagedPolicy(ManagedPolicy.fromManagedPolicyArn(stack, 'Attached', arn));
    });
    expect(faults).toEqual([expect.stringMatching(/Extra: "\*" does not name one service/)]);
  });

  test('fails with AdministratorAccess', () => {
    const faults = refusalsOf(({ stack }) =>
      acmeRole(stack).addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('AdministratorAccess')),
    );
    expect(faults).toEqual([
      'Stack/Sessions: managed policy must not grant everything, IAM or STS: "arn:aws:iam::aws:policy/AdministratorAccess"; attach one that grants what is needed',
    ]);
  });

  test('fails where a managed policy is known at deployment only', () => {
    const faults = refusalsOf(({ stack }) => {
      const arn = new CfnParameter(stack, 'Arn').valueAsString;
      acmeRole(stack).addManagedPolicy(ManagedPolicy.fromManagedPolicyArn(stack, 'Given', arn));
    });
    expect(faults).toEqual([
      'Stack/Sessions: managed policy must be known before it is deployed: {"Ref":"Arn"}; give its ARN',
    ]);
  });

  test('fails where its document is known at deployment only', () => {
    const faults = refusalsOf(({ stack }) =>
      cfn(acmeRole(stack)).addPropertyOverride('Policies.1', {
        PolicyName: 'given',
        PolicyDocument: { 'Fn::GetAtt': ['Elsewhere', 'Document'] },
      }),
    );
    expect(faults).toEqual([
      'Stack/Sessions: inline policy "given" must be known before it is deployed: {"Fn::GetAtt":["Elsewhere","Document"]}; write its statements out',
    ]);
  });

  test.each([
    ['missing', (role: CfnRole) => role.addPropertyDeletionOverride('Policies')],
    ['changed', (role: CfnRole) => role.addPropertyDeletionOverride('Policies.0.PolicyDocument.Statement.0')],
  ])('fails where the guard is %s', (_how, change) => {
    expect(refusalsOf(({ stack }) => change(cfn(acmeRole(stack))))).toEqual([
      'Stack/Sessions: inline policy "guard" must stand as it was made: it is missing or changed; restore it',
    ]);
  });
});

describe('the check of finished templates', () => {
  const spoil = (stack: Stack): SessionBrokerRole => {
    const role = acmeRole(stack);
    cfn(role).addPropertyDeletionOverride('AssumeRolePolicyDocument.Statement.0.Condition');
    return role;
  };

  test('fails each time an app is synthesized, and leaves no manifest to deploy from', () => {
    withApp(({ app, stack }) => {
      spoil(stack);
      const message = `finished templates would let a session leave its name, in 1 place\n${admits('AssumeAsAgent', 'without a source identity')}`;
      const refusal = expect.objectContaining({ code: 'TemplateRefused', message });
      expect(() => app.synth()).toThrow(refusal);
      expect(existsSync(join(app.outdir, 'manifest.json'))).toBe(false);
      expect(() => app.synth()).toThrow(refusal);
    });
  });

  test('fails also where validation is skipped, acknowledged and told not to fail', () => {
    withApp(
      ({ app, stack }) => {
        spoil(stack);
        for (const id of ['TemplateRefused', 'session-broker::TemplateRefused']) {
          Validations.of(app).acknowledge({ id, reason: 'try' });
        }
        expect(() => app.synth({ skipValidation: true })).toThrow(expect.objectContaining({ code: 'TemplateRefused' }));
      },
      { '@aws-cdk/core:failSynthOnValidationErrors': false },
    );
  });

  test('fails where a validation plugin changes the template after it was judged', () => {
    withApp(({ app, stack }) => {
      acmeRole(stack);
      Validations.of(app).addPlugins({
        name: 'loosens',
        validate: ({ templatePaths }) => {
          for (const path of templatePaths) {
            const loosened = readFileSync(path, 'utf8').replaceAll('StringLike', 'StringLikeIfExists');
            writeFileSync(path, loosened);
          }
          return { success: true, violations: [] };
        },
      });
      expect(() => app.synth()).toThrow(expect.objectContaining({ code: 'TemplateRefused' }));
      expect(existsSync(join(app.outdir, 'manifest.json'))).toBe(false);
    });
  });

  test('judges roles in nested stages', () => {
    withApp(({ app }) => {
      spoil(new Stack(new Stage(app, 'Stage', { env: ENV }), 'Stack'));
      expect(() => app.synth()).toThrow(expect.objectContaining({ code: 'TemplateRefused' }));
    });
  });

  test.each(['alone', 'with its app'])(
    'refuses a nested stage that is synthesized %s, and leaves no manifest',
    (how) => {
      withApp(({ app }) => {
        const stage = new Stage(app, 'Stage', { env: ENV });
        const nested = new Stage(stage, 'Nested');
        spoil(new Stack(nested, 'Stack'));
        const refusal = expect.objectContaining({ code: 'TemplateRefused' });
        expect(() => (how === 'alone' ? stage : app).synth()).toThrow(refusal);
        for (const { outdir } of [stage, nested]) expect(existsSync(join(outdir, 'manifest.json'))).toBe(false);
        expect(() => app.synth()).toThrow();
      });
    },
  );

  test('judges in a nested stage that is synthesized alone what stands in it', () => {
    withApp(({ app, stack }) => {
      spoil(stack);
      const stage = new Stage(app, 'Stage', { env: { ...ENV, account: '444455556666' } });
      acmeRole(new Stack(stage, 'Stack'), { callerPolicy: 'external' });
      stage.synth();
      expect(existsSync(join(stage.outdir, 'manifest.json'))).toBe(true);
      expect(() => app.synth()).toThrow(expect.objectContaining({ code: 'TemplateRefused' }));
    });
  });

  test('refuses a role that an Aspect makes first, after synthesis has begun', () => {
    withApp(({ app, stack }) => {
      new CfnResource(stack, 'Other', { type: 'Other::Other::Other' });
      Aspects.of(stack).add({
        visit: (node) => {
          if (node === stack) spoil(stack);
        },
      });
      expect(() => app.synth({ skipValidation: true })).toThrow(
        expect.objectContaining({
          code: 'TemplateRefused',
          message:
            'finished templates would let a session leave its name, in 1 place\nStack/Sessions: role must be made before synthesis begins, not by an Aspect; make it in a constructor',
        }),
      );
      expect(existsSync(join(app.outdir, 'manifest.json'))).toBe(false);
    });
  });

  test('refuses an app whose roles are kept out by customizeRoles', () => {
    withApp(({ app }) => {
      const stage = new Stage(app, 'Stage', { env: ENV });
      Role.customizeRoles(stage);
      expect(() => acmeRole(new Stack(stage, 'Stack'))).toThrow(
        expect.objectContaining({
          code: 'TemplateRefused',
          message:
            'Stage/Stack/Sessions: role must be made in its own stack, and Role.customizeRoles keeps it out; leave its scope out of customizeRoles',
        }),
      );
    });
  });
});
