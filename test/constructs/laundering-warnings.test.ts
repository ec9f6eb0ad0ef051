import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Annotations as Assertions, Match } from 'aws-cdk-lib/assertions';
import { ArnPrincipal, type CfnRole, Effect, ManagedPolicy, Policy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IStackSynthesizer, ISynthesisSession } from 'aws-cdk-lib/core';
import { Annotations, NestedStack, Stack, StackSynthesizer, Stage, Validations } from 'aws-cdk-lib/core';
import { CloudAssembly } from 'aws-cdk-lib/cx-api';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import type { SessionBrokerRole, SessionBrokerRoleProps } from '../../lib/constructs/index.ts';
import type { Statement } from '../../lib/policy/index.ts';
import { buildApp } from '../../lib/stacks/index.ts';
import { EVERYTHING } from '../support/configurations.ts';
import { inTemporaryFolder } from '../support/synthesize.ts';
import { ACCOUNT, acmeRole, type Base, CHAIN_ARN, ENV, withApp } from './fixture.ts';

const INVOKE: Statement = { Sid: 'Tools', Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: '*' };
const REASON = 'The function logs the session id of its caller.';
const FIX = 'remove it, or add it to acknowledgeIdentityLoss with the reason why it is granted';
const WARNING = `inline policy "permissions", Tools: "lambda:InvokeFunction" lets a session lose its name: a function or MicroVM runs under its execution role; ${FIX}`;
const ID = 'session-broker:identityLoss/lambda:InvokeFunction';

const grant = (...actions: string[]): PolicyStatement =>
  new PolicyStatement({ sid: 'Extra', actions, resources: ['*'] });

/** What the CDK says about the stacks of an assembly: where, at which level and what. */
function messagesOf(assembly: CloudAssembly): readonly string[] {
  return assembly.stacksRecursively.flatMap(({ messages }) =>
    messages.map(({ level, id, entry }) => `${level} ${id} ${entry.data}`),
  );
}

/** The warnings of the app that `build` adds to, as its CLI would read them from the disk. */
function warningsOf(build: (base: Base) => void): readonly string[] {
  return withApp(
    (base) => {
      build(base);
      const messages = messagesOf(base.app.synth());
      expect(messagesOf(new CloudAssembly(base.app.outdir))).toEqual(messages);
      return messages;
    },
    // Without it the CDK has a warning of its own about references.
    { '@aws-cdk/core:defaultCrossStackReferences': 'strong' },
  );
}

function warningsWith(props: Partial<SessionBrokerRoleProps>): readonly string[] {
  return warningsOf(({ stack }) => acmeRole(stack, props));
}

describe('an app', () => {
  const warnings = (text: string) =>
    inTemporaryFolder((outdir) => {
      const props = { outdir, autoSynth: false, builtinCloudFormationValidation: false };
      return messagesOf(buildApp(parseConfig(text, 'tenants.yaml'), props).synth());
    });
  const invoking = EVERYTHING.replace('Action: "s3:GetObject"', 'Action: "lambda:InvokeFunction"');

  test.each([
    ['the example', readFileSync(join(import.meta.dirname, '../../tenants.example.yaml'), 'utf8')],
    ['all options together', EVERYTHING],
    ['what its configuration acknowledges', invoking],
  ])('has no warning of what it grants: %s', (_name, text) => {
    expect(warnings(text)).toEqual([]);
  });

  test('has a warning of what its configuration grants and does not acknowledge', () => {
    expect(warnings(invoking.replace(/^ +acknowledgeIdentityLoss:.*\n/m, ''))).toEqual([
      expect.stringMatching(
        /^warning \/SessionBroker-hub-acme\/Role inline policy "permissions", statement \d: "lambda:InvokeFunction" lets/,
      ),
    ]);
  });
});

