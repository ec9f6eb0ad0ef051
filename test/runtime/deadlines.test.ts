import { type AddressInfo, createServer } from 'node:net';
import { STSClient } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { rejectionOf } from '../support/refusal.ts';
import { brokerAgainst } from './support/broker.ts';
import { ACCOUNT, DISPATCHER, ISSUED, ROLE_ARN } from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { createSimulatedTime, optionsOf, type SimulatedTime } from './support/simulated-time.ts';

isolateEnvironment();

const MINUTE = 60_000;
const NOWHERE = { endpoint: 'http://127.0.0.1:1' };

let time: SimulatedTime;
/** Whether STS answers, and the signals of the calls it was sent. */
let isAnswering: boolean;
let signals: AbortSignal[];

beforeEach(() => {
  time = createSimulatedTime(Date.parse('2026-03-01T12:00:00Z'));
  isAnswering = true;
  signals = [];
  vi.spyOn(STSClient.prototype, 'send').mockImplementation(((
    { input }: { readonly input: Record<string, unknown> },
    { abortSignal }: { readonly abortSignal?: AbortSignal } = {},
  ) => {
    if (abortSignal !== undefined) signals.push(abortSignal);
    if (!isAnswering) return new Promise(() => {});
    return Promise.resolve({
      SourceIdentity: input['SourceIdentity'],
      AssumedRoleUser: {
        AssumedRoleId: `AROAEXAMPLE:${input['RoleSessionName']}`,
        Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/${input['RoleSessionName']}`,
      },
      Credentials: {
        AccessKeyId: ISSUED.accessKeyId,
        SecretAccessKey: ISSUED.secretAccessKey,
        SessionToken: ISSUED.sessionToken,
        Expiration: new Date(time.now() + 60 * MINUTE),
      },
    });
  }) as never);
});
afterEach(() => {
  vi.restoreAllMocks();
});

test('a call that is never answered is over after 20 seconds, three times, and the session comes up later', async () => {
  isAnswering = false;
  const session = brokerAgainst(NOWHERE, optionsOf(time)).session({ session: 's1', roleArn: ROLE_ARN });
  const caller = rejectionOf(session.credentials());
  await time.advance(19_999);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  await time.advance(41_000);
  expect(await caller).toMatchObject({
    code: 'Unavailable',
    message: expect.stringContaining('AssumeRole failed with TimeoutError: "no answer within 20 seconds"'),
  });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  isAnswering = true;
  await time.advance(MINUTE);
  expect(session.current()).toBeDefined();
});

test('calls that are never answered make room for others', async () => {
  isAnswering = false;
  const broker = brokerAgainst(NOWHERE, optionsOf(time));
  const open = (session: string) => broker.session({ session, roleArn: ROLE_ARN }).credentials();
  const stuck = Promise.allSettled(Array.from({ length: 50 }, (_, index) => open(`s${index}`)));
  await time.advance(1000);
  isAnswering = true;
  const next = open('next');
  await time.advance(20_000);
  expect(await next).toMatchObject(ISSUED);
  broker.close();
  await stuck;
});

test("a provider of the dispatcher's that never answers is asked again", async () => {
  const credentials = vi.fn(async () => DISPATCHER).mockImplementationOnce(() => new Promise(() => {}));
  const options = { ...optionsOf(time), credentials, clientConfig: { maxAttempts: 1 } };
  const session = brokerAgainst(NOWHERE, options).session({ session: 's1', roleArn: ROLE_ARN });
  const caller = rejectionOf(session.credentials());
  await time.advance(20_000);
  expect(await caller).toMatchObject({ code: 'Unavailable', detail: { action: 'credentials' } });
  await time.advance(MINUTE);
  expect(session.current()).toMatchObject(ISSUED);
});

test("the SDK's default chain has as long", async () => {
  const server = createServer(); // takes connections and says nothing
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const options = { ...optionsOf(time), credentials: undefined, clientConfig: { maxAttempts: 1 } };
  const session = brokerAgainst(NOWHERE, options).session({ session: 's1', roleArn: ROLE_ARN });
  const caller = rejectionOf(session.credentials());
  await vi.waitFor(() => expect(time.timers()).toContain(20_000));
  await time.advance(20_000);
  expect((await caller).code).toBe('Unavailable');
});

test('settings that are never read are a failure that passes', async () => {
  const options = { ...optionsOf(time), endpoint: undefined }; // so that where requests would go is looked at
  const session = brokerAgainst(NOWHERE, options).session({ session: 's1', roleArn: ROLE_ARN });
  isAnswering = false;
  const caller = rejectionOf(session.credentials());
  await time.advance(20_000);
  isAnswering = true;
  expect(await caller).toMatchObject({
    code: 'Unavailable',
    message:
      "settings of the SDK must be read within 20 seconds; check the files of the profile and the instance's metadata service, and try again",
  });
  await time.advance(MINUTE);
  expect(session.current()).toMatchObject(ISSUED);
});

test('the end of a broker ends its questions for the role and the Region', async () => {
  const hanging = brokerAgainst(NOWHERE, { credentials: () => new Promise(() => {}) });
  await hanging.region();
  const unread = brokerAgainst(NOWHERE, { endpoint: undefined });
  isAnswering = false;
  const questions = [hanging.roleArn(), unread.region()].map(rejectionOf);
  await new Promise(setImmediate);
  hanging.close();
  unread.close();
  expect((await Promise.all(questions)).map(({ code }) => code)).toEqual(['SessionClosed', 'SessionClosed']);
});
