import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, test, vi } from 'vitest';
import type { LocalAccount } from '../../lib/local/index.ts';
import { type FromSessionBrokerOptions, fromSessionBroker } from '../../lib/runtime/index.ts';
import { ACCOUNT, ACME_PARAMETER, ACME_ROLE, REGION, startFixture, temporaryFolder } from '../local/fixture.ts';
import { rejectionOf } from '../support/refusal.ts';
import { isolateEnvironment } from './support/isolation.ts';

isolateEnvironment();

/** A provider for `agent.acme.s1`, whose dispatcher holds the credentials of acme's tenant role. */
function provider(account: LocalAccount, options: Partial<FromSessionBrokerOptions> = {}) {
  return fromSessionBroker({
    session: 's1',
    tenant: 'acme',
    cluster: 'hub',
    region: REGION,
    endpoint: account.endpoint,
    credentials: account.dispatcherCredentials('hub', 'acme'),
    clientConfig: { maxAttempts: 1 },
    ...options,
  });
}

describe('against rules that are enforced, a session', () => {
  test('runs under its name from nothing but a web identity and a session id', async () => {
    const account = await startFixture();
    const tokenFile = join(temporaryFolder(), 'token');
    writeFileSync(tokenFile, account.mintWebIdentityToken('hub', 'acme'));
    const environment = account.webIdentityEnvironment('hub', 'acme', tokenFile);
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    vi.stubEnv('SESSION_BROKER_CLUSTER', 'hub');
    vi.stubEnv('SESSION_BROKER_TENANT', 'acme');

    const credentials = fromSessionBroker({ session: 's1' });
    const sts = new STSClient({ region: REGION, endpoint: account.endpoint, credentials });
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/agent.acme.s1`,
    });
    expect(account.events().map(({ eventName }) => eventName)).toEqual([
      'AssumeRoleWithWebIdentity',
      'GetParameter',
      'AssumeRole',
      'GetCallerIdentity',
    ]);
    expect(account.events().at(-1)?.userIdentity).toMatchObject({
      sessionContext: { sourceIdentity: 'agent.acme.s1' },
    });
  });

  test('is renewed under the same name', async () => {
    const account = await startFixture();
    const provide = provider(account);
    const first = await provide();
    const second = await provide({ forceRefresh: true });
    expect(second.accessKeyId).not.toBe(first.accessKeyId);
    const assumed = account.events().filter(({ eventName }) => eventName === 'AssumeRole');
    expect(assumed.map(({ requestParameters }) => requestParameters)).toEqual([
      expect.objectContaining({
        roleArn: ACME_ROLE,
        sourceIdentity: 'agent.acme.s1',
        roleSessionName: 'agent.acme.s1',
      }),
      expect.objectContaining({
        roleArn: ACME_ROLE,
        sourceIdentity: 'agent.acme.s1',
        roleSessionName: 'agent.acme.s1',
      }),
    ]);
  });
});

describe('fails against rules that are enforced', () => {
  test.each<[string, Partial<FromSessionBrokerOptions>, string, string]>([
    ["under another tenant's name", { tenant: 'initech', roleArn: ACME_ROLE }, 'AssumeRoleDenied', 'agent.initech.s1'],
    [
      "in another tenant's role",
      { roleArn: ACME_ROLE.replace('acme', 'initech') },
      'AssumeRoleDenied',
      'hub-initech-session',
    ],
    ['in a role that does not exist', { roleArn: `${ACME_ROLE}s` }, 'AssumeRoleDenied', 'the role exists'],
    ["by another tenant's parameter", { tenant: 'initech' }, 'ParameterAccessDenied', '/initech/session_role_arn'],
  ])('%s', async (_, options, code, message) => {
    const account = await startFixture();
    expect(await rejectionOf(provider(account, options)())).toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  test('for a tenant that is not opted in', async () => {
    const account = await startFixture();
    const credentials = account.administratorCredentials(ACCOUNT);
    expect(await rejectionOf(provider(account, { tenant: 'globex', credentials })())).toMatchObject({
      code: 'ParameterNotFound',
      message: expect.stringContaining(ACME_PARAMETER.replace('acme', 'globex')),
    });
  });

  test('for a dispatcher that the trust policy does not name', async () => {
    const account = await startFixture();
    const credentials = account.administratorCredentials(ACCOUNT);
    expect((await rejectionOf(provider(account, { credentials })())).code).toBe('AssumeRoleDenied');
  });

  test('with credentials that were tampered with', async () => {
    const account = await startFixture();
    const credentials = { ...account.dispatcherCredentials('hub', 'acme'), secretAccessKey: 'tampered' };
    expect((await rejectionOf(provider(account, { credentials })())).code).toBe('DispatcherCredentialsRejected');
  });
});