describe('a permission by which the name is lost', () => {
  test('is a warning on the role, with an id, as the documentation shows it', () => {
    expect(warningsWith({ statements: [INVOKE] })).toEqual([`warning /Stack/Sessions ${WARNING} [ack: ${ID}]`]);
    const page = readFileSync(join(import.meta.dirname, '../../docs/laundering.md'), 'utf8');
    expect(page).toContain(`\nWARNING ${WARNING}\n`);
  });

  const inline = (role: SessionBrokerRole, index: number) =>
    (role.node.defaultChild as CfnRole).addPropertyOverride(`Policies.${index}`, {
      PolicyName: 'extra',
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: { Sid: 'Extra', Effect: 'Allow', Action: 'ecs:RunTask', Resource: '*' },
      },
    });
  const ways: [string, RegExp, (base: Base, role: SessionBrokerRole) => void][] = [
    ['addToPolicy', /^AWS::IAM::Policy \w+ of Stack/, (_base, role) => role.addToPolicy(grant('ecs:RunTask'))],
    ['an inline policy of an override', /^inline policy "extra"/, (_base, role) => inline(role, 1)],
    [
      'a managed policy of another stack',
      /^AWS::IAM::ManagedPolicy \w+ of Other/,
      ({ app }, role) => {
        const other = new Stack(app, 'Other', { env: ENV });
        role.addManagedPolicy(new ManagedPolicy(other, 'Extra', { statements: [grant('ecs:RunTask')] }));
      },
    ],
    [
      'a managed policy of another stage, by the name of the role',
      /^AWS::IAM::ManagedPolicy \w+ of Stage\/Other/,
      ({ app }) => {
        const other = new Stack(new Stage(app, 'Stage', { env: ENV }), 'Other');
        const roles = [Role.fromRoleName(other, 'Sessions', 'hub-acme-session')];
        new ManagedPolicy(other, 'Extra', { statements: [grant('ecs:RunTask')], roles });
      },
    ],
  ];
  test.each(ways)('is seen by %s', (_way, policy, build) => {
    const [warning, ...others] = warningsOf((base) => build(base, acmeRole(base.stack)));
    expect(others).toEqual([]);
    const where = 'warning /Stack/Sessions ';
    expect(warning?.slice(0, where.length)).toBe(where);
    expect(warning?.slice(where.length)).toMatch(policy);
    expect(warning).toMatch(/, Extra: "ecs:RunTask" lets a session lose its name: a task runs under its task role/);
  });

  test('is seen on a role of a nested stage and of a nested stack, by a policy of the app', () => {
    const messages = warningsOf(({ app, stack }) => {
      const inner = new Stack(new Stage(app, 'Stage', { env: ENV }), 'Inner');
      acmeRole(new NestedStack(inner, 'Nested') as Stack);
      const roles = [Role.fromRoleName(stack, 'Given', 'hub-acme-session')];
      new Policy(stack, 'Extra', { statements: [grant('ecs:RunTask')], roles });
    });
    expect(messages).toEqual([
      expect.stringMatching(
        /^warning \/Stage\/Inner\/Nested\/Sessions AWS::IAM::Policy \w+ of Stack, Extra: "ecs:RunTask"/,
      ),
    ]);
  });

  test('is told by what a wildcard covers, the first of it', () => {
    const warnings = (Action: string) => warningsWith({ statements: [{ ...INVOKE, Action }] });
    expect(warnings('ecs:Ru*')).toEqual([expect.stringContaining(', Tools: "ecs:Ru*" (ecs:RunTask) lets a session')]);
    expect(warnings('LAMBDA:invokefunction')).toEqual([
      expect.stringContaining(', Tools: "LAMBDA:invokefunction" lets a session'),
    ]);
    expect(warnings('codebuild:*')).toEqual([
      expect.stringContaining(
        '"codebuild:*" (codebuild:RetryBuild, codebuild:RetryBuildBatch, codebuild:StartBuild, codebuild:StartBuildBatch, codebuild:StartCommandExecution and 3 more) lets a session lose its name: ',
      ),
    ]);
  });

  test('is told of a NotAction, which cannot be acknowledged', () => {
    const messages = warningsOf(({ stack }) =>
      acmeRole(stack).addToPolicy(
        new PolicyStatement({ sid: 'Extra', notActions: ['iam:*', 'sts:*'], resources: ['*'] }),
      ),
    );
    expect(messages).toEqual([
      expect.stringMatching(
        / and \d+ more\) lets a session lose its name: work goes on under other roles; list what is needed under Action \[ack: session-broker:identityLoss\/NotAction\]$/,
      ),
    ]);
  });

  test('is none where a policy of the role denies it, as the guard denies iam:PassRole', () => {
    const denied = { Effect: 'Deny', Action: 'lambda:*', Resource: '*' } as const;
    expect(warningsWith({ statements: [INVOKE, denied, { ...INVOKE, Sid: 'Pass', Action: 'iam:PassRole' }] })).toEqual(
      [],
    );
    const messages = warningsOf(({ stack }) =>
      acmeRole(stack, { statements: [INVOKE] }).addToPolicy(
        new PolicyStatement({ effect: Effect.DENY, actions: ['lambda:InvokeFunction'], resources: ['*'] }),
      ),
    );
    expect(messages).toEqual([]);
  });

  test('is none where the policy reaches another role', () => {
    const messages = warningsOf(({ app, stack }) => {
      acmeRole(stack);
      const other = new Stack(app, 'Other', { env: ENV });
      new Policy(other, 'Extra', { statements: [grant('ecs:*')], roles: [Role.fromRoleName(other, 'Ops', 'ops')] });
    });
    expect(messages).toEqual([]);
  });

  test('comes after what is refused', () => {
    withApp(({ app, stack }) => {
      const role = acmeRole(stack, { statements: [INVOKE] });
      role.addToPolicy(grant('sts:AssumeRole'));
      expect(() => app.synth()).toThrow(expect.objectContaining({ code: 'TemplateRefused' }));
      expect(role.node.metadata.filter(({ type }) => type === 'aws:cdk:warning')).toEqual([]);
    });
  });

  test('leaves the template as it is', () => {
    const templateWith = (acknowledgeIdentityLoss: SessionBrokerRoleProps['acknowledgeIdentityLoss']) =>
      withApp(({ app, stack }) => {
        acmeRole(stack, { statements: [INVOKE], acknowledgeIdentityLoss });
        return app.synth().getStackByName('Stack').template;
      });
    expect(templateWith([])).toEqual(templateWith([{ action: 'lambda:InvokeFunction', reason: REASON }]));
  });
});

