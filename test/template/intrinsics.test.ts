import { describe, expect, test } from 'vitest';
import { type Intrinsics, resolveIntrinsics, Unresolvable } from '../../lib/template/intrinsics.ts';

const REFS: Readonly<Record<string, string>> = { Role: 'acme', 'AWS::StackName': 'Hub' };
const ATTRIBUTES: Readonly<Record<string, string>> = {
  'Role Arn': 'arn-of-acme',
  'Nested Outputs.Arn': 'arn-of-nested',
};

const BEFORE_DEPLOYMENT: Intrinsics = {
  environment: { account: '111122223333', region: 'eu-west-1', partition: 'aws' },
  ref: (name) => REFS[name],
  attribute: (logicalId, attribute) => ATTRIBUTES[`${logicalId} ${attribute}`],
  imported: (name) => (name === 'hub-acme' ? 'arn-of-acme' : undefined),
  isDeploying: false,
};
const DEPLOYING: Intrinsics = { ...BEFORE_DEPLOYMENT, isDeploying: true };

const unknown = { Ref: 'Absent' };
const noValue = { Ref: 'AWS::NoValue' };

describe('resolves', () => {
  test.each<[name: string, value: unknown, resolved: unknown]>([
    [
      'what is no function as it is',
      { a: ['b', 1, true, null], Refer: 'Role' },
      { a: ['b', 1, true, null], Refer: 'Role' },
    ],
    ['an object with more than a function as it is', { Ref: 'Role', a: 'b' }, { Ref: 'Role', a: 'b' }],
    ['Ref of a resource', { Ref: 'Role' }, 'acme'],
    ['Ref of the account', { Ref: 'AWS::AccountId' }, '111122223333'],
    ['Ref of the partition', { Ref: 'AWS::Partition' }, 'aws'],
    ['Ref of the Region', { Ref: 'AWS::Region' }, 'eu-west-1'],
    ['Ref of a pseudo parameter that is not of the environment', { Ref: 'AWS::StackName' }, 'Hub'],
    ['no value by leaving it out', { a: noValue, b: ['c', noValue] }, { b: ['c'] }],
    ['Fn::GetAtt of a list', { 'Fn::GetAtt': ['Role', 'Arn'] }, 'arn-of-acme'],
    ['Fn::GetAtt of text, up to its first dot', { 'Fn::GetAtt': 'Nested.Outputs.Arn' }, 'arn-of-nested'],
    ['Fn::Join', { 'Fn::Join': ['/', ['a', noValue, { 'Fn::Join': ['-', ['b', { Ref: 'Role' }]] }]] }, 'a/b-acme'],
    [
      'Fn::Sub of text',
      { 'Fn::Sub': '${AWS::Region} ${Role} ${Nested.Outputs.Arn} $' },
      'eu-west-1 acme arn-of-nested $',
    ],
    ['Fn::Sub with what stands for itself', { 'Fn::Sub': '${!aws:username}' }, '${aws:username}'],
    [
      'Fn::Sub with variables first',
      { 'Fn::Sub': ['${Role}/${a.b}', { Role: 'x', 'a.b': { Ref: 'Role' } }] },
      'x/acme',
    ],
    ['Fn::Sub with a variable named like a function', { 'Fn::Sub': ['${Ref}', { Ref: 'Role' }] }, 'Role'],
    ['Fn::ImportValue', { 'Fn::ImportValue': { 'Fn::Sub': 'hub-${Role}' } }, 'arn-of-acme'],
  ])('%s', (_, value, resolved) => {
    expect(resolveIntrinsics({ value }, BEFORE_DEPLOYMENT)).toEqual({ value: resolved });
    expect(resolveIntrinsics({ value }, DEPLOYING)).toEqual({ value: resolved });
  });

  test('numbers and booleans as text when deploying', () => {
    const value = [{ 'Fn::Join': ['', ['a', 1, true]] }, { 'Fn::Sub': ['${n}', { n: 2 }] }];
    expect(resolveIntrinsics(value, DEPLOYING)).toEqual(['a1true', '2']);
    expect(resolveIntrinsics(value, BEFORE_DEPLOYMENT)).toEqual(value);
  });
});

