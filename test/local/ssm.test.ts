import {
  GetParameterCommand,
  GetParametersByPathCommand,
  type GetParametersByPathCommandOutput,
  GetParametersCommand,
} from '@aws-sdk/client-ssm';
import { describe, expect, test } from 'vitest';
import { assume, dispatcher, handedOut, notAuthorized, SESSION, sdkRefusal, ssmClient } from './clients.ts';
import { ACCOUNT, ACME_PARAMETER, ACME_ROLE, OTHER_ACCOUNT, REGION, startFixture } from './fixture.ts';

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
