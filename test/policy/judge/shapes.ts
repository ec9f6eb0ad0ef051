import {
  type Conditions,
  judgeTrust,
  policyDocument,
  type Statement,
  type TrustJudgement,
  type TrustWitness,
} from '../../../lib/policy/index.ts';

export const OWN = '111122223333';
export const ROLE_ARN = `arn:aws:iam::${OWN}:role/judged`;
export const A = `arn:aws:iam::${OWN}:role/a`;
const B = `arn:aws:iam::${OWN}:role/b`;
const ALICE = `arn:aws:iam::${OWN}:user/alice`;
const OIDC = `arn:aws:iam::${OWN}:oidc-provider/oidc.example.com/id/1`;
const SAML = `arn:aws:iam::${OWN}:saml-provider/sso`;
export const KEY = 'sts:SourceIdentity';
export const BOTH = ['sts:AssumeRole', 'sts:SetSourceIdentity'];
const WEB = { Principal: { Federated: OIDC }, Action: ['sts:AssumeRoleWithWebIdentity', 'sts:SetSourceIdentity'] };
const SSO = { Principal: { Federated: SAML }, Action: ['sts:AssumeRoleWithSAML', 'sts:SetSourceIdentity'] };
export const LIKE: Conditions = { StringLike: { [KEY]: 'agent.acme.*' } };

/** Allows `a` to do both actions, unless it is told otherwise. */
export function allow(Condition?: Conditions, more: Partial<Statement> = {}): Statement {
  const principal = more.NotPrincipal === undefined ? { Principal: { AWS: A } } : {};
  const action = more.NotAction === undefined ? { Action: BOTH } : {};
  return { Effect: 'Allow', ...principal, ...action, ...more, ...(Condition && { Condition }) };
}

/** Denies everyone sts:AssumeRole, unless it is told otherwise. */
export function deny(Condition: Conditions, more: Partial<Statement> = {}): Statement {
  const principal = more.NotPrincipal === undefined ? { Principal: '*' as const } : {};
  return { Effect: 'Deny', ...principal, Action: 'sts:AssumeRole', ...more, Condition };
}

export function judge(...statements: readonly Statement[]): TrustJudgement {
  return judgeTrust(policyDocument(statements), { roleArn: ROLE_ARN });
}

/** A judgement in lines that can be read. */
export function told({ ways, closed, witnesses }: TrustJudgement): readonly string[] {
  return [
    ...ways.map(({ principal, operation, required, pinned, patterns, exceptions }) => {
      const but = exceptions.length === 0 ? '' : ` but ${exceptions.map(({ value }) => value).join(' and ')}`;
      const to = patterns.length === 0 ? 'none' : patterns.map(({ value }) => value).join(' or ');
      return `${operation} ${short(principal)}: ${required ? 'required' : 'optional'}, ${pinned ? `${to}${but}` : 'any'}`;
    }),
    ...closed.map(({ principal, operation }) => `${operation} ${short(principal)}: closed`),
    ...witnesses.map(witnessed),
  ];
}

function witnessed({ kind, attempt }: TrustWitness): string {
  const {
    requester,
    roleArn: _,
    operation,
    roleSessionName,
    sourceIdentity,
    inheritedSourceIdentity,
    ...rest
  } = attempt;
  const who = short(JSON.stringify(Object.values(requester).slice(1)));
  const name = sourceIdentity ?? (inheritedSourceIdentity && `${inheritedSourceIdentity} inherited`) ?? 'nobody';
  const needs = { ...(roleSessionName === 'session' ? {} : { roleSessionName }), ...rest };
  return `${kind} ${operation} ${who} as ${name}${Object.keys(needs).length === 0 ? '' : ` ${JSON.stringify(needs)}`}`;
}

function short(text: string): string {
  return text.replaceAll(`arn:aws:iam::${OWN}:`, '');
}

const NOBODY_IN = 'anonymous AssumeRole ["role/a","session"] as nobody';
const ANYBODY_IN = 'foreign AssumeRole ["role/a","session"] as anybody';

type Row = readonly [name: string, statements: readonly Statement[], told: readonly string[]];

