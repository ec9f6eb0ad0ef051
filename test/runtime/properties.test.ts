import { Readable } from 'node:stream';
import { HttpResponse } from '@smithy/core/protocols';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionBrokerError } from '../../lib/errors.ts';
import type { ClientConfig } from '../../lib/runtime/index.ts';
import { leakFinder } from '../support/canary.ts';
import { everything } from '../support/everything.ts';
import { runs, SEED } from '../support/seed.ts';
import { ACCOUNT, assumed, CANARIES, ISSUED, parameterAnswer, ROLE_ARN, type WholeAnswer } from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';

isolateEnvironment();

const RUNS = { seed: SEED, numRuns: runs(80) };
const AT = { endpoint: 'http://127.0.0.1:1' }; // nothing is sent

type Handler = NonNullable<Extract<ClientConfig['requestHandler'], { handle: unknown }>>;

/** A provider whose requests are answered with this, by the service that they are for. */
function answeredWith(answers: { readonly sts?: () => WholeAnswer; readonly ssm?: () => WholeAnswer }) {
  const requestHandler = {
    metadata: { handlerProtocol: 'http/1.1' },
    destroy: () => {},
    httpHandlerConfigs: () => ({}),
    updateHttpClientConfig: () => {},
    handle: async ({ headers }: { readonly headers: Readonly<Record<string, string>> }) => {
      const { status, type, body } = (headers['x-amz-target'] === undefined ? answers.sts : answers.ssm)?.() ?? GOOD;
      const response = {
        statusCode: status,
        headers: { 'content-type': type },
        body: Readable.from([Buffer.from(body)]),
      };
      return { response: new HttpResponse(response) };
    },
  } as Handler;
  const options = answers.ssm === undefined ? { roleArn: ROLE_ARN } : {};
  return providerAgainst(AT, { ...options, clientConfig: { maxAttempts: 1, requestHandler } });
}

const GOOD = assumed({
  parameters: {
    RoleArn: ROLE_ARN,
    RoleSessionName: 'agent.acme.s1',
    SourceIdentity: 'agent.acme.s1',
    DurationSeconds: '3600',
  },
} as unknown as Parameters<typeof assumed>[0]);
const PARAMETER = parameterAnswer(ROLE_ARN);

/** A text with pieces cut out, put in, doubled or ended too early. */
function damaged(text: string, pieces: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 5 }));
  const damage = fc.record({ at: fc.nat(text.length), length: fc.nat(60), piece });
  return fc.oneof(
    { weight: 3, arbitrary: fc.array(damage, { minLength: 1, maxLength: 3 }).map(applied) },
    { weight: 1, arbitrary: fc.nat(text.length).map((length) => text.slice(0, length)) },
  );

  function applied(damages: readonly { at: number; length: number; piece: string }[]): string {
    return damages.reduce(
      (left, each) => left.slice(0, each.at) + each.piece + left.slice(each.at + each.length),
      text,
    );
  }
}

const findLeak = leakFinder(CANARIES);

/** What an answer is taken for: credentials, or an error that leaks nothing. */
async function outcomeOf(provide: ReturnType<typeof answeredWith>) {
  try {
    return await provide({ forceRefresh: true });
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    expect(findLeak(everything(error))).toBeUndefined();
    return undefined;
  }
}

test('an answer of STS, however damaged, is credentials under the name that was asked for, or a coded error', async () => {
  let body = GOOD.body;
  const provide = answeredWith({ sts: () => ({ ...GOOD, body }) });
  expect(await outcomeOf(provide)).toMatchObject(ISSUED);
  const pieces = [
    ...['<', '>', '&', '</', '&amp;', '&#x41;', '<![CDATA[', ']]>', '<!--', '<?x?>', '\0', '<Credentials>'],
    ...['<SourceIdentity>agent.globex.s1</SourceIdentity>', '<Expiration>1</Expiration>', '</AssumeRoleResult>'],
  ];
  await fc.assert(
    fc.asyncProperty(damaged(GOOD.body, pieces), async (given) => {
      body = given;
      if ((await outcomeOf(provide)) === undefined) return;
      expect(given).toContain('<SourceIdentity>agent.acme.s1</SourceIdentity>');
      expect(given).toContain(`:assumed-role/hub-acme-session/agent.acme.s1</Arn>`);
    }),
    RUNS,
  );
});

test('an answer of Systems Manager, however damaged, leads to the role of this tenant, or is a coded error', async () => {
  const asked: string[] = [];
  const pieces = [
    '"',
    '{',
    '}',
    '[',
    ',',
    ':',
    '\\',
    'null',
    '\\u0000',
    '"Value":"x",',
    '"ARN":7,',
    '__proto__',
    'globex',
    '999988887777',
  ];
  await fc.assert(
    fc.asyncProperty(damaged(PARAMETER.body, pieces), async (body) => {
      const provide = answeredWith({
        ssm: () => ({ ...PARAMETER, body }),
        sts: () => {
          asked.push(body);
          return GOOD;
        },
      });
      await outcomeOf(provide);
    }),
    { ...RUNS, numRuns: 40, examples: [[PARAMETER.body]] },
  );
  expect(asked).not.toEqual([]);
  // Whatever else is damaged, the role that STS is asked for is the tenant's own, in the parameter's account.
  for (const body of asked) expect(body).toMatch(new RegExp(`${ACCOUNT}:role/[^"]*hub-acme-session"`));
});
