import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rejectionOf } from '../support/refusal.ts';
import { brokerAgainst } from './support/broker.ts';
import {
  ACCOUNT,
  assumed,
  type FakeAws,
  PARAMETER,
  parameterAnswer,
  ROLE_ARN,
  ssmError,
  startFakeAws,
  stsError,
  xml,
} from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';

let aws: FakeAws;
beforeAll(async () => {
  aws = await startFakeAws();
});
afterAll(() => aws.close());
beforeEach(() => aws.forget());
isolateEnvironment();

const actions = (): readonly string[] => aws.requests.map(({ action }) => action);

describe("the tenant's parameter", () => {
  test.each([
    ROLE_ARN,
    `arn:aws:iam::${ACCOUNT}:role/hub-acme-session`,
    `arn:aws:iam::${ACCOUNT}:role/a/b/hub-acme-session`,
  ])('may hold the role under any path: %s', async (arn) => {
    aws.on('GetParameter', parameterAnswer(arn));
    await providerAgainst(aws)();
    expect(aws.requests[1]?.parameters).toMatchObject({ RoleArn: arn });
  });

  test('is not read when the role is given', async () => {
    await providerAgainst(aws, { roleArn: ROLE_ARN })();
    expect(actions()).toEqual(['AssumeRole']);
  });

  test('is read once for any number of callers and renewals', async () => {
    const provide = providerAgainst(aws);
    await Promise.all(Array.from({ length: 50 }, () => provide()));
    await provide({ forceRefresh: true });
    expect(actions()).toEqual(['GetParameter', 'AssumeRole', 'AssumeRole']);
  });

  test('is read again after a failure', async () => {
    const provide = providerAgainst(aws);
    aws.on('GetParameter', ssmError(400, 'ThrottlingException', 'Rate exceeded'));
    expect((await rejectionOf(provide())).code).toBe('Throttled');
    aws.forget();
    await provide();
    expect(actions()).toEqual(['GetParameter', 'AssumeRole']);
  });
});

describe('after a refusal of the role', () => {
  const MOVED = `arn:aws:iam::${ACCOUNT}:role/moved/hub-acme-session`;

  test('its parameter is read again, once for all sessions, and the role is found where it is now', async () => {
    aws.on('AssumeRole', (request) =>
      request.parameters['RoleArn'] === MOVED ? assumed(request) : stsError(403, 'AccessDenied', 'no'),
    );
    const broker = brokerAgainst(aws);
    const sessions = ['s1', 's2', 's3'].map((session) => broker.session({ session }));
    for (const error of await Promise.all(sessions.map(({ credentials }) => rejectionOf(credentials())))) {
      expect(error.code).toBe('AssumeRoleDenied');
    }
    aws.on('GetParameter', parameterAnswer(MOVED));
    await Promise.all(sessions.map(({ credentials }) => credentials({ forceRefresh: true })));
    expect(actions().filter((action) => action === 'GetParameter')).toHaveLength(2);
  });

  test('for another reason its parameter is not read again', async () => {
    aws.on('AssumeRole', stsError(400, 'ValidationError', 'no'));
    const { credentials } = brokerAgainst(aws).session({ session: 's1' });
    await rejectionOf(credentials());
    await rejectionOf(credentials({ forceRefresh: true }));
    expect(actions()).toEqual(['GetParameter', 'AssumeRole', 'AssumeRole']);
  });
});

