import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { SessionBroker, type SessionBrokerOptions, type SessionOptions } from '../../lib/runtime/index.ts';
import { refusalOf, rejectionOf } from '../support/refusal.ts';
import { brokerAgainst } from './support/broker.ts';
import {
  ACCOUNT,
  DISPATCHER,
  type FakeAws,
  ISSUED,
  PARAMETER,
  parameterAnswer,
  REGION,
  ROLE_ARN,
  startFakeAws,
  stsError,
} from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';

let aws: FakeAws;
beforeAll(async () => {
  aws = await startFakeAws();
});
afterAll(() => aws.close());
beforeEach(() => aws.forget());
isolateEnvironment();

const POLICY = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::notes/*' }],
};
const POLICY_ARN = `arn:aws:iam::${ACCOUNT}:policy/notes`;

const actions = (): readonly string[] => aws.requests.map(({ action }) => action);
const assumptions = () => aws.requests.filter(({ action }) => action === 'AssumeRole').map((r) => r.parameters);

/** The parameter of any tenant, which holds the role of its own name. */
function publishRoles(): void {
  aws.on('GetParameter', ({ parameters }) => {
    const name = parameters['Name'] ?? '';
    const [, cluster, tenant, workflow] = /(\w+)\/session-broker\/([\w-]+)(?:\/workflows\/(\w+))?/.exec(name) ?? [];
    const stem = [cluster, tenant, workflow].filter((part) => part !== undefined).join('-');
    return parameterAnswer(ROLE_ARN.replace('hub-acme', stem), { name });
  });
}

