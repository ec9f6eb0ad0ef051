import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createLimit } from '../../lib/doctor/calls.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { ACCOUNT, World } from './world.ts';

isolateEnvironment();

/** An STS whose answers are given by Region, as text or as an error's code; all else it leaves to the account. */
async function startSts(answers: Readonly<Record<string, string>>): Promise<string> {
  const server = createServer((request, response) => {
    const [, region = ''] = /Credential=[^/]+\/\d+\/([a-z0-9-]+)\//.exec(request.headers.authorization ?? '') ?? [];
    const code = answers[region];
    const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/';
    request.resume();
    response.setHeader('Content-Type', 'text/xml');
    if (code === 'ok') {
      response.end(
        `<GetCallerIdentityResponse xmlns="${namespace}"><GetCallerIdentityResult><Arn>arn:aws:iam::${ACCOUNT}:user/me</Arn><UserId>AIDAEXAMPLE</UserId><Account>${ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      );
    } else {
      response.statusCode = 403;
      response.end(
        `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>no</Message></Error></ErrorResponse>`,
      );
    }
  });
  return listening(server);
}

/** A service that knows no credentials, as all do in a Region that is not enabled. */
async function startRejecting(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(400, { 'Content-Type': 'application/x-amz-json-1.1' });
    response.end('{"__type":"UnrecognizedClientException","message":"The security token included is invalid."}');
  });
  return listening(server);
}

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a Region in which STS does not answer', () => {
  test.each(['RegionDisabledException', 'InvalidClientTokenId'])(
    'is one that is not enabled, where it answers in another: %s',
    async (code) => {
      const world = await World.start();
      const { AWS_ENDPOINT_URL: endpoint = '' } = process.env;
      vi.stubEnv('AWS_ENDPOINT_URL_STS', await startSts({ 'us-west-2': code, 'us-east-1': 'ok' }));
      const rejecting = await startRejecting();
      for (const service of ['SSM', 'EKS']) vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, rejecting);
      const { findings, notChecked } = await world.report();
      const missing = 'us-west-2 is not enabled';
      expect(notChecked.map((one) => [one.check, one.missing])).toEqual([
        ['the parameters', missing],
        ['the EKS cluster', missing],
        ['the access entry', missing],
      ]);
      expect(findings.map((finding) => [finding.code, finding.fix.commands[0]])).toEqual([
        ['RegionNotEnabled', 'aws account enable-region --region-name us-west-2 --region us-east-1'],
        ['NamesFree', expect.any(String)],
      ]);
      for (const service of ['SSM', 'EKS']) vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, endpoint);
      vi.stubEnv('AWS_ENDPOINT_URL_STS', await startSts({ 'us-west-2': 'ok' }));
      expect(await world.findings()).toEqual([]);
    },
  );

  test('fails where no other does: then it is the credentials', async () => {
    const world = await World.start();
    const rejected = 'InvalidClientTokenId';
    vi.stubEnv('AWS_ENDPOINT_URL_STS', await startSts({ 'us-west-2': rejected, 'us-east-1': rejected }));
    const { exitCode, stderr, stdout } = await world.doctor();
    expect([exitCode, stdout]).toEqual([4, '']);
    expect(stderr).toMatch(/^error: credentials must be ones that AWS accepts.*\[CredentialsRejected\]\n$/);
  });
});

describe('a service that cannot be read', () => {
  test('is a warning, and the rest is checked', async () => {
    const world = await World.start();
    // Of a port that nobody listens on.
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    vi.stubEnv('AWS_ENDPOINT_URL_EKS', `http://127.0.0.1:${port}`);
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');

    const { findings, notChecked } = await world.report();
    expect(findings.map(({ code, severity, fix }) => [code, severity, fix.summary])).toEqual([
      ['ReadFailed', 'warning', 'see to what AWS says, and run doctor again'],
      ['NamesFree', 'note', expect.any(String)],
    ]);
    expect(findings[0]?.evidence).toMatch(
      /^eks:DescribeCluster on hub failed with Unavailable: EKS could not be reached/,
    );
    expect(notChecked.map(({ check }) => check)).toEqual(['the EKS cluster', 'the access entry']);
  });
});

describe('a limit to how many run at a time', () => {
  test('is kept, and everybody gets a turn', async () => {
    const limit = createLimit(3);
    let running = 0;
    let most = 0;
    const done = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        limit(async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          if (index % 5 === 0) throw new Error('failed');
          return index;
        }).catch(() => undefined),
      ),
    );
    expect(most).toBe(3);
    expect(done.filter((index) => index !== undefined)).toHaveLength(16);
  });
});
