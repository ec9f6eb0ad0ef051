import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { ACCOUNT, startFixture } from './fixture.ts';
import { callQuery, post, refusalIn, sign } from './wire.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('the server', () => {
  test('listens on loopback alone', async () => {
    const account = await startFixture();

    expect(account.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test.each([
    ['an unknown operation', { Action: 'DecodeAuthorizationMessage' }, 'the operation sts:DecodeAuthorizationMessage'],
    ['an operation named like a property', { Action: 'constructor' }, 'the operation sts:constructor'],
  ])('answers %s with what is not modelled', async (_, parameters, what) => {
    const account = await startFixture();

    const answer = await callQuery(account, 'sts', account.administratorCredentials(ACCOUNT), parameters);

    expect(refusalIn(answer)).toEqual({
      status: 400,
      code: 'NotModelled',
      message: `the strict local account does not model ${what}; see docs/local-account.md`,
    });
    expect(account.events().at(-1)).toMatchObject({ eventName: parameters.Action, errorCode: 'NotModelled' });
  });

  test('answers an unknown service with what is not modelled, and records it', async () => {
    const account = await startFixture();
    const credentials = account.administratorCredentials(ACCOUNT);
    const headers = sign(account.endpoint, {
      service: 'dynamodb',
      credentials,
      body: '{}',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.ListTables' },
    });

    const answer = await post(account.endpoint, headers, '{}');

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toEqual({
      __type: 'NotModelled',
      message: 'the strict local account does not model the service dynamodb; see docs/local-account.md',
    });
    expect(account.events().at(-1)).toMatchObject({
      eventSource: 'dynamodb.amazonaws.com',
      eventName: 'ListTables',
      errorCode: 'NotModelled',
      userIdentity: { type: 'IAMUser', userName: 'administrator' },
    });
  });

  test('answers another version of an API', async () => {
    const account = await startFixture();

    const answer = await callQuery(account, 'sts', account.administratorCredentials(ACCOUNT), {
      Action: 'GetCallerIdentity',
      Version: '2010-01-01',
    });

    expect(refusalIn(answer)).toEqual({
      status: 400,
      code: 'InvalidAction',
      message: 'Could not find operation GetCallerIdentity for version 2010-01-01',
    });
  });

  test('answers a signed request without an action', async () => {
    const account = await startFixture();
    const headers = sign(account.endpoint, {
      service: 'sts',
      credentials: account.administratorCredentials(ACCOUNT),
      body: '',
      headers: FORM,
    });

    expect(refusalIn(await post(account.endpoint, headers, ''))).toEqual({
      status: 400,
      code: 'MissingAction',
      message: 'The request must contain the parameter Action',
    });
  });

  test.each(['', 'null', '[]', '{'])('answers a body that is no JSON object: %j', async (body) => {
    const account = await startFixture();
    const headers = sign(account.endpoint, {
      service: 'ssm',
      credentials: account.administratorCredentials(ACCOUNT),
      body,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' },
    });

    const answer = await post(account.endpoint, headers, body);

    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toEqual({
      __type: 'SerializationException',
      message: 'The request body must be a JSON object',
    });
  });

  test('escapes what it repeats', async () => {
    const account = await startFixture();

    const answer = await callQuery(account, 'sts', account.administratorCredentials(ACCOUNT), {
      Action: 'AssumeRole',
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/x`,
      RoleSessionName: '</Message><Code>&"\'\u0000\ud800',
    });

    expect(answer.text).toContain('Value &apos;&lt;/Message&gt;&lt;Code&gt;&amp;&quot;&apos;\ufffd\ufffd&apos;');
  });

  test('refuses a body of more than a megabyte', async () => {
    const account = await startFixture();

    const status = await post(account.endpoint, FORM, 'x'.repeat(1024 * 1024 + 1)).then(
      ({ status: code }) => code,
      // The connection may be gone before the client has read the answer.
      () => 413,
    );

    expect(status).toBe(413);
    expect((await post(account.endpoint, FORM, '')).status).toBe(403);
  });

  test('outlives what is no HTTP', async () => {
    const account = await startFixture();
    const { hostname, port } = new URL(account.endpoint);

    const reply = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.write('\u0000\u0001 nonsense\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });

    expect(reply).toMatch(/^HTTP\/1\.1 400 /);
    expect((await post(account.endpoint, FORM, '')).status).toBe(403);
  });

  test.each([
    ['GET', '/'],
    ['GET', '/?Action=GetCallerIdentity&X-Amz-Signature=00'],
    ['PUT', '/bucket/%zz?x=%'],
    ['DELETE', '//'],
  ])('answers %s %s', async (method, target) => {
    const account = await startFixture();

    const answer = await fetch(`${account.endpoint}${target}`, { method });

    expect([400, 403]).toContain(answer.status);
    expect(await answer.text()).toMatch(/^<ErrorResponse .*<Code>(MissingAuthenticationToken|IncompleteSignature)</);
  });

  const UNSIGNED = 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15';

  test.each([
    ['PUT', `/?${UNSIGNED}`, undefined, 'the request "PUT /"'],
    ['GET', `/foo?${UNSIGNED}`, undefined, 'the request "GET /foo"'],
    ['POST', '//', UNSIGNED, 'the request "POST //"'],
    ['POST', '/?SourceIdentity=x', UNSIGNED, 'parameters in both the query and the body'],
  ])('refuses %s %s with the body %s', async (method, target, body, what) => {
    const account = await startFixture();

    const response = await fetch(`${account.endpoint}${target}`, { method, body: body ?? null, headers: FORM });

    expect(refusalIn({ status: response.status, headers: response.headers, text: await response.text() })).toEqual({
      status: 400,
      code: 'NotModelled',
      message: `the strict local account does not model ${what}; see docs/local-account.md`,
    });
    expect(account.events().at(-1)).toMatchObject({ eventName: 'AssumeRoleWithWebIdentity' });
  });

  test('refuses a JSON operation by another method than POST', async () => {
    const account = await startFixture();
    const credentials = account.administratorCredentials(ACCOUNT);
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' };
    const signed = sign(account.endpoint, { service: 'ssm', credentials, headers, method: 'GET' });

    const answer = await fetch(account.endpoint, { headers: signed });

    expect(await answer.json()).toEqual({
      __type: 'NotModelled',
      message: 'the strict local account does not model the request "GET /"; see docs/local-account.md',
    });
  });

  test('refuses a body that is no form, rather than pass over it', async () => {
    const account = await startFixture();

    const answer = await post(account.endpoint, { 'content-type': 'text/plain' }, UNSIGNED);

    expect(refusalIn(answer)).toMatchObject({
      code: 'NotModelled',
      message: expect.stringContaining('a POST with a body of the content type "text/plain"'),
    });
  });
});
