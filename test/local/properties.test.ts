import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSourceIdentity } from '../../lib/identity/index.ts';
import type { LocalAccount } from '../../lib/local/index.ts';
import { exchange, requestOf } from '../runtime/delivery/wire.ts';
import { runs, SEED } from '../support/seed.ts';
import { ACCOUNT, ACME_PARAMETER, ACME_ROLE, startFixture } from './fixture.ts';
import { type Answer, elementOf, post, sign } from './wire.ts';

const RUNS = { seed: SEED, numRuns: runs(50) };

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_1_1 = { 'content-type': 'application/x-amz-json-1.1' };
const IDENTITY = 'Action=GetCallerIdentity&Version=2011-06-15';

/** Nothing that a caller sends is a fault of the account itself. */
function expectRefusable({ status, text }: Pick<Answer, 'status' | 'text'>): void {
  expect([status < 500, text.includes('InternalFailure')], text).toEqual([true, false]);
}

interface Call {
  readonly service: 'sts' | 'iam' | 'ssm' | 'cloudtrail';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isAdministrator?: boolean;
}

/** A call that is signed as it should be. */
function call(account: LocalAccount, { isAdministrator, ...request }: Call): Promise<Answer> {
  const credentials = isAdministrator
    ? account.administratorCredentials(ACCOUNT)
    : account.dispatcherCredentials('hub', 'acme');
  return post(account.endpoint, sign(account.endpoint, { ...request, credentials }), request.body);
}

const form = (parameters: Readonly<Record<string, string>>): string => new URLSearchParams(parameters).toString();

describe('a request with a signature', () => {
  /** What a request is made of, as it goes over the wire. */
  interface Parts {
    readonly line: string;
    readonly headers: readonly (readonly [string, string])[];
    readonly body: string;
  }
  const text = ({ line, headers, body }: Parts): string =>
    `${line} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}connection: close\r\n\r\n${body}`;

  /** A change that no signature survives. */
  const changes: fc.Arbitrary<(parts: Parts) => Parts> = fc.oneof(
    fc
      .constantFrom('PUT /', 'GET /', 'POST /x', 'POST /?Action=AssumeRole', 'POST //')
      .map((line) => (parts: Parts) => ({ ...parts, line })),
    fc
      .tuple(fc.nat(IDENTITY.length - 1), fc.constantFrom('x', '%', '+', '\0'))
      .map(([at, letter]) => (parts: Parts) => ({
        ...parts,
        body: parts.body.slice(0, at) + letter + parts.body.slice(at + 1),
      })),
    fc
      .tuple(fc.nat(20), fc.constantFrom('', 'x', '0', '*', 'é', `${'x'.repeat(3000)}`))
      .map(([index, value]) => (parts: Parts) => {
        const at = index % parts.headers.length;
        const changed = parts.headers.map(
          ([name, given], place) => [name, place === at ? given.slice(1) + value : given] as const,
        );
        return { ...parts, headers: changed };
      }),
    fc.nat(20).map((index) => (parts: Parts) => ({
      ...parts,
      headers: parts.headers.filter((_, at) => at !== index % parts.headers.length),
    })),
    fc.nat(20).map((index) => (parts: Parts) => ({
      ...parts,
      headers: [...parts.headers, parts.headers[index % parts.headers.length] ?? ['x', 'y']],
    })),
    fc
      .constantFrom('authorization', 'x-amz-date', 'x-amz-security-token', 'x-amz-extra')
      .map((name) => (parts: Parts) => ({ ...parts, headers: [...parts.headers, [name, 'x'] as const] })),
  );

  test('is refused once a part of it is another, and is no fault of the account', async () => {
    const account = await startFixture();
    const credentials = account.dispatcherCredentials('hub', 'acme');
    const { host } = new URL(account.endpoint);
    const options = { service: 'sts', credentials, body: IDENTITY, headers: FORM };
    // The length is not signed, and says where the body ends.
    const length = ['content-length', String(IDENTITY.length)] as const;
    const whole = (): Parts => ({
      line: 'POST /',
      headers: Object.entries({ host, ...sign(account.endpoint, options) }),
      body: IDENTITY,
    });
    const sent = (parts: Parts) =>
      exchange(account.endpoint, text({ ...parts, headers: [...parts.headers, length] }), { ends: true });
    expect((await sent(whole())).status).toBe(200);
    await fc.assert(
      fc.asyncProperty(changes, async (change) => {
        const { status = 0, body } = await sent(change(whole()));
        expectRefusable({ status, text: body });
        expect(status).not.toBe(200);
        expect(body).not.toContain('assumed-role');
      }),
      RUNS,
    );
    expect((await sent(whole())).status).toBe(200);
  });
});

