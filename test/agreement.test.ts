import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient, STSServiceException } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../lib/config/parse.ts';
import { brokerNames, createScope, ULID_LENGTH } from '../lib/identity/index.ts';
import { type LocalAccount, startLocalAccount } from '../lib/local/index.ts';
import {
  evaluateAssumeRole,
  type PolicyDocument,
  parsePolicyDocument,
  type Requester,
  renderTrustPolicy,
} from '../lib/policy/index.ts';
import { fromSessionBroker } from '../lib/runtime/index.ts';
import { buildApp } from '../lib/stacks/index.ts';
import { type FakeAws, startFakeAws } from './runtime/support/fake-aws.ts';
import { trustRequests, type ValidSourceIdentity, validSourceIdentities } from './support/contracts.ts';
import { independentDecision } from './support/independent-evaluator.ts';

// What the runtime sends satisfies what the constructs synthesize, and nothing near it does: decided by the local
// account over the wire, by our evaluator, and by one that shares no code with it.

const ACCOUNT = '111122223333';
const REGION = 'us-west-2';
const CLUSTER = 'hub';

/** Tenants of the vectors that leave room for a ULID, which the configuration asks for. */
const agents = validSourceIdentities.filter(({ trafficClass }) => trafficClass === 'agent');
const configurable = agents.filter(({ tenant, workflow }) => workflow === undefined && fitsUlid(tenant));
const others = agents.filter((vector) => !configurable.includes(vector));
const tenants = [...new Set([...configurable.map(({ tenant }) => tenant), 'acme', 'globex'])];

const config = parseConfig(
  JSON.stringify({
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
  }),
  'tenants.yaml',
);

let folder: string;
let account: LocalAccount;
let fake: FakeAws;
/** The trust policies as they stand in the finished templates, by role ARN. */
let synthesizedTrust: ReadonlyMap<string, PolicyDocument>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'session-broker-test-'));
  buildApp(config, { outdir: folder }).synth();
  synthesizedTrust = new Map(tenants.map((tenant) => [roleArnOf(tenant), trustInTemplate(tenant)]));
  account = await startLocalAccount({ assembly: folder, config });
  fake = await startFakeAws();
});

afterAll(async () => {
  await account?.close();
  await fake?.close();
  rmSync(folder, { recursive: true });
});

describe('what the runtime sends', () => {
  test.each(configurable)(
    'satisfies the synthesized trust policy: $sourceIdentity',
    async ({ tenant, session, sourceIdentity }) => {
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
      expect(decisionsOf(roleArnOf(tenant), tenantRoleSession(tenant), sourceIdentity)).toEqual(BOTH_ALLOW);
    },
  );

  test.each(others)('satisfies the trust policy of a scope that is not configured: $sourceIdentity', async (vector) => {
    // Some of these tenants are too long for a role's name.
    const roleArn = roleArnOf('other');
    await fromSessionBroker({
      tenant: vector.tenant,
      ...(vector.workflow === undefined ? {} : { workflow: vector.workflow }),
      session: vector.session,
      roleArn,
      region: REGION,
      endpoint: fake.endpoint,
      credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' },
    })();
    const sent = fake.requests.at(-1)?.parameters ?? {};
    expect(sent).toMatchObject({
      RoleArn: roleArn,
      RoleSessionName: vector.sourceIdentity,
      SourceIdentity: vector.sourceIdentity,
    });
    const requester = tenantRoleSession(vector.tenant);
    expect(decisionsOf(roleArn, requester, vector.sourceIdentity, trustOf(vector))).toEqual(BOTH_ALLOW);
  });
});

