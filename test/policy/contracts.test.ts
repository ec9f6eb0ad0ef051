import { describe, expect, test } from 'vitest';
import { createScope, parseSourceIdentity } from '../../lib/identity/index.ts';
import { evaluateAssumeRole, parsePolicyDocument, type Requester, renderTrustPolicy } from '../../lib/policy/index.ts';
import { type TrustRequest, trustRequests, validSourceIdentities } from '../support/contracts.ts';

const ACCOUNT = '111122223333';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-acme-session`;
const EVERYTHING = parsePolicyDocument({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
});

const tenantRole = (tenant: string, account = ACCOUNT): string => `arn:aws:iam::${account}:role/${tenant}`;
const sessionOf = (roleArn: string): Requester => ({ kind: 'role-session', roleArn, sessionName: 'dispatcher' });

function isAdmitted(scope: TrustRequest['role'], requester: Requester, sourceIdentity: string | undefined): boolean {
  const document = renderTrustPolicy({ scope: createScope(scope), principals: [tenantRole(scope.tenant)] });
  return evaluateAssumeRole(
    { requester, roleArn: ROLE, roleSessionName: 'any', sourceIdentity },
    { identity: [{ name: 'everything', document: EVERYTHING }], resource: { name: 'trust policy', document } },
  ).allowed;
}

describe('the rendered trust policy', () => {
  test.each(trustRequests)('answers as the contract says: $name', ({ role, caller, sourceIdentity, allowed }) => {
    const requester: Requester = {
      tenantRole: sessionOf(tenantRole(role.tenant)),
      otherTenantRole: sessionOf(tenantRole('globex')),
      sameNameInAnotherAccount: sessionOf(tenantRole(role.tenant, '444455556666')),
      administrator: { kind: 'user', userArn: `arn:aws:iam::${ACCOUNT}:user/administrator` } as const,
      sessionBrokerRole: sessionOf(ROLE),
    }[caller];
    expect(isAdmitted(role, requester, sourceIdentity ?? undefined)).toBe(allowed);
  });

  test.each(validSourceIdentities.filter(({ trafficClass }) => trafficClass === 'agent'))(
    'admits a name under its own scope alone: $sourceIdentity',
    ({ tenant, workflow, sourceIdentity }) => {
      const { trafficClass: _, ...scope } = parseSourceIdentity(sourceIdentity);
      expect(isAdmitted(scope, sessionOf(tenantRole(tenant)), sourceIdentity)).toBe(true);
      const other = workflow === undefined ? { tenant: tenant === 'other' ? 'another' : 'other' } : { tenant };
      expect(isAdmitted(other, sessionOf(tenantRole(tenant)), sourceIdentity)).toBe(false);
    },
  );
});
