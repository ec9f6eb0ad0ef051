import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { SessionBrokerError } from '../../lib/errors.ts';
import { rejectionOf } from '../support/refusal.ts';
import { brokerAgainst } from './support/broker.ts';
import {
  assumed,
  DISPATCHER,
  dispatcherAnswer,
  type FakeAnswer,
  type FakeAws,
  ROLE_ARN,
  startFakeAws,
  stsError,
} from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';
import { immediately } from './support/simulated-time.ts';

let aws: FakeAws;
let token: string;
beforeAll(async () => {
  aws = await startFakeAws();
  token = join(mkdtempSync(join(tmpdir(), 'session-broker-')), 'token');
  writeFileSync(token, 'web-identity-token');
});
afterAll(async () => {
  rmSync(join(token, '..'), { recursive: true });
  await aws.close();
});
beforeEach(() => aws.forget());
isolateEnvironment();

const actions = (): readonly string[] => aws.requests.map(({ action }) => action);

/** A dispatcher under IRSA: a web identity in the environment. */
function irsa(file = token, options: Parameters<typeof providerAgainst>[1] = {}) {
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', file);
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/hub-acme-tenant');
  vi.stubEnv('AWS_ENDPOINT_URL', aws.endpoint);
  return providerAgainst(aws, { credentials: undefined, ...options });
}

describe("the dispatcher's own credentials", () => {
  test('come from its web identity, asked for once', async () => {
    vi.stubEnv('AWS_ROLE_SESSION_NAME', 'pod-1');
    await irsa()();
    expect(actions()).toEqual(['AssumeRoleWithWebIdentity', 'GetParameter', 'AssumeRole']);
    expect(aws.requests[0]).toMatchObject({
      authorization: '',
      parameters: {
        RoleArn: 'arn:aws:iam::111122223333:role/hub-acme-tenant',
        RoleSessionName: 'pod-1',
        WebIdentityToken: 'web-identity-token',
      },
    });
    expect(aws.requests[2]?.authorization).toContain(`Credential=${DISPATCHER.accessKeyId}/`);
  });

  test('come from its web identity before any default profile', async () => {
    const file = join(token, '..', 'default-profile');
    writeFileSync(file, '[default]\naws_access_key_id = AKIAPROFILE000000001\naws_secret_access_key = secret\n');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
    await irsa()();
    expect(actions()).toEqual(['AssumeRoleWithWebIdentity', 'GetParameter', 'AssumeRole']);
  });

  test('come from a profile by name before its web identity', async () => {
    const file = join(token, '..', 'named-profile');
    writeFileSync(file, '[mine]\naws_access_key_id = AKIAPROFILE000000001\naws_secret_access_key = secret\n');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
    const provide = irsa();
    vi.stubEnv('AWS_PROFILE', 'mine');
    await provide();
    vi.stubEnv('AWS_PROFILE', undefined);
    await providerAgainst(aws, { credentials: undefined, clientConfig: { maxAttempts: 1, profile: 'mine' } })();
    expect(actions()).toEqual(['GetParameter', 'AssumeRole', 'GetParameter', 'AssumeRole']);
    for (const { authorization } of aws.requests) expect(authorization).toContain('AKIAPROFILE000000001');
  });

  test('come from static keys in the environment before its web identity', async () => {
    const provide = irsa();
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENVIRONMENT00001');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    await provide();
    expect(actions()).toEqual(['GetParameter', 'AssumeRole']);
  });

  test.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])(
    'come from its web identity beside %s alone',
    async (name) => {
      const file = join(token, '..', 'left-over');
      writeFileSync(file, '[default]\naws_access_key_id = AKIAPROFILE000000001\naws_secret_access_key = secret\n');
      vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
      const provide = irsa();
      vi.stubEnv(name, 'AKIALEFTOVER00000001');
      await provide();
      expect(actions()).toContain('AssumeRoleWithWebIdentity');
    },
  );

  test('are renewed with the token that the file holds then', async () => {
    let time = Date.now();
    const now = vi.spyOn(Date, 'now').mockImplementation(() => time);
    aws.on('AssumeRoleWithWebIdentity', () => dispatcherAnswer(() => time));
    const provide = irsa();
    await provide();
    writeFileSync(token, 'next-token');
    time += 56 * 60_000;
    await provide({ forceRefresh: true });
    now.mockRestore();
    writeFileSync(token, 'web-identity-token');
    const tokens = aws.requests.flatMap(({ parameters }) => parameters['WebIdentityToken'] ?? []);
    expect(tokens).toEqual(['web-identity-token', 'next-token']);
  });

  test('by web identity are asked for again after a fault that passes', async () => {
    const answers: FakeAnswer[] = ['reset', stsError(400, 'Throttling', 'Rate exceeded')];
    aws.on('AssumeRoleWithWebIdentity', () => answers.shift() ?? dispatcherAnswer());
    const provide = irsa(token, { clientConfig: undefined, schedule: immediately });
    await provide();
    expect(actions().filter((action) => action === 'AssumeRoleWithWebIdentity')).toHaveLength(3);
  });

  test('come from the environment by the default chain', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENVIRONMENT00001');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    await providerAgainst(aws, { credentials: undefined })();
    expect(aws.requests[1]?.authorization).toContain('Credential=AKIAENVIRONMENT00001/');
  });

  test('come from the option before the environment', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENVIRONMENT00001');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    await providerAgainst(aws, { credentials: async () => DISPATCHER })();
    for (const { authorization } of aws.requests) expect(authorization).toContain(DISPATCHER.accessKeyId);
  });

  test('are asked for anew after AWS rejected them', async () => {
    const credentials = vi.fn(async () => DISPATCHER);
    const provide = providerAgainst(aws, { credentials, roleArn: ROLE_ARN });
    aws.on('AssumeRole', stsError(403, 'ExpiredToken', 'expired'));
    expect((await rejectionOf(provide())).code).toBe('DispatcherCredentialsRejected');
    expect(credentials).toHaveBeenCalledTimes(1);
    aws.forget();
    await provide();
    await provide({ forceRefresh: true });
    expect(credentials).toHaveBeenCalledTimes(2);
  });
});

