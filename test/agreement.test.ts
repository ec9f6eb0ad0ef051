import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../lib/config/parse.ts';
import { createScope } from '../lib/identity/index.ts';
import { startLocalAccount } from '../lib/local/index.ts';
import { type PolicyDocument, parsePolicyDocument, renderTrustPolicy } from '../lib/policy/index.ts';
import { fromSessionBroker } from '../lib/runtime/index.ts';
import { buildApp } from '../lib/stacks/index.ts';
import { type FakeAws, startFakeAws } from './runtime/support/fake-aws.ts';
import {
  BOTH_ALLOW,
  type Deployed,
  decisionsOf,
  deployedTenants,
  describeAgreement,
  expectContract,
  REGION,
  roleArnOf,
  tenantRoleOf,
  tenantRoleSession,
  unconfigured,
  VECTORS,
} from './support/agreement.ts';
import { trustRequests, type ValidSourceIdentity } from './support/contracts.ts';

let folder: string;
let deployed: Deployed;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'session-broker-test-'));
  const config = parseConfig(JSON.stringify(VECTORS), 'tenants.yaml');
  buildApp(config, { outdir: folder }).synth();
  deployed = {
    account: await startLocalAccount({ assembly: folder, config }),
    trust: new Map(deployedTenants.map(({ roleArn, stackName }) => [roleArn, trustInTemplate(stackName)])),
  };
});

afterAll(async () => {
  await deployed?.account.close();
  rmSync(folder, { recursive: true });
});

describe('as it stands in the finished templates', () => describeAgreement(() => deployed));

describe('in scopes that are not configured', () => {
  let fake: FakeAws;

  beforeAll(async () => {
    fake = await startFakeAws();
  });
  afterAll(() => fake?.close());

  test.each(unconfigured)('what the runtime sends satisfies the trust policy: $sourceIdentity', async (vector) => {
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
    expect(decisionsOf(trustOf(vector), roleArn, requester, vector.sourceIdentity)).toEqual(BOTH_ALLOW);
  });

  test.each(trustRequests.filter(({ role }) => role.workflow !== undefined))(
    'the trust policy answers a request as the contract says, by both evaluators: $name',
    (request) => expectContract(request, trustOf(request.role)),
  );
});

function trustInTemplate(stackName: string): PolicyDocument {
  const template = JSON.parse(readFileSync(join(folder, `${stackName}.template.json`), 'utf8')) as {
    Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
  };
  const [role] = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::IAM::Role');
  return parsePolicyDocument(role?.Properties['AssumeRolePolicyDocument'], stackName);
}

function trustOf({ tenant, workflow }: Pick<ValidSourceIdentity, 'tenant' | 'workflow'>): PolicyDocument {
  return renderTrustPolicy({ scope: createScope({ tenant, workflow }), principals: [tenantRoleOf(tenant)] });
}
