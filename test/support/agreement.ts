import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient, STSServiceException } from '@aws-sdk/client-sts';
import { describe, expect, test } from 'vitest';
import { brokerNames, ULID_LENGTH } from '../../lib/identity/index.ts';
import type { LocalAccount } from '../../lib/local/index.ts';
import {
  evaluateAssumeRole,
  type PolicyDocument,
  parsePolicyDocument,
  type Requester,
} from '../../lib/policy/index.ts';
import { fromSessionBroker } from '../../lib/runtime/index.ts';
import { type TrustRequest, trustRequests, validSourceIdentities } from './contracts.ts';
import { independentDecision } from './independent-evaluator.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'us-west-2';
const CLUSTER = 'hub';

/** The vectors of agents' names whose tenants leave room for a ULID, which the configuration asks for. */
const configurable = validSourceIdentities.filter(
  ({ trafficClass, tenant, workflow }) =>
    trafficClass === 'agent' && workflow === undefined && `agent.${tenant}.`.length + ULID_LENGTH <= 64,
);

/** The vectors of agents' names that no tenant of {@link VECTORS} may use. */
export const unconfigured = validSourceIdentities.filter(
  (vector) => vector.trafficClass === 'agent' && !configurable.includes(vector),
);

const tenants = [...new Set([...configurable.map(({ tenant }) => tenant), 'acme', 'globex'])];

/** A configuration with the tenants of the vectors, as a `tenants.yaml` holds it. */
export const VECTORS = {
  clusters: {
    [CLUSTER]: {
      account: ACCOUNT,
      region: REGION,
      rollout: 'general',
      tenants: Object.fromEntries(
        tenants.map((tenant) => [tenant, { attribution: true, tenantRole: tenantRoleOf(tenant) }]),
      ),
    },
  },
};

/** What is named after each tenant of {@link VECTORS}. */
export const deployedTenants = tenants.map((tenant) => {
  const { stackName, roleName } = brokerNames({ cluster: CLUSTER, tenant });
  return { stackName, roleName, roleArn: roleArnOf(tenant), tenantRole: `${tenant}-tenant` };
});

/** Where {@link VECTORS} is deployed. */
export interface Deployed {
  /** An account whose roles trust as these do. */
  readonly account: LocalAccount;
  /** Trust policies by role ARN. */
  readonly trust: ReadonlyMap<string, PolicyDocument>;
}

/**
 * What the runtime sends satisfies the deployed trust policies, and nothing near it does: decided by the local account
 * over the wire, by our evaluator, and by one that shares no code with it.
 */
export function describeAgreement(deployed: () => Deployed): void {
  const trustOf = (tenant: string): PolicyDocument => {
    const trust = deployed().trust.get(roleArnOf(tenant));
    if (trust === undefined) throw new Error(`${roleArnOf(tenant)} has no trust policy`);
    return trust;
  };

  describe('what the runtime sends', () => {
    test.each(configurable)(
      'satisfies the trust policy: $sourceIdentity',
      async ({ tenant, session, sourceIdentity }) => {
        const { account } = deployed();
        const credentials = await fromSessionBroker({
          cluster: CLUSTER,
          tenant,
          session,
          region: REGION,
          endpoint: account.endpoint,
          credentials: account.dispatcherCredentials(CLUSTER, tenant),
        })();
        expect(credentials.accountId).toBe(ACCOUNT);

        const sent = account.events().findLast(({ eventName }) => eventName === 'AssumeRole')?.requestParameters;
        expect(sent).toMatchObject({ roleArn: roleArnOf(tenant), roleSessionName: sourceIdentity, sourceIdentity });
        expect(decisionsOf(trustOf(tenant), roleArnOf(tenant), tenantRoleSession(tenant), sourceIdentity)).toEqual(
          BOTH_ALLOW,
        );
      },
    );
  });

  describe('the trust policy', () => {
    const onTenants = trustRequests.filter(({ role }) => role.workflow === undefined);

    // No role of the same name in another account has credentials here, and the session-broker role none of its own.
    test.each(onTenants.filter(({ caller }) => caller in CREDENTIALS))(
      'answers a request as the contract says, over the wire: $name',
      async ({ role, caller, sourceIdentity, allowed }) => {
        const { account } = deployed();
        const credentials = CREDENTIALS[caller as keyof typeof CREDENTIALS](account, role.tenant);
        const client = new STSClient({ region: REGION, endpoint: account.endpoint, credentials });
        const input: AssumeRoleCommandInput = { RoleArn: roleArnOf(role.tenant), RoleSessionName: 'near-miss' };
        if (sourceIdentity !== null) input.SourceIdentity = sourceIdentity;
        const answer = await client.send(new AssumeRoleCommand(input)).then(
          ({ SourceIdentity }) => SourceIdentity,
          (error: unknown) => (error instanceof STSServiceException ? error.name : error),
        );
        client.destroy();
        expect(answer).toBe(allowed ? sourceIdentity : 'AccessDenied');
      },
    );

    test.each(onTenants)('answers a request as the contract says, by both evaluators: $name', (request) => {
      expectContract(request, trustOf(request.role.tenant));
    });

    test('needs its condition: without it a request without a name is let in', () => {
      const trust = trustOf('acme');
      const loose = { ...trust, Statement: trust.Statement.map(({ Condition, ...statement }) => statement) };
      expect(decisionsOf(loose, roleArnOf('acme'), tenantRoleSession('acme'), undefined)).toEqual(BOTH_ALLOW);
    });
  });
}