describe('a session broker', () => {
  test('gives sessions that assume their role under their name, and all that limits them', async () => {
    const session = brokerAgainst(aws).session({
      session: 's1',
      durationSeconds: 1800,
      policy: POLICY,
      policyArns: [POLICY_ARN],
    });
    expect(session.sourceIdentity).toBe('agent.acme.s1');
    expect(await session.credentials()).toMatchObject({ ...ISSUED, accountId: ACCOUNT });
    expect(assumptions()).toEqual([
      {
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: ROLE_ARN,
        RoleSessionName: 'agent.acme.s1',
        SourceIdentity: 'agent.acme.s1',
        DurationSeconds: '1800',
        Policy: JSON.stringify(POLICY),
        'PolicyArns.member.1.arn': POLICY_ARN,
      },
    ]);
  });

  test('makes no call until a session is asked for its credentials', async () => {
    const session = brokerAgainst(aws).session({ session: 's1' });
    await new Promise(setImmediate);
    expect(session.current()).toBeUndefined();
    expect(aws.requests).toEqual([]);
  });

  test('shares the clients and the lookup of the role between sessions', async () => {
    const credentials = vi.fn(async () => DISPATCHER);
    const broker = brokerAgainst(aws, { credentials });
    const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
    await Promise.all(names.map((session) => broker.session({ session }).credentials()));
    expect(actions().filter((action) => action === 'GetParameter')).toHaveLength(1);
    expect(credentials).toHaveBeenCalledOnce();
    expect(new Set(assumptions().map((parameters) => parameters['SourceIdentity'])).size).toBe(20);
  });

  test('makes one call for any number of first callers of a session', async () => {
    const { credentials } = brokerAgainst(aws).session({ session: 's1', roleArn: ROLE_ARN });
    await Promise.all(Array.from({ length: 1000 }, () => credentials()));
    expect(actions()).toEqual(['AssumeRole']);
  });

  test('answers at once with what is current', async () => {
    const session = brokerAgainst(aws).session({ session: 's1' });
    const credentials = await session.credentials();
    expect(session.current()).toBe(credentials);
  });

  test('takes the place of sessions from its options, and these before variables', async () => {
    vi.stubEnv('SESSION_BROKER_TENANT', 'globex');
    vi.stubEnv('SESSION_BROKER_CLUSTER', 'other');
    publishRoles();
    const broker = brokerAgainst(aws, { cluster: undefined, parameterPrefix: '/platform' });
    expect(broker.session({ session: 's1' }).sourceIdentity).toBe('agent.acme.s1');
    expect(broker.session({ session: 's1', tenant: 'initech' }).sourceIdentity).toBe('agent.initech.s1');
    expect(await broker.roleArn({})).toBe(ROLE_ARN.replace('hub', 'other'));
    expect(await broker.roleArn({ cluster: 'hub', workflow: 'billing' })).toBe(
      ROLE_ARN.replace('acme', 'acme-billing'),
    );
    expect(aws.requests.map(({ parameters }) => parameters['Name'])).toEqual([
      '/platform/other/session-broker/acme/session_role_arn',
      '/platform/hub/session-broker/acme/workflows/billing/session_role_arn',
    ]);
  });

  test('reads variables when a session is made', () => {
    const broker = brokerAgainst(aws, { tenant: undefined });
    expect(refusalOf(() => broker.session({ session: 's1' })).code).toBe('RoleUnresolved');
    vi.stubEnv('SESSION_BROKER_TENANT', 'acme');
    expect(broker.session({ session: 's1' }).sourceIdentity).toBe('agent.acme.s1');
  });

  test('tells the Region, as the SDK resolves it', async () => {
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    expect(await brokerAgainst(aws, { region: undefined }).region()).toBe('eu-central-1');
    expect(await brokerAgainst(aws).region()).toBe(REGION);
    expect(aws.requests).toEqual([]);
  });

  test('tells a role that is given without a call', async () => {
    expect(await brokerAgainst(aws).roleArn({ roleArn: ROLE_ARN })).toBe(ROLE_ARN);
    vi.stubEnv('FAB_SESSION_ROLE_ARN', ROLE_ARN.replace('hub', 'other'));
    expect(await brokerAgainst(aws).roleArn()).toBe(ROLE_ARN.replace('hub', 'other'));
    expect(aws.requests).toEqual([]);
  });

  test('looks a role up once, and again after a failure', async () => {
    const broker = brokerAgainst(aws);
    aws.on('GetParameter', { status: 400, type: 'application/x-amz-json-1.1', body: '{"__type":"ParameterNotFound"}' });
    const failures = [broker.roleArn(), broker.session({ session: 's1' }).credentials()].map(rejectionOf);
    expect((await Promise.all(failures)).map(({ code }) => code)).toEqual(['ParameterNotFound', 'ParameterNotFound']);
    aws.forget();
    await broker.session({ session: 's2' }).credentials();
    await broker.roleArn();
    expect(aws.requests.map(({ parameters }) => parameters['Name'])).toEqual([PARAMETER, undefined]);
  });

  test('gives further callers the failure that has just happened, without a call', async () => {
    aws.on('AssumeRole', stsError(403, 'AccessDenied', 'no'));
    const { credentials } = brokerAgainst(aws).session({ session: 's1', roleArn: ROLE_ARN });
    for (let attempt = 0; attempt < 4; attempt += 1) {
      expect((await rejectionOf(credentials())).code).toBe('AssumeRoleDenied');
    }
    expect(actions()).toEqual(['AssumeRole']);
  });
});

test('a logger that throws changes nothing', async () => {
  let time = Date.now();
  const warn = vi.fn(() => {
    throw new Error('EPIPE');
  });
  const { credentials } = brokerAgainst(aws, { logger: { warn }, now: () => time }).session({
    session: 's1',
    roleArn: ROLE_ARN,
  });
  await credentials();
  aws.on('AssumeRole', stsError(403, 'AccessDenied', 'no'));
  time += 3_600_001;
  expect((await rejectionOf(credentials())).code).toBe('AssumeRoleDenied');
  expect(warn).toHaveBeenCalledOnce();
});