describe('fails without a call to STS', () => {
  test.each([
    ['empty', '', 'must hold the exact ARN of an IAM role: ""'],
    ['no ARN', 'hub-acme-session', 'must hold the exact ARN of an IAM role: "hub-acme-session"'],
    ['with a line break at the end', `${ROLE_ARN}\n`, 'must hold the exact ARN of an IAM role'],
    ['a user', `arn:aws:iam::${ACCOUNT}:user/hub-acme-session`, 'must hold the exact ARN of an IAM role'],
    ['a wildcard', `arn:aws:iam::${ACCOUNT}:role/*`, 'must hold the exact ARN of an IAM role'],
    [
      'in another partition',
      ROLE_ARN.replace(':aws:', ':aws-us-gov:'),
      'must name a role in the partition aws of the Region us-west-2',
    ],
    ['in another account', ROLE_ARN.replace(ACCOUNT, '444455556666'), `must hold a role of its own account ${ACCOUNT}`],
    [
      "another tenant's",
      ROLE_ARN.replace('acme', 'globex'),
      `must hold the role named "hub-acme-session", another is another tenant's or not ours`,
    ],
    ["a workflow's", ROLE_ARN.replace('acme', 'acme-billing'), 'must hold the role named "hub-acme-session"'],
  ])('when the role in the parameter is %s', async (_, value, rule) => {
    aws.on('GetParameter', parameterAnswer(value));
    const error = await rejectionOf(providerAgainst(aws)());
    expect(error).toMatchObject({ code: 'ParameterInvalid', message: expect.stringContaining(rule) });
    expect(error.message).toContain(`parameter "${PARAMETER}" must`);
    expect(actions()).toEqual(['GetParameter']);
  });

  test.each([
    ['without its ARN', parameterAnswer(ROLE_ARN, { arn: null })],
    ['with the ARN of something else', parameterAnswer(ROLE_ARN, { arn: ROLE_ARN })],
    ['with nothing in it', { status: 200, type: 'application/x-amz-json-1.1', body: '{}' }],
    [
      'without a value',
      {
        status: 200,
        type: 'application/x-amz-json-1.1',
        body: '{"Parameter":{"ARN":"arn:aws:ssm:us-west-2:111122223333:parameter/x"}}',
      },
    ],
  ])('when the parameter is answered %s', async (_, answer) => {
    aws.on('GetParameter', answer);
    expect(await rejectionOf(providerAgainst(aws)())).toMatchObject({
      code: 'ResponseInvalid',
      message: `Systems Manager answered without the ARN or the value of parameter "${PARAMETER}"; check the endpoint and any proxy on the way to it`,
    });
    expect(actions()).toEqual(['GetParameter']);
  });

  test('when there is no parameter', async () => {
    aws.on('GetParameter', ssmError(400, 'ParameterNotFound', ''));
    const error = await rejectionOf(providerAgainst(aws)());
    expect(error).toMatchObject({
      code: 'ParameterNotFound',
      exitCode: 3,
      message: expect.stringContaining(
        `parameter "${PARAMETER}" does not exist in the Region "us-west-2" of the dispatcher's account; check that the tenant is opted in and deployed, and that cluster, Region and parameter prefix are the deployed ones; AWS answered ParameterNotFound`,
      ),
      detail: { action: 'GetParameter', parameter: PARAMETER, region: 'us-west-2', awsCode: 'ParameterNotFound' },
    });
    expect(actions()).toEqual(['GetParameter']);
  });

  test('when the dispatcher may not read it', async () => {
    const text = `User: arn:aws:sts::${ACCOUNT}:assumed-role/x/y is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:us-west-2:${ACCOUNT}:parameter${PARAMETER}`;
    aws.on('GetParameter', ssmError(400, 'AccessDeniedException', text));
    expect(await rejectionOf(providerAgainst(aws)())).toMatchObject({
      code: 'ParameterAccessDenied',
      message: `ssm:GetParameter was denied on "${PARAMETER}"; check in this order: tenant "acme" and cluster "hub" are written as deployed; the tenant is opted in and deployed; the dispatcher runs as that tenant's role, since a caller's policy allows its own tenant's parameters alone; the tenant's caller's policy is attached to that role; or give the role's ARN instead (--role-arn or FAB_SESSION_ROLE_ARN; option roleArn); AWS answered AccessDenied: "${text}"`,
    });
    expect(actions()).toEqual(['GetParameter']);
  });

  test('when the dispatcher may not read that of a workflow', async () => {
    aws.on('GetParameter', ssmError(400, 'AccessDeniedException', 'no'));
    expect(await rejectionOf(providerAgainst(aws, { workflow: 'billing' })())).toMatchObject({
      code: 'ParameterAccessDenied',
      message: expect.stringContaining(
        ': tenant "acme" and cluster "hub" and workflow "billing" are written as deployed;',
      ),
      detail: { tenant: 'acme', cluster: 'hub', workflow: 'billing' },
    });
  });

  test.each([
    ['ThrottlingException', 400, 'Throttled', 'Systems Manager refused the call because the account makes too many'],
    ['ExpiredTokenException', 400, 'DispatcherCredentialsRejected', "AWS refused the dispatcher's own credentials"],
    ['UnrecognizedClientException', 400, 'DispatcherCredentialsRejected', "AWS refused the dispatcher's own"],
    [
      'InternalServerError',
      500,
      'Unavailable',
      'Systems Manager could not be reached in the Region "us-west-2", or failed',
    ],
    [
      'ValidationException',
      400,
      'RequestRejected',
      "Systems Manager refused the request as invalid; correct what AWS's answer names; AWS answered",
    ],
  ])('when Systems Manager answers %s', async (code, status, expected, message) => {
    aws.on('GetParameter', ssmError(status, code, 'because'));
    expect(await rejectionOf(providerAgainst(aws)())).toMatchObject({
      code: expected,
      message: expect.stringContaining(message),
    });
    expect(actions()).toEqual(['GetParameter']);
  });

  test('when something that is not Systems Manager answers', async () => {
    aws.on('GetParameter', xml(200, '<html>log in</html>'));
    expect((await rejectionOf(providerAgainst(aws)())).code).toBe('ResponseInvalid');
  });
});
