import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FromSessionBrokerOptions, fromSessionBroker } from '../../lib/runtime/index.ts';
import { validSourceIdentities } from '../support/contracts.ts';
import { refusalOf, rejectionOf } from '../support/refusal.ts';
import { ACCOUNT, DISPATCHER, type FakeAws, ISSUED, PARAMETER, ROLE_ARN, startFakeAws } from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';

const START = Date.parse('2026-01-02T03:04:05Z');

let time: number;
let aws: FakeAws;

beforeAll(async () => {
  aws = await startFakeAws(() => time);
});
afterAll(() => aws.close());
beforeEach(() => {
  time = START;
  aws.forget();
});
isolateEnvironment();

const provider = (options: Partial<FromSessionBrokerOptions> = {}) =>
  providerAgainst(aws, { now: () => time, random: () => 0, ...options });

/** The one AssumeRole request that arrived. */
function assumeRoleRequest() {
  const requests = aws.requests.filter(({ action }) => action === 'AssumeRole');
  expect(requests).toHaveLength(1);
  return requests[0]?.parameters;
}

describe('a session', () => {
  test("assumes the tenant's role under its name, with the dispatcher's credentials", async () => {
    await provider()();
    expect(aws.requests.map(({ action, parameters }) => ({ action, parameters }))).toEqual([
      { action: 'GetParameter', parameters: { Name: PARAMETER } },
      {
        action: 'AssumeRole',
        parameters: {
          Action: 'AssumeRole',
          Version: '2011-06-15',
          RoleArn: ROLE_ARN,
          RoleSessionName: 'agent.acme.s1',
          SourceIdentity: 'agent.acme.s1',
          DurationSeconds: '3600',
        },
      },
    ]);
    for (const { authorization, securityToken } of aws.requests) {
      expect(authorization).toContain(`Credential=${DISPATCHER.accessKeyId}/`);
      expect(authorization).toContain('/us-west-2/');
      expect(securityToken).toBe(DISPATCHER.sessionToken);
    }
  });

  test('gets the credentials of the role, which nobody can change', async () => {
    const credentials = await provider()();
    expect(credentials).toEqual({ ...ISSUED, expiration: new Date(START + 3_600_000), accountId: ACCOUNT });
    expect(Object.isFrozen(credentials)).toBe(true);
  });

  test.each(validSourceIdentities.filter(({ trafficClass }) => trafficClass === 'agent'))(
    'sends $sourceIdentity as source identity and as role session name',
    async ({ tenant, workflow, session, sourceIdentity }) => {
      await provider({ tenant, workflow, session, roleArn: ROLE_ARN })();
      expect(assumeRoleRequest()).toMatchObject({ SourceIdentity: sourceIdentity, RoleSessionName: sourceIdentity });
    },
  );

  test('of a workflow runs in the role of the workflow', async () => {
    const name = '/eks-agent-platform/hub/session-broker/acme/workflows/billing/session_role_arn';
    const arn = ROLE_ARN.replace('hub-acme-session', 'hub-acme-billing-session');
    aws.on('GetParameter', ({ parameters }) => ({
      status: 200,
      type: 'application/x-amz-json-1.1',
      body: JSON.stringify({
        Parameter: { ARN: `arn:aws:ssm:us-west-2:${ACCOUNT}:parameter${parameters['Name']}`, Value: arn },
      }),
    }));
    await provider({ workflow: 'billing' })();
    expect(aws.requests[0]?.parameters).toEqual({ Name: name });
    expect(assumeRoleRequest()).toMatchObject({ RoleArn: arn, SourceIdentity: 'agent.acme.billing.s1' });
  });

  test('repeats every part of the request at each renewal, and reads the parameter once', async () => {
    const provide = provider({ durationSeconds: 1800 });
    for (let hours = 0; hours < 24; hours += 1) {
      time = START + hours * 3_600_000;
      const { expiration } = await provide();
      expect(expiration.getTime() - time).toBe(1_800_000);
    }
    const requests = aws.requests.map(({ action, parameters }) => JSON.stringify({ action, parameters }));
    expect(requests).toHaveLength(25);
    expect(new Set(requests.slice(1)).size).toBe(1);
  });

  test('keeps its name when the options or the environment change later', async () => {
    vi.stubEnv('SESSION_BROKER_TENANT', 'acme');
    const options = { session: 's1', durationSeconds: 3600 };
    const provide = provider({ ...options, tenant: undefined });
    await provide();
    vi.stubEnv('SESSION_BROKER_TENANT', 'globex');
    await provide({ forceRefresh: true });
    expect(
      aws.requests.filter(({ action }) => action === 'AssumeRole').map((r) => r.parameters['SourceIdentity']),
    ).toEqual(['agent.acme.s1', 'agent.acme.s1']);
  });

  test('is not changed by an options object that is changed after it was given', async () => {
    const options = {
      session: 's1',
      tenant: 'acme',
      roleArn: ROLE_ARN,
      region: 'us-west-2',
      credentials: DISPATCHER,
      endpoint: aws.endpoint,
      now: () => time,
    };
    const provide = fromSessionBroker(options);
    options.session = 's2';
    options.tenant = 'globex';
    await provide();
    expect(assumeRoleRequest()).toMatchObject({ SourceIdentity: 'agent.acme.s1' });
  });
});