describe('a session is known by all of its authority', () => {
  const same: SessionOptions = {
    session: 's1',
    tenant: 'acme',
    workflow: 'billing',
    cluster: 'hub',
    parameterPrefix: '/platform',
    durationSeconds: 3600,
    policy: POLICY,
    policyArns: [POLICY_ARN],
  };

  test('the same options give the same session', () => {
    const broker = brokerAgainst(aws);
    expect(broker.session({ ...same })).toBe(broker.session(same));
    expect(broker.session({ ...same, policy: JSON.stringify(POLICY) })).toBe(broker.session(same));
  });

  test.each<[keyof SessionOptions, SessionOptions[keyof SessionOptions]]>([
    ['session', 's2'],
    ['tenant', 'initech'],
    ['workflow', undefined],
    ['workflow', 'reports'],
    ['cluster', 'other'],
    ['parameterPrefix', undefined],
    ['roleArn', ROLE_ARN],
    ['durationSeconds', 1800],
    ['policy', undefined],
    ['policy', { ...POLICY, Statement: [{ ...POLICY.Statement[0], Effect: 'Deny' }] }],
    ['policyArns', undefined],
    ['policyArns', [`${POLICY_ARN}-2`]],
    ['policyArns', [POLICY_ARN, `${POLICY_ARN}-2`]],
  ])('another %s gives another: %j', (option, value) => {
    const broker = brokerAgainst(aws);
    expect(broker.session({ ...same, [option]: value })).not.toBe(broker.session(same));
  });

  test('another role is another session', () => {
    const broker = brokerAgainst(aws);
    const role = (name: string) => broker.session({ session: 's1', roleArn: ROLE_ARN.replace('hub', name) });
    expect(role('hub')).toBe(role('hub'));
    expect(role('other')).not.toBe(role('hub'));
  });

  test('a variable is as good as an option', () => {
    const broker = brokerAgainst(aws);
    const session = broker.session({ session: 's1' });
    vi.stubEnv('FAB_SESSION_ROLE_ARN', ROLE_ARN);
    expect(broker.session({ session: 's1' })).not.toBe(session);
  });

  test('options that are changed afterwards change nothing', async () => {
    const options: { session: string; roleArn: string; policyArns: string[] } = {
      session: 's1',
      roleArn: ROLE_ARN,
      policyArns: [POLICY_ARN],
    };
    const { credentials } = brokerAgainst(aws).session(options);
    options.session = 's2';
    options.policyArns.push('arn:aws:iam::aws:policy/AdministratorAccess');
    await credentials();
    expect(assumptions()).toMatchObject([{ SourceIdentity: 'agent.acme.s1', 'PolicyArns.member.1.arn': POLICY_ARN }]);
    expect(assumptions()[0]).not.toHaveProperty(['PolicyArns.member.2.arn']);
  });
});

describe('closed', () => {
  const CLOSED = { code: 'SessionClosed', retryable: false };

  test('a session hands nothing out any more, and the next of its name is a new one', async () => {
    const broker = brokerAgainst(aws);
    const session = broker.session({ session: 's1' });
    await session.credentials();
    session.close();
    session.close();
    expect(session.current()).toBeUndefined();
    expect(await rejectionOf(session.credentials())).toMatchObject({
      ...CLOSED,
      message: 'session "agent.acme.s1" is closed; a new one is made by session()',
      detail: { sourceIdentity: 'agent.acme.s1' },
    });
    const next = broker.session({ session: 's1' });
    expect(next).not.toBe(session);
    await next.credentials();
    session.close();
    expect(broker.session({ session: 's1' })).toBe(next);
  });

  test('a broker ends every session, and takes no call', async () => {
    const broker = brokerAgainst(aws);
    const sessions = ['s1', 's2'].map((session) => broker.session({ session }));
    await sessions[0]?.credentials();
    broker.close();
    broker.close();
    for (const session of sessions) {
      expect(session.current()).toBeUndefined();
      expect(await rejectionOf(session.credentials())).toMatchObject(CLOSED);
    }
    const message = 'session broker is closed; make a new one';
    expect(refusalOf(() => broker.session({ session: 's3' }))).toMatchObject({ ...CLOSED, message });
    expect(await rejectionOf(broker.roleArn())).toMatchObject({ ...CLOSED, message });
    expect(await rejectionOf(broker.region())).toMatchObject({ ...CLOSED, message });
  });

  test('a broker ends by `using` too', async () => {
    const broker = brokerAgainst(aws);
    {
      using used = broker;
      expect(await used.region()).toBe(REGION);
    }
    expect(refusalOf(() => broker.session({ session: 's1' })).code).toBe('SessionClosed');
  });

  test.each([
    ['our retries', undefined],
    ["the SDK's", { maxAttempts: 1 }],
  ])('ends requests that are under way, at once, with %s', async (_, clientConfig) => {
    aws.on('AssumeRole', 'silence');
    aws.on('GetParameter', 'silence');
    const broker = brokerAgainst(aws, { clientConfig });
    const calls = [
      broker.session({ session: 's1', roleArn: ROLE_ARN }).credentials(),
      broker.session({ session: 's2' }).credentials(),
      broker.roleArn(),
    ].map(rejectionOf);
    await vi.waitFor(() => expect(aws.requests).toHaveLength(2));
    broker.close();
    for (const error of await Promise.all(calls)) expect(error).toMatchObject(CLOSED);
  });

  test('leaves a request handler that was given to its owner', async () => {
    const destroy = vi.fn();
    const handler = {
      metadata: { handlerProtocol: 'http/1.1' },
      handle: () => Promise.reject(Object.assign(new Error('not sent'), { code: 'ECONNREFUSED' })),
      updateHttpClientConfig: () => {},
      httpHandlerConfigs: () => ({}),
      destroy,
    };
    const broker = brokerAgainst(aws, { clientConfig: { requestHandler: handler, maxAttempts: 1 } });
    await rejectionOf(broker.session({ session: 's1' }).credentials());
    broker.close();
    expect(destroy).not.toHaveBeenCalled();
  });
});

