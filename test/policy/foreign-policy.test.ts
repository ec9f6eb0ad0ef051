import { describe, expect, test } from 'vitest';
import { parseForeignPolicy, parseUniqueJson } from '../../lib/policy/index.ts';
import { refusalOf } from '../support/refusal.ts';

const POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'sts:AssumeRole' }],
};
const TEXT = JSON.stringify(POLICY);
const VARIABLE = { StringEquals: { 'sts:SourceIdentity': '${aws:username}' } };

describe('a foreign policy', () => {
  test.each<[string, unknown]>([
    ['as JSON', POLICY],
    ['as text', TEXT],
    ['in percent-encoding, as IAM answers', encodeURIComponent(TEXT)],
    ['with a byte order mark', `\uFEFF${TEXT}`],
    ['of the older version', { ...POLICY, Version: '2008-10-17' }],
    ['without a version', { Statement: POLICY.Statement }],
  ])('is read %s', (_, value) => {
    expect(parseForeignPolicy(value)).toEqual(POLICY);
  });

  test.each<[string, unknown, string]>([
    ['no JSON', 'Statement: []', 'trust policy: it must be JSON: "Statement: "... (13 characters)'],
    ['broken encoding', '%7B%', 'trust policy: it must be JSON, or JSON in percent-encoding: "%7B%"'],
    ['a list', [], 'trust policy: a policy must be a JSON object: []'],
    [
      'variables in the older version, which are plain text in it',
      { Version: '2008-10-17', Statement: [{ ...POLICY.Statement[0], Condition: VARIABLE }] },
      'trust policy: Version must be "2012-10-17": "2008-10-17"; write it out, in the older version policy variables are plain text',
    ],
    [
      'variables and no version',
      { Statement: [{ ...POLICY.Statement[0], Condition: VARIABLE }] },
      'trust policy: Version must be "2012-10-17": it is missing; write it out, in the older version policy variables are plain text',
    ],
    [
      'a key that stands twice',
      TEXT.replace('"Effect"', '"Effect":"Deny","Effect"'),
      'trust policy: a key must stand once in an object: "Effect" stands twice',
    ],
  ])('fails for %s', (_, value, message) => {
    const refusal = refusalOf(() => parseForeignPolicy(value, 'trust policy'));
    expect([refusal.code, refusal.message]).toEqual(['PolicyNotUnderstood', message]);
  });
});

describe('JSON without repeated keys', () => {
  test.each([
    '{"a":{"b":1},"b":[{"a":1},{"a":2}],"c":"{\\"a\\":1,\\"a\\":2}"}',
    '{"a":"x:y","b":["a","b"],"\\"":1}',
    '[{"a":1},{"a":1}]',
    '"a"',
  ])('is what a parser reads: %s', (text) => {
    expect(parseUniqueJson(text, 'file')).toEqual(JSON.parse(text));
  });

  test.each([
    ['{"a":1,"a":2}', 'a'],
    ['{"a":1,"b":{},"\\u0061":2}', 'a'],
    ['[{"x":{"y":[1],"z":{},"y":2}}]', 'y'],
    ['{"a" : {"a" :1} , "a"\n:2}', 'a'],
  ])('fails for one: %s', (text, key) => {
    expect(refusalOf(() => parseUniqueJson(text, 'file')).message).toBe(
      `file: a key must stand once in an object: "${key}" stands twice`,
    );
  });
});