describe('what is not known', () => {
  const cases: readonly [name: string, value: unknown, message: string][] = [
    ['a Ref', unknown, 'Ref must have text here: undefined'],
    ['a Ref of no text', { Ref: ['Role'] }, 'Ref must have text here: ["Role"]'],
    ['an attribute', { 'Fn::GetAtt': ['Role', 'RoleId'] }, 'Fn::GetAtt must have text here: undefined'],
    ['an attribute without a name', { 'Fn::GetAtt': 'Role' }, 'Fn::GetAtt must have text here: undefined'],
    ['a Fn::Join of no list', { 'Fn::Join': 'a' }, 'Fn::Join must have a list here: "a"'],
    ['a Fn::Join of no parts', { 'Fn::Join': ['', 'a'] }, 'Fn::Join must have a list here: "a"'],
    ['a Fn::Join without a delimiter', { 'Fn::Join': [null, ['a']] }, 'Fn::Join must have text here: null'],
    ['a part of Fn::Join', { 'Fn::Join': ['', ['a', unknown]] }, 'Ref must have text here: undefined'],
    ['a part of Fn::Join that is no text', { 'Fn::Join': ['', [['a']]] }, 'Fn::Join must have text here: ["a"]'],
    ['a name in Fn::Sub', { 'Fn::Sub': '${Role}${Absent}' }, 'Ref must have text here: undefined'],
    ['an empty name in Fn::Sub', { 'Fn::Sub': '${}' }, 'Ref must have text here: undefined'],
    ['a variable of Fn::Sub', { 'Fn::Sub': ['${Role}', { Role: unknown }] }, 'Ref must have text here: undefined'],
    ['a Fn::Sub of no text', { 'Fn::Sub': [{ a: 'b' }] }, 'Fn::Sub must have text here: {"a":"b"}'],
    ['an export', { 'Fn::ImportValue': 'absent' }, 'Fn::ImportValue must have text here: undefined'],
    ['a function', { 'Fn::If': ['Condition', 'a', 'b'] }, 'the function Fn::If is not modelled'],
  ];

  test.each(cases)('fails when deploying: %s', (_, value, message) => {
    expect(() => resolveIntrinsics({ value }, DEPLOYING)).toThrow(new Unresolvable(message));
  });

  test.each(cases)('stays as it is before: %s', (_, value) => {
    expect(resolveIntrinsics({ value }, BEFORE_DEPLOYMENT)).toEqual({ value });
  });

  test('has what is known in it resolved', () => {
    const value = { 'Fn::If': ['Condition', { 'Fn::Join': ['', [{ Ref: 'Role' }, unknown]] }, noValue] };
    const resolved = { 'Fn::If': ['Condition', { 'Fn::Join': ['', ['acme', unknown]] }] };
    expect(resolveIntrinsics(value, BEFORE_DEPLOYMENT)).toEqual(resolved);
  });

  test('is a variable without a value, also where a resource has its name', () => {
    const value = { 'Fn::Sub': ['${Role}', { Role: noValue }] };
    expect(() => resolveIntrinsics(value, DEPLOYING)).toThrow(new Unresolvable('Ref must have text here: undefined'));
    expect(resolveIntrinsics(value, BEFORE_DEPLOYMENT)).toEqual({ 'Fn::Sub': ['${Role}', {}] });
  });

  test('is an environment that the deployment decides', () => {
    const environment = { account: undefined, region: undefined, partition: undefined };
    const value = [{ Ref: 'AWS::AccountId' }, { Ref: 'AWS::Region' }, { Ref: 'AWS::Partition' }];
    expect(resolveIntrinsics(value, { ...BEFORE_DEPLOYMENT, environment })).toEqual(value);
  });

  test('is an import where none is modelled', () => {
    const { imported: _, ...others } = DEPLOYING;
    const value = { 'Fn::ImportValue': unknown };
    const message = 'the function Fn::ImportValue is not modelled';
    expect(() => resolveIntrinsics(value, others)).toThrow(new Unresolvable(message));
    expect(resolveIntrinsics(value, { ...others, isDeploying: false })).toEqual(value);
  });
});

test.each([true, false])('fails as its source fails, deploying: %s', (isDeploying) => {
  const refused = new RangeError('not created');
  const ref = (): never => {
    throw refused;
  };
  expect(() => resolveIntrinsics(unknown, { ...DEPLOYING, ref, isDeploying })).toThrow(refused);
});
