import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientConfig, fromSessionBroker } from '../../lib/runtime/index.ts';
import { refusalOf, rejectionOf } from '../support/refusal.ts';
import { DISPATCHER, type FakeAws, REGION, ROLE_ARN, startFakeAws } from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';

let aws: FakeAws;
let directory: string;
/** The fake by an address that is not loopback, so that whatever is sent to it is seen. */
let foreign: string;

beforeAll(async () => {
  aws = await startFakeAws();
  foreign = aws.endpoint.replace('127.0.0.1', '0.0.0.0');
  directory = mkdtempSync(join(tmpdir(), 'session-broker-'));
  writeFileSync(join(directory, 'token'), 'web-identity-token');
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await aws.close();
});
beforeEach(() => aws.forget());
isolateEnvironment();

/** A provider whose endpoint comes from the environment and whose dispatcher is a web identity. */
function webIdentityProvider(options: Parameters<typeof providerAgainst>[1] = {}) {
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(directory, 'token'));
  vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/hub-acme-tenant');
  return providerAgainst(aws, { endpoint: undefined, credentials: undefined, ...options });
}

function writeProfile(name: string, lines: readonly string[]): void {
  const file = join(directory, name);
  writeFileSync(file, lines.join('\n'));
  vi.stubEnv('AWS_CONFIG_FILE', file);
}

