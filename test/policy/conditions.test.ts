import { describe, expect, it } from 'vitest';
import { conditionHolds, explainCondition, readConditions } from '../../lib/policy/conditions.ts';
import { contextValues } from '../../lib/policy/context.ts';
import type { OneOrMany, RequestContext } from '../../lib/policy/index.ts';
import { matchesPattern, patternOf } from '../../lib/policy/pattern.ts';
import { refusalOf } from '../support/refusal.ts';

/** What a policy wants, what the request has (undefined: no such key), whether the condition holds. */
type Row = readonly [wanted: OneOrMany<string>, given: OneOrMany<string> | undefined, holds: boolean];

const KEY = 'aws:PrincipalTag/key';

function holds(
  operator: string,
  wanted: OneOrMany<string>,
  given: OneOrMany<string> | undefined,
  context: RequestContext = {},
): boolean {
  const [condition] = readConditions({ [operator]: { [KEY]: wanted } }, 'policy');
  if (condition === undefined) throw new Error('no condition');
  return conditionHolds(condition, contextValues(context, given === undefined ? {} : { [KEY]: given }));
}

/** Every row under the operator and, turned round where the key is present, under its negation. */
function describeOperator(operator: string, negation: string | undefined, rows: readonly Row[]): void {
  describe(operator, () => {
    it.each(rows)('wants %j, has %j: %j', (wanted, given, expected) => {
      expect(holds(operator, wanted, given)).toBe(expected);
    });
    if (negation === undefined) return;
    it.each(rows)(`and ${negation} wants %j, has %j: the opposite of %j`, (wanted, given, expected) => {
      expect(holds(negation, wanted, given)).toBe(!expected);
    });
  });
}

