import { describe, expect, test } from 'vitest';
import { known, type PolicyFacts, unknown } from '../../lib/doctor/facts.ts';
import { judge, type PoliciesOnRecord, understood } from '../../lib/doctor/judge.ts';
import { knowsKeys, OPEN } from '../../lib/doctor/requests.ts';
import { evaluate, type PoliciesInForce } from '../../lib/policy/index.ts';
import { ROLE_ARN, TENANT_ROLE_ARN } from './world.ts';

const requester = { kind: 'role-session', roleArn: TENANT_ROLE_ARN, sessionName: 's' } as const;
const context = { 'aws:RequestedRegion': 'us-west-2' };

function policy(...statements: readonly object[]): PolicyFacts {
  return { name: 'edge', document: known({ Version: '2012-10-17', Statement: statements }) };
}

/** How a boundary, or whatever else is given, judges the hop. */
function judged(given: Partial<PoliciesOnRecord>) {
  const request = { requester, action: 'sts:AssumeRole', resource: ROLE_ARN, context };
  const trust = { Effect: 'Allow', Principal: { AWS: TENANT_ROLE_ARN }, Action: 'sts:*' };
  const resource: PolicyFacts = { name: 'trust', document: known({ Version: '2012-10-17', Statement: [trust] }) };
  const decide = (policies: PoliciesInForce) => new Map([['hop', evaluate(request, policies)]]);
  const judgement = judge(decide, { identity: [OPEN], resource, ...given }, knowsKeys(context, ['sts:'])).get('hop');
  if (judgement?.decision === 'undecided') return `undecided: ${judgement.unknown.missing}`;
  return judgement?.decision === 'denied' ? `denied: ${judgement.verdict.reason}` : judgement?.decision;
}

const ALLOW = { Effect: 'Allow', Action: '*', Resource: '*' };
const fromOffice = { Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } };
const notOffice = { Condition: { NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } };
const DEPENDS = /^undecided: .* of edge tests aws:SourceIp, which only a real request has$/;

describe('a policy on record', () => {
  test('decides by itself where all that it tests is known', () => {
    expect(judged({ boundary: policy(ALLOW) })).toBe('allowed');
    const region = { Condition: { StringNotEquals: { 'aws:RequestedRegion': 'us-west-2' } } };
    expect(judged({ boundary: policy(ALLOW, { ...ALLOW, Effect: 'Deny', ...region }) })).toBe('allowed');
    expect(judged({ boundary: policy({ ...ALLOW, Action: 's3:*' }) })).toMatch(/^denied: no statement of/);
  });

  test.each([
    ['allows from the office', [{ ...ALLOW, ...fromOffice }]],
    ['denies elsewhere', [ALLOW, { ...ALLOW, Effect: 'Deny', ...notOffice }]],
    [
      'denies where the address equals a tag',
      [
        ALLOW,
        {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { StringEquals: { 'aws:RequestedRegion': '${aws:SourceIp}' } },
        },
      ],
    ],
    [
      'allows a resource that the address names',
      [{ Effect: 'Allow', Action: '*', Resource: 'arn:aws:iam::111122223333:role/${aws:SourceIp}' }],
    ],
    [
      'denies all but a resource that the address names',
      [ALLOW, { Effect: 'Deny', Action: '*', NotResource: 'arn:aws:iam::111122223333:role/${aws:SourceIp}' }],
    ],
  ])('is undecided where it %s', (_, statements) => {
    expect(judged({ boundary: policy(...statements) })).toMatch(DEPENDS);
  });

  test.each([
    ['denies anyway', [ALLOW, { ...ALLOW, ...fromOffice }, { ...ALLOW, Effect: 'Deny' }], /^denied: statement 3 of/],
    ['allows anyway', [ALLOW, { ...ALLOW, ...fromOffice }], /^allowed$/],
    ['denies something else', [ALLOW, { ...ALLOW, Effect: 'Deny', Action: 's3:*', ...notOffice }], /^allowed$/],
    [
      'denies under a second condition that is not met',
      [
        ALLOW,
        {
          ...ALLOW,
          Effect: 'Deny',
          Condition: { ...notOffice.Condition, StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } },
        },
      ],
      /^allowed$/,
    ],
  ])('is decided in spite of what is not known where it %s', (_, statements, expected) => {
    expect(judged({ boundary: policy(...statements) })).toMatch(expected);
  });

  test('that cannot be read leaves open what the others do not decide', () => {
    const unread: PolicyFacts = { name: 'edge', document: unknown('iam:GetPolicyVersion on edge was denied') };
    expect(judged({ boundary: unread })).toBe('undecided: iam:GetPolicyVersion on edge was denied');
    expect(judged({ identity: [OPEN, unread] })).toBe('undecided: iam:GetPolicyVersion on edge was denied');
    expect(judged({ resource: unread })).toBe('undecided: iam:GetPolicyVersion on edge was denied');
    const denial = policy({ ...ALLOW, Effect: 'Deny' });
    expect(judged({ identity: [OPEN, unread], boundary: denial })).toMatch(/^denied: /);
    expect(judged({ boundary: unread, serviceControl: [[policy({ ...ALLOW, Action: 's3:*' })]] })).toMatch(/^denied: /);
  });

  test('that is not understood counts as one that cannot be read', () => {
    const strange = policy({ ...ALLOW, Condition: { Near: { 'aws:x': 'y' } } });
    expect(judged({ boundary: strange })).toMatch(
      /^undecided: it cannot be judged: edge, statement 1: condition operator "Near" is not known$/,
    );
  });

  test('of the older version is understood where it has no policy variable', () => {
    const older = (Version: string | undefined, Resource: string): PolicyFacts => ({
      name: 'edge',
      document: known({ Version, Statement: [{ ...ALLOW, Resource }] }),
    });
    expect(judged({ boundary: older('2008-10-17', '*') })).toBe('allowed');
    expect(judged({ boundary: older(undefined, '*') })).toBe('allowed');
    expect('unknown' in understood(older('2008-10-17', 'arn:aws:s3:::${aws:username}'))).toBe(true);
    expect('unknown' in understood(older('2030-01-01', '*'))).toBe(true);
  });
});