const CREDENTIALS = {
  tenantRole: (account: LocalAccount, tenant: string) => account.dispatcherCredentials(CLUSTER, tenant),
  otherTenantRole: (account: LocalAccount) => account.dispatcherCredentials(CLUSTER, 'globex'),
  administrator: (account: LocalAccount) => account.administratorCredentials(ACCOUNT),
};

/** Both evaluators decide a request of the contract as it says. */
export function expectContract({ role, caller, sourceIdentity, allowed }: TrustRequest, trust: PolicyDocument): void {
  const roleArn = roleArnOf(role.tenant, role.workflow);
  const requester: Requester = {
    tenantRole: tenantRoleSession(role.tenant),
    otherTenantRole: tenantRoleSession('globex'),
    sameNameInAnotherAccount: tenantRoleSession(role.tenant, '444455556666'),
    administrator: { kind: 'user', userArn: `arn:aws:iam::${ACCOUNT}:user/administrator` } as const,
    sessionBrokerRole: { kind: 'role-session', roleArn, sessionName: 'agent.acme.s1' } as const,
  }[caller];
  expect(decisionsOf(trust, roleArn, requester, sourceIdentity ?? undefined)).toEqual(
    allowed ? BOTH_ALLOW : BOTH_REFUSE,
  );
}

export const BOTH_ALLOW = { ours: true, independent: true };
const BOTH_REFUSE = { ours: false, independent: false };

/** The caller may do everything on its own side, so that the trust policy alone decides. */
const EVERYTHING = parsePolicyDocument({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
});

/** What both evaluators make of a request under a trust policy. */
export function decisionsOf(
  trust: PolicyDocument,
  roleArn: string,
  requester: Requester,
  sourceIdentity: string | undefined,
): typeof BOTH_ALLOW {
  const ours = evaluateAssumeRole(
    { requester, roleArn, roleSessionName: sourceIdentity ?? 'anonymous', sourceIdentity },
    { identity: [{ name: 'everything', document: EVERYTHING }], resource: { name: 'trust policy', document: trust } },
  );
  const named = sourceIdentity === undefined ? {} : { 'sts:SourceIdentity': sourceIdentity };
  const asked = [
    { action: 'sts:AssumeRole', context: { ...named, 'sts:RoleSessionName': sourceIdentity ?? 'anonymous' } },
    ...(sourceIdentity === undefined ? [] : [{ action: 'sts:SetSourceIdentity', context: named }]),
  ];
  const independent = asked.every(
    ({ action, context }) =>
      independentDecision(
        { requester, action, resource: roleArn, context },
        { identity: [EVERYTHING], resource: trust },
      ) === 'allow',
  );
  return { ours: ours.allowed, independent };
}

/** Without a path: the independent evaluator derives a role from its session's ARN, which has none. */
export function tenantRoleOf(tenant: string, inAccount = ACCOUNT): string {
  return `arn:aws:iam::${inAccount}:role/${tenant}-tenant`;
}

export function tenantRoleSession(tenant: string, inAccount = ACCOUNT): Requester {
  return { kind: 'role-session', roleArn: tenantRoleOf(tenant, inAccount), sessionName: 'dispatcher' };
}

/** Some of the vectors' tenants and workflows are too long for a role's name. */
export function roleArnOf(tenant: string, workflow?: string): string {
  const name = workflow === undefined ? `${CLUSTER}-${tenant}` : `${CLUSTER}-${tenant}-${workflow}`;
  return `arn:aws:iam::${ACCOUNT}:role/session-broker/${name}-session`;
}
