import {
  CreatePodIdentityAssociationCommand,
  type CreatePodIdentityAssociationCommandInput,
  DescribePodIdentityAssociationCommand,
  type EKSClient,
  ListPodIdentityAssociationsCommand,
  type ListPodIdentityAssociationsCommandInput,
  UpdatePodIdentityAssociationCommand,
} from '@aws-sdk/client-eks';
import { PutRolePolicyCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import type { LocalAccount } from '../../../lib/local/index.ts';
import { eksClient, iamClient, sdkRefusal } from '../clients.ts';
import { ACCOUNT, ACME_TENANT_ROLE, REGION, REMOTE_ROLE, startFixture } from '../fixture.ts';

const CLUSTER = `arn:aws:eks:${REGION}:${ACCOUNT}:cluster/hub`;

/** Has EKS Pod Identity assume acme's tenant role. */
async function trustPodIdentity(account: LocalAccount, actions = ['sts:AssumeRole', 'sts:TagSession'], more = {}) {
  const statement = {
    Effect: 'Allow',
    Principal: { Service: 'pods.eks.amazonaws.com' },
    Action: actions,
    ...more,
  };
  await iamClient(account).send(
    new UpdateAssumeRolePolicyCommand({
      RoleName: 'hub-acme-tenant',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }),
    }),
  );
}

function create(client: EKSClient, input: Partial<CreatePodIdentityAssociationCommandInput> = {}) {
  return client.send(
    new CreatePodIdentityAssociationCommand({
      clusterName: 'hub',
      namespace: 'acme',
      serviceAccount: 'dispatcher',
      roleArn: ACME_TENANT_ROLE,
      ...input,
    }),
  );
}

