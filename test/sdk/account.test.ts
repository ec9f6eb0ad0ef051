import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LocalAccount } from '../../lib/local/index.ts';
import { type Account, openAccount } from '../../lib/sdk/account.ts';
import { ACCOUNT, ACME_ROLE, REGION, startFixture } from '../local/fixture.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { startEdge } from '../support/edge.ts';
import { rejectionOf } from '../support/refusal.ts';

isolateEnvironment();

let local: LocalAccount;
let account: Account;
const end = new AbortController();

beforeEach(async () => {
  local = await startFixture();
  setEnvironment(local.administratorEnvironment(ACCOUNT));
  account = openAccount({ signal: end.signal });
});
afterEach(() => account.close());

function setEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
}

function getRole(name: string, from = account) {
  return from.iam({ action: 'iam:GetRole', resource: name }, (iam, { GetRoleCommand }, options) =>
    iam.send(new GetRoleCommand({ RoleName: name }), options),
  );
}

describe('an account that is asked', () => {
  test('answers with what the SDK reads', async () => {
    expect((await getRole('hub-acme-session')).Role?.Arn).toBe(ACME_ROLE);
  });

  test('fails with EntityNotFound for what is not there', async () => {
    const error = await rejectionOf(getRole('nobody'));
    expect(error.code).toBe('EntityNotFound');
    expect(error.message).toBe(
      `"nobody" must exist: iam:GetRole did not find it in the Region "${REGION}" of the account that was asked; correct the name, or ask with credentials of its account; AWS answered NoSuchEntity: "The role with name nobody cannot be found."`,
    );
  });

  test('fails with AccessDenied where the credentials may not ask', async () => {
    setEnvironment(local.dispatcherEnvironment('hub', 'acme'));
    const dispatcher = openAccount({ signal: end.signal });
    const error = await rejectionOf(getRole('hub-acme-session', dispatcher));
    dispatcher.close();
    expect(error.code).toBe('AccessDenied');
    expect(error.message).toMatch(/^iam:GetRole on "hub-acme-session" must be allowed to the credentials that ask/);
  });

  test('fails with CredentialsRejected, without a secret in it', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary+wrong+secret+that+nobody+may+ever+see');
    const refused = openAccount({ signal: end.signal });
    const error = await rejectionOf(getRole('hub-acme-session', refused));
    refused.close();
    expect(error.code).toBe('CredentialsRejected');
    expect(JSON.stringify([error, error.message, error.stack, String(error.cause)])).not.toContain('canary');
  });

  test('asks with the credentials that are given, and not with those of the environment', async () => {
    const { expiration: _, ...credentials } = local.dispatcherCredentials('hub', 'acme');
    const dispatcher = openAccount({ credentials, signal: end.signal });
    const { Arn } = await dispatcher.sts(
      { action: 'sts:GetCallerIdentity', resource: '*' },
      (sts, { GetCallerIdentityCommand }, options) => sts.send(new GetCallerIdentityCommand({}), options),
    );
    dispatcher.close();
    expect(Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`);
  });

  test('asks with the profile that is given, without a word on what else there is, and tells how to give another', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const profiled = openAccount({ profile: 'nobody', profileOption: '--reader-profile', signal: end.signal });
    const error = await rejectionOf(getRole('hub-acme-session', profiled));
    profiled.close();
    expect(error.code).toBe('CredentialsMissing');
    expect(error.message).toContain('; set AWS_PROFILE or --reader-profile, or sign in (aws sso login); ');
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test('makes as many attempts as it is told', async () => {
    let asked = 0;
    const edge = await startEdge(local.endpoint, () => {
      asked += 1;
      return { status: 400, body: '<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>' };
    });
    vi.stubEnv('AWS_ENDPOINT_URL_IAM', edge);
    const once = openAccount({ attempts: 1, signal: end.signal });
    expect((await rejectionOf(getRole('hub-acme-session', once))).code).toBe('Throttled');
    once.close();
    expect(asked).toBe(1);
  });

  test('fails with CredentialsMissing where there are none', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, undefined);
    const nobody = openAccount({ signal: end.signal });
    expect((await rejectionOf(getRole('hub-acme-session', nobody))).code).toBe('CredentialsMissing');
    nobody.close();
  });

  test('fails with RegionUnresolved before a call where no Region is known', async () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, undefined);
    const nowhere = openAccount({ signal: end.signal });
    expect((await rejectionOf(getRole('hub-acme-session', nowhere))).code).toBe('RegionUnresolved');
    nowhere.close();
    expect(local.events()).toEqual([]);
  });

  test('fails with EndpointInsecure before anything is sent in the clear', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_IAM', local.endpoint.replace('127.0.0.1', '0.0.0.0'));
    const insecure = openAccount({ signal: end.signal });
    expect((await rejectionOf(getRole('hub-acme-session', insecure))).code).toBe('EndpointInsecure');
    insecure.close();
    expect(local.events()).toEqual([]);
  });
});