/** Notes where requests go, and lets none out. */
function noting(hosts: string[]): ClientConfig {
  const requestHandler = {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async ({ protocol, hostname }: { protocol: string; hostname: string }): Promise<never> => {
      hosts.push(`${protocol}//${hostname}`);
      throw Object.assign(new Error('not sent'), { code: 'ECONNREFUSED' });
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
  };
  return { maxAttempts: 1, requestHandler };
}

const actions = (): readonly string[] => aws.requests.map(({ action }) => action);

describe('an endpoint without https', () => {
  const sources: readonly (readonly [string, (url: string) => void])[] = [
    ['AWS_ENDPOINT_URL', (url) => vi.stubEnv('AWS_ENDPOINT_URL', url)],
    ['AWS_ENDPOINT_URL_STS', (url) => vi.stubEnv('AWS_ENDPOINT_URL_STS', url)],
    ['endpoint_url of the profile', (url) => writeProfile('profile', ['[default]', `endpoint_url = ${url}`])],
    [
      'the services of the profile',
      (url) =>
        writeProfile('services', ['[default]', 'services = s', '[services s]', 'sts =', `  endpoint_url = ${url}`]),
    ],
  ];

  test.each(sources)('from %s is refused before the web-identity token is sent', async (_, set) => {
    set(foreign);
    const warnings = vi.fn();
    const error = await rejectionOf(webIdentityProvider({ logger: { warn: warnings } })());
    expect(error).toMatchObject({
      code: 'EndpointInsecure',
      message:
        'STS endpoint must use https, except on loopback: "http://0.0.0.0"; correct AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL or endpoint_url in the profile (in code also the option endpoint, or set allowInsecureEndpoint if nobody else can reach the network)',
      detail: { service: 'STS', endpoint: 'http://0.0.0.0' },
    });
    expect(aws.requests).toEqual([]);
    expect(warnings).not.toHaveBeenCalled();
  });

  test.each(sources)('from %s is refused before credentials that are given are asked for', async (_, set) => {
    set(foreign);
    const credentials = vi.fn(async () => DISPATCHER);
    const error = await rejectionOf(providerAgainst(aws, { endpoint: undefined, credentials })());
    expect(error.code).toBe('EndpointInsecure');
    expect(credentials).not.toHaveBeenCalled();
    expect(aws.requests).toEqual([]);
  });

  test("from the environment is refused where the SDK's chain would send a web-identity token, though the option is secure", async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', foreign);
    writeProfile('web-identity', [
      '[profile tenant]',
      'role_arn = arn:aws:iam::111122223333:role/hub-acme-tenant',
      `web_identity_token_file = ${join(directory, 'token')}`,
    ]);
    const provide = providerAgainst(aws, { credentials: undefined, clientConfig: { profile: 'tenant' } });
    expect((await rejectionOf(provide())).code).toBe('EndpointInsecure');
    expect(aws.requests).toEqual([]);
  });

  test('from the environment is not followed where the option is secure, by the web-identity token neither', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', foreign);
    await webIdentityProvider({ endpoint: aws.endpoint })();
    expect(actions()).toEqual(['AssumeRoleWithWebIdentity', 'GetParameter', 'AssumeRole']);
  });

  test('that the environment names only after the check is not followed', async () => {
    const credentials = async () => {
      vi.stubEnv('AWS_ENDPOINT_URL_STS', foreign);
      return DISPATCHER;
    };
    const hosts: string[] = [];
    const clientConfig = noting(hosts);
    const provide = providerAgainst(aws, { endpoint: undefined, credentials, clientConfig, roleArn: ROLE_ARN });
    expect((await rejectionOf(provide())).code).toBe('Unavailable');
    expect(hosts).toEqual(['https://sts.us-west-2.amazonaws.com']);
  });

  test('of Systems Manager alone is refused', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', aws.endpoint);
    vi.stubEnv('AWS_ENDPOINT_URL_SSM', foreign);
    expect(await rejectionOf(providerAgainst(aws, { endpoint: undefined })())).toMatchObject({
      code: 'EndpointInsecure',
      message: expect.stringContaining('SSM endpoint must use https, except on loopback: "http://0.0.0.0"'),
    });
    expect(aws.requests).toEqual([]);
  });

  test.each([
    'http://example.invalid',
    'http://10.0.0.1:4566',
    'http://127.0.0.1.example.invalid',
    'http://localhost.example.invalid',
    'http://localhost@example.invalid',
    'http://[::2]',
    'http://0.0.0.0',
  ])('as an option is refused at once: %s', (endpoint) => {
    expect(refusalOf(() => providerAgainst(aws, { endpoint }))).toMatchObject({
      code: 'EndpointInsecure',
      message: expect.stringContaining('STS endpoint must use https, except on loopback: "http://'),
    });
  });

  test('is never shown with the password in it', () => {
    const error = refusalOf(() => providerAgainst(aws, { endpoint: 'http://user:pass-canary@example.invalid' }));
    expect(error.message).not.toContain('canary');
  });

  test.each([
    ['ftp://user:pass-canary@x.com', 'ftp://[redacted]@x.com'],
    ['ftp://user:pass/@canary@x.com', 'ftp://[redacted]@x.com'],
    ['user:pass-canary@x.com', '[redacted]@x.com'],
  ])('that is no https URL is quoted without its user and password: %s', (endpoint, quoted) => {
    expect(refusalOf(() => providerAgainst(aws, { endpoint }))).toMatchObject({
      code: 'EndpointInvalid',
      message: `endpoint must be an https URL: "${quoted}"; write it like "https://sts.us-west-2.amazonaws.com"`,
    });
  });

  test('is let through by allowInsecureEndpoint, with one warning', async () => {
    const warnings = vi.fn();
    const logger = { warn: warnings };
    const provide = providerAgainst(aws, { endpoint: foreign, allowInsecureEndpoint: true, logger });
    await provide();
    await provide({ forceRefresh: true });
    expect(actions()).toEqual(['GetParameter', 'AssumeRole', 'AssumeRole']);
    expect(warnings.mock.calls).toEqual([
      [
        'allowInsecureEndpoint is set: requests to STS at "http://0.0.0.0" and the credentials in the answers travel without encryption',
      ],
    ]);
  });

  test('is let through by allowInsecureEndpoint from the environment, with one warning', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', foreign);
    const logger = { warn: vi.fn() };
    await webIdentityProvider({ allowInsecureEndpoint: true, logger })();
    expect(actions()).toEqual(['AssumeRoleWithWebIdentity', 'GetParameter', 'AssumeRole']);
    expect(logger.warn).toHaveBeenCalledOnce();
  });

  test('is let through where the logger that is warned throws', () => {
    const warn = vi.fn(() => {
      throw new Error('EPIPE');
    });
    const endpoint = 'http://example.invalid';
    expect(() => providerAgainst(aws, { endpoint, allowInsecureEndpoint: true, logger: { warn } })).not.toThrow();
    expect(warn).toHaveBeenCalledOnce();
  });

  test('is warned of by Node unless there is a logger', () => {
    const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    providerAgainst(aws, { endpoint: foreign, allowInsecureEndpoint: true });
    expect(emitted.mock.calls).toEqual([
      [expect.stringContaining('allowInsecureEndpoint is set'), 'SessionBrokerWarning'],
    ]);
    emitted.mockRestore();
  });
});

