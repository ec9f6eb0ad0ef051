import { describe, expect, it } from 'vitest';
import {
  forbiddenGrants,
  isForbiddenManagedPolicy,
  type PolicyDocument,
  policyDocument,
  renderGuardPolicy,
  renderPermissionsPolicy,
  type Statement,
} from '../../lib/policy/index.ts';
import { everyPermission } from '../support/permissions.ts';

const LISTED = 'arn:aws:iam::111122223333:role/data-reader';
const OTHER = 'arn:aws:iam::111122223333:role/other';

function allow(statement: Omit<Statement, 'Effect'>): PolicyDocument {
  return policyDocument([{ Effect: 'Allow', ...statement }]);
}

function actionsIn(document: PolicyDocument, chainTo: readonly string[] = [LISTED]): readonly string[] {
  return forbiddenGrants(document, chainTo).map(({ action }) => action);
}

describe('forbidden grants', () => {
  it.each([
    '*',
    '**',
    '*:*',
    '?*',
    'i*',
    's*',
    'st?:*',
    'st?:AssumeRole',
    '*:AssumeRole',
    '*:Get*',
    'i?m:*',
    'bedrock*:InvokeModel',
    'AssumeRole',
    '',
    'iam:*',
    'IAM:*',
    'Iam:**',
    'iam:?*',
    'iam:*Role*',
    'iam:Put*',
    'iam:Pass*',
    'iam:?etRolePolicy',
    'iam:*Get*',
    'sts:*',
    'STS:*',
    'sts:**',
    'sts:A*',
    'sts:Assume*',
    'sts:assume*',
    'sts:AssumeRol?',
    'sts:AssumeRole*',
    'sts:*Role',
    'sts:?ssumeRole',
    'sts:*e*R*e*',
    'sts:AssumeRoot',
    'sts:*Root',
  ])('fails for %j, even on the roles of chainTo', (action) => {
    expect(actionsIn(allow({ Action: action, Resource: LISTED }))).toEqual([action]);
  });

  it.each([
    's3:*',
    'bedrock:*',
    'bedrock:Invoke*',
    'iam:Get*',
    'IAM:LIST*',
    'iam:Simulate*',
    'iam:GenerateServiceLastAccessedDetails',
    'iam:GetRole',
    'iam:PassRole',
    'iam:CreateUser',
    'sts:GetCallerIdentity',
    'sts:Get*',
    'sts:SetSourceIdentity',
    'sts:TagSession',
    'sts:Decode*',
    'stsx:AssumeRole',
    'sts:AssumeRoleX',
    'sts:Assum.Role',
  ])('admit %j', (action) => {
    expect(forbiddenGrants(allow({ Action: action, Resource: '*' }), [])).toEqual([]);
  });

  it.each([
    ['a listed role', { Resource: LISTED }, []],
    ['listed roles', { Resource: [LISTED] }, []],
    ['another role', { Resource: OTHER }, ['sts:AssumeRole']],
    ['a listed role and another', { Resource: [LISTED, OTHER] }, ['sts:AssumeRole']],
    ['everything', { Resource: '*' }, ['sts:AssumeRole']],
    ['a wildcard that only begins like a listed role', { Resource: `${LISTED}*` }, ['sts:AssumeRole']],
    ['a listed role in other case', { Resource: LISTED.toUpperCase() }, ['sts:AssumeRole']],
    ['all but a role', { NotResource: OTHER }, ['sts:AssumeRole']],
    ['no resource', {}, ['sts:AssumeRole']],
    ['an empty list', { Resource: [] }, ['sts:AssumeRole']],
    ['a listed role and, at once, all but another', { Resource: LISTED, NotResource: OTHER }, ['sts:AssumeRole']],
    ['a resource that is not a text', { Resource: { Ref: 'Role' } as unknown as string }, ['sts:AssumeRole']],
  ])('judge sts:AssumeRole by its resources: %s', (_name, resources, expected) => {
    expect(actionsIn(allow({ Action: 'sts:AssumeRole', ...resources }))).toEqual(expected);
  });

  it.each([
    'AttachRolePolicy',
    'CreatePolicyVersion',
    'DeleteRole',
    'DeleteRolePermissionsBoundary',
    'DeleteRolePolicy',
    'DetachRolePolicy',
    'PutRolePermissionsBoundary',
    'PutRolePolicy',
    'SetDefaultPolicyVersion',
    'UpdateAssumeRolePolicy',
  ])('fail for iam:%s on every resource, and not on others named exactly', (name) => {
    const action = `iam:${name}`;
    expect(forbiddenGrants(allow({ Action: action, Resource: '*' }), [])).toEqual([
      {
        index: 0,
        action,
        reason:
          'may change the session-broker role itself on such a resource; name other roles or policies by their exact ARNs',
      },
    ]);
    expect(actionsIn(allow({ Action: action.toUpperCase(), Resource: '*' }))).toEqual([action.toUpperCase()]);
    expect(actionsIn(allow({ Action: action, Resource: [LISTED, OTHER] }))).toEqual([]);
  });

  it.each([
    ['a wildcard', { Resource: 'arn:aws:iam::111122223333:role/*' }, ['iam:PutRolePolicy']],
    ['a wildcard for one character', { Resource: `${OTHER}?` }, ['iam:PutRolePolicy']],
    ['a policy variable', { Resource: 'arn:aws:iam::111122223333:role/${aws:userid}' }, ['iam:PutRolePolicy']],
    ['a wildcard beside an exact ARN', { Resource: [OTHER, '*'] }, ['iam:PutRolePolicy']],
    ['all but a role', { NotResource: OTHER }, ['iam:PutRolePolicy']],
    ['an exact ARN and, at once, all but another', { Resource: OTHER, NotResource: LISTED }, ['iam:PutRolePolicy']],
    ['no resource', {}, ['iam:PutRolePolicy']],
    ['a resource that is not a text', { Resource: { Ref: 'Role' } as unknown as string }, ['iam:PutRolePolicy']],
    ['an exact ARN', { Resource: OTHER }, []],
  ])('judge a change of roles by its resources: %s', (_name, resources, expected) => {
    expect(actionsIn(allow({ Action: 'iam:PutRolePolicy', ...resources }))).toEqual(expected);
  });

  it('judge sts:AssumeRole in any case, and a condition changes nothing', () => {
    const document = allow({
      Action: 'STS:ASSUMEROLE',
      Resource: OTHER,
      Condition: { StringEquals: { 'aws:RequestedRegion': 'us-west-2' } },
    });
    expect(actionsIn(document)).toEqual(['STS:ASSUMEROLE']);
  });

  it.each([
    ['s3:*', ['NotAction']],
    [['iam:*'], ['NotAction']],
    [['sts:*', 'iam:Create*'], ['NotAction']],
    [['iam:*', 'sts:AssumeRole'], ['NotAction']],
    [['iam:*', 'sts:*'], []],
    [['IAM:*', 'STS:*', 's3:*'], []],
    ['*', []],
    [[{ Ref: 'Actions' } as unknown as string], ['NotAction']],
  ])('judge an allowed NotAction by whether it leaves out IAM and STS: %j', (notAction, expected) => {
    expect(actionsIn(allow({ NotAction: notAction, Resource: '*' }))).toEqual(expected);
  });

  it('say where, what and why, for each action of each statement', () => {
    const document = policyDocument([
      { Sid: 'Fine', Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
      { Sid: 'Broad', Effect: 'Allow', Action: ['s3:GetObject', 'iam:*', 'sts:AssumeRole'], Resource: '*' },
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Allow', Action: ['sts:AssumeRoot', 'sts:Assume*'], Resource: '*' },
    ]);
    expect(forbiddenGrants(document, [])).toEqual([
      {
        index: 1,
        sid: 'Broad',
        action: 'iam:*',
        reason: 'covers actions of IAM that change who may do what; write each action out',
      },
      {
        index: 1,
        sid: 'Broad',
        action: 'sts:AssumeRole',
        reason: 'reaches roles that are not in chainTo; list them there, by their exact ARNs',
      },
      { index: 2, action: '*', reason: 'does not name one service; write <service>:<action>' },
      {
        index: 3,
        action: 'sts:AssumeRoot',
        reason: 'leaves the role for an account root; a session goes on by chainTo alone',
      },
      {
        index: 3,
        action: 'sts:Assume*',
        reason: 'covers sts:AssumeRole or sts:AssumeRoot; list the roles in chainTo, which grants it',
      },
    ]);
  });

  it('pass over what is denied', () => {
    expect(forbiddenGrants(policyDocument([{ Effect: 'Deny', Action: '*', Resource: '*' }]), [])).toEqual([]);
    expect(forbiddenGrants(renderGuardPolicy([LISTED]), [LISTED])).toEqual([]);
  });

  it.each([
    ['an effect in other case', { Effect: 'DENY', Action: '*', Resource: '*' }, ['*']],
    ['no effect', { Action: 'iam:*', Resource: '*' }, ['iam:*']],
    ['an element in other case', { Effect: 'Allow', action: '*', Resource: '*' }, ['action']],
    ['a principal', { Effect: 'Allow', Principal: '*', Action: 's3:GetObject' }, ['Principal']],
    ['an action that is not a text', { Effect: 'Allow', Action: { Ref: 'Action' }, Resource: '*' }, ['Action']],
    ['null', null, ['Statement']],
    ['a text', 'Allow', ['Statement']],
  ])('count what cannot be read as granted: %s', (_name, statement, expected) => {
    expect(actionsIn(policyDocument([statement as unknown as Statement]))).toEqual(expected);
  });

  it('read a lone statement of a finished template', () => {
    const lone = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } };
    expect(actionsIn(lone as unknown as PolicyDocument)).toEqual(['*']);
  });

  it('are absent from what this package renders', () => {
    const document = renderPermissionsPolicy(everyPermission([LISTED]));
    expect(forbiddenGrants(document, [LISTED])).toEqual([]);
    expect(actionsIn(document, [])).toEqual(['sts:AssumeRole']);
  });
});