describe('by a clock that is', () => {
  const MINUTE = 60_000;

  test.each([
    ['50 minutes ahead', 50, 3600],
    ['15 minutes ahead of half an hour', 15, 1800],
  ])('%s, a session is renewed once a minute at most', async (_, ahead, durationSeconds) => {
    let clock = time + ahead * MINUTE;
    const provide = provider({ now: () => clock, durationSeconds, roleArn: ROLE_ARN });
    for (let call = 0; call < 20; call += 1) await provide();
    clock += MINUTE - 1;
    await provide();
    expect(aws.requests).toHaveLength(1);
    clock += 1;
    await provide();
    expect(aws.requests).toHaveLength(2);
    await provide({ forceRefresh: true });
    expect(aws.requests).toHaveLength(3);
  });

  test('120 minutes behind, a session is renewed in time and carries the expiration of STS', async () => {
    const provide = provider({ now: () => time - 120 * MINUTE, roleArn: ROLE_ARN });
    expect((await provide()).expiration).toEqual(new Date(START + 60 * MINUTE));
    time = START + 70 * MINUTE;
    expect((await provide()).expiration).toEqual(new Date(START + 130 * MINUTE));
    expect(aws.requests).toHaveLength(2);
  });
});

describe('the environment', () => {
  test('stands in for tenant, cluster and parameter prefix', async () => {
    vi.stubEnv('SESSION_BROKER_TENANT', 'acme');
    vi.stubEnv('SESSION_BROKER_CLUSTER', 'hub');
    vi.stubEnv('SESSION_BROKER_PARAMETER_PREFIX', '/platform');
    await provider({ tenant: undefined, cluster: undefined })();
    expect(aws.requests[0]?.parameters).toEqual({ Name: '/platform/hub/session-broker/acme/session_role_arn' });
    expect(assumeRoleRequest()).toMatchObject({ SourceIdentity: 'agent.acme.s1' });
  });

  test('gives way to options', async () => {
    vi.stubEnv('SESSION_BROKER_TENANT', 'globex');
    vi.stubEnv('SESSION_BROKER_CLUSTER', 'edge');
    vi.stubEnv('SESSION_BROKER_PARAMETER_PREFIX', '/platform');
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    await provider({ parameterPrefix: '/eks-agent-platform' })();
    expect(aws.requests[0]?.parameters).toEqual({ Name: PARAMETER });
    expect(aws.requests[0]?.authorization).toContain('/us-west-2/ssm/');
  });

  test('gives the role in FAB_SESSION_ROLE_ARN, before the parameter and after the option', async () => {
    const other = ROLE_ARN.replace('hub-acme', 'other');
    vi.stubEnv('FAB_SESSION_ROLE_ARN', other);
    await provider({ cluster: undefined })();
    expect(assumeRoleRequest()).toMatchObject({ RoleArn: other });
    expect(aws.requests).toHaveLength(1);
    aws.forget();
    await provider({ roleArn: ROLE_ARN })();
    expect(assumeRoleRequest()).toMatchObject({ RoleArn: ROLE_ARN });
  });

  test('is not asked for FAB_OPERATOR', async () => {
    vi.stubEnv('FAB_OPERATOR', 'agent.globex.s9');
    await provider()();
    expect(assumeRoleRequest()).toMatchObject({ SourceIdentity: 'agent.acme.s1' });
  });

  test('is read at the first call, not before', async () => {
    const provide = provider({ cluster: undefined });
    vi.stubEnv('SESSION_BROKER_CLUSTER', 'hub');
    await provide();
    expect(aws.requests[0]?.parameters).toEqual({ Name: PARAMETER });
  });

  test('gives the Region as the SDK reads it', async () => {
    vi.stubEnv('AWS_REGION', 'us-west-2');
    await provider({ region: undefined })();
    expect(aws.requests[1]?.authorization).toContain('/us-west-2/sts/');
  });
});