describe('within one call, with our retries', () => {
  const NEXT = { ...DISPATCHER, accessKeyId: 'ASIADISPATCHER000002' };

  test('rejected credentials are asked for anew, once for all sessions', async () => {
    aws.on('AssumeRole', (request) =>
      request.authorization.includes(NEXT.accessKeyId) ? assumed(request) : stsError(403, 'ExpiredToken', 'expired'),
    );
    const credentials = vi.fn(async () => NEXT).mockImplementationOnce(async () => DISPATCHER);
    const broker = brokerAgainst(aws, { credentials });
    const sessions = ['s1', 's2', 's3'].map((session) => broker.session({ session, roleArn: ROLE_ARN }));
    await Promise.all(sessions.map((session) => session.credentials()));
    expect(credentials).toHaveBeenCalledTimes(2);
  });

  test('credentials that are rejected again are an error', async () => {
    aws.on('AssumeRole', stsError(403, 'ExpiredToken', 'expired'));
    const session = brokerAgainst(aws).session({ session: 's1', roleArn: ROLE_ARN });
    expect((await rejectionOf(session.credentials())).code).toBe('DispatcherCredentialsRejected');
    expect(actions()).toEqual(['AssumeRole', 'AssumeRole']);
  });
});

describe('fails and says that it is about the dispatcher', () => {
  test('when the default chain finds no credentials', async () => {
    expect(await rejectionOf(providerAgainst(aws, { credentials: undefined })())).toMatchObject({
      code: 'DispatcherCredentialsMissing',
      message:
        'no credentials for the dispatcher itself; run it as the tenant role (IRSA), check AWS_PROFILE, or correct what else gives it credentials; the dispatcher\'s credential provider failed with CredentialsProviderError: "Could not load credentials from any providers"',
      detail: { action: 'credentials' },
    });
    expect(aws.requests).toEqual([]);
  });

  test('when AWS_PROFILE names a profile that is not there', async () => {
    vi.stubEnv('AWS_PROFILE', 'nope');
    expect(await rejectionOf(providerAgainst(aws, { credentials: undefined })())).toMatchObject({
      code: 'DispatcherCredentialsMissing',
      message: expect.stringContaining('check AWS_PROFILE'),
    });
  });

  test.each<[string, object, string]>([
    ['nothing', {}, 'accessKeyId'],
    ['no secret access key', { ...DISPATCHER, secretAccessKey: undefined }, 'secretAccessKey'],
    ['an empty access key id', { ...DISPATCHER, accessKeyId: '' }, 'accessKeyId'],
    ['an access key id that is no text', { ...DISPATCHER, accessKeyId: 7 }, 'accessKeyId'],
    ['a line break after the secret access key', { ...DISPATCHER, secretAccessKey: 'canary\r\n' }, 'secretAccessKey'],
    ['a line break after the session token', { ...DISPATCHER, sessionToken: 'canary\n' }, 'sessionToken'],
    ['an empty session token', { ...DISPATCHER, sessionToken: '' }, 'sessionToken'],
  ])('when a provider of its own gives %s, and asks it again at the next call', async (_, wrong, name) => {
    let given = wrong;
    const provide = providerAgainst(aws, { credentials: async () => given as typeof DISPATCHER });
    expect(await rejectionOf(provide())).toMatchObject({
      code: 'DispatcherCredentialsMissing',
      retryable: false,
      message: `${name} of the dispatcher's own credentials must be text without a space or a line break; correct them in the environment, in the profile or in what provides them`,
    });
    expect(aws.requests).toEqual([]);
    given = DISPATCHER;
    await provide();
  });

  test.each([
    ['AWS_ACCESS_KEY_ID', 'accessKeyId'],
    ['AWS_SESSION_TOKEN', 'sessionToken'],
  ])('when %s ends in a line break', async (variable, name) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENVIRONMENT00001');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv(variable, 'canary\n');
    const error = await rejectionOf(providerAgainst(aws, { credentials: undefined })());
    expect(error).toMatchObject({ code: 'DispatcherCredentialsMissing', message: expect.stringContaining(name) });
    expect(error.message).not.toContain('canary');
  });

  test('when the token file is missing', async () => {
    expect(await rejectionOf(irsa('/nonexistent/token')())).toMatchObject({
      code: 'DispatcherCredentialsMissing',
      message: expect.stringContaining('ENOENT'),
    });
    expect(aws.requests).toEqual([]);
  });

  test.each([
    ['AccessDenied', 403, 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 'DispatcherCredentialsRejected'],
    ['ExpiredTokenException', 400, 'Token expired: current date/time 2', 'DispatcherCredentialsRejected'],
    ['InvalidIdentityToken', 400, 'Incorrect token audience', 'DispatcherCredentialsRejected'],
    [
      'InvalidIdentityToken',
      400,
      "Couldn't retrieve verification key from your identity provider, please reference the documentation",
      'Unavailable',
    ],
    ['Unheard', 429, 'slow down', 'Throttled'],
    ['IDPRejectedClaim', 403, 'rejected', 'DispatcherCredentialsRejected'],
    ['Throttling', 400, 'Rate exceeded', 'Throttled'],
    ['RegionDisabledException', 403, 'not active', 'RegionDisabled'],
    ['InternalFailure', 500, 'oops', 'Unavailable'],
  ])('when its web identity is answered %s', async (awsCode, status, text, code) => {
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
    aws.on('AssumeRoleWithWebIdentity', stsError(status, awsCode, text));
    expect(await rejectionOf(irsa()())).toMatchObject({
      code,
      message: expect.stringContaining(`"${text}"`),
      detail: { action: 'credentials' },
    });
    expect(new Set(actions())).toEqual(new Set(['AssumeRoleWithWebIdentity']));
  });

  test.each<[string, FakeAnswer, string]>([
    ['a page of a proxy', { status: 403, type: 'text/html', body: '<html>Forbidden</html>' }, 'ResponseInvalid'],
    ['what is no XML', { status: 200, type: 'text/html', body: '<html>' }, 'ResponseInvalid'],
    ['what is no HTTP', { bytes: 'nonsense\r\n\r\n', finally: 'end' }, 'Unavailable'],
  ])('when its web identity is answered by %s', async (_, answer, code) => {
    aws.on('AssumeRoleWithWebIdentity', answer);
    expect((await rejectionOf(irsa()())).code).toBe(code);
  });

  test('when its web identity finds nobody', async () => {
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
    aws.on('AssumeRoleWithWebIdentity', 'reset');
    expect((await rejectionOf(irsa()())).code).toBe('Unavailable');
  });

  test.each<[string, unknown]>([
    ['an error', new Error('vault is sealed')],
    ['a string', 'vault is sealed'],
    ['an error named as one of AWS', Object.assign(new Error('vault is sealed'), { name: 'ParameterNotFound' })],
  ])('when a provider of its own throws %s', async (_, thrown) => {
    const credentials = async () => {
      throw thrown;
    };
    expect(await rejectionOf(providerAgainst(aws, { credentials })())).toMatchObject({
      code: 'DispatcherCredentialsMissing',
      message: expect.stringContaining('"vault is sealed"'),
      cause: { message: 'vault is sealed' },
    });
    expect(aws.requests).toEqual([]);
  });

  test('by the coded error that a provider of its own throws', async () => {
    const own = new SessionBrokerError('Throttled', 'from the provider before');
    const credentials = async () => {
      throw own;
    };
    expect(await rejectionOf(providerAgainst(aws, { credentials })())).toBe(own);
  });
});
