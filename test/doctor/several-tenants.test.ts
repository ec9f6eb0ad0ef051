import { describe, expect, test } from 'vitest';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { ACCOUNT, REGION, World } from './world.ts';

isolateEnvironment();

const TENANTS = ['acme', 'globex', 'initech'];
const BOUNDARY = `arn:aws:iam::${ACCOUNT}:policy/edge`;

/** Three tenants whose roles have one boundary, and whose sessions go on to one role. */
const SHARED = `
clusters:
  hub:
    account: "${ACCOUNT}"
    region: ${REGION}
    rollout: general
    permissionsBoundary: ${BOUNDARY}
    tenants:
${TENANTS.map(
  (name) => `      ${name}:
        attribution: true
        tenantRole: arn:aws:iam::${ACCOUNT}:role/tenants/hub-${name}-tenant
        models: [amazon.nova-lite-v1:0]
        chainTo: ["arn:aws:iam::${ACCOUNT}:role/shared/reader"]
`,
).join('')}`;

async function sharedWorld(): Promise<World> {
  return World.start(SHARED, async (world) => {
    await world.createPolicy(
      'edge',
      { Sid: 'Storage', Effect: 'Allow', Action: 's3:*', Resource: '*' },
      { Sid: 'NoRoles', Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' },
    );
    for (const name of TENANTS) {
      const words = ['--role-name', `hub-${name}-tenant`, '--permissions-boundary', BOUNDARY];
      await world.aws('iam', 'put-role-permissions-boundary', ...words);
    }
    const Statement = [{ Effect: 'Deny', Principal: '*', Action: 'sts:TagSession' }];
    const document = JSON.stringify({ Version: '2012-10-17', Statement });
    await world.aws('iam', 'update-assume-role-policy', '--role-name', 'reader', '--policy-document', document);
  });
}

describe('policies that several tenants share', () => {
  test('are repaired for all of them by each fix, so that each is run once, in any order', async () => {
    const inOrder = await sharedWorld();
    const findings = await inOrder.findings();
    const codes = ['BoundaryDeniesHop', 'BoundaryOmitsHop', 'BoundaryHidesPermissions', 'ChainRoleRefuses'];
    expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(codes));
    expect(findings).toHaveLength(TENANTS.length * codes.length);

    const commands = findings.filter(({ code }) => code.startsWith('Boundary')).map(({ fix }) => fix.commands);
    expect(new Set(commands.map((list) => list.join()))).toHaveLength(1);
    await inOrder.applyAll(findings);
    expect(await inOrder.findings()).toEqual([]);

    const backwards = await sharedWorld();
    await backwards.applyAll((await backwards.findings()).toReversed());
    expect(await backwards.findings()).toEqual([]);
  });

  test('are repaired for one tenant on top of what another has in them', async () => {
    const world = await sharedWorld();
    for (const tenant of TENANTS) {
      await world.applyAll(await world.findings('--tenant', tenant));
    }
    expect(await world.findings()).toEqual([]);
  });
});

describe('some of the tenants', () => {
  test('are examined where they are named, and leftovers are not looked for', async () => {
    const world = await sharedWorld();
    await world.undeploy('SessionBroker-hub-initech');
    world.configure('clusters.hub.tenants.globex', undefined);
    expect((await world.report('--tenant', 'initech')).findings.map(({ code, tenant }) => [code, tenant])).toEqual([
      ['NotDeployed', 'initech'],
      ['NamesFree', 'initech'],
    ]);
    const whole = await world.findings('--cluster', 'hub');
    expect(whole.filter(({ code }) => code === 'DeployedThoughNotInFile').map(({ tenant }) => tenant)).toEqual([
      'globex',
    ]);
  });

  test('are in accounts that the credentials are not of, which is said', async () => {
    const world = await sharedWorld();
    world.yaml += `
  edge:
    account: "444455556666"
    region: eu-west-1
    tenants:
      umbrella:
        attribution: true
        tenantRole: arn:aws:iam::444455556666:role/umbrella
`;
    const { tenants, notChecked } = await world.report();
    expect(tenants.map(({ tenant }) => tenant)).toEqual(TENANTS);
    expect(notChecked).toEqual([
      {
        cluster: 'edge',
        check: 'its tenants',
        missing: `it is in account 444455556666, and the credentials are of ${ACCOUNT}; run doctor with credentials of that account too`,
      },
    ]);

    const { exitCode, stderr, stdout } = await world.doctor('--cluster', 'edge');
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      `error: credentials must be of the account of a cluster: "arn:aws:iam::${ACCOUNT}:user/administrator" is of none, and the configuration has edge in 444455556666; give others by --profile or AWS_PROFILE, or files by --from [UsageInvalid]\n`,
    );
  });
});
