import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ErrorCode, SessionBrokerError } from '../../lib/errors.ts';
import { rejectionOf } from '../support/refusal.ts';
import {
  ACCOUNT,
  assumed,
  type FakeAnswer,
  type FakeAws,
  ROLE_ARN,
  startFakeAws,
  stsError,
  xml,
} from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';
import { immediately } from './support/simulated-time.ts';

let aws: FakeAws;
beforeAll(async () => {
  aws = await startFakeAws();
});
afterAll(() => aws.close());
beforeEach(() => aws.forget());
isolateEnvironment();

const CALLER = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/pod`;

/** What the provider fails with when STS gives an answer to AssumeRole. */
async function failure(answer: FakeAnswer): Promise<SessionBrokerError> {
  aws.on('AssumeRole', answer);
  return rejectionOf(providerAgainst(aws, { roleArn: ROLE_ARN })());
}

describe('fails on an answer', () => {
  test.each([
    ['another source identity', 'agent.globex.s1', 'STS answered "agent.globex.s1"'],
    ['the source identity in other case', 'agent.acme.S1', 'STS answered "agent.acme.S1"'],
    ['no source identity', null, 'STS answered without one'],
    ['an empty source identity', '', 'STS answered ""'],
  ])('with %s', async (_, sourceIdentity, answered) => {
    aws.on('AssumeRole', (request) => assumed(request, Date.now, { sourceIdentity }));
    expect(await rejectionOf(providerAgainst(aws)())).toMatchObject({
      code: 'SourceIdentityMismatch',
      message: `source identity of the session must be "agent.acme.s1", ${answered}; the credentials are thrown away; check that the endpoint is AWS's and that the dispatcher's own session has no source identity`,
    });
  });

  test.each([
    ['secret access key', { secretAccessKey: null }],
    ['session token', { sessionToken: null }],
    ['session token but an empty one', { sessionToken: '' }],
    ['expiration', { expires: null }],
  ])('without %s', async (_, parts) => {
    aws.on('AssumeRole', (request) => assumed(request, Date.now, parts));
    expect(await rejectionOf(providerAgainst(aws)())).toMatchObject({
      code: 'ResponseInvalid',
      message:
        'STS answered without complete credentials for "agent.acme.s1"; check the endpoint and any proxy on the way to it',
    });
  });

  test.each([
    ['another account', 'arn:aws:sts::999988887777:assumed-role/hub-acme-session/agent.acme.s1'],
    ['another partition', 'arn:aws-cn:sts::111122223333:assumed-role/hub-acme-session/agent.acme.s1'],
    ['another role', 'arn:aws:sts::111122223333:assumed-role/Admin/agent.acme.s1'],
    ['another role session name', 'arn:aws:sts::111122223333:assumed-role/hub-acme-session/agent.acme.s2'],
    ['no role', null],
  ])('for a session of %s', async (_, arn) => {
    aws.on('AssumeRole', (request) => assumed(request, Date.now, { arn }));
    expect(await rejectionOf(providerAgainst(aws)())).toMatchObject({
      code: 'ResponseInvalid',
      message: `session that STS gives must be "arn:aws:sts::111122223333:assumed-role/hub-acme-session/agent.acme.s1", STS answered ${arn === null ? 'without one' : `"${arn}"`}; the credentials are thrown away; check the endpoint and any proxy on the way to it`,
    });
  });

  test.each([
    ['have expired', '2026-01-02T04:14:05.000Z'],
    ['expire at this moment', '2026-01-02T03:04:05.000Z'],
    ['expire within the minute', '2026-01-02T03:03:05.000Z'],
  ])('with credentials that %s by the clock', async (_, clock) => {
    const expires = Date.parse('2026-01-02T03:04:05Z');
    aws.on('AssumeRole', (request) => assumed(request, Date.now, { expires }));
    expect(await rejectionOf(providerAgainst(aws, { now: () => Date.parse(clock) })())).toMatchObject({
      code: 'ClockSkew',
      retryable: false,
      message: `credentials from STS must live for more than 60 seconds, by this machine's clock they expire at "2026-01-02T03:04:05.000Z" and it is "${clock}"; synchronize the clock (NTP, chrony)`,
    });
  });

  test.each<[string, FakeAnswer]>([
    ['an empty body', xml(200, '')],
    ['a log-in page', { status: 200, type: 'text/html', body: '<html><body>log in</body></html>' }],
    ['half of the credentials', xml(200, '<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA')],
    [
      'an expiration that is no time',
      xml(
        200,
        '<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>soon</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>',
      ),
    ],
  ])('that is %s', async (_, answer) => {
    expect(await failure(answer)).toMatchObject({
      code: 'ResponseInvalid',
      message: expect.stringContaining('check the endpoint and any proxy on the way to it'),
    });
  });

  test('that is the refusal of a proxy, and says that it is none of AWS', async () => {
    const page = { status: 403, type: 'text/html', body: '<html><body>Forbidden</body></html>' };
    expect(await failure(page)).toMatchObject({
      code: 'ResponseInvalid',
      message:
        'the answer is not one of STS; check the endpoint and any proxy on the way to it; AssumeRole was answered with HTTP 403, not by AWS',
    });
  });
});

