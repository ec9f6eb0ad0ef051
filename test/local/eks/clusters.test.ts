import {
  CreateAccessEntryCommand,
  DeleteAccessEntryCommand,
  DescribeAccessEntryCommand,
  DescribeClusterCommand,
  DescribeUpdateCommand,
  ListAccessEntriesCommand,
  UpdateClusterConfigCommand,
} from '@aws-sdk/client-eks';
import { PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../lib/config/parse.ts';
import type { AuthenticationMode, LocalAccount } from '../../../lib/local/index.ts';
import { eksClient, iamClient, notAuthorized, sdkRefusal } from '../clients.ts';
import { ACCOUNT, DATA_ROLE, OTHER_ACCOUNT, REGION, startFixture } from '../fixture.ts';

const CLUSTER = `arn:aws:eks:${REGION}:${ACCOUNT}:cluster/hub`;

function describeCluster(account: LocalAccount, name = 'hub', client = eksClient(account)) {
  return client.send(new DescribeClusterCommand({ name }));
}

function update(account: LocalAccount, authenticationMode: AuthenticationMode) {
  return eksClient(account).send(new UpdateClusterConfigCommand({ name: 'hub', accessConfig: { authenticationMode } }));
}

/** Of the tokens of a cluster's service accounts. */
function issuerOf(account: LocalAccount, cluster: string): unknown {
  const [, claims = ''] = account.mintWebIdentityToken(cluster, 'acme').split('.');
  return JSON.parse(Buffer.from(claims, 'base64url').toString()).iss;
}

describe('DescribeCluster', () => {
  test('tells the mode and the issuer of the tokens', async () => {
    const account = await startFixture();

    const { cluster } = await describeCluster(account);

    expect(cluster).toEqual({
      name: 'hub',
      arn: CLUSTER,
      createdAt: expect.any(Date),
      status: 'ACTIVE',
      accessConfig: { authenticationMode: 'API_AND_CONFIG_MAP' },
      identity: {
        oidc: { issuer: expect.stringMatching(/^https:\/\/oidc\.eks\.us-west-2\.amazonaws\.com\/id\/[0-9A-F]{32}$/) },
      },
      tags: {},
    });
    expect(issuerOf(account, 'hub')).toBe(cluster?.identity?.oidc?.issuer);
    expect(account.events().at(-1)).toMatchObject({
      eventSource: 'eks.amazonaws.com',
      eventName: 'DescribeCluster',
      awsRegion: REGION,
      readOnly: true,
      requestParameters: { name: 'hub' },
    });
  });

  test("knows it by EKS's own name, which two clusters of the configuration may share", async () => {
    const clusters = ['hub', 'spoke', 'other'].map((name) => {
      const tenantRole = `arn:aws:iam::${ACCOUNT}:role/${name}-acme-tenant`;
      const tenants = { acme: { tenantRole } };
      const eks = name === 'other' ? {} : { eks: { clusterName: 'shared' } };
      return [name, { account: ACCOUNT, region: REGION, ...eks, tenants }];
    });
    const config = parseConfig(JSON.stringify({ clusters: Object.fromEntries(clusters) }), 'tenants.yaml');
    const account = await startFixture({ config });

    const { cluster } = await describeCluster(account, 'shared');

    for (const name of ['hub', 'spoke']) expect(issuerOf(account, name)).toBe(cluster?.identity?.oidc?.issuer);
    expect(issuerOf(account, 'other')).not.toBe(cluster?.identity?.oidc?.issuer);
    expect(await sdkRefusal(describeCluster(account, 'hub'))).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test.each([
    ['another name', 'absent', ACCOUNT, REGION],
    ['another Region', 'hub', ACCOUNT, 'us-east-1'],
    ['another account', 'hub', OTHER_ACCOUNT, REGION],
  ])('fails in %s', async (_, name, accountId, region) => {
    const account = await startFixture();
    const client = eksClient(account, account.administratorCredentials(accountId), region);

    expect(await sdkRefusal(describeCluster(account, name, client))).toMatchObject({
      name: 'ResourceNotFoundException',
      status: 404,
      message: `No cluster found for name: ${name}.`,
    });
  });

  test('fails for who may not, whether or not there is such a cluster', async () => {
    const account = await startFixture();
    const client = eksClient(account, account.dispatcherCredentials('hub', 'acme'));
    const caller = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`;

    for (const name of ['hub', 'absent']) {
      const cluster = CLUSTER.replace('hub', name);
      expect(await sdkRefusal(describeCluster(account, name, client))).toMatchObject({
        name: 'AccessDeniedException',
        status: 403,
        message: `${notAuthorized(caller, 'eks:DescribeCluster', cluster)} because no identity-based policy allows the eks:DescribeCluster action`,
      });
    }
  });

  test('is allowed by a policy on its ARN', async () => {
    const account = await startFixture();
    const document = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'eks:DescribeCluster', Resource: CLUSTER }],
    };
    await iamClient(account).send(
      new PutRolePolicyCommand({
        RoleName: 'hub-acme-tenant',
        PolicyName: 'eks',
        PolicyDocument: JSON.stringify(document),
      }),
    );
    const client = eksClient(account, account.dispatcherCredentials('hub', 'acme'));

    expect((await describeCluster(account, 'hub', client)).cluster?.arn).toBe(CLUSTER);
  });
});

describe('UpdateClusterConfig', () => {
  test('goes on to the next mode, at once, and answers with an update', async () => {
    const account = await startFixture({ authenticationMode: 'CONFIG_MAP' });

    const { update: changed } = await update(account, 'API_AND_CONFIG_MAP');

    expect(changed).toMatchObject({
      status: 'InProgress',
      type: 'AccessConfigUpdate',
      params: [{ type: 'AuthenticationMode', value: '"API_AND_CONFIG_MAP"' }],
      errors: [],
    });
    expect((await describeCluster(account)).cluster?.accessConfig).toEqual({
      authenticationMode: 'API_AND_CONFIG_MAP',
    });
    const described = await eksClient(account).send(new DescribeUpdateCommand({ name: 'hub', updateId: changed?.id }));
    expect(described.update).toMatchObject({ id: changed?.id, status: 'Successful' });
    await update(account, 'API');
    expect(account.events().at(-1)).toMatchObject({
      eventName: 'UpdateClusterConfig',
      readOnly: false,
      requestParameters: { name: 'hub', accessConfig: { authenticationMode: 'API' } },
    });
  });

  test.each<[AuthenticationMode, AuthenticationMode]>([
    ['API_AND_CONFIG_MAP', 'CONFIG_MAP'],
    ['API_AND_CONFIG_MAP', 'API_AND_CONFIG_MAP'],
    ['API', 'API_AND_CONFIG_MAP'],
    ['CONFIG_MAP', 'API'],
  ])('fails from %s to %s', async (from, to) => {
    const account = await startFixture({ authenticationMode: from });

    expect(await sdkRefusal(update(account, to))).toMatchObject({
      name: 'InvalidParameterException',
      status: 400,
      message: `Unsupported authentication mode update from ${from} to ${to}`,
    });
    expect((await describeCluster(account)).cluster?.accessConfig?.authenticationMode).toBe(from);
  });

  test('fails for a mode that there is not, and for what is not modelled', async () => {
    const account = await startFixture();

    expect(await sdkRefusal(update(account, 'BOTH' as 'API'))).toMatchObject({
      name: 'InvalidParameterException',
      message:
        "1 validation error detected: Value 'BOTH' at 'authenticationMode' failed to satisfy constraint: Member must satisfy enum value set: [CONFIG_MAP, API_AND_CONFIG_MAP, API]",
    });
    const other = new UpdateClusterConfigCommand({ name: 'hub', deletionProtection: true });
    expect(await sdkRefusal(eksClient(account).send(other))).toMatchObject({
      name: 'NotModelled',
      message:
        'the strict local account does not model the parameter deletionProtection of eks:UpdateClusterConfig; see docs/local-account.md',
    });
  });
});

test('a cluster without access entries refuses all that is about one', async () => {
  const account = await startFixture({ authenticationMode: 'CONFIG_MAP' });
  const client = eksClient(account);
  const entry = { clusterName: 'hub', principalArn: DATA_ROLE };

  for (const call of [
    client.send(new ListAccessEntriesCommand({ clusterName: 'hub' })),
    client.send(new CreateAccessEntryCommand(entry)),
    client.send(new DescribeAccessEntryCommand(entry)),
    client.send(new DeleteAccessEntryCommand(entry)),
  ]) {
    expect(await sdkRefusal(call)).toMatchObject({
      name: 'InvalidRequestException',
      status: 400,
      message:
        "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
    });
  }
});
