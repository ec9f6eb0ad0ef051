import { describe, expect, test } from 'vitest';
import { isSamePolicy } from '../../lib/policy/same-policy.ts';

const statement = { Sid: 'A', Effect: 'Allow', Action: ['s3:Get*', 's3:Put*'], Resource: '*' };
const other = { Sid: 'B', Effect: 'Deny', Action: 's3:*', Resource: ['a', 'b'] };
const policy = { Version: '2012-10-17', Statement: [statement, other] };

describe('two policies', () => {
  test.each([
    ['in which keys stand in another order', { Statement: policy.Statement, Version: '2012-10-17' }],
    ['in which statements stand in another order', { ...policy, Statement: [other, statement] }],
    [
      'in which a list is in another order',
      { ...policy, Statement: [{ ...statement, Action: ['s3:Put*', 's3:Get*'] }, other] },
    ],
    ['in which a lone value stands in a list', { ...policy, Statement: [{ ...statement, Resource: ['*'] }, other] }],
    ['in which a value stands twice', { ...policy, Statement: [statement, { ...other, Resource: ['a', 'b', 'a'] }] }],
    ['of which one has an element that is undefined', { ...policy, Id: undefined }],
  ])('%s are the same', (_, given) => {
    expect(isSamePolicy(given, policy)).toBe(true);
  });

  test.each([
    ['a statement less', { ...policy, Statement: [statement] }],
    ['a statement more', { ...policy, Statement: [statement, other, { ...other, Sid: 'C' }] }],
    ['another case', { ...policy, Statement: [{ ...statement, Action: ['s3:get*', 's3:Put*'] }, other] }],
    ['another effect', { ...policy, Statement: [{ ...statement, Effect: 'Deny' }, other] }],
    [
      'a value under another key',
      { ...policy, Statement: [{ ...statement, Resource: undefined, NotResource: '*' }, other] },
    ],
    ['an element more', { ...policy, Statement: [{ ...statement, Condition: { Null: { 'aws:x': 'true' } } }, other] }],
    ['nothing at all', undefined],
    ['a text', JSON.stringify(policy)],
  ])('fail to be the same with %s', (_, given) => {
    expect(isSamePolicy(given, policy)).toBe(false);
  });
});
