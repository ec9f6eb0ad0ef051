import { describe, expect, test } from 'vitest';
import { createScope } from '../../../lib/identity/index.ts';
import {
  evaluateTrustAlone,
  judgeTrust,
  type PolicyDocument,
  parsePolicyDocument,
  policyDocument,
  renderChainTrustPolicy,
  renderTrustPolicy,
  type Statement,
} from '../../../lib/policy/index.ts';
import { refusalOf } from '../../support/refusal.ts';
import { A, allow, BOTH, deny, judge, KEY, LIKE, OWN, ROLE_ARN, ROWS, told } from './shapes.ts';

describe('a trust policy is judged by', () => {
  test.each(ROWS)('%s', (_, statements, expected) => {
    expect(told(judge(...statements))).toEqual(expected);
  });

  test.each(ROWS)('requests that the evaluator allows: %s', (_, statements) => {
    const { required, pinned, ways, witnesses } = judge(...statements);
    expect(required).toBe(ways.every((way) => way.required));
    expect(pinned).toBe(ways.every((way) => way.pinned));
    for (const { attempt, kind } of witnesses) {
      const { allowed, sourceIdentity } = evaluateTrustAlone(attempt, policyDocument(statements));
      expect({ allowed, isAnonymous: sourceIdentity === undefined }).toEqual({
        allowed: true,
        isAnonymous: kind === 'anonymous',
      });
    }
  });
});

describe('a judgement', () => {
  const scope = createScope({ tenant: 'acme' });
  const roleArn = ROLE_ARN;

  test('is told whole', () => {
    expect(judge(allow(LIKE), { ...allow(undefined, { Action: 'sts:AssumeRole' }), Sid: 'Loose' })).toEqual({
      required: false,
      pinned: true,
      ways: [
        {
          principal: A,
          operation: 'AssumeRole',
          required: false,
          pinned: true,
          patterns: [{ operator: 'StringLike', value: 'agent.acme.*' }],
          exceptions: [],
          decidedBy: { index: 1, sid: 'Loose' },
          reason: 'Loose admits it without a source identity',
        },
      ],
      closed: [],
      witnesses: [
        {
          kind: 'anonymous',
          principal: A,
          attempt: {
            operation: 'AssumeRole',
            requester: { kind: 'role-session', roleArn: A, sessionName: 'session' },
            roleArn,
            roleSessionName: 'session',
          },
          decidedBy: { index: 1, sid: 'Loose' },
        },
      ],
    });
  });

  test.each<[string, PolicyDocument, readonly string[]]>([
    [
      'a tenant',
      renderTrustPolicy({ scope, principals: [A] }),
      ['AssumeRole role/a: required, agent.acme.?* but agent.acme.*.*'],
    ],
    [
      'a tenant with everything on',
      renderTrustPolicy({
        scope,
        principals: [A],
        systemPrincipals: [`${A}-system`],
        sessionTagKeys: ['team'],
        roleSessionName: 'bound',
      }),
      [
        'AssumeRole role/a: required, agent.acme.?* but agent.acme.*.*',
        'AssumeRole role/a-system: required, agent.acme.?* or internal.acme.?* but agent.acme.*.* and internal.acme.*.*',
      ],
    ],
    [
      'a role that sessions go on to',
      renderChainTrustPolicy(A, scope),
      ['AssumeRole role/a: required, agent.acme.?* but agent.acme.*.*'],
    ],
  ])('finds what this package renders required and pinned: %s', (_, document, expected) => {
    const judgement = judgeTrust(document, { roleArn });
    expect(judgement).toMatchObject({ required: true, pinned: true, witnesses: [] });
    expect(told(judgement)).toEqual(expected);
  });

  test('names the statement and says why', () => {
    const reasonsOf = (...statements: readonly Statement[]): readonly unknown[] =>
      judge(...statements).ways.map(({ decidedBy, reason }) => [decidedBy?.index, reason]);
    expect(reasonsOf(allow(LIKE))).toEqual([
      [0, 'statement 1 needs sts:SourceIdentity like "agent.acme.*", the request has none'],
    ]);
    expect(reasonsOf(allow(), { ...deny({ Null: { [KEY]: 'true' } }), Sid: 'Named' })).toEqual([
      [0, 'statement 1 admits it as "anybody", a name that no pattern fixes'],
    ]);
    expect(reasonsOf(allow(), { ...deny({ StringNotLike: { [KEY]: 'agent.*' } }), Sid: 'Named' })).toEqual([
      [1, 'Named denies sts:AssumeRole without a source identity'],
    ]);
    const bound = { StringEquals: { 'sts:RoleSessionName': '${sts:SourceIdentity}' }, ...LIKE };
    expect(reasonsOf(allow(bound, { Action: 'sts:AssumeRole' }), allow(LIKE))).toEqual([
      [1, 'statement 2 needs sts:SourceIdentity like "agent.acme.*", the request has none'],
    ]);
  });

  test('says what keeps out those who are named and cannot get in', () => {
    const closed = (...statements: readonly Statement[]) => judge(...statements).closed.map(({ reason }) => reason);
    expect(closed(allow(LIKE, { Action: 'sts:AssumeRole' }))).toEqual([
      'no statement of the trust policy allows sts:SetSourceIdentity: none is about this action',
    ]);
    expect(closed(allow({ StringLike: { [KEY]: 'agent:acme:*' } }))).toEqual([
      'no statement of the trust policy allows sts:AssumeRole: statement 1 needs sts:SourceIdentity like "agent:acme:*", the request has none',
    ]);
    expect(judge(allow({ StringLike: { [KEY]: 'agent:acme:*' } }))).toMatchObject({
      required: true,
      pinned: true,
      ways: [],
      witnesses: [],
    });
  });

  test('is made in the partition of the role', () => {
    const china = 'arn:aws-cn:iam::111122223333:role/judged';
    const document = policyDocument([allow(undefined, { Principal: '*', Action: 'sts:AssumeRole' })]);
    expect(judgeTrust(document, { roleArn: china }).witnesses[0]?.attempt.requester).toEqual({
      kind: 'role-session',
      roleArn: 'arn:aws-cn:iam::111122223333:role/any-role',
      sessionName: 'session',
    });
  });

  test('does not call pinned what it cannot prove, and shows no example of it', () => {
    // Equal to a number and like a text: the numbers that are tried are examples.
    const both = { NumericEquals: { [KEY]: '7' }, StringLike: { [KEY]: '*0000000007' } };
    const judgement = judge(allow({ ...both, Null: { [KEY]: 'false' } }), allow({ StringLike: { [KEY]: '?*x' } }));
    expect(judgement.pinned).toBe(true); // each has a fixed end
    const open = judge(allow({ NumericEquals: { [KEY]: '7' }, StringLike: { [KEY]: '*0000000??7*' } }));
    expect(open).toMatchObject({ required: true, pinned: false, witnesses: [] });
    expect(open.ways.map(({ reason }) => reason)).toEqual([
      'that no name gets in but those of a pattern could not be proven',
    ]);
  });
});