// IAM User Guide, "IAM JSON policy elements: Condition operators"
describe('condition operators', () => {
  describeOperator('StringEquals', 'StringNotEquals', [
    ['agent.acme.s1', 'agent.acme.s1', true],
    ['agent.acme.s1', 'AGENT.acme.s1', false],
    ['agent.acme.*', 'agent.acme.s1', false],
    ['agent.acme.*', 'agent.acme.*', true],
    [['a', 'b'], 'b', true],
    [['a', 'b'], 'c', false],
    ['', '', true],
    ['a', '', false],
    ['a', undefined, false],
  ]);
  describeOperator('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', [
    ['agent.Acme', 'AGENT.acme', true],
    ['agent.*', 'AGENT.acme', false],
    [['x', 'Y'], 'y', true],
    ['\u{10400}', '\u{10428}', true],
    ['a', undefined, false],
  ]);
  describeOperator('StringLike', 'StringNotLike', [
    ['agent.acme.?*', 'agent.acme.s1', true],
    ['agent.acme.?*', 'agent.acme.', false],
    ['agent.acme.?*', 'agent.acme-2.s1', false],
    ['agent.acme.?*', 'Agent.acme.s1', false],
    // One character each, though two units of a JavaScript string.
    ['agent.?', 'agent.\u{1f600}', true],
    ['agent.??', 'agent.\u{1f600}', false],
    ['*\u{1f600}?', 'a\u{1f600}\u{1f600}', true],
    ['agent.acme.*.*', 'agent.acme.s1', false],
    ['agent.acme.*.*', 'agent.acme.s1.', true],
    ['agent.acme.*.*', 'agent.acme..s1', true],
    ['*', '', true],
    ['?', '', false],
    ['?', 'é', true],
    ['a*b*c', 'a1b2b3c', true],
    ['a*b*c', 'a1b2b3c4', false],
    ['a**c', 'ac', true],
    ['a.c', 'abc', false],
    ['*s1', 's1 s1', true],
    ['a\nb', 'a\nb', true],
    ['a*b', 'a\nb', true],
    ['a', undefined, false],
  ]);
  describeOperator('NumericEquals', 'NumericNotEquals', [
    ['300', '300', true],
    ['300', '300.0', true],
    ['-1', '-1', true],
    ['300', '301', false],
    ['300', 'many', false],
    ['300', '', false],
    [['1', '2'], '2', true],
    ['999999999999999', '999999999999998', false],
    ['000000000000000001', '1', true],
    ['300', undefined, false],
  ]);
  describeOperator('NumericLessThan', undefined, [
    ['300', '299.9', true],
    ['300', '300', false],
    ['300', undefined, false],
    ['300', 'few', false],
  ]);
  describeOperator('NumericLessThanEquals', undefined, [
    ['300', '300', true],
    ['300', '301', false],
  ]);
  describeOperator('NumericGreaterThan', undefined, [
    ['300', '1000', true],
    ['300', '300', false],
  ]);
  describeOperator('NumericGreaterThanEquals', undefined, [
    ['300', '300', true],
    ['300', '299', false],
  ]);
  describeOperator('DateEquals', 'DateNotEquals', [
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', true],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000Z', true],
    ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', true],
    ['2026-01-01', '2026-01-01T00:00:00Z', true],
    ['1767225600', '2026-01-01T00:00:00Z', true],
    ['2026-01-01T00:00:00Z', '1767225600', true],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', false],
    ['2026-01-01T00:00:00Z', 'today', false],
    ['2026-03-03', '2026-02-31', false],
    ['2024-02-29', '2024-02-29T00:00:00Z', true],
    ['2026-01-01T00:00:00Z', undefined, false],
  ]);
  describeOperator('DateLessThan', undefined, [
    ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', true],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', false],
    ['2026-01-01T00:00:00Z', undefined, false],
  ]);
  describeOperator('DateLessThanEquals', undefined, [
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', true],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', false],
  ]);
  describeOperator('DateGreaterThan', undefined, [
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', true],
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', false],
  ]);
  describeOperator('DateGreaterThanEquals', undefined, [
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', true],
    ['2026-01-01T00:00:00Z', '2025-12-31T23:59:59Z', false],
  ]);
  describeOperator('Bool', undefined, [
    ['true', 'true', true],
    ['TRUE', 'true', true],
    ['true', 'True', true],
    ['false', 'true', false],
    ['false', undefined, false],
    ['true', 'yes', false],
  ]);
  describeOperator('BinaryEquals', undefined, [
    ['QmluYXJ5', 'QmluYXJ5', true],
    ['QmluYXJ5', 'qmluyxj5', false],
    ['QmluYXJ5', undefined, false],
  ]);
  describeOperator('IpAddress', 'NotIpAddress', [
    ['203.0.113.0/24', '203.0.113.7', true],
    ['203.0.113.0/24', '203.0.114.7', false],
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.99/24', '203.0.113.7', true],
    ['0.0.0.0/0', '203.0.113.7', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '203.0.113.7', false],
    ['::/0', '2001:db8::1', true],
    ['2001:DB8:1234:5678::/64', '2001:db8:1234:5678:0:0:0:1', true],
    ['2001:db8:1234:5678::/64', '2001:db8:1234:5679::1', false],
    [['10.0.0.0/8', '192.168.0.0/16'], '192.168.1.1', true],
    ['10.0.0.0/8', '10.0.0.0/9', true],
    ['10.0.0.0/8', '10.0.0.0/7', false],
    ['10.0.0.0/8', 'localhost', false],
    ['10.0.0.0/8', undefined, false],
  ]);
  for (const [operator, negation] of [
    ['ArnLike', 'ArnNotLike'],
    ['ArnEquals', 'ArnNotEquals'],
  ] as const) {
    describeOperator(operator, negation, [
      ['arn:aws:iam::111122223333:role/tenant-a', 'arn:aws:iam::111122223333:role/tenant-a', true],
      ['arn:aws:iam::111122223333:role/tenant-?', 'arn:aws:iam::111122223333:role/tenant-a', true],
      ['arn:*:iam::*:role/*', 'arn:aws:iam::111122223333:role/path/tenant-a', true],
      ['arn:aws:iam::*:role/tenant-a', 'arn:aws:iam::1:x:role/tenant-a', false],
      ['arn:aws:sqs:*:*:a:*', 'arn:aws:sqs:eu-west-1:111122223333:a:b:c', true],
      ['arn:aws:iam::111122223333:role/Tenant-a', 'arn:aws:iam::111122223333:role/tenant-a', false],
      ['*:*:*:*:*:*', 'not an arn', false],
      ['arn:aws:iam::111122223333:role/tenant-a', undefined, false],
    ]);
  }
  describeOperator('Null', undefined, [
    ['true', undefined, true],
    ['true', [], true],
    ['true', 'x', false],
    ['true', ['x', 'y'], false],
    ['false', undefined, false],
    ['FALSE', 'x', true],
    [['true', 'false'], undefined, true],
    [['true', 'false'], 'x', true],
  ]);
});