describe('fails at once', () => {
  test.each<[string, Partial<FromSessionBrokerOptions>, string, string]>([
    ['a tenant', { tenant: 'Acme' }, 'TenantUpperCase', 'tenant must be a lower-case DNS label'],
    ['a session id', { session: 'a.b' }, 'SegmentDot', 'session id must not contain a dot'],
    ['a session id without a tenant', { tenant: undefined, session: 'a:b' }, 'SessionInvalid', 'session id must be'],
    ['a session id that is too long', { session: 'x'.repeat(54) }, 'IdentityTooLong', 'at most 53 characters'],
    ['a workflow', { workflow: 'Billing' }, 'WorkflowUpperCase', 'workflow must be a lower-case DNS label'],
    ['a workflow without a tenant', { tenant: undefined, workflow: '*' }, 'IdentityWildcard', 'workflow must not'],
    ['a cluster', { cluster: 'Hub' }, 'ClusterUpperCase', 'cluster must be a lower-case DNS label'],
    ['names that do not fit', { cluster: 'c'.repeat(60) }, 'NameTooLong', 'role name must have at most 64'],
    ['a parameter prefix', { parameterPrefix: '/aws/x' }, 'ParameterPrefixInvalid', 'must not begin with "/aws"'],
    ['a role ARN', { roleArn: 'arn:aws:iam::111122223333:role/*' }, 'RoleArnInvalid', 'without a wildcard'],
    ['a Region', { region: 'aws-global' }, 'RegionInvalid', 'region must be the name of a Region'],
    [
      'an endpoint',
      { endpoint: 'localhost:4566' },
      'EndpointInvalid',
      'endpoint must be an https URL: "localhost:4566"',
    ],
    [
      'an endpoint of another scheme',
      { endpoint: 'ftp://sts' },
      'EndpointInvalid',
      'endpoint must be an https URL: "ftp',
    ],
    ['an endpoint without a scheme', { endpoint: 'sts' }, 'EndpointInvalid', 'endpoint must be an https URL: "sts"'],
  ])('on %s that cannot be', (_, options, code, message) => {
    expect(refusalOf(() => provider(options))).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test.each([1799, 3601, 43_200, 0, -1, 1800.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'on a duration of %d seconds, before any call',
    (durationSeconds) => {
      expect(refusalOf(() => provider({ durationSeconds }))).toMatchObject({
        code: 'DurationOutOfRange',
        message: expect.stringContaining(
          'durationSeconds must be a whole number from 1800 to 3600, the most that role chaining allows',
        ),
      });
      expect(aws.requests).toEqual([]);
    },
  );

  test.each([1800, 3600])('on no duration of %d seconds', async (durationSeconds) => {
    await provider({ durationSeconds })();
    expect(assumeRoleRequest()).toMatchObject({ DurationSeconds: String(durationSeconds) });
  });

  test.each([
    ['no options', undefined, 'options must be an object'],
    ['a session that is no string', { session: 7 }, 'session id must be a string: 7'],
    ['no session', {}, 'session id must be a string: undefined'],
  ])('on %s with a TypeError', (_, options, message) => {
    expect(() => fromSessionBroker(options as unknown as FromSessionBrokerOptions)).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(message) }),
    );
  });
});

describe('fails with a TypeError', () => {
  const CREDENTIALS =
    'credentials must be credentials with an accessKeyId and a secretAccessKey, or a function that provides them; leave it out for the default chain of the SDK';

  test.each<[string, unknown, string]>([
    ...[null, false, '', 0, 'abc', {}, { accessKeyId: 'A', secretAccessKey: '' }, { secretAccessKey: 's' }].map(
      (value): [string, unknown, string] => ['credentials', value, CREDENTIALS],
    ),
    ['logger', {}, 'logger must be an object with a function warn'],
    ['logger', null, 'logger must be an object with a function warn'],
    ['now', 5, 'now must be a function'],
    ['random', 0.5, 'random must be a function'],
    ['clientConfig', null, 'clientConfig must be an object'],
    ['allowInsecureEndpoint', 'false', 'allowInsecureEndpoint must be true or false'],
    ['durationsSeconds', 1800, 'options must not hold "durationsSeconds", the nearest option is "durationSeconds"'],
    ['Tenant', 'acme', 'options must not hold "Tenant", the nearest option is "tenant"'],
    ['x', undefined, 'options must not hold "x"'],
    ['constructor', 1, 'options must not hold "constructor"'],
  ])('on %s: %j', (option, value, message) => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENVIRONMENT00001');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    expect(() => provider({ [option]: value })).toThrow(expect.objectContaining({ name: 'TypeError', message }));
  });
});