describe('fails at once', () => {
  test.each<[string, SessionBrokerOptions, string]>([
    ['a tenant', { tenant: 'Acme' }, 'TenantUpperCase'],
    ['a cluster', { cluster: 'Hub' }, 'ClusterUpperCase'],
    ['a parameter prefix', { parameterPrefix: '/aws' }, 'ParameterPrefixInvalid'],
    ['a Region', { region: 'aws-global' }, 'RegionInvalid'],
    ['an endpoint', { endpoint: 'ftp://sts' }, 'EndpointInvalid'],
    ['an insecure endpoint', { endpoint: 'http://example.invalid' }, 'EndpointInsecure'],
  ])('on %s of the broker that cannot be', (_, options, code) => {
    expect(refusalOf(() => new SessionBroker(options)).code).toBe(code);
  });

  test.each<[string, Partial<SessionOptions>, string]>([
    ['a session id', { session: 'a.b' }, 'SegmentDot'],
    ['a tenant', { tenant: 'Acme' }, 'TenantUpperCase'],
    ['a workflow', { workflow: 'Billing' }, 'WorkflowUpperCase'],
    ['a role ARN', { roleArn: '*' }, 'RoleArnInvalid'],
    ['a duration', { durationSeconds: 900 }, 'DurationOutOfRange'],
    ['a session policy', { policy: 'x' }, 'SessionPolicyInvalid'],
    ['a policy ARN', { policyArns: ['*'] }, 'PolicyArnInvalid'],
    ["a session id that the broker's tenant leaves no room for", { session: 'x'.repeat(54) }, 'IdentityTooLong'],
  ])('on %s of the session that cannot be', (_, options, code) => {
    expect(refusalOf(() => brokerAgainst(aws).session({ session: 's1', ...options })).code).toBe(code);
  });

  const call = 'callsPerSecond must be a whole number from 1 to 600, what an account may make in a Region';
  test.each<[string, () => unknown, string]>([
    ['options that are none', () => new SessionBroker(null as never), 'options must be an object: null'],
    [
      'an option of a session',
      () => new SessionBroker({ session: 's1' } as never),
      'options must not hold "session" here: give it to session(), each session has its own',
    ],
    [
      'a misspelt option',
      () => new SessionBroker({ regoin: REGION } as never),
      'options must not hold "regoin", the nearest option is "region"',
    ],
    ['no calls', () => new SessionBroker({ callsPerSecond: 0 }), call],
    ['more calls than there are', () => new SessionBroker({ callsPerSecond: 601 }), call],
    ['half a call', () => new SessionBroker({ callsPerSecond: 1.5 }), call],
    ['a schedule', () => new SessionBroker({ schedule: 5 as never }), 'schedule must be a function'],
    [
      'an option of the broker',
      () => brokerAgainst(aws).session({ session: 's1', region: REGION } as never),
      'options must not hold "region" here: give it to the SessionBroker, which its sessions share',
    ],
    ['no session', () => brokerAgainst(aws).session({} as never), 'session id must be a string: undefined'],
  ])('with a TypeError on %s', (_, action, message) => {
    expect(action).toThrow(expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(message) }));
  });
});
