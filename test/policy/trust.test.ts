import { describe, expect, test } from 'vitest';
import { createScope } from '../../lib/identity/index.ts';
import { assertPrincipals, renderTrustPolicy } from '../../lib/policy/index.ts';
import { codeOf, refusalOf } from '../support/refusal.ts';

const ACME = createScope({ tenant: 'acme' });
const TENANT_ROLE = 'arn:aws:iam::111122223333:role/tenants/hub-acme-tenant';
const SYSTEM_ROLE = 'arn:aws:iam::111122223333:role/platform/controller';

const IN_ACME = {
  StringLike: { 'sts:SourceIdentity': 'agent.acme.?*' },
  StringNotLike: { 'sts:SourceIdentity': 'agent.acme.*.*' },
};
const INTERNAL_TO_ACME = {
  StringLike: { 'sts:SourceIdentity': 'internal.acme.?*' },
  StringNotLike: { 'sts:SourceIdentity': 'internal.acme.*.*' },
};
const ASSUME_AS_AGENT = {
  Sid: 'AssumeAsAgent',
  Effect: 'Allow',
  Principal: { AWS: TENANT_ROLE },
  Action: 'sts:AssumeRole',
  Condition: IN_ACME,
};

describe('the trust policy of a session-broker role', () => {
  test('asks for the identity on both actions', () => {
    expect(renderTrustPolicy({ scope: ACME, principals: [TENANT_ROLE] })).toEqual({
      Version: '2012-10-17',
      Statement: [
        ASSUME_AS_AGENT,
        {
          Sid: 'SetAgentIdentity',
          Effect: 'Allow',
          Principal: { AWS: TENANT_ROLE },
          Action: 'sts:SetSourceIdentity',
          Condition: IN_ACME,
        },
      ],
    });
  });

  test('binds the role session name on sts:AssumeRole alone, where the key is present', () => {
    expect(renderTrustPolicy({ scope: ACME, principals: [TENANT_ROLE], roleSessionName: 'bound' }).Statement).toEqual([
      {
        ...ASSUME_AS_AGENT,
        Condition: { ...IN_ACME, StringEquals: { 'sts:RoleSessionName': '${sts:SourceIdentity}' } },
      },
      {
        Sid: 'SetAgentIdentity',
        Effect: 'Allow',
        Principal: { AWS: TENANT_ROLE },
        Action: 'sts:SetSourceIdentity',
        Condition: IN_ACME,
      },
    ]);
  });

  test('admits declared session tags and no others, without a test of the identity that would never match', () => {
    const { Statement } = renderTrustPolicy({
      scope: ACME,
      principals: [TENANT_ROLE],
      sessionTagKeys: ['tenant', 'session'],
    });
    expect(Statement.slice(2)).toEqual([
      {
        Sid: 'TagAgentSession',
        Effect: 'Allow',
        Principal: { AWS: TENANT_ROLE },
        Action: 'sts:TagSession',
        Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['tenant', 'session'] } },
      },
    ]);
  });

  test('names system principals in the agent pair and, alone, in the internal pair', () => {
    const both = { AWS: [TENANT_ROLE, SYSTEM_ROLE] };
    expect(
      renderTrustPolicy({ scope: ACME, principals: [TENANT_ROLE], systemPrincipals: [SYSTEM_ROLE] }).Statement,
    ).toEqual([
      { ...ASSUME_AS_AGENT, Principal: both },
      {
        Sid: 'SetAgentIdentity',
        Effect: 'Allow',
        Principal: both,
        Action: 'sts:SetSourceIdentity',
        Condition: IN_ACME,
      },
      {
        Sid: 'AssumeAsInternal',
        Effect: 'Allow',
        Principal: { AWS: SYSTEM_ROLE },
        Action: 'sts:AssumeRole',
        Condition: INTERNAL_TO_ACME,
      },
      {
        Sid: 'SetInternalIdentity',
        Effect: 'Allow',
        Principal: { AWS: SYSTEM_ROLE },
        Action: 'sts:SetSourceIdentity',
        Condition: INTERNAL_TO_ACME,
      },
    ]);
  });

  test('of a workflow counts one segment more', () => {
    const { Statement } = renderTrustPolicy({
      scope: createScope({ tenant: 'acme', workflow: 'billing' }),
      principals: [TENANT_ROLE],
    });
    expect(Statement.map(({ Condition }) => Condition)).toEqual(
      Array(2).fill({
        StringLike: { 'sts:SourceIdentity': 'agent.acme.billing.?*' },
        StringNotLike: { 'sts:SourceIdentity': 'agent.acme.billing.*.*' },
      }),
    );
  });

  test('fails when it exceeds the quota, with the numbers', () => {
    const principals = Array.from(
      { length: 12 },
      (_, index) => `arn:aws:iam::111122223333:role/eks-agent-platform/tenants/tenant-role-number-${index}`,
    );
    const refusal = refusalOf(() => renderTrustPolicy({ scope: ACME, principals }));
    expect(refusal.code).toBe('PolicyTooLarge');
    expect(refusal.message).toBe(
      `trust policy must have at most 2048 characters without white space: it has ${refusal.detail['size']}; name fewer principals or session tags`,
    );
  });

  test('is a TypeError for a scope whose names only system principals may carry', () => {
    const internal = createScope({ trafficClass: 'internal', tenant: 'acme' });
    expect(() => renderTrustPolicy({ scope: internal, principals: [TENANT_ROLE] })).toThrow(TypeError);
    const workflow = createScope({ tenant: 'acme', workflow: 'billing' });
    expect(() =>
      renderTrustPolicy({ scope: workflow, principals: [TENANT_ROLE], systemPrincipals: [SYSTEM_ROLE] }),
    ).toThrow(TypeError);
  });
});