async function list(client: EKSClient, input: Partial<ListPodIdentityAssociationsCommandInput> = {}) {
  const { associations = [] } = await client.send(
    new ListPodIdentityAssociationsCommand({ clusterName: 'hub', ...input }),
  );
  return associations.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`);
}

describe('an EKS Pod Identity association', () => {
  test('is made, listed and described', async () => {
    const account = await startFixture();
    const client = eksClient(account);
    await trustPodIdentity(account, undefined, {
      Condition: { StringEquals: { 'aws:SourceArn': CLUSTER, 'aws:RequestTag/kubernetes-namespace': 'acme' } },
    });

    const { association } = await create(client, { tags: { team: 'identity' } });

    expect(association).toEqual({
      clusterName: 'hub',
      namespace: 'acme',
      serviceAccount: 'dispatcher',
      roleArn: ACME_TENANT_ROLE,
      associationId: expect.stringMatching(/^a-[a-z0-9]{17}$/),
      associationArn: `arn:aws:eks:${REGION}:${ACCOUNT}:podidentityassociation/hub/${association?.associationId}`,
      tags: { team: 'identity' },
      createdAt: expect.any(Date),
      modifiedAt: expect.any(Date),
      disableSessionTags: false,
    });
    const described = await client.send(
      new DescribePodIdentityAssociationCommand({ clusterName: 'hub', associationId: association?.associationId }),
    );
    expect(described.association).toEqual(association);
    await create(client, { serviceAccount: 'other' });
    expect(await list(client)).toEqual(['acme/dispatcher', 'acme/other']);
    expect(await list(client, { serviceAccount: 'other' })).toEqual(['acme/other']);
    expect(await list(client, { namespace: 'globex' })).toEqual([]);
    expect(await list(client, { maxResults: 1 })).toEqual(['acme/dispatcher']);
    expect(account.events().find(({ eventName }) => eventName === 'CreatePodIdentityAssociation')).toMatchObject({
      readOnly: false,
      requestParameters: { name: 'hub', namespace: 'acme', serviceAccount: 'dispatcher', roleArn: ACME_TENANT_ROLE },
    });
  });

  test('fails for a service account that has one, and answers a repeated request with it', async () => {
    const account = await startFixture();
    const client = eksClient(account);
    await trustPodIdentity(account);
    const { association } = await create(client, { clientRequestToken: 'token' });

    expect((await create(client, { clientRequestToken: 'token' })).association).toEqual(association);
    expect(await sdkRefusal(create(client))).toMatchObject({
      name: 'ResourceInUseException',
      status: 409,
      message: `Association already exists: ${association?.associationId}`,
    });
  });

  test.each<[string, string[], boolean, boolean]>([
    ['nobody of EKS', ['sts:AssumeRoleWithWebIdentity'], false, false],
    ['EKS without its session tags', ['sts:AssumeRole'], false, false],
    ['EKS without its session tags, which are disabled', ['sts:AssumeRole'], true, true],
  ])('needs a role that trusts EKS: one that trusts %s', async (_, actions, disableSessionTags, isMade) => {
    const account = await startFixture();
    const client = eksClient(account);
    await trustPodIdentity(account, actions);

    const made = create(client, { disableSessionTags });

    if (isMade) expect((await made).association).toMatchObject({ disableSessionTags: true });
    else {
      expect(await sdkRefusal(made)).toMatchObject({
        name: 'InvalidParameterException',
        message: 'Trust policy of the role provided is invalid.',
      });
      expect(await list(client)).toEqual([]);
    }
  });

  test.each<[string, Partial<CreatePodIdentityAssociationCommandInput>, string, unknown]>([
    [
      'a role that there is not',
      { roleArn: `${ACME_TENANT_ROLE}-absent` },
      'InvalidParameterException',
      'Role provided in the request does not exist.',
    ],
    [
      'no namespace',
      { namespace: '' },
      'InvalidParameterException',
      expect.stringContaining("at 'namespace' failed to satisfy constraint"),
    ],
    [
      'a target role, which is not modelled',
      { targetRoleArn: REMOTE_ROLE },
      'NotModelled',
      expect.stringContaining('the parameter targetRoleArn of eks:CreatePodIdentityAssociation'),
    ],
    [
      'a cluster that there is not',
      { clusterName: 'absent' },
      'ResourceNotFoundException',
      'No cluster found for name: absent.',
    ],
  ])('fails for %s', async (_, input, name, message) => {
    const account = await startFixture();
    await trustPodIdentity(account);

    expect(await sdkRefusal(create(eksClient(account), input))).toMatchObject({ name, message });
  });

  const allow = (account: LocalAccount, ...statements: readonly Record<string, unknown>[]) =>
    iamClient(account).send(
      new PutRolePolicyCommand({
        RoleName: 'hub-globex-tenant',
        PolicyName: 'eks',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: statements.map((statement) => ({ Effect: 'Allow', Resource: '*', ...statement })),
        }),
      }),
    );
  const passRole = (service: string) => ({
    Action: 'iam:PassRole',
    Condition: { StringEquals: { 'iam:PassedToService': service } },
  });

  test('needs leave to pass the role on to EKS', async () => {
    const account = await startFixture();
    await trustPodIdentity(account);
    const client = eksClient(account, account.dispatcherCredentials('hub', 'globex'));
    const eks = { Action: 'eks:*' };

    for (const statements of [[eks], [eks, passRole('ec2.amazonaws.com')]]) {
      await allow(account, ...statements);
      expect(await sdkRefusal(create(client))).toMatchObject({
        name: 'AccessDeniedException',
        status: 403,
        message: expect.stringContaining(`is not authorized to perform: iam:PassRole on resource: ${ACME_TENANT_ROLE}`),
      });
    }
    await allow(account, eks, passRole('pods.eks.amazonaws.com'));
    await create(client);
    expect(await sdkRefusal(create(client, { roleArn: REMOTE_ROLE }))).toMatchObject({ name: 'AccessDeniedException' });
  });

  test('fails to be read by who may not', async () => {
    const account = await startFixture();
    await trustPodIdentity(account);
    const { association } = await create(eksClient(account));
    const client = eksClient(account, account.dispatcherCredentials('hub', 'globex'));
    const describeIt = () =>
      client.send(
        new DescribePodIdentityAssociationCommand({ clusterName: 'hub', associationId: association?.associationId }),
      );

    expect(await sdkRefusal(list(client))).toMatchObject({
      message: expect.stringContaining(`eks:ListPodIdentityAssociations on resource: ${CLUSTER}`),
    });
    expect(await sdkRefusal(describeIt())).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(
        `eks:DescribePodIdentityAssociation on resource: ${association?.associationArn}`,
      ),
    });
    await allow(account, { Action: 'eks:DescribePodIdentityAssociation', Resource: association?.associationArn });
    expect((await describeIt()).association?.roleArn).toBe(ACME_TENANT_ROLE);
  });

  test('fails to be described when there is none', async () => {
    const account = await startFixture();
    const command = new DescribePodIdentityAssociationCommand({ clusterName: 'hub', associationId: 'a-1' });

    expect(await sdkRefusal(eksClient(account).send(command))).toMatchObject({
      name: 'ResourceNotFoundException',
      status: 404,
    });
  });

  test('has its session tags switched off and on, and nothing else changed', async () => {
    const account = await startFixture();
    const client = eksClient(account);
    await trustPodIdentity(account);
    const { association } = await create(client, { tags: { team: 'identity' } });
    const named = { clusterName: 'hub', associationId: association?.associationId };
    const update = (input: { readonly disableSessionTags?: boolean }) =>
      client.send(new UpdatePodIdentityAssociationCommand({ ...named, ...input }));

    expect((await update({ disableSessionTags: true })).association).toEqual({
      ...association,
      disableSessionTags: true,
    });
    expect((await update({})).association?.disableSessionTags).toBe(true);
    await trustPodIdentity(account, ['sts:AssumeRole']);
    expect(await sdkRefusal(update({ disableSessionTags: false }))).toMatchObject({
      name: 'InvalidParameterException',
      message: 'Trust policy of the role provided is invalid.',
    });
    expect((await client.send(new DescribePodIdentityAssociationCommand(named))).association).toMatchObject({
      disableSessionTags: true,
    });
  });
});