describe('a call that is signed, whatever it holds,', () => {
  const hostile = fc.oneof(
    fc.constantFrom('', '*', '\0', '\ud800', '${aws:username}', '__proto__', '7e99', '-1', 'x'.repeat(5000), ACME_ROLE),
    fc.string({ unit: 'binary', maxLength: 30 }),
  );
  const names = fc.oneof(
    fc.constantFrom(
      'agent.acme.s1',
      'agent.acme.',
      'agent.acme.x.y',
      'agent.globex.s1',
      'agent.acme-2.s1',
      'internal.acme.s1',
    ),
    hostile,
  );

  /** Bodies of JSON services: with these members, with others, or no JSON at all. */
  function bodiesOf(...members: readonly string[]): fc.Arbitrary<string> {
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { depthSize: 'small' },
        hostile,
        fc.constantFrom(null, true, 7, ACME_PARAMETER),
        fc.array(tie('json'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom(...members), tie('json'), { maxKeys: 4 }),
      ),
    }));
    const deep = `{"${members[0]}":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    return fc.oneof(
      {
        weight: 6,
        arbitrary: fc
          .dictionary(fc.constantFrom(...members), json, { maxKeys: 4 })
          .map((value) => JSON.stringify(value)),
      },
      { weight: 2, arbitrary: json.map((value) => JSON.stringify(value)) },
      { weight: 1, arbitrary: hostile },
      { weight: 1, arbitrary: fc.constant(deep) },
    );
  }

  test('is AssumeRole under a name of the tenant, or is refused', async () => {
    const account = await startFixture();
    let assumed = 0;
    const parameters = fc.record(
      {
        RoleArn: fc.oneof({ weight: 4, arbitrary: fc.constant(ACME_ROLE) }, hostile),
        RoleSessionName: fc.oneof({ weight: 4, arbitrary: fc.constant('agent.acme.s1') }, hostile),
        SourceIdentity: names,
        DurationSeconds: fc.constantFrom('900', '3600', '3601', '0', 'NaN', '1e3', ' 900'),
        Policy: fc.oneof({ weight: 1, arbitrary: fc.constant('{}') }, hostile),
        'Tags.member.1.Key': hostile,
        'TransitiveTagKeys.member.1': hostile,
        'PolicyArns.member.1.arn': hostile,
      },
      { requiredKeys: ['RoleArn', 'RoleSessionName', 'SourceIdentity'] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          parameters,
          parameters.map(({ RoleArn, RoleSessionName, SourceIdentity }) => ({
            RoleArn,
            RoleSessionName,
            SourceIdentity,
          })),
        ),
        async (given) => {
          const body = form({ Action: 'AssumeRole', Version: '2011-06-15', ...given } as Record<string, string>);
          const answer = await call(account, { service: 'sts', headers: FORM, body });
          expectRefusable(answer);
          if (answer.status !== 200) return;
          assumed += 1;
          expect(parseSourceIdentity(elementOf(answer, 'SourceIdentity') ?? '')).toMatchObject({
            trafficClass: 'agent',
            tenant: 'acme',
          });
        },
      ),
      { ...RUNS, examples: [[{ RoleArn: ACME_ROLE, RoleSessionName: 's1', SourceIdentity: 'agent.acme.s1' }]] },
    );
    expect(assumed).toBeGreaterThan(0);
  });

  test('is GetParameter of a parameter that the caller may read, or is refused', async () => {
    const account = await startFixture();
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GetParameter', 'GetParameters', 'GetParametersByPath', 'x', ''),
        bodiesOf('Name', 'Names', 'Path', '__proto__', 'WithDecryption'),
        async (operation, body) => {
          const headers = { ...JSON_1_1, 'x-amz-target': `AmazonSSM.${operation}` };
          const answer = await call(account, { service: 'ssm', headers, body });
          expectRefusable(answer);
          expect(answer.text).not.toContain('initech');
        },
      ),
      RUNS,
    );
  });

  test("is one of the administrator's, or is refused", async () => {
    const account = await startFixture();
    const operations = fc.constantFrom('AmazonSSM.PutParameter', 'CloudTrail_20131101.LookupEvents');
    const members = [
      'Name',
      'Value',
      'Type',
      'Overwrite',
      'LookupAttributes',
      'AttributeKey',
      'AttributeValue',
      'StartTime',
      'NextToken',
      'MaxResults',
    ];
    await fc.assert(
      fc.asyncProperty(operations, bodiesOf(...members), async (target, body) => {
        const service = target.startsWith('AmazonSSM') ? 'ssm' : 'cloudtrail';
        expectRefusable(
          await call(account, {
            service,
            headers: { ...JSON_1_1, 'x-amz-target': target },
            body,
            isAdministrator: true,
          }),
        );
      }),
      RUNS,
    );
  });

  test('is one of a REST service, or is refused', async () => {
    const account = await startFixture();
    const credentials = account.administratorCredentials(ACCOUNT);
    const { host } = new URL(account.endpoint);
    const segment = fc
      .oneof(
        fc.constantFrom('hub', ACME_ROLE, '..', '.', 'x', '__proto__'),
        hostile.filter((text) => !/[\ud800-\udfff]/.test(text)),
      )
      .map(encodeURIComponent);
    const targets = fc
      .tuple(
        fc.constantFrom('access-entries', 'pod-identity-associations', 'updates', 'update-config', 'x'),
        segment,
        segment,
        fc.constantFrom('', '?maxResults=x', '?nextToken=%00', '?__proto__=1'),
      )
      .chain(([kind, cluster, name, query]) =>
        fc.constantFrom(
          `/clusters/${cluster}${query}`,
          `/clusters/${cluster}/${kind}${query}`,
          `/clusters/${cluster}/${kind}/${name}${query}`,
        ),
      );
    const bodies = bodiesOf(
      'principalArn',
      'kubernetesGroups',
      'type',
      'username',
      'serviceAccount',
      'namespace',
      'roleArn',
      'accessConfig',
      'tags',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'DELETE', 'PUT'),
        targets,
        bodies,
        async (method, target, given) => {
          const body = method === 'POST' ? given : '';
          const headers = sign(account.endpoint, { service: 'eks', method, target, credentials, body });
          const request = requestOf(
            target,
            { host, ...headers, 'content-length': String(Buffer.byteLength(body)) },
            method,
            Buffer.from(body).toString('latin1'),
          );
          const { status = 0, body: text } = await exchange(account.endpoint, request);
          expectRefusable({ status, text });
          expect(text).not.toContain('SignatureDoesNotMatch');
        },
      ),
      RUNS,
    );
  });

  test.each([
    ['nested without end', `{"Version":"2012-10-17","Statement":${'['.repeat(60_000)}${']'.repeat(60_000)}}`],
    [
      'an element without end',
      `{"Version":"2012-10-17","Statement":{"Effect":${'['.repeat(60_000)}${']'.repeat(60_000)}}}`,
    ],
    ['no JSON', '{'],
    ['a prototype', '{"__proto__":{"Effect":"Allow"},"Version":"2012-10-17"}'],
  ])('is no role with a trust policy that is %s', async (_, AssumeRolePolicyDocument) => {
    const account = await startFixture();
    const body = form({ Action: 'CreateRole', Version: '2010-05-08', RoleName: 'x', AssumeRolePolicyDocument });
    const answer = await call(account, { service: 'iam', headers: FORM, body, isAdministrator: true });
    expect([answer.status, elementOf(answer, 'Code')]).toEqual([400, 'MalformedPolicyDocument']);
  });
});

test('bytes of whatever kind end no account', async () => {
  const account = await startFixture();
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((chunk) => Buffer.from(chunk).toString('latin1')),
    fc.string({ unit: 'binary', maxLength: 60 }).map((target) => `POST /${target} HTTP/1.1\r\nhost: x\r\n\r\n`),
    fc
      .constantFrom('-1', '1e9', '0x10', '5, 5')
      .map((length) => `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\nx`),
    fc
      .constantFrom('zz\r\n', '5\r\nabc', 'ffffffff\r\n')
      .map((chunk) => `POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (given) => {
      const { status = 0, body } = await exchange(account.endpoint, given, { ends: true });
      expectRefusable({ status, text: body });
      expect(status).not.toBe(200);
    }),
    RUNS,
  );
  expect((await call(account, { service: 'sts', headers: FORM, body: IDENTITY })).status).toBe(200);
});