describe('a role of chainTo that stands in the app', () => {
  const chained = (
    conditions: Record<string, unknown>,
    props: Partial<SessionBrokerRoleProps> = {},
    change: (stack: Stack) => void = () => {},
  ) =>
    warningsOf(({ app, stack }) => {
      const sessions = acmeRole(stack, { chainTo: [CHAIN_ARN], ...props });
      const trusted = new PolicyStatement({
        actions: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
        principals: [new ArnPrincipal(sessions.roleArn)],
        conditions,
      });
      const other = new Stack(app, 'Other', { env: ENV });
      change(other);
      const deployer = new Role(other, 'Deployer', {
        roleName: 'deployer',
        assumedBy: new ArnPrincipal(sessions.roleArn),
      });
      const policy = { Version: '2012-10-17', Statement: [trusted.toStatementJson()] };
      (deployer.node.defaultChild as CfnRole).assumeRolePolicyDocument = policy;
    });

  test('gives no warning where it requires an identity', () => {
    expect(
      chained({
        StringLike: { 'aws:SourceIdentity': 'agent.acme.?*' },
        StringNotLike: { 'aws:SourceIdentity': 'agent.acme.*.*' },
      }),
    ).toEqual([]);
  });

  test('gives one where it does not, until that is acknowledged', () => {
    const message = `inline policy "permissions", ChainUnderTheSameIdentity: "sts:AssumeRole" lets a session lose its name: ${CHAIN_ARN} can be assumed without a source identity; ${FIX}`;
    expect(chained({})).toEqual([
      `warning /Stack/Sessions ${message} [ack: session-broker:identityLoss/sts:AssumeRole]`,
    ]);
    const acknowledgeIdentityLoss = [{ action: 'sts:AssumeRole', reason: REASON }];
    expect(chained({}, { acknowledgeIdentityLoss })).toEqual([]);
  });

  test('gives none where it is another of its name', () => {
    expect(chained({}, { chainTo: [`arn:aws:iam::${ACCOUNT}:role/elsewhere/deployer`] })).toEqual([]);
  });

  test('gives none where a macro may change it', () => {
    const transformed = (stack: Stack): void => {
      stack.templateOptions.transforms = ['AWS::LanguageExtensions'];
    };
    expect(chained({}, {}, transformed)).toEqual([]);
  });

  test('gives none where its trust cannot be judged before it is deployed', () => {
    expect(chained({ StringEquals: { 'sts:ExternalId': { Ref: 'AWS::StackId' } } })).toEqual([]);
  });
});

