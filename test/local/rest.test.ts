import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { LocalAccount } from '../../lib/local/index.ts';
import { ACCOUNT, DATA_ROLE, startFixture } from './fixture.ts';
import { sign } from './wire.ts';

interface Sent {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is signed, if it is another than what is sent. */
  readonly signedTarget?: string;
}

/** A signed request of EKS, as no SDK would send it: fetch makes no GET with a body either. */
async function send(account: LocalAccount, target: string, { method = 'GET', body, headers, signedTarget }: Sent = {}) {
  const signed = sign(account.endpoint, {
    service: 'eks',
    method,
    target: signedTarget ?? target,
    credentials: account.administratorCredentials(ACCOUNT),
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers }),
  });
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise<{ status: number | undefined; code: unknown; type: unknown; answer: Record<string, unknown> }>(
    (resolve, reject) => {
      const outgoing = request(
        `${account.endpoint}${target}`,
        { method, headers: { ...signed, ...length } },
        (incoming) => {
          let text = '';
          incoming.on('data', (chunk) => {
            text += chunk;
          });
          incoming.on('end', () =>
            resolve({
              status: incoming.statusCode,
              code: incoming.headers['x-amzn-errortype'],
              type: incoming.headers['content-type'],
              answer: JSON.parse(text),
            }),
          );
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    },
  );
}

function notModelled(what: string) {
  const message = `the strict local account does not model ${what}; see docs/local-account.md`;
  return { status: 400, code: 'NotModelled', answer: { __type: 'NotModelled', message } };
}

describe('a request of a REST service', () => {
  test('is answered by its method and path, whatever its content type and target say', async () => {
    const account = await startFixture();
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' };

    expect(await send(account, '/clusters/hub', { headers })).toMatchObject({
      status: 200,
      type: 'application/json',
      answer: { cluster: { name: 'hub' } },
    });
  });

  test('may have names in its path that are encoded', async () => {
    const account = await startFixture();

    expect(await send(account, `/clusters/hub/access-entries/${encodeURIComponent(DATA_ROLE)}`)).toMatchObject({
      status: 404,
      code: 'ResourceNotFoundException',
      answer: { message: expect.stringMatching(/^The specified principalArn could not be found\./) },
    });
  });

  test.each([
    ['GET', '/clusters', 'the request "GET /clusters"'],
    ['GET', '/clusters/', 'the request "GET /clusters/"'],
    ['GET', '/clusters/hub/', 'the request "GET /clusters/hub/"'],
    ['GET', '//clusters/hub', 'the request "GET //clusters/hub"'],
    ['PUT', '/clusters/hub', 'the request "PUT /clusters/hub"'],
    ['POST', '/', 'the request "POST /"'],
    ['GET', '/clusters/%zz', 'the request "GET /clusters/%zz"'],
    ['GET', `/clusters/hub/access-entries/${DATA_ROLE}`, `the request "GET /clusters/hub/access-entries/${DATA_ROLE}"`],
    ['GET', '/clusters/hub?Action=GetRole', 'the parameter Action of eks:DescribeCluster'],
    ['GET', '/clusters/hub?nextToken=0', 'the parameter nextToken of eks:DescribeCluster'],
  ])('fails for what is not modelled, and is recorded: %s %s', async (method, target, what) => {
    const account = await startFixture();

    expect(await send(account, target, { method })).toMatchObject(notModelled(what));
    expect(account.events()).toEqual([
      expect.objectContaining({ eventSource: 'eks.amazonaws.com', errorCode: 'NotModelled', requestParameters: null }),
    ]);
  });

  test('fails with a body where none is looked at', async () => {
    const account = await startFixture();

    expect(await send(account, '/clusters/hub', { body: '{}' })).toMatchObject(notModelled('a GET with a body'));
  });

  test('fails with a parameter that is given twice', async () => {
    const account = await startFixture();

    expect(await send(account, '/clusters/hub/access-entries?maxResults=1&maxResults=2')).toMatchObject({
      status: 400,
      code: 'MalformedInput',
      answer: { message: 'Each parameter of the query must be given once' },
    });
  });

  test.each([
    ['{', 'The request body must be a JSON object'],
    ['[]', 'The request body must be a JSON object'],
    ['{"principalArn":1}', 'principalArn must be a string'],
    ['{"kubernetesGroups":"agents"}', 'kubernetesGroups must be a list of strings'],
  ])('fails with the body %s', async (body, message) => {
    const account = await startFixture();

    expect(await send(account, '/clusters/hub/access-entries', { method: 'POST', body })).toMatchObject({
      status: 400,
      code: 'SerializationException',
      answer: { message },
    });
  });

  test("fails with a parameter in the body that is one of the path's", async () => {
    const account = await startFixture();
    const body = JSON.stringify({ principalArn: DATA_ROLE, name: 'other' });

    expect(await send(account, '/clusters/hub/access-entries', { method: 'POST', body })).toMatchObject(
      notModelled('the parameter name of eks:CreateAccessEntry'),
    );
  });

  test.each([
    ['another path', '/clusters/other', '/clusters/hub'],
    ['another query', '/clusters/hub/access-entries?maxResults=2', '/clusters/hub/access-entries?maxResults=1'],
  ])('fails when it was signed for %s', async (_, target, signedTarget) => {
    const account = await startFixture();

    expect(await send(account, target, { signedTarget })).toMatchObject({
      status: 403,
      code: 'InvalidSignatureException',
    });
  });

  test('fails unsigned, and is not recorded: nothing says which service it is for', async () => {
    const account = await startFixture();

    const answer = await fetch(`${account.endpoint}/clusters/hub`);

    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<Code>MissingAuthenticationToken</Code>');
    expect(account.events()).toEqual([]);
  });

  test('fails with credentials that are not known, in its own protocol', async () => {
    const account = await startFixture();
    const elsewhere = (await startFixture()).administratorCredentials(ACCOUNT);
    const options = { service: 'eks', method: 'GET', target: '/clusters/hub', credentials: elsewhere };

    const answer = await fetch(`${account.endpoint}/clusters/hub`, { headers: sign(account.endpoint, options) });

    expect(answer.status).toBe(403);
    expect(answer.headers.get('x-amzn-errortype')).toBe('UnrecognizedClientException');
    expect(await answer.json()).toEqual({
      __type: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    });
  });
});

test('a request that is signed for a REST service is for no other', async () => {
  const account = await startFixture();
  const body = 'Action=GetCallerIdentity&Version=2011-06-15';
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };

  expect(await send(account, '/', { method: 'POST', body, headers })).toMatchObject(
    notModelled('the request "POST /"'),
  );
});
