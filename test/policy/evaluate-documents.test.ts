import { describe, expect, it } from 'vitest';
import { evaluate, type PolicyDocument, parsePolicyDocument, type Statement } from '../../lib/policy/index.ts';
import { refusalOf } from '../support/refusal.ts';

const ROLE = 'arn:aws:iam::111122223333:role/acme';
const STATEMENT = { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' };

/** A policy of this statement. */
function of(statement: unknown): unknown {
  return { Version: '2012-10-17', Statement: statement };
}

// IAM User Guide, "Grammar of the IAM JSON policy language"
describe('parsing a policy document', () => {
  it('keeps what IAM reads, with a list of statements and condition values as text', () => {
    const document = {
      Version: '2012-10-17',
      Id: 'of-no-consequence',
      Statement: {
        Sid: 'One',
        Effect: 'Deny',
        NotPrincipal: { AWS: [ROLE, '111122223333'], Service: 'eks.amazonaws.com' },
        NotAction: ['sts:*'],
        NotResource: '*',
        Condition: { Bool: { 'aws:a': true }, NumericEquals: { 'aws:b': [5, '6', 0.5] } },
      },
    };
    expect(parsePolicyDocument(document)).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'One',
          Effect: 'Deny',
          NotPrincipal: { AWS: [ROLE, '111122223333'], Service: 'eks.amazonaws.com' },
          NotAction: ['sts:*'],
          NotResource: '*',
          Condition: { Bool: { 'aws:a': 'true' }, NumericEquals: { 'aws:b': ['5', '6', '0.5'] } },
        },
      ],
    });
  });

  it('returns a frozen document that is not the one given', () => {
    const given = { Version: '2012-10-17', Statement: [{ ...STATEMENT, Action: ['sts:AssumeRole'] }] };
    const parsed = parsePolicyDocument(given);
    given.Statement[0]?.Action.push('iam:*');
    expect(parsed.Statement).toEqual([{ ...STATEMENT, Action: ['sts:AssumeRole'] }]);
    const parts = [parsed, parsed.Statement, parsed.Statement[0], parsed.Statement[0]?.Action];
    expect(parts.map(Object.isFrozen)).toEqual([true, true, true, true]);
  });

  it('takes statements without Sid, and several with an empty one', () => {
    const statements = [{ ...STATEMENT }, { ...STATEMENT }, { ...STATEMENT, Sid: '' }, { ...STATEMENT, Sid: '' }];
    expect(parsePolicyDocument(of(statements)).Statement).toEqual(statements);
  });

  it.each<readonly [unknown, string]>([
    [null, 'policy: a policy must be a JSON object: null'],
    ['{}', 'policy: a policy must be a JSON object: "{}"'],
    [[], 'policy: a policy must be a JSON object: []'],
    [
      { Statement: [STATEMENT] },
      'policy: Version must be "2012-10-17": it is missing; write it out, in the older version policy variables are plain text',
    ],
    [
      { Version: '2008-10-17', Statement: [STATEMENT] },
      'policy: Version must be "2012-10-17": "2008-10-17"; write it out, in the older version policy variables are plain text',
    ],
    [
      { ...(of([STATEMENT]) as object), statement: [] },
      'policy: element "statement" is not known; known are Version, Id, Statement',
    ],
    [of([]), 'policy: Statement must have at least one statement'],
    [of(undefined), 'policy, statement 1: a statement must be a JSON object: undefined'],
    [of(['x']), 'policy, statement 1: a statement must be a JSON object: "x"'],
    [
      of([STATEMENT, { ...STATEMENT, Actions: 'x' }]),
      'policy, statement 2: element "Actions" is not known; known are Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition',
    ],
    [of({ ...STATEMENT, Sid: 5 }), 'policy, statement 1: Sid must be text: 5'],
    [
      of([
        { ...STATEMENT, Sid: 'A' },
        { ...STATEMENT, Sid: 'A' },
      ]),
      'policy: Sid must be unique in a policy: "A" appears twice',
    ],
    [of({ ...STATEMENT, Effect: 'allow' }), 'policy, statement 1: Effect must be "Allow" or "Deny": "allow"'],
    [of({ ...STATEMENT, NotAction: 'x:y' }), 'policy, statement 1: must not have both Action and NotAction'],
    [of({ Effect: 'Allow', Resource: '*' }), 'policy, statement 1: must have Action or NotAction'],
    [of({ ...STATEMENT, NotResource: '*' }), 'policy, statement 1: must not have both Resource and NotResource'],
    [
      of({ ...STATEMENT, Principal: '*', NotPrincipal: '*' }),
      'policy, statement 1: must not have both Principal and NotPrincipal',
    ],
    [
      of({ ...STATEMENT, Action: [] }),
      'policy, statement 1, Action: must be text or a list of texts that is not empty: []',
    ],
    [
      of({ ...STATEMENT, Sid: 'S', Resource: [{ Ref: 'Role' }] }),
      'policy, S, Resource: must be text or a list of texts that is not empty: [{"Ref":"Role"}]',
    ],
    [
      of({ ...STATEMENT, Action: 'AssumeRole' }),
      'policy, statement 1: an action must read like "sts:AssumeRole", with wildcards after the colon only: "AssumeRole"',
    ],
    ...['s*:AssumeRole', '*:Assume', 'sts:Assume:Role', 'sts:${aws:x}', '', 'sts:', '**'].map(
      (action) =>
        [
          of({ ...STATEMENT, Action: action }),
          `policy, statement 1: an action must read like "sts:AssumeRole", with wildcards after the colon only: "${action}"`,
        ] as const,
    ),
    ...['role/x', '', 'arn:aws', 'ARN:aws:iam::1:role/x', '**'].map(
      (resource) =>
        [
          of({ ...STATEMENT, Resource: resource }),
          `policy, statement 1: a resource must be * or an ARN: "${resource}"`,
        ] as const,
    ),
    [
      of({ ...STATEMENT, Resource: 'arn:aws:s*:::x' }),
      'policy, statement 1: the service of a resource must be without wildcard: "arn:aws:s*:::x"',
    ],
    [
      of({ ...STATEMENT, NotResource: 'arn:aws:iam::${aws:PrincipalAccount}:role/x', Resource: undefined }),
      'policy, statement 1: a policy variable must stand after the fifth colon of a resource: "arn:aws:iam::${aws:PrincipalAccount}:role/x"',
    ],
    [
      of({ ...STATEMENT, Resource: 'arn:aws:s3:::${x' }),
      'policy, statement 1: a policy variable must read ${key} or ${key, \'default\'}: "arn:aws:s3:::${x"; write ${$} for a dollar sign',
    ],
    [of({ ...STATEMENT, Condition: {} }), 'policy, statement 1, Condition: must not be empty'],
    [of({ ...STATEMENT, Condition: { Bool: {} } }), 'policy, statement 1, Condition Bool: must not be empty'],
    [of({ ...STATEMENT, Condition: [] }), 'policy, statement 1, Condition: it must be a JSON object: []'],
    [
      of({ ...STATEMENT, Condition: { Bool: 'x' } }),
      'policy, statement 1, Condition Bool: an operator must be a JSON object: "x"',
    ],
    [
      of({ ...STATEMENT, Condition: { Bool: { 'aws:x': null } } }),
      'policy, statement 1, Condition Bool aws:x: must be text or a list of texts that is not empty: null',
    ],
    [
      of({ ...STATEMENT, Condition: { StringEquals: { 'aws:x': [] } } }),
      'policy, statement 1, Condition StringEquals aws:x: must be text or a list of texts that is not empty: []',
    ],
    [
      of({ ...STATEMENT, Condition: { Strange: { 'aws:x': 'y' } } }),
      'policy, statement 1: condition operator "Strange" is not known',
    ],
    [
      of({ ...STATEMENT, Principal: ROLE }),
      `policy, statement 1, Principal: must be "*" or name a type, like {"AWS": ...}: "${ROLE}"`,
    ],
    [of({ ...STATEMENT, Principal: {} }), 'policy, statement 1, Principal: must not be empty'],
    [
      of({ ...STATEMENT, Principal: { AWS: [] } }),
      'policy, statement 1, Principal AWS: must be text or a list of texts that is not empty: []',
    ],
    [of({ ...STATEMENT, NotPrincipal: { aws: '*' } }), 'policy, statement 1: principal type "aws" is not known'],
    [
      of({ ...STATEMENT, Principal: { CanonicalUser: 'x' } }),
      'policy, statement 1: principal type "CanonicalUser" is not known',
    ],
    [
      of({ ...STATEMENT, Principal: { constructor: 'x' } }),
      'policy, statement 1: principal type "constructor" is not known',
    ],
    ...[
      'arn:aws:iam::111122223333:role/*',
      'arn:aws:iam::*:root',
      'arn:aws:sts::111122223333:assumed-role/acme/*',
      '11112222333?',
      '${aws:PrincipalArn}',
    ].map(
      (arn) =>
        [
          of({ ...STATEMENT, Principal: { AWS: arn } }),
          `policy, statement 1: a principal ARN must be exact, without wildcard or variable: "${arn}"; test aws:PrincipalArn instead`,
        ] as const,
    ),
    ...[
      '11112222333',
      'acme',
      'AROAEXAMPLE:session',
      'ASIAEXAMPLE',
      'arn:aws:iam::111122223333:group/x',
      'arn:aws:iam::111122223333:role/',
      'arn:aws:iam:us-west-2:111122223333:role/x',
      'arn:aws:iam::1234:role/x',
      'arn:aws:sts::111122223333:assumed-role/acme',
      'arn:aws:sts::111122223333:assumed-role/path/acme/s1',
      'arn:aws:s3:::bucket',
      'xarn:aws:iam::111122223333:role/x',
    ].map(
      (arn) =>
        [
          of({ ...STATEMENT, Principal: { AWS: arn } }),
          `policy, statement 1: an AWS principal must be *, an account, or the ARN of a role, role session or user: "${arn}"`,
        ] as const,
    ),
    ...['*', 'oidc.example.com', 'arn:aws:iam::111122223333:oidc-provider/*', ROLE].map(
      (provider) =>
        [
          of({ ...STATEMENT, Principal: { Federated: provider } }),
          `policy, statement 1: a federated principal must be the ARN of an identity provider: "${provider}"`,
        ] as const,
    ),
    ...['*', 'eks', '*.amazonaws.com', '111122223333'].map(
      (service) =>
        [
          of({ ...STATEMENT, Principal: { Service: service } }),
          `policy, statement 1: a service principal must read like "eks.amazonaws.com": "${service}"`,
        ] as const,
    ),
  ])('fails for %j', (value, message) => {
    const refusal = refusalOf(() => parsePolicyDocument(value));
    expect([refusal.code, refusal.message]).toEqual(['PolicyNotUnderstood', message]);
  });

  it('fails by the name that it is given', () => {
    expect(refusalOf(() => parsePolicyDocument(null, 'trust policy of acme')).message).toBe(
      'trust policy of acme: a policy must be a JSON object: null',
    );
  });

  it.each(['eks.amazonaws.com', 'ec2.amazonaws.com.cn', 'pods.eks.amazonaws.com', 'states.us-west-2.amazonaws.com'])(
    'takes the service principal %s',
    (service) => {
      const statement = { ...STATEMENT, Principal: { Service: service } };
      expect(parsePolicyDocument(of(statement)).Statement).toEqual([statement]);
    },
  );
});

describe('the evaluator and a document', () => {
  function decide(document: PolicyDocument): string {
    return evaluate(
      {
        requester: { kind: 'role-session', roleArn: ROLE, sessionName: 's1' },
        action: 's3:GetObject',
        resource: 'arn:aws:s3:::bucket/key',
        context: {},
      },
      { identity: [{ name: 'p', document }] },
    ).decision;
  }

  it('sees a change of a document that was not parsed', () => {
    const statements: Statement[] = [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }];
    const document: PolicyDocument = { Version: '2012-10-17', Statement: statements };
    expect(decide(document)).toBe('allow');
    statements.push({ Effect: 'Deny', Action: 's3:*', Resource: '*' });
    expect(decide(document)).toBe('explicit-deny');
  });

  it('reads a document as it reads the parsed one', () => {
    const lone = of({
      Effect: 'Allow',
      Action: 's3:*',
      Resource: '*',
      Condition: { Bool: { 'aws:MultiFactorAuthPresent': true } },
    });
    expect(decide(lone as PolicyDocument)).toBe('implicit-deny');
    expect(decide(parsePolicyDocument(lone))).toBe('implicit-deny');
  });
});