describe('loopback', () => {
  test.each(['http://127.0.0.1', 'http://127.9.8.7:1', 'http://localhost:4566', 'http://[::1]:4566', 'http://127.1'])(
    'needs no https: %s',
    (endpoint) => {
      const warn = vi.fn();
      expect(() => providerAgainst(aws, { endpoint, logger: { warn } })).not.toThrow();
      expect(warn).not.toHaveBeenCalled();
    },
  );

  test.each(['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_STS'])('serves the whole chain from %s', async (variable) => {
    vi.stubEnv(variable, aws.endpoint);
    vi.stubEnv('AWS_ENDPOINT_URL_SSM', aws.endpoint);
    await webIdentityProvider()();
    expect(actions()).toEqual(['AssumeRoleWithWebIdentity', 'GetParameter', 'AssumeRole']);
  });

  test('is reached by name', async () => {
    await providerAgainst({ endpoint: aws.endpoint.replace('127.0.0.1', 'localhost') })();
    expect(actions()).toEqual(['GetParameter', 'AssumeRole']);
  });
});

describe('without an endpoint', () => {
  test.each([
    ['us-east-1', 'https://sts.us-east-1.amazonaws.com'],
    ['us-west-2', 'https://sts.us-west-2.amazonaws.com'],
    ['ap-southeast-3', 'https://sts.ap-southeast-3.amazonaws.com'],
    ['us-gov-west-1', 'https://sts.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'https://sts.cn-north-1.amazonaws.com.cn'],
  ])('STS is called in the Region: %s', async (region, expected) => {
    vi.stubEnv('AWS_STS_REGIONAL_ENDPOINTS', 'legacy');
    const hosts: string[] = [];
    const partition = region.startsWith('cn') ? 'aws-cn' : region.startsWith('us-gov') ? 'aws-us-gov' : 'aws';
    const provide = fromSessionBroker({
      session: 's1',
      tenant: 'acme',
      roleArn: ROLE_ARN.replace(':aws:', `:${partition}:`),
      region,
      credentials: DISPATCHER,
      clientConfig: noting(hosts),
    });
    expect((await rejectionOf(provide())).code).toBe('Unavailable');
    expect(hosts).toEqual([expected]);
  });

  test('the web identity of the dispatcher is sent to STS in the same Region', async () => {
    const hosts: string[] = [];
    const provide = webIdentityProvider({ region: REGION, clientConfig: noting(hosts) });
    expect((await rejectionOf(provide())).code).toBe('Unavailable');
    expect(new Set(hosts)).toEqual(new Set(['https://sts.us-west-2.amazonaws.com']));
  });
});

describe('fails on an endpoint that cannot be read', () => {
  test('from the environment', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', 'nowhere');
    expect(await rejectionOf(webIdentityProvider()())).toMatchObject({
      code: 'EndpointInvalid',
      message:
        'STS endpoint in AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL or the profile cannot be used: "Invalid URL"; correct or remove it',
    });
    expect(aws.requests).toEqual([]);
  });

  test('from the environment, without its password in the cause', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_STS', 'https://user:pass-canary@[');
    const error = await rejectionOf(webIdentityProvider()());
    expect(error.code).toBe('EndpointInvalid');
    expect(inspect(error)).not.toContain('canary');
  });

  test('with a scheme that is neither http nor https', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'ftp://127.0.0.1');
    expect((await rejectionOf(webIdentityProvider({ allowInsecureEndpoint: true })())).code).toBe('EndpointInsecure');
  });
});