describe('fails before any call', () => {
  test.each<[string, Partial<FromSessionBrokerOptions>, string]>([
    ['cluster', { cluster: undefined }, 'cluster missing'],
    ['tenant', { tenant: undefined }, 'tenant missing'],
    ['cluster and tenant', { cluster: undefined, tenant: undefined }, 'cluster and tenant missing'],
  ])('without %s to find the role by', async (_, options, missing) => {
    expect(await rejectionOf(provider(options)())).toMatchObject({
      code: 'RoleUnresolved',
      message: `session-broker role must be given or found by cluster and tenant, ${missing}: set cluster (--cluster or SESSION_BROKER_CLUSTER; option cluster) and tenant (--tenant or SESSION_BROKER_TENANT; option tenant), or the role's ARN (--role-arn or FAB_SESSION_ROLE_ARN; option roleArn) and the tenant`,
    });
    expect(aws.requests).toEqual([]);
  });

  test('without a tenant to name the session after, a role being given', async () => {
    expect(await rejectionOf(provider({ tenant: undefined, roleArn: ROLE_ARN })())).toMatchObject({
      code: 'TenantEmpty',
      message:
        'tenant must be given, the session is named after it: set tenant (--tenant or SESSION_BROKER_TENANT; option tenant)',
    });
    expect(aws.requests).toEqual([]);
  });

  test.each([
    ['SESSION_BROKER_TENANT', 'Acme', { tenant: undefined }, 'TenantUpperCase'],
    ['SESSION_BROKER_CLUSTER', 'Hub', { cluster: undefined }, 'ClusterUpperCase'],
    ['SESSION_BROKER_PARAMETER_PREFIX', 'x', {}, 'ParameterPrefixInvalid'],
    ['FAB_SESSION_ROLE_ARN', 'x', {}, 'RoleArnInvalid'],
    ['SESSION_BROKER_CLUSTER', '', { cluster: undefined }, 'RoleUnresolved'],
  ])('on %s=%j', async (variable, value, options, code) => {
    vi.stubEnv(variable, value);
    expect((await rejectionOf(provider(options)())).code).toBe(code);
    expect(aws.requests).toEqual([]);
  });

  test('without a Region', async () => {
    expect(await rejectionOf(provider({ region: undefined })())).toMatchObject({
      code: 'RegionUnresolved',
      message:
        'region must be known: set the Region of the cluster (--region or AWS_REGION; option region), or region in the profile',
    });
    expect(aws.requests).toEqual([]);
  });

  test('on a Region of the environment that is none', async () => {
    vi.stubEnv('AWS_REGION', 'aws-global');
    expect((await rejectionOf(provider({ region: undefined })())).code).toBe('RegionInvalid');
    expect(aws.requests).toEqual([]);
  });

  test('on a Region of the environment with a space, showing it', async () => {
    vi.stubEnv('AWS_REGION', ' us-west-2');
    expect(await rejectionOf(provider({ region: undefined })())).toMatchObject({
      code: 'RegionInvalid',
      message: expect.stringContaining(': " us-west-2"; write it like "us-west-2"'),
    });
  });

  test.each(['option', 'variable'])("on a role of another partition than the Region's, from the %s", async (from) => {
    const roleArn = ROLE_ARN.replace(':aws:', ':aws-cn:');
    if (from === 'variable') vi.stubEnv('FAB_SESSION_ROLE_ARN', roleArn);
    expect(await rejectionOf(provider(from === 'option' ? { roleArn } : {})())).toMatchObject({
      code: 'RoleArnInvalid',
      message: `role ARN must name a role in the partition aws of the Region us-west-2: "${roleArn}"; correct the Region or the role`,
    });
    expect(aws.requests).toEqual([]);
  });

  test('and succeeds once what was missing is there', async () => {
    const provide = provider({ cluster: undefined });
    expect((await rejectionOf(provide())).code).toBe('RoleUnresolved');
    vi.stubEnv('SESSION_BROKER_CLUSTER', 'hub');
    await provide();
    expect(assumeRoleRequest()).toMatchObject({ SourceIdentity: 'agent.acme.s1' });
  });
});
