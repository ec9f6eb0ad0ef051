import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import type { LocalAccount } from '../../lib/local/index.ts';
import { refusalOf, rejectionOf } from '../support/refusal.ts';
import { assume, dispatcher, SESSION, sdkRefusal, stsClient } from './clients.ts';
import {
  ACCOUNT,
  ACME_TENANT_ROLE,
  OTHER_ACCOUNT,
  REGION,
  startFixture,
  TestClock,
  templatesOf,
  writeAssembly,
  YAML,
} from './fixture.ts';

describe('a local account', () => {
  test("gives the environment of each tenant's dispatcher", async () => {
    const account = await startFixture();
    const common = {
      AWS_ENDPOINT_URL: account.endpoint,
      AWS_ENDPOINT_URL_STS: account.endpoint,
      AWS_ENDPOINT_URL_SSM: account.endpoint,
      AWS_ENDPOINT_URL_IAM: account.endpoint,
      AWS_ENDPOINT_URL_EKS: account.endpoint,
      AWS_ENDPOINT_URL_CLOUDTRAIL: account.endpoint,
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
    };

    expect(account.dispatcherEnvironment('hub', 'acme')).toEqual({
      ...common,
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
      AWS_SECRET_ACCESS_KEY: expect.stringMatching(/^.{40}$/),
      AWS_SESSION_TOKEN: expect.stringMatching(/^.{100,}$/),
      SESSION_BROKER_CLUSTER: 'hub',
      SESSION_BROKER_TENANT: 'acme',
    });
    expect(account.webIdentityEnvironment('hub', 'acme', '/run/token')).toEqual({
      ...common,
      AWS_ROLE_ARN: ACME_TENANT_ROLE,
      AWS_WEB_IDENTITY_TOKEN_FILE: '/run/token',
      SESSION_BROKER_CLUSTER: 'hub',
      SESSION_BROKER_TENANT: 'acme',
    });
    expect(account.administratorEnvironment(OTHER_ACCOUNT)).toEqual({
      ...common,
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^AKIA[A-Z2-7]{16}$/),
      AWS_SECRET_ACCESS_KEY: expect.stringMatching(/^.{40}$/),
    });
  });

  test('names the parameter prefix to this package where it is another', async () => {
    const config = parseConfig(
      YAML.replace('rollout: general', 'rollout: general\n    parameterPrefix: /platform'),
      'tenants.yaml',
    );
    const account = await startFixture({ config });

    expect(account.dispatcherEnvironment('hub', 'acme')).toMatchObject({
      SESSION_BROKER_PARAMETER_PREFIX: '/platform',
    });
  });

  test('gives a tenant that is not opted in its own role and nothing more', async () => {
    const account = await startFixture();
    const client = stsClient(account, account.dispatcherCredentials('hub', 'globex'));

    expect((await client.send(new GetCallerIdentityCommand({}))).Arn).toBe(
      `arn:aws:sts::${ACCOUNT}:assumed-role/hub-globex-tenant/dispatcher`,
    );
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-globex-session`;
    expect(await sdkRefusal(assume(client, { RoleArn: roleArn, SourceIdentity: 'agent.globex.s1' }))).toMatchObject({
      name: 'AccessDenied',
    });
  });

  test("lets a dispatcher through whose caller's policy is external", async () => {
    const account = await startFixture();
    const client = stsClient(account, account.dispatcherCredentials('hub', 'initech'));
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-initech-session`;

    const answer = await assume(client, { RoleArn: roleArn, SourceIdentity: 'agent.initech.s1' });

    expect(answer.SourceIdentity).toBe('agent.initech.s1');
  });

  test.each<[string, (account: LocalAccount) => unknown, string]>([
    [
      'cluster',
      (account) => account.dispatcherEnvironment('spoke', 'acme'),
      'cluster must be one that the configuration names: "spoke" is not; choose from hub',
    ],
    [
      'tenant',
      (account) => account.mintWebIdentityToken('hub', 'umbrella'),
      'tenant must be one that the configuration names: "umbrella" is not; choose from acme, initech, globex',
    ],
    [
      'account',
      (account) => account.administratorCredentials('999988887777'),
      `account must be one that the configuration names: "999988887777" is not; choose from ${ACCOUNT}, ${OTHER_ACCOUNT}`,
    ],
  ])('fails for a %s that the configuration does not name', async (_, action, message) => {
    const account = await startFixture();

    const refusal = refusalOf(() => action(account));

    expect(refusal.code).toBe('UsageInvalid');
    expect(refusal.message).toBe(message);
  });

  test('reads the configuration from a file', async () => {
    const assembly = writeAssembly({});

    const refusal = await rejectionOf(startFixture({ assembly, config: `${assembly}/absent.yaml` }));

    expect(refusal.code).toBe('ConfigUnreadable');
  });

  test('fails on a port that is taken', async () => {
    const first = await startFixture();
    const port = Number(new URL(first.endpoint).port);

    const refusal = await rejectionOf(startFixture({ port }));

    expect(refusal.code).toBe('ListenFailed');
    expect(refusal.message).toMatch(
      new RegExp(`^port must be free on 127\\.0\\.0\\.1: ${port} is not, .*EADDRINUSE.*; give another, or 0 for any$`),
    );
  });

  test('stands beside others, which share nothing with it', async () => {
    const accounts = await Promise.all(Array.from({ length: 10 }, () => startFixture()));

    const answers = await Promise.all(
      accounts.map((account) => assume(dispatcher(account), { SourceIdentity: SESSION })),
    );

    expect(new Set(answers.map(({ Credentials }) => Credentials?.AccessKeyId)).size).toBe(10);
    expect(accounts.map((account) => account.events().length)).toEqual(Array.from({ length: 10 }, () => 2));
  });

  test('closes at once, though clients keep their connections open, and may be closed again', async () => {
    const account = await startFixture();
    const client = dispatcher(account);
    await assume(client, { SourceIdentity: SESSION });

    await account.close();
    await account[Symbol.asyncDispose]();

    await expect(fetch(account.endpoint)).rejects.toThrow();
  });

  test('serves clients that know only the endpoint from their environment', async () => {
    const account = await startFixture();
    const environment = account.dispatcherEnvironment('hub', 'acme');
    const client = new STSClient({
      endpoint: environment['AWS_ENDPOINT_URL'] ?? '',
      region: environment['AWS_REGION'] ?? '',
      credentials: {
        accessKeyId: environment['AWS_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: environment['AWS_SECRET_ACCESS_KEY'] ?? '',
        sessionToken: environment['AWS_SESSION_TOKEN'] ?? '',
      },
    });

    expect((await client.send(new GetCallerIdentityCommand({}))).Account).toBe(ACCOUNT);
  });

  test('tells its time, by which SDKs correct their own', async () => {
    const clock = new TestClock();
    const account = await startFixture({ clock: clock.read });
    const { accessKeyId, secretAccessKey, sessionToken = '' } = account.dispatcherCredentials('hub', 'acme');
    const client = new STSClient({
      endpoint: account.endpoint,
      region: REGION,
      credentials: { accessKeyId, secretAccessKey, sessionToken },
    });

    expect((await client.send(new GetCallerIdentityCommand({}))).Account).toBe(ACCOUNT);
    expect(account.events().map(({ errorCode }) => errorCode)).toEqual([undefined, 'SignatureDoesNotMatch', undefined]);
  });

  test.each([
    ['aws-us-gov', 'us-gov-west-1'],
    ['aws-cn', 'cn-north-1'],
  ])('works in the partition %s', async (partition, region) => {
    const yaml = YAML.replaceAll('arn:aws:', `arn:${partition}:`).replace(REGION, region);
    const config = parseConfig(yaml, 'tenants.yaml');
    const account = await startFixture({
      config,
      assembly: writeAssembly(templatesOf(config), `aws://${ACCOUNT}/${region}`),
    });
    const client = stsClient(account, account.dispatcherCredentials('hub', 'acme'), region);

    const answer = await assume(client, {
      RoleArn: `arn:${partition}:iam::${ACCOUNT}:role/session-broker/hub-acme-session`,
      SourceIdentity: SESSION,
    });

    expect(answer.AssumedRoleUser?.Arn).toBe(
      `arn:${partition}:sts::${ACCOUNT}:assumed-role/hub-acme-session/${SESSION}`,
    );
  });
});
