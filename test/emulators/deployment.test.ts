import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Config } from '../../lib/config/config.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { type Account, contentsOf, withDeployed, withoutTenant } from './account.ts';
import { allowing, createRole, type Deployments, iam, startDeployments, succeeded } from './deployments.ts';
import { type Finished, hasPythonTools } from './python-tools.ts';

// One story: each test goes on from what the one before it has deployed.

const ACCOUNT = '111122223333';
const REGION = 'us-west-2';
const tenantRole = (tenant: string) => `arn:aws:iam::${ACCOUNT}:role/tenants/hub-${tenant}-tenant`;
const brokerRole = (tenant: string) => `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-${tenant}-session`;
const policy = (name: string) => `arn:aws:iam::${ACCOUNT}:policy/${name}`;

type Keys = Readonly<Record<string, unknown>>;

/** A configuration with these keys of its cluster and its tenants beside those that it needs. */
function configuration(cluster: Keys, tenants: Readonly<Record<string, Keys>>): Keys {
  const needed = ([name, keys]: [string, Keys]) => [name, { tenantRole: tenantRole(name), ...keys }];
  return {
    clusters: {
      hub: {
        account: ACCOUNT,
        region: REGION,
        rollout: 'general',
        eks: { clusterName: 'Hub' },
        ...cluster,
        tenants: Object.fromEntries(Object.entries(tenants).map(needed)),
      },
    },
  };
}

function parsed(given: Keys): Config {
  return parseConfig(JSON.stringify(given), 'tenants.yaml');
}