describe('the principals of a trust policy', () => {
  test.each([
    'arn:aws:iam::111122223333:root',
    '111122223333',
    '*',
    'arn:aws:iam::111122223333:role/*',
    'arn:aws:iam::111122223333:user/alice',
    'arn:aws:sts::111122223333:assumed-role/hub-acme-tenant/s1',
  ])('fail unless they are exact role ARNs: %s', (principal) => {
    expect(codeOf(() => renderTrustPolicy({ scope: ACME, principals: [principal] }))).toBe('RoleArnInvalid');
  });

  test('fail when there is none', () => {
    expect(refusalOf(() => assertPrincipals([])).message).toBe(
      'trust policy must name at least one role; give the tenant role',
    );
  });

  test('fail when one appears twice, also under another path or in another case', () => {
    for (const again of [
      TENANT_ROLE,
      'arn:aws:iam::111122223333:role/elsewhere/hub-acme-tenant',
      'arn:aws:iam::111122223333:role/tenants/Hub-Acme-Tenant',
    ]) {
      const refusal = refusalOf(() =>
        renderTrustPolicy({ scope: ACME, principals: [TENANT_ROLE], systemPrincipals: [again] }),
      );
      expect(refusal.code).toBe('PrincipalNotAllowed');
      expect(refusal.message).toBe(
        `principal must appear once in a trust policy: "${again}" is named twice and would share its names; remove one`,
      );
    }
  });

  test('may bear one name in two accounts', () => {
    const elsewhere = 'arn:aws:iam::444455556666:role/tenants/hub-acme-tenant';
    expect(codeOf(() => assertPrincipals([TENANT_ROLE, elsewhere]))).toBeUndefined();
  });

  test('fail in another partition than the cluster’s', () => {
    expect(codeOf(() => assertPrincipals([TENANT_ROLE], 'aws'))).toBeUndefined();
    expect(refusalOf(() => assertPrincipals([TENANT_ROLE], 'aws-cn')).message).toBe(
      `principal must be in the cluster's partition aws-cn: "${TENANT_ROLE}" is in aws; roles of another partition cannot assume it`,
    );
  });
});