describe('an acknowledgement', () => {
  const acknowledge = (...actions: string[]) => actions.map((action) => ({ action, reason: REASON }));
  const stale = (action: string) =>
    `warning /Stack/Sessions acknowledged action must be one that is granted: "${action}" is not, or not in this spelling; remove it from acknowledgeIdentityLoss [ack: session-broker:staleAcknowledgement/${action}]`;

  test('silences the warning, wherever the action is granted', () => {
    const acknowledgeIdentityLoss = acknowledge('lambda:InvokeFunction');
    expect(warningsWith({ statements: [INVOKE], acknowledgeIdentityLoss })).toEqual([]);
    const messages = warningsOf(({ stack }) =>
      acmeRole(stack, { acknowledgeIdentityLoss }).addToPolicy(grant('lambda:InvokeFunction')),
    );
    expect(messages).toEqual([]);
  });

  test('silences no other', () => {
    const statements = [{ ...INVOKE, Action: ['lambda:InvokeFunction', 'lambda:InvokeAsync'] }];
    expect(warningsWith({ statements, acknowledgeIdentityLoss: acknowledge('lambda:InvokeAsync') })).toEqual([
      `warning /Stack/Sessions ${WARNING} [ack: ${ID}]`,
    ]);
  });

  test('of what is not granted is a warning itself', () => {
    expect(warningsWith({ acknowledgeIdentityLoss: acknowledge('ecs:RunTask') })).toEqual([stale('ecs:RunTask')]);
    expect(
      warningsWith({ statements: [INVOKE], acknowledgeIdentityLoss: acknowledge('lambda:InvokeFunction', 'lambda:*') }),
    ).toEqual([stale('lambda:*')]);
  });

  test('of what a policy from outside of the app may grant is none', () => {
    const messages = warningsOf(({ stack }) => {
      const arn = `arn:aws:iam::${ACCOUNT}:policy/tools`;
      const managedPolicies = [ManagedPolicy.fromManagedPolicyArn(stack, 'Tools', arn)];
      acmeRole(stack, { managedPolicies, acknowledgeIdentityLoss: acknowledge('ecs:RunTask') });
    });
    expect(messages).toEqual([]);
  });

  test('fails by the rules of a configuration', () => {
    expect(() => warningsWith({ acknowledgeIdentityLoss: [{ action: 's3:GetObject', reason: REASON }] })).toThrow(
      expect.objectContaining({ code: 'ConfigInvalid' }),
    );
    expect(() => warningsWith({ acknowledgeIdentityLoss: [{ action: 'sts:AssumeRole', reason: REASON }] })).toThrow();
  });

  test('of sts:AssumeRole is not stale where nothing is known of the role', () => {
    expect(warningsWith({ chainTo: [CHAIN_ARN], acknowledgeIdentityLoss: acknowledge('sts:AssumeRole') })).toEqual([]);
  });

  test.each<[string, (role: SessionBrokerRole) => void]>([
    ['Annotations', (role) => Annotations.of(role).acknowledgeWarning(ID, REASON)],
    ['Validations', (role) => Validations.of(role).acknowledge({ id: `Annotation::${ID}`, reason: REASON })],
  ])('in the way of the CDK silences that warning alone: %s', (_way, silence) => {
    const messages = warningsOf(({ stack }) => {
      const role = acmeRole(stack, { statements: [INVOKE] });
      role.addToPolicy(grant('ecs:RunTask'));
      silence(role);
    });
    expect(messages).toEqual([expect.stringContaining('"ecs:RunTask"')]);
  });
});

