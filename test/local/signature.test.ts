import { describe, expect, test } from 'vitest';
import type { LocalAccount } from '../../lib/local/index.ts';
import { exchange, requestOf } from '../runtime/delivery/wire.ts';
import { ACCOUNT, ACME_PARAMETER, startFixture, TestClock } from './fixture.ts';
import { elementOf, post, presign, refusalIn, type SignOptions, sign, timestampOf } from './wire.ts';

const BODY = 'Action=GetCallerIdentity&Version=2011-06-15';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const INVALID = {
  status: 403,
  code: 'InvalidClientTokenId',
  message: 'The security token included in the request is invalid.',
};
const MISMATCH = {
  status: 403,
  code: 'SignatureDoesNotMatch',
  message:
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
};

async function started() {
  const clock = new TestClock();
  const account = await startFixture({ clock: clock.read });
  return { clock, account, credentials: account.dispatcherCredentials('hub', 'acme') };
}

function call(
  account: LocalAccount,
  options: Omit<SignOptions, 'service' | 'body'> & { service?: string },
  sent = BODY,
) {
  const headers = sign(account.endpoint, { service: 'sts', body: BODY, headers: FORM, ...options });
  return post(account.endpoint, headers, sent);
}

describe('a signed request', () => {
  test('is answered', async () => {
    const { account, clock, credentials } = await started();

    const answer = await call(account, { credentials, at: clock.read() });

    expect(answer.status).toBe(200);
    expect(elementOf(answer, 'Account')).toBe(ACCOUNT);
  });

  test('fails with a tampered body', async () => {
    const { account, clock, credentials } = await started();

    const answer = await call(account, { credentials, at: clock.read() }, `${BODY}&Extra=1`);

    expect(refusalIn(answer)).toEqual(MISMATCH);
  });

  test('fails with a tampered header that is signed', async () => {
    const { account, clock, credentials } = await started();
    const headers = sign(account.endpoint, {
      service: 'sts',
      credentials,
      body: BODY,
      headers: { ...FORM, 'x-amz-user-agent': 'honest' },
      at: clock.read(),
    });

    const answer = await post(account.endpoint, { ...headers, 'x-amz-user-agent': 'other' }, BODY);

    expect(refusalIn(answer)).toEqual(MISMATCH);
  });

  test('fails with another secret', async () => {
    const { account, clock, credentials } = await started();
    const forged = { ...credentials, secretAccessKey: 'a'.repeat(40) };

    expect(refusalIn(await call(account, { credentials: forged, at: clock.read() }))).toEqual(MISMATCH);
  });

  test('fails with credentials of another account server', async () => {
    const { account, clock } = await started();
    const foreign = (await startFixture()).dispatcherCredentials('hub', 'acme');

    expect(refusalIn(await call(account, { credentials: foreign, at: clock.read() }))).toEqual(INVALID);
  });

  test('fails without the session token', async () => {
    const { account, clock, credentials } = await started();
    const { sessionToken: _, ...incomplete } = credentials;

    expect(refusalIn(await call(account, { credentials: incomplete, at: clock.read() }))).toEqual(INVALID);
  });

  test("fails with another session's token", async () => {
    const { account, clock, credentials } = await started();
    const { sessionToken = '' } = account.dispatcherCredentials('hub', 'initech');

    const answer = await call(account, { credentials: { ...credentials, sessionToken }, at: clock.read() });

    expect(refusalIn(answer)).toEqual(INVALID);
  });

  test('fails once the credentials have expired, to the second', async () => {
    const { account, clock, credentials } = await started();
    const left = ((credentials.expiration?.getTime() ?? 0) - clock.read().getTime()) / 1000;
    expect(credentials.expiration).toEqual(new Date('2026-03-02T00:00:00Z'));

    clock.advance(left - 1);
    expect((await call(account, { credentials, at: clock.read() })).status).toBe(200);
    clock.advance(1);
    expect(refusalIn(await call(account, { credentials, at: clock.read() }))).toEqual({
      status: 403,
      code: 'ExpiredToken',
      message: 'The security token included in the request is expired',
    });
  });

  test('fails when it is more than 5 minutes old', async () => {
    const { account, clock, credentials } = await started();
    const now = clock.read();
    const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000);

    expect((await call(account, { credentials, at: minutesAgo(4.9) })).status).toBe(200);
    const sent = minutesAgo(6);
    expect(refusalIn(await call(account, { credentials, at: sent }))).toEqual({
      status: 403,
      code: 'SignatureDoesNotMatch',
      message: `Signature expired: ${timestampOf(sent)} is now earlier than ${timestampOf(minutesAgo(5))} (${timestampOf(now)} - 5 min.)`,
    });
  });

  test('fails when it is more than 5 minutes early', async () => {
    const { account, clock, credentials } = await started();
    const now = clock.read();
    const sent = new Date(now.getTime() + 6 * 60_000);
    const latest = timestampOf(new Date(now.getTime() + 5 * 60_000));

    expect(refusalIn(await call(account, { credentials, at: sent }))).toEqual({
      status: 403,
      code: 'SignatureDoesNotMatch',
      message: `Signature not yet current: ${timestampOf(sent)} is still later than ${latest} (${timestampOf(now)} + 5 min.)`,
    });
  });

  test('fails with a scope of another day', async () => {
    const { account, clock, credentials } = await started();

    const answer = await call(account, { credentials, at: clock.read(), date: '20260228' });

    expect(refusalIn(answer)).toMatchObject({
      code: 'SignatureDoesNotMatch',
      message: expect.stringContaining('Date in Credential scope does not match YYYYMMDD'),
    });
  });

  test.each([
    ['host', "'Host' must be a 'SignedHeader' in the AWS Authorization."],
    ['x-amz-date', "'x-amz-date' must be a 'SignedHeader' in the AWS Authorization."],
  ])('fails when %s is not signed', async (name, message) => {
    const { account, clock, credentials } = await started();

    const answer = await call(account, { credentials, at: clock.read(), leaveUnsigned: [name] });

    expect(refusalIn(answer)).toEqual({ status: 403, code: 'SignatureDoesNotMatch', message });
  });

  test('fails for the operation of another service', async () => {
    const { account, clock, credentials } = await started();

    const answer = await call(account, { credentials, at: clock.read(), service: 'iam' });

    expect(refusalIn(answer)).toEqual({
      status: 400,
      code: 'NotModelled',
      message: 'the strict local account does not model the operation iam:GetCallerIdentity; see docs/local-account.md',
    });
  });
});

