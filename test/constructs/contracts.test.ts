import { describe, expect, test } from 'vitest';
import { createScope, scopePatterns } from '../../lib/identity/index.ts';
import { invalidSourceIdentities, validSourceIdentities } from '../support/contracts.ts';
import { codeOf } from '../support/refusal.ts';
import { acmeRole, templateOf } from './fixture.ts';

/** A session-broker role is a tenant's, which must leave room for a ULID. */
const tenants = new Set(
  validSourceIdentities
    .filter(({ trafficClass, workflow, tenant }) => trafficClass === 'agent' && !workflow && tenant.length <= 31)
    .map(({ tenant }) => tenant),
);
const refusedTenants = invalidSourceIdentities
  .filter(({ code }) => code.startsWith('Tenant'))
  .map(({ sourceIdentity, code }) => ({ tenant: sourceIdentity.split('.')[1] ?? '', code }));

describe('a session-broker role', () => {
  test.each([...tenants])('is made for a tenant of the contract, with the condition of its scope: %s', (tenant) => {
    const { Resources: resources = {} } = templateOf(({ stack }) => acmeRole(stack, { tenant }));
    const [role] = Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Role');
    const { stringLike, stringNotLike } = scopePatterns(createScope({ tenant }));
    const condition = {
      StringLike: { 'sts:SourceIdentity': stringLike },
      StringNotLike: { 'sts:SourceIdentity': stringNotLike },
    };
    expect(role?.Properties['AssumeRolePolicyDocument']).toMatchObject({
      Statement: [{ Condition: condition }, { Condition: condition }],
    });
  });

  test.each(refusedTenants)(
    'fails for a tenant that the contract refuses, with its code $code: $tenant',
    ({ tenant, code }) => {
      expect(codeOf(() => templateOf(({ stack }) => acmeRole(stack, { tenant })))).toBe(code);
    },
  );
});