// IAM User Guide, "...IfExists condition operators": if the key is not present, the condition is true
describe('IfExists', () => {
  it.each([
    ['StringLikeIfExists', 'a', undefined, true],
    ['StringLikeIfExists', 'a', 'a', true],
    ['StringLikeIfExists', 'a', 'b', false],
    ['StringNotLikeIfExists', 'a', undefined, true],
    ['StringNotLikeIfExists', 'a', 'a', false],
    ['BoolIfExists', 'true', undefined, true],
    ['NumericLessThanIfExists', '1', undefined, true],
    ['DateLessThanIfExists', '2026-01-01', undefined, true],
    ['IpAddressIfExists', '10.0.0.0/8', undefined, true],
    ['ArnLikeIfExists', 'arn:aws:iam::*:role/*', undefined, true],
    ['ForAnyValue:StringEqualsIfExists', 'a', undefined, true],
    ['ForAnyValue:StringEqualsIfExists', 'a', ['b'], false],
    ['ForAllValues:StringEqualsIfExists', 'a', ['a', 'b'], false],
  ] as const)('%s wants %j, has %j: %j', (operator, wanted, given, expected) => {
    expect(holds(operator, wanted, given)).toBe(expected);
  });
});

// IAM User Guide, "Set operators for multivalued context keys"
describe('a number of the request', () => {
  it('fails with more digits than are compared exactly', () => {
    const refusal = refusalOf(() => holds('NumericNotEquals', '1', '9007199254740993'));
    expect([refusal.code, refusal.message]).toEqual([
      'PolicyNotUnderstood',
      'policy, condition NumericNotEquals aws:PrincipalTag/key: a number must have at most 15 digits: "9007199254740993"',
    ]);
  });
});

describe('set operators', () => {
  it.each([
    ['ForAllValues:StringEquals', ['team', 'cost'], ['team'], true],
    ['ForAllValues:StringEquals', ['team', 'cost'], ['cost', 'team'], true],
    ['ForAllValues:StringEquals', ['team', 'cost'], ['team', 'other'], false],
    ['ForAllValues:StringEquals', 'team', 'team', true],
    ['ForAllValues:StringEquals', 'team', undefined, true],
    ['ForAllValues:StringEquals', 'team', [], true],
    ['ForAllValues:StringEquals', 'team', '', true],
    ['ForAllValues:StringEquals', 'team', ['', 'other'], false],
    ['ForAllValues:StringNotEquals', 'team', ['cost', 'other'], true],
    ['ForAllValues:StringNotEquals', ['team', 'cost'], ['other', 'cost'], false],
    ['ForAllValues:StringNotEquals', 'team', undefined, true],
    ['ForAnyValue:StringEquals', ['team', 'cost'], ['other', 'team'], true],
    ['ForAnyValue:StringEquals', 'team', ['other'], false],
    ['ForAnyValue:StringEquals', 'team', undefined, false],
    ['ForAnyValue:StringEquals', 'team', [], false],
    ['ForAnyValue:StringEquals', '', '', false],
    ['ForAnyValue:StringNotEquals', ['team', 'cost'], ['team', 'other'], true],
    ['ForAnyValue:StringNotEquals', ['team', 'cost'], ['team', 'cost'], false],
    ['ForAnyValue:StringNotEquals', 'team', undefined, false],
    ['ForAnyValue:StringLike', 't*', ['cost', 'team'], true],
  ] as const)('%s wants %j, has %j: %j', (operator, wanted, given, expected) => {
    expect(holds(operator, wanted, given)).toBe(expected);
  });

  it('are needed for a key of several values', () => {
    const refusal = refusalOf(() => holds('StringEquals', 'a', ['a', 'b']));
    expect([refusal.code, refusal.message]).toEqual([
      'PolicyNotUnderstood',
      'condition on aws:PrincipalTag/key: a key of several values needs ForAllValues: or ForAnyValue:',
    ]);
    expect(holds('StringEquals', 'a', ['a'])).toBe(true);
  });
});