describe('a signature for one service, in a request of another', () => {
  const PARAMETER = JSON.stringify({ Name: ACME_PARAMETER });

  /** Signed for STS, with the target of SSM and another scope before the real one. */
  async function disguised(prefix: (scope: string) => string) {
    const { account, clock, credentials } = await started();
    const target = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AmazonSSM.GetParameter' };
    const options = { service: 'sts', credentials, body: PARAMETER, headers: target, at: clock.read() };
    const headers = sign(account.endpoint, options);
    const scope = `Credential=${credentials.accessKeyId}/20260301/us-west-2/ssm/aws4_request, `;
    const authorization = headers['authorization']?.replace('Credential=', `${prefix(scope)}Credential=`) ?? '';
    const { status, text } = await post(account.endpoint, { ...headers, authorization }, PARAMETER);
    return { status, ...(JSON.parse(text) as object) };
  }

  test('fails by a repeated part', async () => {
    expect(await disguised((scope) => scope)).toEqual({
      status: 400,
      __type: 'IncompleteSignatureException',
      message: "Authorization header requires one 'Credential' parameter.",
    });
  });

  test('fails by a part within another', async () => {
    expect(await disguised((scope) => `Other=${scope}`)).toEqual({
      status: 400,
      __type: 'InvalidSignatureException',
      message: "Credential should be scoped to correct service: 'ssm'.",
    });
  });

  test.each(['Evil.GetParameter', 'GetParameter', 'AmazonSSM.GetParameter.x'])(
    'fails by the target %s',
    async (target) => {
      const { account, clock, credentials } = await started();
      const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
      const options = { service: 'ssm', credentials, body: PARAMETER, headers, at: clock.read() };

      const answer = await post(account.endpoint, sign(account.endpoint, options), PARAMETER);

      expect(JSON.parse(answer.text)).toEqual({
        __type: 'NotModelled',
        message: `the strict local account does not model the target "${target}"; see docs/local-account.md`,
      });
    },
  );
});