/** Every shape, with the ways in and the smallest requests that should not get in. */
export const ROWS: readonly Row[] = [
  // conditions on both actions
  ['a pattern on both actions', [allow(LIKE)], ['AssumeRole role/a: required, agent.acme.*']],
  ['no condition', [allow()], ['AssumeRole role/a: optional, any', NOBODY_IN, ANYBODY_IN]],
  [
    'no leave to set a name',
    [allow(undefined, { Action: 'sts:AssumeRole' })],
    ['AssumeRole role/a: optional, none', NOBODY_IN],
  ],
  [
    'StringEquals of several names',
    [allow({ StringEquals: { [KEY]: ['agent.acme.s1', 'agent.acme.s2'] } })],
    ['AssumeRole role/a: required, agent.acme.s1 or agent.acme.s2'],
  ],
  [
    'StringEqualsIgnoreCase',
    [allow({ StringEqualsIgnoreCase: { [KEY]: 'Agent.Acme.S1' } })],
    ['AssumeRole role/a: required, Agent.Acme.S1'],
  ],
  [
    'the key in another case',
    [allow({ StringLike: { 'STS:sourceidentity': 'agent.acme.*' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'a name in another case',
    [allow({ StringEquals: { [KEY]: 'agent.acme.s1' } }), deny({ StringNotEquals: { [KEY]: 'AGENT.acme.s1' } })],
    ['AssumeRole role/a: closed'],
  ],
  [
    'StringLikeIfExists',
    [allow({ StringLikeIfExists: { [KEY]: 'agent.acme.*' } })],
    ['AssumeRole role/a: optional, agent.acme.*', NOBODY_IN],
  ],
  [
    'StringEqualsIfExists',
    [allow({ StringEqualsIfExists: { [KEY]: 'agent.acme.s1' } })],
    ['AssumeRole role/a: optional, agent.acme.s1', NOBODY_IN],
  ],
  [
    'ForAllValues:',
    [allow({ 'ForAllValues:StringLike': { [KEY]: 'agent.acme.*' } })],
    ['AssumeRole role/a: optional, agent.acme.*', NOBODY_IN],
  ],
  [
    'ForAnyValue:',
    [allow({ 'ForAnyValue:StringLike': { [KEY]: 'agent.acme.*' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'ForAnyValue: with IfExists',
    [allow({ 'ForAnyValue:StringLikeIfExists': { [KEY]: 'agent.acme.*' } })],
    ['AssumeRole role/a: optional, agent.acme.*', NOBODY_IN],
  ],
  [
    'ForAllValues: beside Null',
    [allow({ 'ForAllValues:StringLike': { [KEY]: 'agent.acme.*' }, Null: { [KEY]: 'false' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  ['Null false', [allow({ Null: { [KEY]: 'false' } })], ['AssumeRole role/a: required, any', ANYBODY_IN]],
  ['Null true', [allow({ Null: { [KEY]: 'true' } })], ['AssumeRole role/a: optional, none', NOBODY_IN]],
  [
    'Null true or false',
    [allow({ Null: { [KEY]: ['true', 'false'] } })],
    ['AssumeRole role/a: optional, any', NOBODY_IN, ANYBODY_IN],
  ],
  ['a wildcard alone', [allow({ StringLike: { [KEY]: '*' } })], ['AssumeRole role/a: required, any', ANYBODY_IN]],
  [
    'a wildcard of some length',
    [allow({ StringLike: { [KEY]: '??*' } })],
    ['AssumeRole role/a: required, any', ANYBODY_IN],
  ],
  [
    'a word in the middle',
    [allow({ StringLike: { [KEY]: '*acme*' } })],
    ['AssumeRole role/a: required, any', 'foreign AssumeRole ["role/a","session"] as acme'],
  ],
  [
    'a pattern with a fixed end',
    [allow({ StringLike: { [KEY]: '*@example.com' } })],
    ['AssumeRole role/a: required, *@example.com'],
  ],
  [
    'a pattern beside a wildcard',
    [allow({ StringLike: { [KEY]: ['agent.acme.*', '*'] } })],
    ['AssumeRole role/a: required, any', ANYBODY_IN],
  ],
  ['a literal asterisk', [allow({ StringEquals: { [KEY]: 'agent.acme.*' } })], ['AssumeRole role/a: closed']],
  ['a pattern that no name has', [allow({ StringLike: { [KEY]: 'agent:acme:*' } })], ['AssumeRole role/a: closed']],
  [
    'what is excluded alone',
    [allow({ StringNotLike: { [KEY]: 'admin*' } })],
    ['AssumeRole role/a: optional, any', NOBODY_IN, ANYBODY_IN],
  ],
  [
    'what is excluded, and Null false',
    [allow({ StringNotLike: { [KEY]: 'admin*' }, Null: { [KEY]: 'false' } })],
    ['AssumeRole role/a: required, any', ANYBODY_IN],
  ],
  [
    'a pattern without what another excludes',
    [allow({ ...LIKE, StringNotLike: { [KEY]: 'agent.acme.*.*' } })],
    ['AssumeRole role/a: required, agent.acme.* but agent.acme.*.*'],
  ],
  [
    'a pattern of which everything is excluded',
    [allow({ ...LIKE, StringNotLike: { [KEY]: 'agent.*' } })],
    ['AssumeRole role/a: closed'],
  ],
  [
    'a name that is compared as a number',
    [allow({ NumericLessThan: { [KEY]: '100' } })],
    ['AssumeRole role/a: required, any', 'foreign AssumeRole ["role/a","session"] as 99'],
  ],
  // several statements
  [
    'a strict statement beside a loose one',
    [allow(LIKE), allow(undefined, { Action: 'sts:AssumeRole' })],
    ['AssumeRole role/a: optional, agent.acme.*', NOBODY_IN],
  ],
  [
    'a strict statement beside a loose one of another role',
    [allow(LIKE), allow(undefined, { Principal: { AWS: B } })],
    [
      'AssumeRole role/a: required, agent.acme.*',
      'AssumeRole role/b: optional, any',
      'anonymous AssumeRole ["role/b","session"] as nobody',
      'foreign AssumeRole ["role/b","session"] as anybody',
    ],
  ],
  [
    'a strict statement beside one for everyone',
    [allow(LIKE), allow(undefined, { Principal: '*', Action: 'sts:AssumeRole' })],
    [
      'AssumeRole role/a: optional, agent.acme.*',
      'AssumeRole *: optional, agent.acme.*',
      NOBODY_IN,
      'anonymous AssumeRole ["role/any-role","session"] as nobody',
    ],
  ],
  [
    'a condition on sts:SetSourceIdentity only',
    [allow(undefined, { Action: 'sts:AssumeRole' }), allow(LIKE, { Action: 'sts:SetSourceIdentity' })],
    ['AssumeRole role/a: optional, agent.acme.*', NOBODY_IN],
  ],
  [
    'a condition on sts:AssumeRole only',
    [allow(LIKE, { Action: 'sts:AssumeRole' }), allow(undefined, { Action: 'sts:SetSourceIdentity' })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'two patterns that meet',
    [
      allow({ StringLike: { [KEY]: 'agent.*' } }, { Action: 'sts:AssumeRole' }),
      allow(LIKE, { Action: 'sts:SetSourceIdentity' }),
    ],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'two patterns that do not meet',
    [
      allow({ StringLike: { [KEY]: 'agent.*' } }, { Action: 'sts:AssumeRole' }),
      allow({ StringLike: { [KEY]: 'internal.*' } }, { Action: 'sts:SetSourceIdentity' }),
    ],
    ['AssumeRole role/a: closed'],
  ],
  [
    'two strict statements',
    [allow(LIKE), allow({ StringLike: { [KEY]: 'internal.acme.*' } })],
    ['AssumeRole role/a: required, agent.acme.* or internal.acme.*'],
  ],
  // actions
  [
    'a condition, and no leave to set a name',
    [allow(LIKE, { Action: 'sts:AssumeRole' })],
    ['AssumeRole role/a: closed'],
  ],
  ['leave to set a name alone', [allow(LIKE, { Action: 'sts:SetSourceIdentity' })], []],
  ['sts:*', [allow(LIKE, { Action: 'sts:*' })], ['AssumeRole role/a: required, agent.acme.*']],
  [
    'actions in another case',
    [allow(LIKE, { Action: ['STS:ASSUMEROLE', 'sts:setsourceIDENTITY'] })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  ['NotAction', [allow(LIKE, { NotAction: 'sts:TagSession' })], ['AssumeRole role/a: required, agent.acme.*']],
  [
    'NotAction that leaves out the name',
    [allow(undefined, { NotAction: 'sts:SetSourceIdentity' })],
    ['AssumeRole role/a: optional, none', NOBODY_IN],
  ],
  // denials
  [
    'Deny with Null true',
    [allow(), deny({ Null: { [KEY]: 'true' } })],
    ['AssumeRole role/a: required, any', ANYBODY_IN],
  ],
  [
    'Deny with StringNotLike',
    [allow(), deny({ StringNotLike: { [KEY]: 'agent.acme.*' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'Deny with StringNotEquals',
    [allow(), deny({ StringNotEquals: { [KEY]: ['agent.acme.s1', 'agent.acme.s2'] } })],
    ['AssumeRole role/a: required, agent.acme.s1 or agent.acme.s2'],
  ],
  [
    'Deny with StringNotLikeIfExists',
    [allow(), deny({ StringNotLikeIfExists: { [KEY]: 'agent.acme.*' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'Deny with ForAllValues:StringNotLike',
    [allow(), deny({ 'ForAllValues:StringNotLike': { [KEY]: 'agent.acme.*' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'Deny with ForAnyValue:StringNotLike',
    [allow(), deny({ 'ForAnyValue:StringNotLike': { [KEY]: 'agent.acme.*' } })],
    ['AssumeRole role/a: optional, agent.acme.*', NOBODY_IN],
  ],
  [
    'Deny with StringNotLike and Null false',
    [allow(), deny({ StringNotLike: { [KEY]: 'agent.acme.*' }, Null: { [KEY]: 'false' } })],
    ['AssumeRole role/a: optional, agent.acme.*', NOBODY_IN],
  ],
  [
    'Deny of sts:SetSourceIdentity alone',
    [allow(), deny({ StringNotLike: { [KEY]: 'agent.acme.*' } }, { Action: 'sts:SetSourceIdentity' })],
    ['AssumeRole role/a: optional, agent.acme.*', NOBODY_IN],
  ],
  [
    'Deny with Null true on sts:SetSourceIdentity',
    [allow(), deny({ Null: { [KEY]: 'true' } }, { Action: 'sts:SetSourceIdentity' })],
    ['AssumeRole role/a: optional, any', NOBODY_IN, ANYBODY_IN],
  ],
  [
    'Deny of another role',
    [allow(), deny({ Null: { [KEY]: 'true' } }, { Principal: { AWS: B } })],
    ['AssumeRole role/a: optional, any', NOBODY_IN, ANYBODY_IN],
  ],
  [
    'Deny by NotPrincipal of all but another role',
    [allow(), deny({ Null: { [KEY]: 'true' } }, { NotPrincipal: { AWS: [B, OWN] } })],
    ['AssumeRole role/a: required, any', ANYBODY_IN],
  ],
  [
    'Deny by NotPrincipal of all but the role',
    [allow(), deny({ Null: { [KEY]: 'true' } }, { NotPrincipal: { AWS: [A, OWN] } })],
    ['AssumeRole role/a: optional, any', NOBODY_IN, ANYBODY_IN],
  ],
  [
    'Deny of some names',
    [allow(LIKE), deny({ StringLike: { [KEY]: 'agent.acme.old-*' } })],
    ['AssumeRole role/a: required, agent.acme.* but agent.acme.old-*'],
  ],
  [
    'Deny that another condition narrows',
    [allow(), deny({ Null: { [KEY]: 'true' }, Bool: { 'aws:MultiFactorAuthPresent': 'false' } })],
    ['AssumeRole role/a: optional, any', NOBODY_IN, ANYBODY_IN],
  ],
  [
    'Deny that asks for what Allow asks for',
    [
      allow({ Bool: { 'aws:MultiFactorAuthPresent': 'true' } }),
      deny({ Null: { [KEY]: 'true' }, Bool: { 'aws:MultiFactorAuthPresent': 'true' } }),
    ],
    [
      'AssumeRole role/a: required, any',
      'foreign AssumeRole ["role/a","session"] as anybody {"context":{"aws:MultiFactorAuthPresent":"true"}}',
    ],
  ],
  // principals
  ['the account', [allow(LIKE, { Principal: { AWS: OWN } })], ['AssumeRole 111122223333: required, agent.acme.*']],
  [
    'the account, loosely',
    [allow(undefined, { Principal: { AWS: `arn:aws:iam::${OWN}:root` } })],
    [
      'AssumeRole root: optional, any',
      'anonymous AssumeRole ["role/any-role","session"] as nobody',
      'foreign AssumeRole ["role/any-role","session"] as anybody',
    ],
  ],
  [
    'the account beside a denial of one role',
    [allow(undefined, { Principal: { AWS: OWN } }), deny({ Null: { [KEY]: 'true' } }, { Principal: { AWS: A } })],
    [
      'AssumeRole 111122223333: optional, any',
      'anonymous AssumeRole ["role/any-role","session"] as nobody',
      'foreign AssumeRole ["role/any-role","session"] as anybody',
    ],
  ],
  ['everyone', [allow(LIKE, { Principal: '*' })], ['AssumeRole *: required, agent.acme.*']],
  [
    'everyone, loosely',
    [allow(undefined, { Principal: { AWS: '*' }, Action: 'sts:AssumeRole' })],
    ['AssumeRole *: optional, none', 'anonymous AssumeRole ["role/any-role","session"] as nobody'],
  ],
  [
    'everyone of one organization',
    [allow({ StringEquals: { 'aws:PrincipalOrgID': 'o-example' } }, { Principal: '*', Action: 'sts:AssumeRole' })],
    [
      'AssumeRole *: optional, none',
      'anonymous AssumeRole ["role/any-role","session"] as nobody {"context":{"aws:PrincipalOrgID":"o-example"}}',
    ],
  ],
  [
    'everyone with an ARN of some form',
    [
      allow(
        { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::444455556666:role/team/*' } },
        { Principal: '*', Action: 'sts:AssumeRole' },
      ),
    ],
    [
      'AssumeRole *: optional, none',
      'anonymous AssumeRole ["arn:aws:iam::444455556666:role/team/x","session"] as nobody',
    ],
  ],
  [
    'everyone of an account',
    [allow({ StringEquals: { 'aws:PrincipalAccount': '444455556666' } }, { Principal: '*', Action: 'sts:AssumeRole' })],
    [
      'AssumeRole *: optional, none',
      'anonymous AssumeRole ["arn:aws:iam::444455556666:role/any-role","session"] as nobody',
    ],
  ],
  [
    'everyone, users in fact',
    [allow({ StringEquals: { 'aws:PrincipalType': 'User' } }, { Principal: '*', Action: 'sts:AssumeRole' })],
    ['AssumeRole *: optional, none', 'anonymous AssumeRole ["user/any-user"] as nobody'],
  ],
  [
    'everyone, services in fact',
    [allow({ Bool: { 'aws:PrincipalIsAWSService': 'true' } }, { Principal: '*', Action: 'sts:AssumeRole' })],
    ['AssumeRole *: optional, none', 'anonymous AssumeRole ["any-service.amazonaws.com"] as nobody'],
  ],
  [
    'everyone but one role',
    [allow(LIKE, { NotPrincipal: { AWS: A } })],
    ['AssumeRole all but role/a: required, agent.acme.*'],
  ],
  [
    'everyone but one role, loosely',
    [allow(undefined, { NotPrincipal: { AWS: A } })],
    [
      'AssumeRole all but role/a: optional, any',
      'anonymous AssumeRole ["role/any-role","session"] as nobody',
      'foreign AssumeRole ["role/any-role","session"] as anybody',
    ],
  ],
  [
    'a unique id',
    [allow(LIKE, { Principal: { AWS: 'AROAEXAMPLEOFAROLE' } })],
    ['AssumeRole AROAEXAMPLEOFAROLE: required, agent.acme.*'],
  ],
  [
    'a unique id, loosely',
    [allow(undefined, { Principal: { AWS: 'AROAEXAMPLEOFAROLE' } })],
    [
      'AssumeRole AROAEXAMPLEOFAROLE: optional, any',
      'anonymous AssumeRole ["role/any-role","AROAEXAMPLEOFAROLE","session"] as nobody',
      'foreign AssumeRole ["role/any-role","AROAEXAMPLEOFAROLE","session"] as anybody',
    ],
  ],
  [
    "a user's unique id",
    [allow(undefined, { Principal: { AWS: 'AIDAEXAMPLEOFAUSER' } })],
    [
      'AssumeRole AIDAEXAMPLEOFAUSER: optional, any',
      'anonymous AssumeRole ["user/any-user","AIDAEXAMPLEOFAUSER"] as nobody',
      'foreign AssumeRole ["user/any-user","AIDAEXAMPLEOFAUSER"] as anybody',
    ],
  ],
  [
    'a role session',
    [allow(undefined, { Principal: { AWS: `arn:aws:sts::${OWN}:assumed-role/a/night` } })],
    [
      'AssumeRole arn:aws:sts::111122223333:assumed-role/a/night: optional, any',
      'anonymous AssumeRole ["role/a","night"] as nobody',
      'foreign AssumeRole ["role/a","night"] as anybody',
    ],
  ],
  [
    'a role session of a role that is denied',
    [
      allow(undefined, { Principal: { AWS: `arn:aws:sts::${OWN}:assumed-role/a/night` } }),
      deny({ Null: { [KEY]: 'true' } }, { Principal: { AWS: A } }),
    ],
    [
      'AssumeRole arn:aws:sts::111122223333:assumed-role/a/night: required, any',
      'foreign AssumeRole ["role/a","night"] as anybody',
    ],
  ],
  [
    'a session of a federated user',
    [allow(undefined, { Principal: { AWS: `arn:aws:sts::${OWN}:federated-user/bob` } })],
    [],
  ],
  ['a user', [allow(LIKE, { Principal: { AWS: ALICE } })], ['AssumeRole user/alice: required, agent.acme.*']],
  [
    'a service',
    [allow(undefined, { Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' })],
    ['AssumeRole lambda.amazonaws.com: optional, none', 'anonymous AssumeRole ["lambda.amazonaws.com"] as nobody'],
  ],
  [
    'a service under a name',
    [allow(LIKE, { Principal: { Service: 'lambda.amazonaws.com' } })],
    ['AssumeRole lambda.amazonaws.com: required, agent.acme.*'],
  ],
  [
    'several principals',
    [allow(LIKE, { Principal: { AWS: [A, ALICE], Service: 'lambda.amazonaws.com' } })],
    [
      'AssumeRole role/a: required, agent.acme.*',
      'AssumeRole user/alice: required, agent.acme.*',
      'AssumeRole lambda.amazonaws.com: required, agent.acme.*',
    ],
  ],
  [
    "another partition's",
    [allow(LIKE, { Principal: { AWS: 'arn:aws-cn:iam::111122223333:role/a' } })],
    ['AssumeRole arn:aws-cn:iam::111122223333:role/a: required, agent.acme.*'],
  ],
  // web identity and SAML
  [
    'a web identity',
    [allow({ ...LIKE, StringEquals: { 'oidc.example.com/id/1:sub': 'me' } }, WEB)],
    ['AssumeRoleWithWebIdentity oidc-provider/oidc.example.com/id/1: required, agent.acme.*'],
  ],
  [
    'a web identity, loosely',
    [allow({ StringLike: { 'oidc.example.com/id/1:sub': 'system:serviceaccount:*' } }, WEB)],
    [
      'AssumeRoleWithWebIdentity oidc-provider/oidc.example.com/id/1: optional, any',
      'anonymous AssumeRoleWithWebIdentity ["oidc-provider/oidc.example.com/id/1"] as nobody {"context":{"oidc.example.com/id/1:sub":"system:serviceaccount:"}}',
      'foreign AssumeRoleWithWebIdentity ["oidc-provider/oidc.example.com/id/1"] as anybody {"context":{"oidc.example.com/id/1:sub":"system:serviceaccount:"}}',
    ],
  ],
  [
    'a web identity, sts:SetSourceIdentity alone tested',
    [
      allow(undefined, { ...WEB, Action: 'sts:AssumeRoleWithWebIdentity' }),
      allow(LIKE, { ...WEB, Action: 'sts:SetSourceIdentity' }),
    ],
    [
      'AssumeRoleWithWebIdentity oidc-provider/oidc.example.com/id/1: optional, agent.acme.*',
      'anonymous AssumeRoleWithWebIdentity ["oidc-provider/oidc.example.com/id/1"] as nobody',
    ],
  ],
  [
    'a web identity that can claim no name',
    [allow(LIKE, { ...WEB, Action: 'sts:AssumeRoleWithWebIdentity' })],
    ['AssumeRoleWithWebIdentity oidc-provider/oidc.example.com/id/1: closed'],
  ],
  [
    'a web identity that inherits nothing',
    [allow({ StringLike: { 'aws:SourceIdentity': 'agent.acme.*' } }, WEB)],
    ['AssumeRoleWithWebIdentity oidc-provider/oidc.example.com/id/1: closed'],
  ],
  [
    'a claim of another issuer',
    [allow({ StringEquals: { 'oidc.other.com:sub': 'me' } }, WEB)],
    ['AssumeRoleWithWebIdentity oidc-provider/oidc.example.com/id/1: closed'],
  ],
  [
    'several values of a claim',
    [
      allow(
        {
          'ForAnyValue:StringEquals': { 'oidc.example.com/id/1:amr': 'mfa' },
          'ForAllValues:StringEquals': { 'oidc.example.com/id/1:amr': ['mfa', 'pwd'] },
        },
        WEB,
      ),
    ],
    [
      'AssumeRoleWithWebIdentity oidc-provider/oidc.example.com/id/1: optional, any',
      'anonymous AssumeRoleWithWebIdentity ["oidc-provider/oidc.example.com/id/1"] as nobody {"context":{"oidc.example.com/id/1:amr":"mfa"}}',
      'foreign AssumeRoleWithWebIdentity ["oidc-provider/oidc.example.com/id/1"] as anybody {"context":{"oidc.example.com/id/1:amr":"mfa"}}',
    ],
  ],
  [
    'SAML',
    [
      allow(
        { StringLike: { [KEY]: '*@example.com' }, StringEquals: { 'SAML:aud': 'https://signin.aws.amazon.com/saml' } },
        SSO,
      ),
    ],
    ['AssumeRoleWithSAML saml-provider/sso: required, *@example.com'],
  ],
  [
    'SAML, loosely',
    [allow({ StringEquals: { 'SAML:aud': 'https://signin.aws.amazon.com/saml' } }, SSO)],
    [
      'AssumeRoleWithSAML saml-provider/sso: optional, any',
      'anonymous AssumeRoleWithSAML ["saml-provider/sso"] as nobody {"context":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}',
      'foreign AssumeRoleWithSAML ["saml-provider/sso"] as anybody {"context":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}',
    ],
  ],
  ['AssumeRole for a provider', [allow(undefined, { Principal: { Federated: OIDC } })], []],
  // the caller's own session
  [
    'a name that is inherited',
    [allow({ StringLike: { 'aws:SourceIdentity': 'agent.acme.*' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'a name that is inherited, and that may be missing',
    [allow({ StringLikeIfExists: { 'aws:SourceIdentity': 'agent.acme.*' } })],
    ['AssumeRole role/a: optional, any', NOBODY_IN, ANYBODY_IN],
  ],
  [
    'Deny of what is inherited',
    [allow(), deny({ StringNotLike: { 'aws:SourceIdentity': 'agent.acme.*' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'a user inherits nothing',
    [allow({ StringLike: { 'aws:SourceIdentity': 'agent.acme.*' } }, { Principal: { AWS: ALICE } })],
    ['AssumeRole user/alice: closed'],
  ],
  [
    'a name that is asked for, and one that is inherited',
    [allow({ StringLike: { [KEY]: 'agent.*', 'aws:SourceIdentity': '*.s1' } })],
    ['AssumeRole role/a: required, *.s1'],
  ],
  // policy variables
  [
    'the name of the calling user',
    [allow({ StringEquals: { [KEY]: '${aws:username}' } }, { Principal: { AWS: OWN } })],
    ['AssumeRole 111122223333: required, ${aws:username}'],
  ],
  [
    'the name of the calling user, with a suffix',
    [allow({ StringLike: { [KEY]: '${aws:username}-*' } }, { Principal: { AWS: ALICE } })],
    ['AssumeRole user/alice: required, ${aws:username}-*'],
  ],
  [
    'the name of a calling user that a role has not',
    [allow({ StringEquals: { [KEY]: '${aws:username}' } })],
    ['AssumeRole role/a: closed'],
  ],
  [
    'a tag of the caller',
    [allow({ StringEquals: { [KEY]: '${aws:PrincipalTag/tenant}' } })],
    [
      'AssumeRole role/a: required, any',
      'foreign AssumeRole ["role/a","session"] as anybody {"context":{"aws:PrincipalTag/tenant":"anybody"}}',
    ],
  ],
  [
    'a tag of the caller in a pattern',
    [allow({ StringLike: { [KEY]: 'agent.${aws:PrincipalTag/tenant}.?*' } })],
    [
      'AssumeRole role/a: required, any',
      'foreign AssumeRole ["role/a","session"] as agent.any.x {"context":{"aws:PrincipalTag/tenant":"any"}}',
    ],
  ],
  [
    'a tag of the caller beside a pattern',
    [
      allow({ StringLike: { [KEY]: 'agent.${aws:PrincipalTag/tenant}.?*' } }),
      deny({ StringNotLike: { [KEY]: 'agent.acme.*' } }),
    ],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'a tag with a default',
    [
      allow({
        StringEquals: { [KEY]: "${aws:PrincipalTag/tenant, 'agent.acme.s1'}" },
        Null: { 'aws:PrincipalTag/tenant': 'true' },
      }),
    ],
    ['AssumeRole role/a: required, any', 'foreign AssumeRole ["role/a","session"] as agent.acme.s1'],
  ],
  [
    'the role session name',
    [
      allow({ StringEquals: { [KEY]: '${sts:RoleSessionName}' } }, { Action: 'sts:AssumeRole' }),
      allow(undefined, { Action: 'sts:SetSourceIdentity' }),
    ],
    ['AssumeRole role/a: required, any', 'foreign AssumeRole ["role/a","session"] as session'],
  ],
  [
    'the role session name, which a pattern binds',
    [
      allow(
        { StringEquals: { [KEY]: '${sts:RoleSessionName}' }, StringLike: { 'sts:RoleSessionName': 'agent.acme.*' } },
        { Action: 'sts:AssumeRole' },
      ),
      allow(undefined, { Action: 'sts:SetSourceIdentity' }),
    ],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'the role session name on sts:SetSourceIdentity, which has none',
    [allow({ StringEquals: { [KEY]: '${sts:RoleSessionName}' } })],
    ['AssumeRole role/a: closed'],
  ],
  [
    'the name itself',
    [allow({ StringEquals: { [KEY]: '${sts:SourceIdentity}' } })],
    ['AssumeRole role/a: required, any', ANYBODY_IN],
  ],
  [
    'a role session name that equals the name',
    [
      allow(
        { ...LIKE, StringEquals: { 'sts:RoleSessionName': '${sts:SourceIdentity}' } },
        { Action: 'sts:AssumeRole' },
      ),
      allow(LIKE, { Action: 'sts:SetSourceIdentity' }),
    ],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'a calling session that is called by the name',
    [allow({ StringLike: { 'aws:userid': '*:${sts:SourceIdentity}' } })],
    ['AssumeRole role/a: required, any', 'foreign AssumeRole ["role/a","AROAEXAMPLE","session"] as session'],
  ],
  [
    'a calling session that is called by the name, and a pattern',
    [allow({ ...LIKE, StringEquals: { 'aws:userid': 'AROAEXAMPLE:${sts:SourceIdentity}' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'Deny of a role session name other than the name',
    [allow(LIKE), deny({ StringNotEquals: { 'sts:RoleSessionName': '${sts:SourceIdentity}' } })],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'Deny of a role session name that is the name, both of one pattern',
    [
      allow(
        { ...LIKE, 'ForAnyValue:StringLike': { 'sts:RoleSessionName': 'agent.acme.*' } },
        { Action: 'sts:AssumeRole' },
      ),
      allow(LIKE, { Action: 'sts:SetSourceIdentity' }),
      deny({ StringEquals: { 'sts:RoleSessionName': '${sts:SourceIdentity}' } }),
    ],
    ['AssumeRole role/a: required, agent.acme.*'],
  ],
  [
    'Deny of a role session name that is that of the caller',
    [
      allow(undefined, { Action: 'sts:AssumeRole' }),
      deny({ StringLike: { 'aws:userid': '*:${sts:RoleSessionName}' } }),
    ],
    [
      'AssumeRole role/a: optional, none',
      'anonymous AssumeRole ["role/a","AROAEXAMPLE","session"] as nobody {"roleSessionName":"xx"}',
    ],
  ],
  // what else is asked
  [
    'further keys',
    [
      allow(
        {
          StringEquals: { 'sts:ExternalId': 'x-1' },
          Bool: { 'aws:MultiFactorAuthPresent': 'true' },
          IpAddress: { 'aws:SourceIp': '10.0.0.0/8' },
          NumericLessThan: { 'aws:MultiFactorAuthAge': '300' },
        },
        { Action: 'sts:AssumeRole' },
      ),
    ],
    [
      'AssumeRole role/a: optional, none',
      'anonymous AssumeRole ["role/a","session"] as nobody {"context":{"sts:ExternalId":"x-1","aws:MultiFactorAuthPresent":"true","aws:SourceIp":"10.0.0.0","aws:MultiFactorAuthAge":"299"}}',
    ],
  ],
  [
    'further keys that may be missing',
    [
      allow(
        { StringEqualsIfExists: { 'sts:ExternalId': 'x-1' }, BoolIfExists: { 'aws:MultiFactorAuthPresent': 'true' } },
        { Action: 'sts:AssumeRole' },
      ),
    ],
    ['AssumeRole role/a: optional, none', NOBODY_IN],
  ],
  [
    'what no request has',
    [
      allow(
        { StringEquals: { 'sts:ExternalId': 'x-1' }, Null: { 'sts:ExternalId': 'true' } },
        { Action: 'sts:AssumeRole' },
      ),
    ],
    ['AssumeRole role/a: closed'],
  ],
  [
    'a time that is over',
    [allow({ DateLessThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } }, { Action: 'sts:AssumeRole' })],
    [
      'AssumeRole role/a: optional, none',
      'anonymous AssumeRole ["role/a","session"] as nobody {"context":{"aws:CurrentTime":"2019-12-31T00:00:00.000Z"}}',
    ],
  ],
  [
    'a time from which it is denied',
    [
      allow(undefined, { Action: 'sts:AssumeRole' }),
      deny({ DateGreaterThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } }),
    ],
    [
      'AssumeRole role/a: optional, none',
      'anonymous AssumeRole ["role/a","session"] as nobody {"context":{"aws:CurrentTime":"2020-01-01T00:00:00.000Z"}}',
    ],
  ],
  [
    'addresses that are denied around one that is not',
    [
      allow({ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, { Action: 'sts:AssumeRole' }),
      deny({ IpAddress: { 'aws:SourceIp': ['10.0.0.0/9', '10.192.0.0/10'] } }),
    ],
    [
      'AssumeRole role/a: optional, none',
      'anonymous AssumeRole ["role/a","session"] as nobody {"context":{"aws:SourceIp":"10.128.0.0"}}',
    ],
  ],
  [
    'a role session name',
    [allow({ StringLike: { 'sts:RoleSessionName': 'nightly-*' } }, { Action: 'sts:AssumeRole' })],
    [
      'AssumeRole role/a: optional, none',
      'anonymous AssumeRole ["role/a","session"] as nobody {"roleSessionName":"nightly-"}',
    ],
  ],
  [
    'session tags',
    [
      allow(
        {
          StringEquals: { 'aws:RequestTag/team': ['red', 'blue'] },
          'ForAllValues:StringEquals': { 'aws:TagKeys': ['Team', 'cost'] },
        },
        { Action: ['sts:AssumeRole', 'sts:TagSession'] },
      ),
    ],
    [
      'AssumeRole role/a: optional, none',
      'anonymous AssumeRole ["role/a","session"] as nobody {"tags":{"Team":"red"}}',
    ],
  ],
  [
    'session tags without leave to set them',
    [allow({ StringEquals: { 'aws:RequestTag/team': 'red' } }, { Action: 'sts:AssumeRole' })],
    ['AssumeRole role/a: closed'],
  ],
  [
    'transitive session tags',
    [
      allow(
        { 'ForAnyValue:StringEquals': { 'sts:TransitiveTagKeys': 'team' } },
        { Action: ['sts:AssumeRole', 'sts:TagSession'] },
      ),
    ],
    [
      'AssumeRole role/a: optional, none',
      'anonymous AssumeRole ["role/a","session"] as nobody {"tags":{"team":"any"},"transitiveTagKeys":["team"]}',
    ],
  ],
  [
    'a session tag that equals a tag of the caller',
    [
      allow(
        { StringEquals: { 'aws:RequestTag/team': '${aws:PrincipalTag/team}' } },
        { Action: ['sts:AssumeRole', 'sts:TagSession'] },
      ),
    ],
    [
      'AssumeRole role/a: optional, none',
      'anonymous AssumeRole ["role/a","session"] as nobody {"tags":{"team":"any"},"context":{"aws:PrincipalTag/team":"any"}}',
    ],
  ],
];
