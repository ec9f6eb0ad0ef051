import { describe, expect, test } from 'vitest';
import { trustFaults } from '../../lib/constructs/trust-faults.ts';
import { createScope } from '../../lib/identity/index.ts';
import { type Conditions, policyDocument, renderTrustPolicy, type Statement } from '../../lib/policy/index.ts';

const CALLER = 'arn:aws:iam::111122223333:role/hub-acme-tenant';
const SECOND = 'arn:aws:iam::111122223333:role/hub-acme-night-shift';
const scope = createScope({ tenant: 'acme' });
const made = renderTrustPolicy({ scope, principals: [CALLER] }).Statement;
const KEY = 'sts:SourceIdentity';
const PAIR = { StringLike: { [KEY]: 'agent.acme.?*' }, StringNotLike: { [KEY]: 'agent.acme.*.*' } };

const judge = (statements: readonly Statement[], callerArns: readonly string[] = [CALLER]): readonly string[] =>
  trustFaults({
    document: policyDocument(statements),
    roleArn: 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session',
    callerArns,
    scope,
  });
const third = (Condition: Conditions, Action: Statement['Action'] = ['sts:AssumeRole', 'sts:SetSourceIdentity']) =>
  judge([...made, { Sid: 'Third', Effect: 'Allow', Principal: { AWS: CALLER }, Action, Condition }]);
const unbound = (statement: string): string =>
  `trust policy must admit no name but agent.acme.<session>: ${statement} is not bound to these; test sts:SourceIdentity there by StringLike "agent.acme.?*" and StringNotLike "agent.acme.*.*", or by StringEquals`;

describe('a trust policy', () => {
  test.each<[string, Conditions]>([
    ['the pair of the scope', PAIR],
    [
      'the pair, with the key in another case',
      {
        StringLike: { 'STS:sourceidentity': 'agent.acme.?*' },
        StringNotLike: { 'sts:sourceIdentity': 'agent.acme.*.*' },
      },
    ],
    ['one name', { StringEquals: { [KEY]: 'agent.acme.night' } }],
    ['several names', { StringEquals: { [KEY]: ['agent.acme.night', 'agent.acme.day'] } }],
    ['one name by StringLike', { StringLike: { [KEY]: 'agent.acme.night' } }],
    ['a pattern inside the scope', { ...PAIR, StringLike: { [KEY]: ['agent.acme.night-*', 'agent.acme.??'] } }],
    ['a further denial of names', { ...PAIR, StringNotLike: { [KEY]: ['agent.acme.old-*', 'agent.acme.*.*'] } }],
    ['a further condition on the name', { ...PAIR, StringNotEquals: { [KEY]: 'agent.acme.stopped' } }],
    ['a further condition', { ...PAIR, IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }],
  ])('passes with a statement that is bound by %s', (_how, conditions) => {
    expect(third(conditions)).toEqual([]);
  });

  test.each<[string, Conditions]>([
    ['NumericLessThan', { NumericLessThan: { [KEY]: '100' } }],
    ['DateLessThan', { DateLessThan: { [KEY]: '2026-01-01' } }],
    ['StringEqualsIgnoreCase', { StringEqualsIgnoreCase: { [KEY]: 'agent.acme.x1' } }],
    [
      'StringLike on a name with a hole',
      { StringLike: { [KEY]: 'agent.b*' }, StringNotLike: { [KEY]: ['agent.b', 'agent.b*x*', 'agent.b*z*'] } },
    ],
    ['StringNotEquals alone', { StringNotEquals: { [KEY]: 'agent.b' }, Null: { [KEY]: 'false' } }],
    ['one key in two spellings', { ...PAIR, StringLike: { [KEY]: 'agent.acme.?*', 'STS:SourceIdentity': 'agent.*' } }],
  ])('fails with a statement whose condition is %s', (_how, conditions) => {
    expect(third(conditions)).not.toEqual([]);
  });

  test('fails with a sentence of its own where no example of an admitted name is at hand', () => {
    expect(third({ NumericLessThan: { [KEY]: '100' } })).toEqual([unbound('Third')]);
    expect(third({ StringEqualsIgnoreCase: { [KEY]: 'agent.acme.x1' } })).toEqual([unbound('Third')]);
  });

  test.each<[string, Conditions]>([
    ['another name beside one of the scope', { StringEquals: { [KEY]: ['agent.acme.night', 'agent.b.night'] } }],
    ['a name with a further dot', { StringEquals: { [KEY]: 'agent.acme.x.night' } }],
    ['no session id', { ...PAIR, StringLike: { [KEY]: 'agent.acme.*' } }],
    ['a prefix sibling', { ...PAIR, StringLike: { [KEY]: 'agent.acme?*' } }],
    ["a wildcard without the scope's StringNotLike", { StringLike: { [KEY]: 'agent.acme.night-*' } }],
  ])('fails with a statement that admits %s', (_how, conditions) => {
    expect(third(conditions)).not.toEqual([]);
  });

  test.each([['sts:*'], ['*'], ['STS:ASSUMEROLE'], ['sts:SetSourceIdentity'], ['sts:AssumeRol?']])(
    'fails with an unbound statement on %s',
    (action) => {
      expect(third({ NumericLessThan: { [KEY]: '100' } }, action)).toEqual([unbound('Third')]);
    },
  );

  test('fails with an unbound statement on all actions but another', () => {
    const loose: Statement = {
      Effect: 'Allow',
      Principal: { AWS: CALLER },
      NotAction: 'sts:TagSession',
      Condition: { NumericLessThan: { [KEY]: '100' } },
    };
    expect(judge([...made, loose])).toEqual([unbound('statement 3')]);
  });

  test('passes with a statement on another action, which carries no name', () => {
    expect(third({ StringEquals: { 'aws:RequestTag/team': 'x' } }, 'sts:TagSession')).toEqual([]);
  });

  test('is judged by itself, whatever was judged before', () => {
    const bbbb = createScope({ tenant: 'bbbb' });
    const judgeScope = (statements: readonly Statement[], of: typeof scope) =>
      trustFaults({ document: policyDocument(statements), roleArn: CALLER, callerArns: [CALLER], scope: of });
    const aaaa = createScope({ tenant: 'aaaa' });
    expect(judgeScope(renderTrustPolicy({ scope: aaaa, principals: [CALLER] }).Statement, aaaa)).toEqual([]);
    const spoiled = renderTrustPolicy({ scope: bbbb, principals: [CALLER] }).Statement.map((statement) => ({
      ...statement,
      Condition: { StringLike: { [KEY]: 'agent.bbbb.?*' }, StringNotLike: { [KEY]: '<scope>.*.*' } },
    }));
    expect(judgeScope(spoiled, bbbb)).not.toEqual([]);
  });

  test('fails when it admits a caller under no name', () => {
    const nobody = (arn: string): string =>
      `trust policy must admit ${arn} under names of agent.acme.<session>: it admits it under none; restore what was removed`;
    expect(judge(made.slice(1))).toEqual([nobody(CALLER)]);
    expect(judge(made.slice(0, 1))).toEqual([nobody(CALLER)]);
    expect(judge(made, [CALLER, SECOND])).toEqual([nobody(SECOND)]);
  });

  test('passes when it is narrowed to one name', () => {
    const narrowed = made.map((statement) => ({
      ...statement,
      Condition: { StringEquals: { [KEY]: 'agent.acme.night' } },
    }));
    expect(judge(narrowed)).toEqual([]);
  });
});