describe('managed policies of AWS', () => {
  it.each(['aws', 'aws-cn', 'aws-us-gov'])('fail when they grant everything, IAM or STS, in %s', (partition) => {
    for (const name of ['AdministratorAccess', 'IAMFullAccess', 'PowerUserAccess']) {
      expect(isForbiddenManagedPolicy(`arn:${partition}:iam::aws:policy/${name}`)).toBe(true);
    }
    expect(isForbiddenManagedPolicy(`arn:${partition}:iam::aws:policy/ReadOnlyAccess`)).toBe(false);
    expect(isForbiddenManagedPolicy(`arn:${partition}:iam::111122223333:policy/AdministratorAccess`)).toBe(false);
  });
});

describe('the session-broker role itself', () => {
  const change = (resource: string) =>
    policyDocument([{ Effect: 'Allow', Action: 'iam:PutRolePolicy', Resource: resource }]);
  const own = 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session';

  it.each([own, own.replace('hub-acme', 'Hub-Acme')])(
    'fails as a role that its sessions may change: %s',
    (resource) => {
      expect(forbiddenGrants(change(resource), [], 'hub-acme-session').map(({ action }) => action)).toEqual([
        'iam:PutRolePolicy',
      ]);
    },
  );

  it('is not any other role', () => {
    expect(forbiddenGrants(change('arn:aws:iam::111122223333:role/made-by-agents'), [], 'hub-acme-session')).toEqual(
      [],
    );
  });
});