describe('an unsigned request', () => {
  test('fails', async () => {
    const { account } = await started();

    expect(refusalIn(await post(account.endpoint, FORM, BODY))).toEqual({
      status: 403,
      code: 'MissingAuthenticationToken',
      message: 'Request is missing Authentication Token',
    });
  });

  test.each([
    ['Bearer abc', "Authorization header must begin with 'AWS4-HMAC-SHA256'."],
    ['AWS4-HMAC-SHA256 SignedHeaders=host', "Authorization header requires 'Credential' parameter."],
    [
      'AWS4-HMAC-SHA256 Credential=AKIA/20260301/us-west-2, SignedHeaders=host, Signature=00',
      "Credential must have the form '<access-key-id>/YYYYMMDD/<region>/<service>/aws4_request', in slash-delimited parts.",
    ],
    [
      'AWS4-HMAC-SHA256 Credential=AKIA/20260301/us-west-2/sts/aws4_request, SignedHeaders=host, Signature=00',
      "Authorization header requires existence of an 'X-Amz-Date' header.",
    ],
  ])('fails with an incomplete signature: %s', async (authorization, message) => {
    const { account } = await started();

    const answer = await post(account.endpoint, { ...FORM, authorization }, BODY);

    expect(refusalIn(answer)).toEqual({ status: 400, code: 'IncompleteSignature', message });
  });
});

test('a request with a second Authorization header fails, whatever that says', async () => {
  const { account, clock, credentials } = await started();
  const options = { service: 'sts', credentials, body: BODY, headers: FORM, at: clock.read() };
  const { host } = new URL(account.endpoint);
  const headers = {
    host,
    ...sign(account.endpoint, options),
    'content-length': String(BODY.length),
    Authorization: 'x',
  };

  const { status, body } = await exchange(account.endpoint, requestOf('/', headers, 'POST', BODY));

  expect([status, body]).toEqual([400, expect.stringContaining('Authorization header must be given once.')]);
});

describe('a presigned request, as kubectl carries it', () => {
  const QUERY = { Action: 'GetCallerIdentity', Version: '2011-06-15' };

  test('is answered until it expires', async () => {
    const { account, clock, credentials } = await started();
    const { url, headers } = presign(account.endpoint, QUERY, credentials, { at: clock.read() });

    const answer = await fetch(url, { headers });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(':assumed-role/hub-acme-tenant/dispatcher</Arn>');

    clock.advance(61);
    const late = await fetch(url, { headers });
    expect(late.status).toBe(403);
    expect(await late.text()).toContain('<Code>SignatureDoesNotMatch</Code><Message>Signature expired: ');
  });

  test('may be a POST with an empty form', async () => {
    const { account, clock, credentials } = await started();
    const { url, headers } = presign(account.endpoint, QUERY, credentials, { at: clock.read(), method: 'POST' });

    const answer = await fetch(url, { method: 'POST', headers: { ...headers, ...FORM } });

    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(':assumed-role/hub-acme-tenant/dispatcher</Arn>');
  });

  test("fails with another cluster's header", async () => {
    const { account, clock, credentials } = await started();
    const { url } = presign(account.endpoint, QUERY, credentials, { at: clock.read() });

    const answer = await fetch(url, { headers: { 'x-k8s-aws-id': 'other' } });

    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('<Code>SignatureDoesNotMatch</Code>');
  });
});