// IAM User Guide, "IAM policy elements: Variables and tags"
describe('policy variables', () => {
  const context = {
    'aws:SourceIdentity': 'agent.acme.s1',
    'aws:PrincipalTag/Cost Center': 'x*',
    'aws:PrincipalTag/n': '5',
  };
  it.each([
    ['StringEquals', '${aws:SourceIdentity}', 'agent.acme.s1', true],
    ['StringEquals', '${AWS:sourceidentity}', 'agent.acme.s1', true],
    ['StringEquals', '<${aws:SourceIdentity}>', '<agent.acme.s1>', true],
    ['StringLike', '${aws:SourceIdentity}.*', 'agent.acme.s1.x', true],
    ['StringEquals', '${aws:PrincipalTag/Cost Center}', 'x*', true],
    ['StringLike', '${aws:PrincipalTag/Cost Center}', 'xyz', false],
    ['StringLike', '${*}${?}${$}', '*?$', true],
    ['StringLike', '${*}', 'anything', false],
    ['StringEquals', 'cost$5 {x}', 'cost$5 {x}', true],
    ['StringEquals', "${aws:PrincipalTag/team, 'red'}", 'red', true],
    ['StringEquals', "${aws:SourceIdentity, 'red'}", 'red', false],
    ['StringLike', "${aws:PrincipalTag/team, '*'}", 'red', false],
    ['StringEquals', "${aws:PrincipalTag/team,''}", '', true],
    ['StringEqualsIgnoreCase', '${aws:SourceIdentity}', 'AGENT.ACME.S1', true],
    ['ArnLike', 'arn:aws:sqs:*:*:${aws:SourceIdentity}', 'arn:aws:sqs:eu-west-1:111122223333:agent.acme.s1', true],
    ['ArnLike', 'arn:aws:iam::${aws:PrincipalTag/n}:role/x', 'arn:aws:iam::5:role/x', true],
    // The request lacks the key: nothing is compared, in either sense.
    ['StringEquals', '${aws:PrincipalTag/team}', '${aws:PrincipalTag/team}', false],
    ['StringNotEquals', '${aws:PrincipalTag/team}', 'red', false],
    ['StringNotEquals', ['${aws:PrincipalTag/team}', 'blue'], 'red', false],
    ['StringEquals', ['${aws:PrincipalTag/team}', 'red'], 'red', true],
    ['ArnNotLike', 'arn:aws:iam::*:role/${aws:PrincipalTag/team}', 'arn:aws:iam::1:role/x', false],
    ['StringNotEquals', '${aws:PrincipalTag/team}', undefined, true],
  ] as const)('%s wants %j, has %j: %j', (operator, wanted, given, expected) => {
    expect(holds(operator, wanted, given, context)).toBe(expected);
  });

  it('are compared at any length', () => {
    const long = 'A'.repeat(300_000);
    expect(holds('StringEquals', '${aws:PrincipalTag/long}', long, { 'aws:PrincipalTag/long': long })).toBe(true);
    expect(holds('StringEqualsIgnoreCase', long.toLowerCase(), long)).toBe(true);
  });

  it('take no value from a key that has several', () => {
    expect(holds('StringLike', '${aws:Several}', 'a', { 'aws:Several': ['a', 'b'] })).toBe(false);
  });
});

