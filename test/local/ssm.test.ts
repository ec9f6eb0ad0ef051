import {
  DeleteParameterCommand,
  GetParameterCommand,
  GetParameterHistoryCommand,
  GetParametersByPathCommand,
  type GetParametersByPathCommandOutput,
  GetParametersCommand,
  PutParameterCommand,
  type PutParameterCommandInput,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import { describe, expect, test } from 'vitest';
import { assume, dispatcher, handedOut, notAuthorized, SESSION, sdkRefusal, ssmClient } from './clients.ts';
import {
  ACCOUNT,
  ACME_PARAMETER,
  ACME_ROLE,
  CONFIG,
  OTHER_ACCOUNT,
  REGION,
  startFixture,
  templatesOf,
  writeAssembly,
} from './fixture.ts';

const PATH = '/eks-agent-platform/hub/session-broker';

describe('GetParameter', () => {
  test("gives the dispatcher its tenant's role ARN", async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.dispatcherCredentials('hub', 'acme'));

    const { Parameter: parameter } = await client.send(new GetParameterCommand({ Name: ACME_PARAMETER }));

    expect(parameter).toMatchObject({
      Name: ACME_PARAMETER,
      Type: 'String',
      Value: ACME_ROLE,
      Version: 1,
      ARN: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${ACME_PARAMETER}`,
      DataType: 'text',
      LastModifiedDate: expect.any(Date),
    });
  });

  test("fails for another tenant's parameter, and for a session, which has no permission", async () => {
    const account = await startFixture();
    const other = `${PATH}/initech/session_role_arn`;
    const resource = (name: string) => `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${name}`;
    const because = ' because no identity-based policy allows the ssm:GetParameter action';
    const dispatching = ssmClient(account, account.dispatcherCredentials('hub', 'acme'));
    const session = ssmClient(account, handedOut(await assume(dispatcher(account), { SourceIdentity: SESSION })));

    expect(await sdkRefusal(dispatching.send(new GetParameterCommand({ Name: other })))).toMatchObject({
      name: 'AccessDeniedException',
      status: 400,
      message: `${notAuthorized(`arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`, 'ssm:GetParameter', resource(other))}${because}`,
    });
    expect(await sdkRefusal(session.send(new GetParameterCommand({ Name: ACME_PARAMETER })))).toMatchObject({
      name: 'AccessDeniedException',
      message: `${notAuthorized(`arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/${SESSION}`, 'ssm:GetParameter', resource(ACME_PARAMETER))}${because}`,
    });
  });

  test.each([
    ['that does not exist', ACCOUNT, REGION, `${PATH}/globex/session_role_arn`],
    ['in another Region', ACCOUNT, 'us-east-1', ACME_PARAMETER],
    ['in another account', OTHER_ACCOUNT, REGION, ACME_PARAMETER],
  ])('fails for one %s', async (_, accountId, region, name) => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(accountId), region);

    const refusal = await sdkRefusal(client.send(new GetParameterCommand({ Name: name })));

    expect(refusal).toMatchObject({ name: 'ParameterNotFound', status: 400 });
    expect(account.decisionOf(refusal.requestId)).toMatchObject({ allowed: false, errorCode: 'ParameterNotFound' });
  });

  test('fails for a version, which is not modelled', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));

    const refusal = await sdkRefusal(client.send(new GetParameterCommand({ Name: `${ACME_PARAMETER}:1` })));

    expect(refusal).toMatchObject({
      name: 'NotModelled',
      message:
        'the strict local account does not model parameter ARNs, versions and labels as names; see docs/local-account.md',
    });
  });

  test('fails for foreign and forged credentials with the codes of its protocol', async () => {
    const account = await startFixture();
    const elsewhere = (await startFixture()).administratorCredentials(ACCOUNT);
    const forged = { ...account.administratorCredentials(ACCOUNT), secretAccessKey: 'a'.repeat(40) };
    const read = new GetParameterCommand({ Name: ACME_PARAMETER });

    expect(await sdkRefusal(ssmClient(account, elsewhere).send(read))).toMatchObject({
      name: 'UnrecognizedClientException',
      status: 400,
    });
    expect(await sdkRefusal(ssmClient(account, forged).send(read))).toMatchObject({
      name: 'InvalidSignatureException',
      status: 400,
    });
  });
});

describe('GetParameters', () => {
  test('tells what it found and what not', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));

    const answer = await client.send(new GetParametersCommand({ Names: [ACME_PARAMETER, '/absent'] }));

    expect(answer.Parameters?.map(({ Value }) => Value)).toEqual([ACME_ROLE]);
    expect(answer.InvalidParameters).toEqual(['/absent']);
  });

  test('fails as a whole when one is not allowed, since GetParameter alone is', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.dispatcherCredentials('hub', 'acme'));

    const refusal = await sdkRefusal(client.send(new GetParametersCommand({ Names: [ACME_PARAMETER] })));

    expect(refusal).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('is not authorized to perform: ssm:GetParameters on resource: '),
    });
  });

  test('fails for more than 10 names', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));
    const names = Array.from({ length: 11 }, (_, index) => `/n${index}`);

    expect(await sdkRefusal(client.send(new GetParametersCommand({ Names: names })))).toMatchObject({
      name: 'ValidationException',
      message:
        "1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length less than or equal to 10",
    });
  });
});

describe('GetParametersByPath', () => {
  test('gives the children, or with Recursive all below, a page at a time', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));

    const children = await client.send(new GetParametersByPathCommand({ Path: `${PATH}/acme` }));
    expect(children.Parameters?.map(({ Name }) => Name)).toEqual([
      `${PATH}/acme/session_role_arn`,
      `${PATH}/acme/source_identity_pattern`,
    ]);
    expect((await client.send(new GetParametersByPathCommand({ Path: PATH }))).Parameters).toEqual([]);

    const names: (string | undefined)[] = [];
    let token: string | undefined;
    do {
      const page: GetParametersByPathCommandOutput = await client.send(
        new GetParametersByPathCommand({ Path: PATH, Recursive: true, MaxResults: 3, NextToken: token }),
      );
      names.push(...(page.Parameters ?? []).map(({ Name }) => Name));
      token = page.NextToken;
    } while (token !== undefined);
    expect(names).toEqual([
      `${PATH}/acme/session_role_arn`,
      `${PATH}/acme/source_identity_pattern`,
      `${PATH}/initech/session_role_arn`,
      `${PATH}/initech/source_identity_pattern`,
    ]);
  });
});

describe('PutParameter', () => {
  const put = (client: SSMClient, input: Partial<PutParameterCommandInput> = {}) =>
    client.send(new PutParameterCommand({ Name: '/team/new', Value: 'one', Type: 'String', ...input }));
  const parameterOf = async (client: SSMClient, Name = '/team/new') =>
    (await client.send(new GetParameterCommand({ Name }))).Parameter;

  test('makes a parameter, and with Overwrite its next version', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));

    expect(await put(client, { Description: 'a test' })).toMatchObject({ Version: 1, Tier: 'Standard' });
    expect(await put(client, { Value: 'two', Type: undefined, Overwrite: true })).toMatchObject({ Version: 2 });

    expect(await parameterOf(client)).toMatchObject({ Value: 'two', Type: 'String', Version: 2 });
    const { Parameters: history } = await client.send(new GetParameterHistoryCommand({ Name: '/team/new' }));
    expect(history).toMatchObject([
      {
        Value: 'one',
        Version: 1,
        Description: 'a test',
        LastModifiedUser: `arn:aws:iam::${ACCOUNT}:user/administrator`,
      },
      { Value: 'two', Version: 2 },
    ]);
    expect(account.events().find(({ eventName }) => eventName === 'PutParameter')).toMatchObject({
      eventSource: 'ssm.amazonaws.com',
      readOnly: false,
      requestParameters: { name: '/team/new', type: 'String', value: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
      responseElements: { version: 1, tier: 'Standard' },
    });
  });

  test('makes the next version of a parameter of the assembly, which the dispatcher reads', async () => {
    const account = await startFixture();
    const Value = ACME_ROLE.replace('hub-acme', 'elsewhere');

    const administrator = ssmClient(account, account.administratorCredentials(ACCOUNT));
    await put(administrator, { Name: ACME_PARAMETER, Value, Overwrite: true });

    const dispatching = ssmClient(account, account.dispatcherCredentials('hub', 'acme'));
    expect(await parameterOf(dispatching, ACME_PARAMETER)).toMatchObject({ Value, Version: 2 });
  });

  test('fails for a parameter that there is', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));

    expect(await sdkRefusal(put(client, { Name: ACME_PARAMETER }))).toMatchObject({
      name: 'ParameterAlreadyExists',
      message:
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
    });
    expect(await parameterOf(client, ACME_PARAMETER)).toMatchObject({ Value: ACME_ROLE, Version: 1 });
  });

  const SEGMENTS =
    'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_';

  test.each([
    ['/AWS/new', 'AccessDeniedException', 'No access to reserved parameter name: /AWS/new.'],
    ['/awsome', 'AccessDeniedException', 'No access to reserved parameter name: /awsome.'],
    ['/ssm-new', 'ValidationException', SEGMENTS],
    ['/team//new', 'ValidationException', SEGMENTS],
    ['/team/new/', 'ValidationException', SEGMENTS],
    ['/team/n w', 'ValidationException', SEGMENTS],
    ['team/new', 'ValidationException', 'Parameter name must be a fully qualified name.'],
    ['Ssm', 'ValidationException', 'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).'],
    ['n+w', 'ValidationException', 'Only a mix of letters, numbers and the following 3 symbols .-_ are allowed.'],
    [
      '/l'.repeat(16),
      'HierarchyLevelLimitExceededException',
      'Parameter name: a hierarchy can have a maximum of 15 levels.',
    ],
    [`/${'n'.repeat(1000)}`, 'ValidationException', 'Parameter name: its ARN can have a maximum of 1011 characters.'],
  ])('fails for the name %s', async (Name, name, message) => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));

    expect(await sdkRefusal(put(client, { Name }))).toMatchObject({ name, message });
  });

  test.each<[string, Partial<PutParameterCommandInput>, string, unknown]>([
    [
      'no type',
      { Type: undefined },
      'ValidationException',
      'A parameter type is required when you create a parameter.',
    ],
    [
      'a type that is not modelled',
      { Type: 'SecureString' },
      'NotModelled',
      expect.stringContaining('parameters of the type SecureString'),
    ],
    [
      'a data type that is not modelled',
      { DataType: 'aws:ec2:image' },
      'NotModelled',
      expect.stringContaining('parameters of the data type aws:ec2:image'),
    ],
    ['tags, which are not modelled', { Tags: [] }, 'NotModelled', expect.stringContaining('the parameter Tags')],
    [
      'a tier that there is not',
      { Tier: 'Best' as 'Standard' },
      'ValidationException',
      "1 validation error detected: Value 'Best' at 'tier' failed to satisfy constraint: Member must satisfy enum value set: [Standard, Advanced, Intelligent-Tiering]",
    ],
    [
      'a value that names another parameter',
      { Value: '{{ssm:other}}' },
      'ValidationException',
      'Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.',
    ],
    [
      'a value that is too long for its tier',
      { Value: 'x'.repeat(4097) },
      'ValidationException',
      expect.stringContaining('Standard tier parameters support a maximum parameter value of 4096 characters.'),
    ],
    [
      'a value that is too long for any tier',
      { Value: 'x'.repeat(8193), Tier: 'Intelligent-Tiering' },
      'ValidationException',
      expect.stringContaining('Advanced tier parameters support a maximum parameter value of 8192 characters.'),
    ],
  ])('fails for %s', async (_, input, name, message) => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));

    expect(await sdkRefusal(put(client, input))).toMatchObject({ name, message });
    expect(await sdkRefusal(parameterOf(client))).toMatchObject({ name: 'ParameterNotFound' });
  });

  test('fails to change the type that a parameter of the assembly has', async () => {
    const templates = templatesOf(CONFIG);
    const pattern = templates['SessionBroker-hub-acme']?.Resources['Pattern'];
    Object.assign(pattern?.Properties ?? {}, { Name: '/team/new', Type: 'StringList', Value: 'a,b' });
    const account = await startFixture({ assembly: writeAssembly(templates) });
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));

    expect(await sdkRefusal(put(client, { Overwrite: true }))).toMatchObject({
      name: 'HierarchyTypeMismatchException',
      message: 'Parameter /team/new is of type StringList, which cannot be changed to String.',
    });
    expect(await put(client, { Overwrite: true, Type: undefined })).toMatchObject({ Version: 2 });
    expect(await parameterOf(client)).toMatchObject({ Type: 'StringList', Value: 'one' });
  });

  test('keeps the tier, and never goes back to the standard one', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));
    const long = { Value: 'x'.repeat(4097), Overwrite: true };

    expect(await put(client, { ...long, Tier: 'Intelligent-Tiering' })).toMatchObject({ Tier: 'Advanced' });
    expect(await put(client, { ...long, Tier: undefined })).toMatchObject({ Tier: 'Advanced' });
    expect(await sdkRefusal(put(client, { Overwrite: true, Tier: 'Standard' }))).toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining("You can't downgrade a parameter from the advanced-parameter tier"),
    });
  });

  test('fails for who may only read', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.dispatcherCredentials('hub', 'acme'));

    expect(await sdkRefusal(put(client, { Name: ACME_PARAMETER, Overwrite: true }))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('is not authorized to perform: ssm:PutParameter on resource: '),
    });
    expect(await parameterOf(client, ACME_PARAMETER)).toMatchObject({ Value: ACME_ROLE });
  });
});

describe('GetParameterHistory', () => {
  test('keeps the last hundred versions, a page at a time', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));
    for (let version = 1; version <= 101; version += 1) {
      const Value = `value ${version}`;
      await client.send(new PutParameterCommand({ Name: 'new', Value, Type: 'String', Overwrite: true }));
    }

    const first = await client.send(new GetParameterHistoryCommand({ Name: 'new' }));
    const second = await client.send(new GetParameterHistoryCommand({ Name: 'new', NextToken: first.NextToken }));

    expect(second.NextToken).toBeUndefined();
    expect([...(first.Parameters ?? []), ...(second.Parameters ?? [])].map(({ Version }) => Version)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 2),
    );
  });
});

describe('DeleteParameter', () => {
  test('deletes it with its versions', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.administratorCredentials(ACCOUNT));

    await client.send(new DeleteParameterCommand({ Name: ACME_PARAMETER }));

    const absent = { name: 'ParameterNotFound', status: 400 };
    expect(await sdkRefusal(client.send(new GetParameterCommand({ Name: ACME_PARAMETER })))).toMatchObject(absent);
    expect(await sdkRefusal(client.send(new DeleteParameterCommand({ Name: ACME_PARAMETER })))).toMatchObject(absent);
    const again = new PutParameterCommand({ Name: ACME_PARAMETER, Value: 'new', Type: 'String' });
    expect((await client.send(again)).Version).toBe(1);
  });
});