const CLUSTER = { permissionsBoundary: policy('edge'), terminationProtection: true, tags: { team: 'platform' } };
const ACME = {
  attribution: true,
  models: ['amazon.nova-lite-v1:0'],
  inferenceProfiles: { 'us.anthropic.claude-sonnet-4-5-20250929-v1:0': ['us-east-1', 'us-west-2'] },
  chainTo: [`arn:aws:iam::${ACCOUNT}:role/data/reader`],
  statements: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::docs/*' }],
  managedPolicies: [policy('docs')],
  eks: { kubernetesGroups: ['agents'] },
  tags: { owner: 'acme' },
};
const GLOBEX = { attribution: true };
const INITECH = {};
const OUT = { attribution: false };
const FIRST = configuration(CLUSTER, { acme: ACME, globex: GLOBEX, initech: INITECH });

const BOUND = { ...ACME, models: [...ACME.models, 'amazon.nova-pro-v1:0'], roleSessionName: 'bound' };
const SECOND = configuration(CLUSTER, { acme: BOUND, globex: GLOBEX, initech: INITECH });

/** Everything else that may change in place. */
const OTHER_CLUSTER = { permissionsBoundary: policy('rim'), tags: { stage: 'production' } };
const OTHER_ACME = {
  ...BOUND,
  inferenceProfiles: {},
  chainTo: [],
  statements: [{ Effect: 'Deny', Action: 's3:DeleteObject', Resource: '*' }],
  managedPolicies: [policy('reports')],
  eks: { kubernetesGroups: ['writers', 'readers'] },
  callerPolicy: 'external',
  tags: { owner: 'platform' },
};
const THIRD = configuration(OTHER_CLUSTER, { acme: OTHER_ACME, globex: GLOBEX, initech: INITECH });

/** A tenant that is deployed late, and whose tenant role is in another account. */
const OTHER_ACCOUNT = '444455556666';
const LATE = {
  attribution: true,
  tenantRole: `arn:aws:iam::${OTHER_ACCOUNT}:role/tenants/hub-initech-tenant`,
  callerPolicy: 'external',
  managedPolicies: [policy('docs')],
  eks: {},
};
const FOURTH = configuration(OTHER_CLUSTER, { acme: OTHER_ACME, globex: GLOBEX, initech: LATE });

describe.skipIf(!hasPythonTools)('the CDK CLI, on an emulated account,', { timeout: 120_000 }, () => {
  let deployments: Deployments;
  /** What the account holds before anything of ours is deployed. */
  let bare: Account;
  /** What it holds now. */
  let account: Account;

  const deploy = (given: Keys, environment = {}) =>
    deployments.cdk(given, ['deploy', '--all', '--require-approval', 'never'], environment);
  const readAgain = async () => {
    const before = account;
    account = await deployments.read();
    return before;
  };

  /** The commands that doctor prints for a finding, which it makes with the account and without. */
  const fixOf = async (code: string, tenant: string, given: Keys) => {
    const [live, offline] = await Promise.all([
      deployments.doctor(given, 'live'),
      deployments.doctor(given, 'offline'),
    ]);
    const [found, foundOffline] = [live, offline].map((findings) => findings.find((one) => one.code === code));
    expect(found).toMatchObject({ code, tenant });
    expect(foundOffline).toEqual(found);
    return found?.fix.commands ?? [];
  };

  beforeAll(async () => {
    deployments = await startDeployments(ACCOUNT, REGION);
    await deployments.callIn(OTHER_ACCOUNT, createRole('hub-initech-tenant', '/tenants/'));
    await deployments.call(
      ...['acme', 'globex'].map((tenant) => createRole(`hub-${tenant}-tenant`, '/tenants/')),
      createRole('cluster'),
      ...['edge', 'rim', 'docs', 'reports'].map((PolicyName) =>
        iam('create_policy', { PolicyName, PolicyDocument: allowing({ Action: 's3:ListBucket', Resource: '*' }) }),
      ),
      {
        service: 'eks',
        operation: 'create_cluster',
        parameters: {
          name: 'Hub',
          roleArn: `arn:aws:iam::${ACCOUNT}:role/cluster`,
          resourcesVpcConfig: {},
          accessConfig: { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: false },
        },
      },
    );
  }, 60_000);
  afterAll(() => deployments?.close());

  test('bootstraps the account', async () => {
    succeeded(await deployments.cdk(FIRST, ['bootstrap', `aws://${ACCOUNT}/${REGION}`]));

    bare = account = await deployments.read();
    expect(Object.keys(bare.stacks)).toEqual(['CDKToolkit']);
  });

  test('deploys two tenants, and nothing of one that is not opted in', async () => {
    // As a user's own deployment does, with CDK's validator.
    succeeded(await deploy(FIRST, { CDK_VALIDATION: 'true' }));

    await readAgain();
    expect(contentsOf(account)).toEqual(withDeployed(bare, parsed(FIRST)));
  });

  test('changes nothing where nothing has changed', async () => {
    succeeded(await deploy(FIRST));

    expect(await readAgain()).toEqual(account);
  });

  test('adds a model and binds names in one tenant, whose role stays the same, and touches no other', async () => {
    succeeded(await deploy(SECOND));

    const before = await readAgain();
    expect(contentsOf(account)).toEqual(withDeployed(bare, parsed(SECOND)));
    expect(account.roles[brokerRole('acme')]?.revision).toEqual(before.roles[brokerRole('acme')]?.revision);
    expect(without('acme', account)).toEqual(without('acme', before));
  });

  test('fails to opt out a tenant whose stack is protected, and leaves everything as it was', async () => {
    const given = configuration(CLUSTER, { acme: BOUND, globex: OUT, initech: INITECH });

    expect(failure(await deploy(given))).toContain('TerminationProtection is enabled');

    expect(await readAgain()).toEqual(account);
  });

  test('changes all else that may change, in both tenants', async () => {
    succeeded(await deploy(THIRD));

    await readAgain();
    expect(contentsOf(account)).toEqual(withDeployed(bare, parsed(THIRD)));
  });

  test('fails to update a tenant whose tenant role does not exist, and leaves everything as it was', async () => {
    const globex = { ...GLOBEX, models: ACME.models, tenantRole: tenantRole('absent') };
    const wrong = configuration(OTHER_CLUSTER, { acme: OTHER_ACME, globex, initech: INITECH });

    expect(failure(await deploy(wrong))).toContain(`Invalid principal in policy: "AWS":"${tenantRole('absent')}"`);

    const before = await readAgain();
    expect(contentsOf(account)).toEqual(contentsOf(before));
    expect(without('globex', account)).toEqual(without('globex', before));
  });

  test('fails to deploy a tenant with a managed policy that does not exist, and touches no other', async () => {
    const initech = { ...LATE, managedPolicies: [policy('absent')] };
    const wrong = configuration(OTHER_CLUSTER, { acme: OTHER_ACME, globex: GLOBEX, initech });

    expect(failure(await deploy(wrong))).toContain(`Policy ${policy('absent')} does not exist or is not attachable.`);

    const before = await readAgain();
    expect(without('initech', account)).toEqual(before);
    expect(account.roles).not.toHaveProperty([brokerRole('initech')]);
  });

  test('deploys that tenant once it is mended', async () => {
    succeeded(await deploy(FOURTH));

    await readAgain();
    expect(contentsOf(account)).toEqual(withDeployed(bare, parsed(FOURTH)));
  });

  test('sees no change where a tenant role was made anew; what doctor prints mends the trust', async () => {
    const onTenantRole = { RoleName: 'hub-globex-tenant' };
    const attachment = { ...onTenantRole, PolicyArn: policy('session-broker/hub-globex-caller') };
    await deployments.call(
      iam('detach_role_policy', attachment),
      iam('delete_role', onTenantRole),
      createRole('hub-globex-tenant', '/tenants/'),
      iam('attach_role_policy', attachment),
    );

    succeeded(await deploy(FOURTH));

    const before = await readAgain();
    const trust = JSON.stringify(account.roles[brokerRole('globex')]?.trust);
    expect(trust).toContain('"AWS":"AROA');
    expect(trust).not.toContain(tenantRole('globex'));

    await deployments.shell(await fixOf('TrustNamesDeletedRole', 'globex', FOURTH));
    await readAgain();
    expect(contentsOf(account)).toEqual(contentsOf(before));
  });

  test('removes all of a tenant that is opted out, and touches no other', async () => {
    const given = configuration(OTHER_CLUSTER, { acme: OTHER_ACME, globex: GLOBEX, initech: OUT });

    succeeded(await deploy(given));

    const before = await readAgain();
    expect(contentsOf(account)).toEqual(withDeployed(bare, parsed(given)));
    expect(without('initech', account)).toEqual(without('initech', before));
  });

  test('leaves a tenant as it was that is no longer in the file; what doctor prints removes it', async () => {
    const given = configuration(OTHER_CLUSTER, { acme: OTHER_ACME });

    succeeded(await deploy(given));

    expect(await readAgain()).toEqual(account);

    await deployments.shell(await fixOf('DeployedThoughNotInFile', 'globex', given));
    const before = await readAgain();
    expect(contentsOf(account)).toEqual(withDeployed(bare, parsed(given)));
    expect(without('globex', account)).toEqual(without('globex', before));
  });

  test('fails to opt out a tenant while others have attached to what it has, and then removes the rest', async () => {
    const given = configuration(OTHER_CLUSTER, { acme: OUT });
    const attachment = { RoleName: 'hub-acme-tenant', PolicyArn: policy('session-broker/hub-acme-caller') };
    await deployments.call(iam('attach_role_policy', attachment));

    expect(failure(await deploy(given))).toContain('Cannot delete a policy attached to entities.');

    await deployments.call(iam('detach_role_policy', attachment));
    succeeded(await deploy(given));
    await readAgain();
    expect(contentsOf(account)).toEqual(withDeployed(bare, parsed(given)));
  });

  test('makes all of them anew, and destroys them', async () => {
    succeeded(await deploy(FOURTH));
    await readAgain();
    expect(contentsOf(account)).toEqual(withDeployed(bare, parsed(FOURTH)));

    succeeded(await deployments.cdk(FOURTH, ['destroy', '--all', '--force']));

    await readAgain();
    expect(contentsOf(account)).toEqual(contentsOf(bare));
  });
});

function without(tenant: string, account: Account): Account {
  return withoutTenant(account, parsed(FIRST), tenant);
}

/** What the CLI says where it must fail. */
function failure({ exitCode, stdout, stderr }: Finished): string {
  expect(exitCode).not.toBe(0);
  return stdout + stderr;
}