describe('a warning', () => {
  test('is found by the assertions of the CDK, each time', () => {
    withApp(({ stack }) => {
      acmeRole(stack, { statements: [INVOKE] });
      for (let time = 0; time < 3; time++) {
        const found = Assertions.fromStack(stack).findWarning('*', Match.stringLikeRegexp('lose its name'));
        expect(found.map(({ id }) => id)).toEqual(['/Stack/Sessions']);
      }
    });
  });

  test('stands once however often an app is synthesized, and comes with what is added', () => {
    withApp(({ app, stack }) => {
      const role = acmeRole(stack, { statements: [INVOKE] });
      const assembly = app.synth();
      expect(messagesOf(assembly)).toHaveLength(1);
      expect(app.synth()).toBe(assembly);
      expect(messagesOf(app.synth({ force: true }))).toHaveLength(1);
      role.addToPolicy(grant('ecs:RunTask'));
      expect(messagesOf(app.synth({ force: true }))).toHaveLength(2);
      expect(messagesOf(new CloudAssembly(app.outdir))).toHaveLength(2);
    });
  });

  test('leaves the CDK as it was', () => {
    withApp(({ app, stack }) => {
      const { buildAssembly } = app._assemblyBuilder;
      acmeRole(stack, { statements: [INVOKE] });
      app.synth();
      expect(app._assemblyBuilder.buildAssembly).toBe(buildAssembly);
    });
  });

  test('is given by what stands in a stage that is synthesized alone, and once more with its app', () => {
    withApp(({ app, stack }) => {
      const stage = new Stage(app, 'Stage', { env: ENV });
      acmeRole(new Stack(stage, 'Inner'), { statements: [INVOKE] });
      const roles = [Role.fromRoleName(stack, 'Given', 'hub-acme-session')];
      new Policy(stack, 'Extra', { statements: [grant('ecs:RunTask')], roles });
      expect(messagesOf(stage.synth())).toEqual([`warning /Stage/Inner/Sessions ${WARNING} [ack: ${ID}]`]);
      expect(messagesOf(app.synth())).toEqual([
        `warning /Stage/Inner/Sessions ${WARNING} [ack: ${ID}]`,
        expect.stringContaining('"ecs:RunTask"'),
      ]);
    });
  });

  test('is in the validation report, where the CDK puts annotations there', () => {
    const shown = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => shown.mockRestore());
    const report = withApp(
      ({ app, stack }) => {
        acmeRole(stack, { statements: [INVOKE] });
        app.synth();
        return readFileSync(join(app.outdir, 'validation-report.json'), 'utf8');
      },
      { '@aws-cdk/core:annotationsInValidationReport': true },
    );
    expect(shown).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(WARNING));
    expect(JSON.parse(report).pluginReports).toEqual([
      expect.objectContaining({
        violations: [
          expect.objectContaining({
            ruleName: `Annotation::${ID}`,
            description: WARNING,
            severity: 'warning',
            violatingConstructs: [expect.objectContaining({ constructPath: 'Stack/Sessions' })],
          }),
        ],
      }),
    ]);
  });

  test('is given to the role alone where a synthesizer deploys nothing', () => {
    class Nothing extends StackSynthesizer {
      override addFileAsset(): never {
        throw new TypeError('no assets');
      }
      override addDockerImageAsset(): never {
        throw new TypeError('no assets');
      }
      override synthesize(session: ISynthesisSession): void {
        this.synthesizeTemplate(session);
      }
    }
    withApp(({ app }) => {
      const stack = new Stack(app, 'Silent', { env: ENV, synthesizer: new Nothing() as IStackSynthesizer });
      const role = acmeRole(stack, { statements: [INVOKE] });
      expect(messagesOf(app.synth())).toEqual([]);
      expect(role.node.metadata.map(({ data }) => data)).toEqual([`${WARNING} [ack: ${ID}]`]);
    });
  });
});