describe('fails when STS answers', () => {
  test('that sts:AssumeRole is denied', async () => {
    const text = `User: ${CALLER} is not authorized to perform: sts:AssumeRole on resource: ${ROLE_ARN}`;
    expect(await failure(stsError(403, 'AccessDenied', text))).toMatchObject({
      code: 'AssumeRoleDenied',
      retryable: false,
      message: `sts:AssumeRole was denied for "agent.acme.s1" on "${ROLE_ARN}"; check in this order: the role exists; the dispatcher runs as the tenant role that its trust policy names; that role was not created anew since (then save the trust policy again with aws iam update-assume-role-policy, a deploy sees no difference); the trust policy's condition on sts:SourceIdentity admits this tenant's names; the caller's policy is attached to the dispatcher's role; the session was not stopped by an explicit deny; AWS answered AccessDenied: "${text}"`,
      detail: {
        action: 'AssumeRole',
        region: 'us-west-2',
        roleArn: ROLE_ARN,
        sourceIdentity: 'agent.acme.s1',
        awsCode: 'AccessDenied',
        status: 403,
      },
    });
  });

  test('that sts:SetSourceIdentity is denied', async () => {
    const text = `User: ${CALLER} is not authorized to perform: sts:SetSourceIdentity on resource: ${ROLE_ARN}`;
    expect(await failure(stsError(403, 'AccessDenied', text))).toMatchObject({
      code: 'SetSourceIdentityDenied',
      message: `sts:SetSourceIdentity was denied for "agent.acme.s1" on "${ROLE_ARN}"; check in this order: the caller's policy is attached to the dispatcher's role and allows sts:AssumeRole and sts:SetSourceIdentity on this role; the trust policy's condition on sts:SourceIdentity admits this tenant's names; the session was not stopped by an explicit deny; AWS answered AccessDenied: "${text}"`,
    });
  });

  test.each<[string, number, string, ErrorCode, string]>([
    ['Throttling', 400, 'Rate exceeded', 'Throttled', 'STS refused the call because the account makes too many'],
    ['RequestLimitExceeded', 503, 'slow down', 'Throttled', 'STS refused the call because the account makes too many'],
    [
      'ExpiredToken',
      403,
      'The security token is expired',
      'DispatcherCredentialsRejected',
      "AWS refused the dispatcher's",
    ],
    ['ExpiredTokenException', 400, 'expired', 'DispatcherCredentialsRejected', "AWS refused the dispatcher's own"],
    ['InvalidClientTokenId', 403, 'invalid', 'DispatcherCredentialsRejected', 'check that the Region "us-west-2" is'],
    ['UnrecognizedClient', 403, 'invalid', 'DispatcherCredentialsRejected', "AWS refused the dispatcher's own"],
    ['SignatureDoesNotMatch', 403, 'does not match', 'DispatcherCredentialsRejected', "AWS refused the dispatcher's"],
    [
      'SignatureDoesNotMatch',
      403,
      'Signature expired: 20260102T030405Z is now earlier than 20260102T040405Z (20260102T041905Z - 15 min.)',
      'ClockSkew',
      "STS refused the request because this machine's clock is wrong by minutes; synchronize the clock",
    ],
    ['SignatureDoesNotMatch', 403, 'Signature not yet current: 2026', 'ClockSkew', 'synchronize the clock'],
    ['RequestTimeTooSkewed', 403, 'skewed', 'ClockSkew', 'synchronize the clock'],
    ['RequestExpired', 400, 'Request has expired', 'ClockSkew', 'synchronize the clock'],
    [
      'RegionDisabledException',
      403,
      'STS is not activated',
      'RegionDisabled',
      'STS is not active in the Region "us-west-2"',
    ],
    [
      'ValidationError',
      400,
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
      'RequestRejected',
      'STS refused the request as invalid; a role that is assumed with role credentials lasts at most 3600 seconds; AWS answered ValidationError: "The requested DurationSeconds exceeds',
    ],
    [
      'PackedPolicyTooLarge',
      400,
      'Packed policy consumes 131% of allotted space, please use smaller policy.',
      'SessionPolicyTooLarge',
      'session policy, policy ARNs and session tags together must fit into what STS packs them into, which is a measure of its own and no number of characters: they take 131% of it; shorten the session policy, or put its statements into a managed policy and give its ARN (--policy-arn; option policyArns); AWS answered PackedPolicyTooLarge: "',
    ],
    ['PackedPolicyTooLargeException', 400, 'too large', 'SessionPolicyTooLarge', 'no number of characters; shorten'],
    [
      'MalformedPolicyDocument',
      400,
      'Syntax errors in policy.',
      'SessionPolicyInvalid',
      'session policy must be one that STS accepts; correct it; AWS answered MalformedPolicyDocument: "',
    ],
    [
      'SomethingNew',
      400,
      'what',
      'RequestRejected',
      'STS refused the request as invalid; correct what AWS\'s answer names; AWS answered SomethingNew: "what"',
    ],
    ['InternalFailure', 500, 'oops', 'Unavailable', 'STS could not be reached in the Region "us-west-2", or failed'],
    ['SomethingNew', 503, 'oops', 'Unavailable', 'STS could not be reached in the Region "us-west-2", or failed'],
  ])('%s (%d, %s)', async (awsCode, status, text, code, message) => {
    const error = await failure(stsError(status, awsCode, text));
    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(error.message).toContain(`"${text}"`);
    expect(error.detail).toMatchObject({ awsCode: awsCode.replace('Exception', ''), status });
  });

  test('with an error page and 503', async () => {
    expect((await failure({ status: 503, type: 'text/html', body: 'unavailable' })).code).toBe('Unavailable');
  });
});