describe('the synthesized trust policy', () => {
  const onTenantRoles = trustRequests.filter(({ role }) => role.workflow === undefined);

  test.each(onTenantRoles)(
    'answers a request as the contract says, over the wire: $name',
    async ({ role, caller, sourceIdentity, allowed }) => {
      // No role of the same name in another account has credentials here.
      if (caller === 'sameNameInAnotherAccount' || caller === 'sessionBrokerRole') return;
      const credentials = {
        tenantRole: () => account.dispatcherCredentials(CLUSTER, role.tenant),
        otherTenantRole: () => account.dispatcherCredentials(CLUSTER, 'globex'),
        administrator: () => account.administratorCredentials(ACCOUNT),
      }[caller]();
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

  test.each(trustRequests)(
    'answers a request as the contract says, by both evaluators: $name',
    ({ role, caller, sourceIdentity, allowed }) => {
      const roleArn = roleArnOf(role.tenant, role.workflow);
      const requester: Requester = {
        tenantRole: tenantRoleSession(role.tenant),
        otherTenantRole: tenantRoleSession('globex'),
        sameNameInAnotherAccount: tenantRoleSession(role.tenant, '444455556666'),
        administrator: { kind: 'user', userArn: `arn:aws:iam::${ACCOUNT}:user/administrator` } as const,
        sessionBrokerRole: { kind: 'role-session', roleArn, sessionName: 'agent.acme.s1' } as const,
      }[caller];
      const trust = role.workflow === undefined ? undefined : trustOf(role);
      expect(decisionsOf(roleArn, requester, sourceIdentity ?? undefined, trust)).toEqual(
        allowed ? BOTH_ALLOW : BOTH_REFUSE,
      );
    },
  );

  test('needs its condition: without it a request without a name is let in', () => {
    const roleArn = roleArnOf('acme');
    const trust = synthesizedTrust.get(roleArn) as PolicyDocument;
    const loose = { ...trust, Statement: trust.Statement.map(({ Condition, ...statement }) => statement) };
    expect(decisionsOf(roleArn, tenantRoleSession('acme'), undefined, loose)).toEqual(BOTH_ALLOW);
  });
});

const BOTH_ALLOW = { ours: true, independent: true };
const BOTH_REFUSE = { ours: false, independent: false };

/** The caller may do everything on its own side, so that the trust policy alone decides. */
const EVERYTHING = parsePolicyDocument({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
});

function decisionsOf(
  roleArn: string,
  requester: Requester,
  sourceIdentity: string | undefined,
  trust: PolicyDocument | undefined = synthesizedTrust.get(roleArn),
): typeof BOTH_ALLOW {
  if (trust === undefined) throw new Error(`no trust policy of ${roleArn} was synthesized`);
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

function trustInTemplate(tenant: string): PolicyDocument {
  const { stackName } = brokerNames({ cluster: CLUSTER, tenant });
  const template = JSON.parse(readFileSync(join(folder, `${stackName}.template.json`), 'utf8')) as {
    Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
  };
  const [role] = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::IAM::Role');
  return parsePolicyDocument(role?.Properties['AssumeRolePolicyDocument'], stackName);
}

function trustOf({ tenant, workflow }: Pick<ValidSourceIdentity, 'tenant' | 'workflow'>): PolicyDocument {
  return renderTrustPolicy({ scope: createScope({ tenant, workflow }), principals: [tenantRoleOf(tenant)] });
}

/** Without a path: the independent evaluator derives a role from its session's ARN, which has none. */
function tenantRoleOf(tenant: string, inAccount = ACCOUNT): string {
  return `arn:aws:iam::${inAccount}:role/${tenant}-tenant`;
}

function tenantRoleSession(tenant: string, inAccount = ACCOUNT): Requester {
  return { kind: 'role-session', roleArn: tenantRoleOf(tenant, inAccount), sessionName: 'dispatcher' };
}

function roleArnOf(tenant: string, workflow?: string): string {
  const name = workflow === undefined ? `${CLUSTER}-${tenant}` : `${CLUSTER}-${tenant}-${workflow}`;
  return `arn:aws:iam::${ACCOUNT}:role/session-broker/${name}-session`;
}

function fitsUlid(tenant: string): boolean {
  return 'agent.'.length + tenant.length + 1 + ULID_LENGTH <= 64;
}