describe('a trust policy is not judged', () => {
  const refuse = (...statements: readonly Statement[]) => {
    const { code, message } = refusalOf(() => judge(...statements));
    return [code, message];
  };

  test.each<[string, unknown, string]>([
    ['no statement', [], 'policy: Statement must have at least one statement'],
    ['an empty statement', [{}], 'policy, statement 1: Effect must be "Allow" or "Deny": undefined'],
    [
      'an operator that is not known',
      [{ ...allow(), Condition: { StringMatches: { [KEY]: 'x' } } }],
      'policy, statement 1: condition operator "StringMatches" is not known',
    ],
  ])('if it has %s', (_, Statement, message) => {
    const refusal = refusalOf(() => parsePolicyDocument({ Version: '2012-10-17', Statement }));
    expect([refusal.code, refusal.message]).toEqual(['PolicyNotUnderstood', message]);
  });

  test('if a statement names nobody, or a resource', () => {
    const { Principal: _, ...nobody } = allow();
    expect(refuse(nobody)).toEqual([
      'PolicyNotUnderstood',
      'trust policy, statement 1: trust policy must have Principal or NotPrincipal in each statement',
    ]);
    expect(refuse({ ...allow(), Resource: '*' })).toEqual([
      'PolicyNotUnderstood',
      'trust policy, statement 1: trust policy must have no Resource: it is about its own role',
    ]);
  });

  test('if it is not known whether somebody gets in without a name', () => {
    const condition = {
      StringLike: {
        'aws:PrincipalTag/a': '*x${aws:PrincipalTag/b}y*',
        'aws:PrincipalTag/b': '*1${aws:PrincipalTag/c}2*',
      },
      StringEquals: { 'aws:PrincipalTag/c': '-' },
      StringNotLike: { 'aws:PrincipalTag/a': '*x1-2y*' },
    };
    expect(refuse(allow(condition))).toEqual([
      'PolicyNotUnderstood',
      `trust policy: whether "${A}" gets in without a source identity can be neither shown nor ruled out; compare a policy variable with one key alone, and a key as a text or as a number alone`,
    ]);
  });

  /** More tags than values for them, of which no two may have the same: nobody gets in, which takes long to see. */
  const TAGS = Array.from({ length: 9 }, (_, index) => `aws:PrincipalTag/${index}`);
  const VALUES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const DIFFERENT = TAGS.flatMap((tag, index) =>
    TAGS.slice(index + 1).flatMap((other) =>
      VALUES.map((value) => deny({ StringEquals: { [tag]: value, [other]: value } }, { Action: 'sts:*' })),
    ),
  );

  test.each([
    [
      'patterns on one key',
      Array.from({ length: 16 }, (_, index) =>
        allow({ StringLike: { [KEY]: `*${'abcdefghijklmnop'[index]}*${index}*` } }),
      ),
    ],
    ['alternatives', [allow({ StringEquals: Object.fromEntries(TAGS.map((tag) => [tag, VALUES])) }), ...DIFFERENT]],
  ])('if it has too many %s to be judged in seconds', (what, statements) => {
    expect(refuse(...statements)).toEqual([
      'PolicyNotUnderstood',
      `trust policy: it has too many ${what} to be judged together; split its statements`,
    ]);
  });

  test("if the role's ARN is none", () => {
    const document = policyDocument([allow(undefined, { Action: BOTH })]);
    expect(refusalOf(() => judgeTrust(document, { roleArn: OWN })).code).toBe('RoleArnInvalid');
  });
});