describe('fails when STS', () => {
  test('breaks the connection', async () => {
    expect(await failure('reset')).toMatchObject({
      code: 'Unavailable',
      retryable: true,
      message: expect.stringContaining('AssumeRole failed with TimeoutError: "socket hang up"'),
    });
  });

  test('is silent for longer than the time that it is given', async () => {
    aws.on('AssumeRole', 'silence');
    const clientConfig = { maxAttempts: 1, requestHandler: { requestTimeout: 50, throwOnRequestTimeout: true } };
    const error = await rejectionOf(providerAgainst(aws, { roleArn: ROLE_ARN, clientConfig })());
    expect(error).toMatchObject({ code: 'Unavailable', message: expect.stringContaining('50 ms requestTimeout') });
  });

  test('is silent, by our time for an answer though the time for a connection is set', async () => {
    const handlers: unknown[] = [];
    const create = vi.spyOn(NodeHttpHandler, 'create').mockImplementation((settings) => {
      handlers.push(settings);
      return new NodeHttpHandler({ requestTimeout: 50, throwOnRequestTimeout: true });
    });
    aws.on('AssumeRole', 'silence');
    const clientConfig = { maxAttempts: 1, requestHandler: { connectionTimeout: 700 } };
    const error = await rejectionOf(providerAgainst(aws, { roleArn: ROLE_ARN, clientConfig })());
    create.mockRestore();
    expect(error.code).toBe('Unavailable');
    expect(handlers[0]).toMatchObject({
      connectionTimeout: 700,
      requestTimeout: 10_000,
      socketTimeout: 10_000,
      throwOnRequestTimeout: true,
    });
  });

  test('is not there', async () => {
    const provide = providerAgainst({ endpoint: 'http://127.0.0.1:1' }, { roleArn: ROLE_ARN });
    expect(await rejectionOf(provide())).toMatchObject({
      code: 'Unavailable',
      message:
        'STS could not be reached in the Region "us-west-2", or failed; check the network (VPC endpoint, DNS, proxy) and try again; AssumeRole failed with Error: "connect ECONNREFUSED 127.0.0.1:1"',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  test('cannot be found by name', async () => {
    const provide = providerAgainst({ endpoint: 'https://sts.invalid' }, { roleArn: ROLE_ARN });
    expect((await rejectionOf(provide())).code).toBe('Unavailable');
  });
});

describe('a call that fails', () => {
  /** STS gives these answers in turn, and then the good one. */
  function answerInTurn(...answers: readonly FakeAnswer[]): void {
    const rest = [...answers];
    aws.on('AssumeRole', (request) => rest.shift() ?? assumed(request));
  }

  const throttled = stsError(400, 'Throttling', 'Rate exceeded');
  test.each<[string, readonly FakeAnswer[]]>([
    ['a broken connection', ['reset', 'reset']],
    ['a failure of STS', [stsError(500, 'InternalFailure', 'oops'), stsError(503, 'ServiceUnavailable', 'oops')]],
    ['half of an answer', [xml(200, '<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA')]],
    ['an answer without credentials', [xml(200, ''), xml(200, '')]],
    ['too many calls', Array(8).fill(throttled)],
  ])('by %s is made again', async (_, answers) => {
    answerInTurn(...answers);
    const provide = providerAgainst(aws, {
      roleArn: ROLE_ARN,
      clientConfig: undefined,
      schedule: immediately,
      random: () => 0,
    });
    expect(await provide()).toMatchObject({ accountId: ACCOUNT });
    expect(aws.requests).toHaveLength(answers.length + 1);
  });

  test.each<[string, FakeAnswer, number]>([
    ['a broken connection', 'reset', 3],
    ['no answer of STS', { status: 403, type: 'text/html', body: 'Forbidden' }, 3],
    ['too many calls', throttled, 11],
    ['a refusal', stsError(403, 'AccessDenied', 'no'), 1],
    ['an invalid request', stsError(400, 'ValidationError', 'no'), 1],
  ])('by %s again and again is given up', async (_, answer, attempts) => {
    aws.on('AssumeRole', answer);
    const options = { roleArn: ROLE_ARN, clientConfig: undefined, schedule: immediately, random: () => 0 };
    await rejectionOf(providerAgainst(aws, options)());
    expect(aws.requests).toHaveLength(attempts);
  });

  test('for a clock that is off is made once more, signed by the time of the answer', async () => {
    const skewed = stsError(403, 'RequestTimeTooSkewed', 'too skewed');
    const date = new Date(Date.now() + 3 * 86_400_000);
    answerInTurn({ ...skewed, headers: { date: date.toUTCString() } });
    const provide = providerAgainst(aws, { roleArn: ROLE_ARN, clientConfig: undefined, schedule: immediately });
    await provide();
    const days = aws.requests.map(({ authorization }) => /Credential=\w+\/(\d{8})\//.exec(authorization)?.[1]);
    const day = (at: Date) => at.toISOString().slice(0, 10).replaceAll('-', '');
    expect(days).toEqual([day(new Date()), day(date)]);
  });
});

test('a fault that passes is retried by the SDK alone where its attempts are given', async () => {
  let calls = 0;
  aws.on('AssumeRole', (request) => {
    calls += 1;
    return calls === 1 ? stsError(400, 'Throttling', 'Rate exceeded') : assumed(request);
  });
  const provide = providerAgainst(aws, { roleArn: ROLE_ARN, clientConfig: { maxAttempts: 2 } });
  expect(await provide()).toMatchObject({ accountId: ACCOUNT });
  expect(calls).toBe(2);
});

test('an error is a SessionBrokerError with the original as its cause', async () => {
  const error = await failure(stsError(400, 'Throttling', 'Rate exceeded'));
  expect(error).toBeInstanceOf(SessionBrokerError);
  expect(error.cause).toMatchObject({
    name: 'Throttling',
    message: 'Rate exceeded',
    $fault: 'client',
    $metadata: { httpStatusCode: 400 },
  });
});