describe('reading conditions', () => {
  it.each<readonly [object, string]>([
    [{ StringMatches: { 'aws:x': 'a' } }, 'trust: condition operator "StringMatches" is not known'],
    [{ stringEquals: { 'aws:x': 'a' } }, 'trust: condition operator "stringEquals" is not known'],
    [{ StringEqualsIfExist: { 'aws:x': 'a' } }, 'trust: condition operator "StringEqualsIfExist" is not known'],
    [
      { 'ForSomeValues:StringEquals': { 'aws:x': 'a' } },
      'trust: condition operator "ForSomeValues:StringEquals" is not known',
    ],
    [
      { 'ForAllValues:Null': { 'aws:x': 'true' } },
      'trust: condition operator Null takes no set operator and no IfExists: "ForAllValues:Null"',
    ],
    [
      { StringLike: { 'sts:SourceIdentity': 'a', 'STS:sourceidentity': 'b' } },
      'trust: a condition key must stand once under StringLike: "STS:sourceidentity" stands there in another case too',
    ],
    [
      { NullIfExists: { 'aws:x': 'true' } },
      'trust: condition operator Null takes no set operator and no IfExists: "NullIfExists"',
    ],
    [{ Null: { 'aws:x': 'maybe' } }, 'trust, condition Null aws:x: the value must be true or false: "maybe"'],
    [{ Bool: { 'aws:x': '${aws:y}' } }, 'trust, condition Bool aws:x: the value must be true or false: "${aws:y}"'],
    [{ NumericEquals: { 'aws:x': '1e3' } }, 'trust, condition NumericEquals aws:x: a number must be decimal: "1e3"'],
    [{ NumericEquals: { 'aws:x': '' } }, 'trust, condition NumericEquals aws:x: a number must be decimal: ""'],
    [
      { NumericEquals: { 'aws:x': '9007199254740993' } },
      'trust, condition NumericEquals aws:x: a number must have at most 15 digits: "9007199254740993"',
    ],
    [
      { NumericEquals: { 'aws:x': '0.1000000000000000055' } },
      'trust, condition NumericEquals aws:x: a number must have at most 15 digits: "0.1000000000000000055"',
    ],
    [
      { DateEquals: { 'aws:x': '2026-02-31' } },
      'trust, condition DateEquals aws:x: a date must read like 2026-01-31T12:00:00Z, or be seconds since 1970: "2026-02-31"',
    ],
    [
      { DateEquals: { 'aws:x': '2025-02-29T00:00:00+01:00' } },
      'trust, condition DateEquals aws:x: a date must read like 2026-01-31T12:00:00Z, or be seconds since 1970: "2025-02-29T00:00:00+01:00"',
    ],
    [
      { DateLessThan: { 'aws:x': '2026' } },
      'trust, condition DateLessThan aws:x: a date must read like 2026-01-31T12:00:00Z, or be seconds since 1970: "2026"',
    ],
    [
      { DateLessThan: { 'aws:x': '2026-13-01' } },
      'trust, condition DateLessThan aws:x: a date must read like 2026-01-31T12:00:00Z, or be seconds since 1970: "2026-13-01"',
    ],
    [{ BinaryEquals: { 'aws:x': '?' } }, 'trust, condition BinaryEquals aws:x: a binary value must be base64: "?"'],
    [
      { IpAddress: { 'aws:x': '10.0.0.0/33' } },
      'trust, condition IpAddress aws:x: an address range must be in CIDR form: "10.0.0.0/33"',
    ],
    [
      { IpAddress: { 'aws:x': '10.0.0.256' } },
      'trust, condition IpAddress aws:x: an address range must be in CIDR form: "10.0.0.256"',
    ],
    [
      { IpAddress: { 'aws:x': '10.0.0.*' } },
      'trust, condition IpAddress aws:x: an address range must be in CIDR form: "10.0.0.*"',
    ],
    [
      { IpAddress: { 'aws:x': '1::2::3' } },
      'trust, condition IpAddress aws:x: an address range must be in CIDR form: "1::2::3"',
    ],
    [
      { IpAddress: { 'aws:x': '1:2:3:4:5:6:7:8:9' } },
      'trust, condition IpAddress aws:x: an address range must be in CIDR form: "1:2:3:4:5:6:7:8:9"',
    ],
    [
      { IpAddress: { 'aws:x': '1:2:3:4:5:6:7:g' } },
      'trust, condition IpAddress aws:x: an address range must be in CIDR form: "1:2:3:4:5:6:7:g"',
    ],
    [
      { IpAddress: { 'aws:x': '::/0/0' } },
      'trust, condition IpAddress aws:x: an address range must be in CIDR form: "::/0/0"',
    ],
    [
      { ArnLike: { 'aws:x': 'arn:aws:iam::*' } },
      'trust, condition ArnLike aws:x: an ARN to compare with must have six segments: "arn:aws:iam::*"; write each as *',
    ],
    [
      { StringEquals: { 'aws:TagKeys': 'team' } },
      'trust, condition StringEquals aws:TagKeys: a key of several values needs a set operator; write ForAllValues:StringEquals or ForAnyValue:StringEquals',
    ],
    [
      { StringEquals: { 'aws:x': '${aws:TagKeys}' } },
      'trust, condition StringEquals aws:x: a key of several values cannot be a policy variable: "${aws:TagKeys}"',
    ],
    ...['${', '${}', '${aws:x', '${aws:x, red}', '${aws:${aws:y}}', '${ x }'].map(
      (value) =>
        [
          { StringEquals: { 'aws:x': value } },
          `trust, condition StringEquals aws:x: a policy variable must read \${key} or \${key, 'default'}: ${JSON.stringify(value)}; write \${$} for a dollar sign`,
        ] as const,
    ),
    ...['SourceIdentity', 'aws:', ':x', 'aws:PrincipalTag/*', 'aws:RequestTag/${aws:username}'].map(
      (key) =>
        [
          { StringEquals: { [key]: 'a' } },
          `trust, condition StringEquals ${key}: a condition key must read prefix:name, without wildcard or variable`,
        ] as const,
    ),
  ])('fails for %j', (conditions, message) => {
    const refusal = refusalOf(() => readConditions(conditions as never, 'trust'));
    expect([refusal.code, refusal.message]).toEqual(['PolicyNotUnderstood', message]);
  });

  it('takes the keys of an OIDC provider, of tags with spaces, and of services', () => {
    const keys = [
      'oidc.eks.us-west-2.amazonaws.com/id/EXAMPLE:sub',
      'aws:RequestTag/Cost Center',
      's3:prefix',
      'saml:aud',
    ];
    const byKey = Object.fromEntries(keys.map((key) => [key, 'x']));
    expect(readConditions({ StringEquals: byKey }, 'trust').map(({ key }) => key)).toEqual(keys);
  });
});

