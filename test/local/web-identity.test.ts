import { generateKeyPairSync, sign } from 'node:crypto';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, test } from 'vitest';
import { AwsFault } from '../../lib/local/aws-fault.ts';
import type { LocalAccount } from '../../lib/local/index.ts';
import { providerArn, WebIdentityIssuer } from '../../lib/local/web-identity.ts';
import { assume, handedOut, SESSION, sdkRefusal, stsClient } from './clients.ts';
import { ACCOUNT, ACME_TENANT_ROLE, OTHER_ACCOUNT, REGION, startFixture, TestClock } from './fixture.ts';

function call(account: LocalAccount, token: string, input: { RoleArn?: string; DurationSeconds?: number } = {}) {
  const client = new STSClient({ endpoint: account.endpoint, region: REGION, maxAttempts: 1 });
  return client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: ACME_TENANT_ROLE,
      RoleSessionName: 'pod',
      WebIdentityToken: token,
      ...input,
    }),
  );
}

type Claims = Record<string, unknown>;

function partsOf(token: string): { header: Claims; claims: Claims; signature: string } {
  const [header = '', claims = '', signature = ''] = token.split('.');
  const decode = (part: string): Claims => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: decode(header), claims: decode(claims), signature };
}

function encode(part: Claims): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

/** A token of somebody else's key under our key id. */
function forge(token: string): string {
  const { header, claims } = partsOf(token);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = `${encode(header)}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

const UNVERIFIED =
  "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";

describe('AssumeRoleWithWebIdentity', () => {
  test('makes the pod its tenant role, from where it takes a name', async () => {
    const account = await startFixture();

    const answer = await call(account, account.mintWebIdentityToken('hub', 'acme'));

    expect(answer).toMatchObject({
      SubjectFromWebIdentityToken: 'system:serviceaccount:acme:dispatcher',
      Audience: 'sts.amazonaws.com',
      Provider: expect.stringMatching(
        new RegExp(`^arn:aws:iam::${ACCOUNT}:oidc-provider/oidc\\.eks\\.${REGION}\\.amazonaws\\.com/id/[0-9A-F]{32}$`),
      ),
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/pod` },
    });
    expect(answer.SourceIdentity).toBeUndefined();
    const session = await assume(stsClient(account, handedOut(answer)), { SourceIdentity: SESSION });
    expect(session.SourceIdentity).toBe(SESSION);
  });

  test('mints tokens like those of EKS', async () => {
    const clock = new TestClock();
    const account = await startFixture({ clock: clock.read });
    const now = Math.floor(clock.read().getTime() / 1000);

    const { header, claims } = partsOf(account.mintWebIdentityToken('hub', 'acme'));

    expect(header).toEqual({ alg: 'ES256', kid: expect.stringMatching(/^[0-9a-f]{40}$/), typ: 'JWT' });
    expect(claims).toEqual({
      iss: expect.stringMatching(/^https:\/\/oidc\.eks\.us-west-2\.amazonaws\.com\/id\/[0-9A-F]{32}$/),
      sub: 'system:serviceaccount:acme:dispatcher',
      aud: ['sts.amazonaws.com'],
      iat: now,
      nbf: now,
      exp: now + 86_400,
    });
  });

  test('is not role chaining: 12 hours are granted', async () => {
    const account = await startFixture();
    const token = account.mintWebIdentityToken('hub', 'acme');

    const { Credentials } = await call(account, token, { DurationSeconds: 43_200 });

    expect(Credentials?.Expiration?.getTime()).toBeGreaterThan(Date.now() + 43_100_000);
  });

  test("fails with another tenant's token", async () => {
    const account = await startFixture();

    const refusal = await sdkRefusal(call(account, account.mintWebIdentityToken('hub', 'initech')));

    expect(refusal).toMatchObject({
      name: 'AccessDenied',
      status: 403,
      message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    });
    expect(account.decisionOf(refusal.requestId)?.reason).toContain(':sub');
  });

  test('fails for a role that does not exist as for one that does not trust', async () => {
    const account = await startFixture();
    const token = account.mintWebIdentityToken('hub', 'acme');

    const refusal = await sdkRefusal(call(account, token, { RoleArn: `arn:aws:iam::${ACCOUNT}:role/absent` }));

    expect(refusal).toMatchObject({
      name: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    });
  });

  test('fails in an account without the identity provider', async () => {
    const account = await startFixture();
    const token = account.mintWebIdentityToken('hub', 'acme');

    const refusal = await sdkRefusal(
      call(account, token, { RoleArn: `arn:aws:iam::${OTHER_ACCOUNT}:role/reports/reader` }),
    );

    expect(refusal).toMatchObject({
      name: 'InvalidIdentityTokenException',
      status: 400,
      message: `No OpenIDConnect provider found in your account for ${partsOf(token).claims['iss']}`,
    });
  });

  test('fails once the token has expired', async () => {
    const clock = new TestClock();
    const account = await startFixture({ clock: clock.read });
    const token = account.mintWebIdentityToken('hub', 'acme');
    const expiry = Number(partsOf(token).claims['exp']);

    clock.advance(86_399);
    expect((await call(account, token)).AssumedRoleUser).toBeDefined();
    clock.advance(1);
    expect(await sdkRefusal(call(account, token))).toMatchObject({
      name: 'ExpiredTokenException',
      status: 400,
      message: `Token expired: current date/time ${expiry} must be before the expiration date/time ${expiry}`,
    });
  });

  test.each<[string, (token: string) => string, string]>([
    ['signed by another key', forge, UNVERIFIED],
    ['of another account server', () => 'foreign', UNVERIFIED],
    [
      'with other claims under its signature',
      (token) => {
        const { header, claims, signature } = partsOf(token);
        return `${encode(header)}.${encode({ ...claims, sub: 'system:serviceaccount:initech:dispatcher' })}.${signature}`;
      },
      UNVERIFIED,
    ],
    [
      'without a signature, by the algorithm none',
      (token) => `${encode({ ...partsOf(token).header, alg: 'none' })}.${encode(partsOf(token).claims)}.AA`,
      UNVERIFIED,
    ],
    [
      'that is none',
      () => 'not a token',
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    ],
    [
      'of another issuer',
      (token) => {
        const { header, claims, signature } = partsOf(token);
        return `${encode(header)}.${encode({ ...claims, iss: 'https://issuer.example' })}.${signature}`;
      },
      'No OpenIDConnect provider found in your account for https://issuer.example',
    ],
    [
      'without an expiry',
      (token) => {
        const { header, claims, signature } = partsOf(token);
        const { exp: _, ...endless } = claims;
        return `${encode(header)}.${encode(endless)}.${signature}`;
      },
      'Missing a required claim: iss, sub, aud, iat and exp are needed',
    ],
  ])('fails with a token %s', async (_, change, message) => {
    const account = await startFixture();
    const other = await startFixture();
    const token = change(account.mintWebIdentityToken('hub', 'acme'));
    const sent = token === 'foreign' ? other.mintWebIdentityToken('hub', 'acme') : token;

    expect(await sdkRefusal(call(account, sent))).toMatchObject({
      name: 'InvalidIdentityTokenException',
      status: 400,
      message,
    });
  });
});

test('a token for another audience fails', () => {
  const now = new Date('2026-03-01T12:00:00Z');
  const issuer = new WebIdentityIssuer();
  issuer.addProvider(providerArn('aws', ACCOUNT, 'issuer.example'));
  const mint = (audience?: string) => issuer.mint('issuer.example', 'system:serviceaccount:a:b', now, audience);

  expect(issuer.verify(mint(), 'aws', ACCOUNT, now).audience).toBe('sts.amazonaws.com');
  expect(() => issuer.verify(mint('vault'), 'aws', ACCOUNT, now)).toThrow(
    new AwsFault('InvalidIdentityToken', 400, 'Incorrect token audience'),
  );
});