describe('what a condition says of itself', () => {
  it.each([
    ['StringLike', 'agent.acme.?*', undefined, 'needs aws:PrincipalTag/key like "agent.acme.?*", the request has none'],
    [
      'StringNotLike',
      ['a.*', 'b.*'],
      'a.b',
      'needs aws:PrincipalTag/key not like "a.*" nor "b.*", the request has "a.b"',
    ],
    ['StringEquals', ['a', 'b'], 'c', 'needs aws:PrincipalTag/key equal to "a" or "b", the request has "c"'],
    ['StringEqualsIfExists', 'a', 'c', 'needs aws:PrincipalTag/key equal to "a" if present, the request has "c"'],
    [
      'ForAllValues:StringEquals',
      'a',
      ['a', 'c'],
      'needs every value of aws:PrincipalTag/key equal to "a", the request has "a" and "c"',
    ],
    [
      'ForAnyValue:StringEquals',
      'a',
      undefined,
      'needs a value of aws:PrincipalTag/key equal to "a", the request has none',
    ],
    ['Null', 'true', 'x', 'needs aws:PrincipalTag/key to be absent, the request has "x"'],
    ['Null', 'false', undefined, 'needs aws:PrincipalTag/key to be present, the request has none'],
    [
      'IpAddress',
      '10.0.0.0/8',
      '192.0.2.1',
      'needs aws:PrincipalTag/key within "10.0.0.0/8", the request has "192.0.2.1"',
    ],
  ] as const)('%s %j against %j', (operator, wanted, given, text) => {
    const [condition] = readConditions({ [operator]: { [KEY]: wanted } }, 'policy');
    expect(condition && explainCondition(condition, contextValues(given === undefined ? {} : { [KEY]: given }))).toBe(
      text,
    );
  });
});

describe('matching a pattern', () => {
  it('stays fast where backtracking would not', () => {
    const pattern = patternOf(`${'a*'.repeat(40)}b`, true);
    const startedAt = performance.now();
    expect(matchesPattern(pattern, 'a'.repeat(5000))).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
