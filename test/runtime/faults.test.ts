import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { SessionBrokerError } from '../../lib/errors.ts';
import { type Session, SessionBroker, type SessionBrokerOptions } from '../../lib/runtime/index.ts';
import { startFixture } from '../local/fixture.ts';
import { leakFinder } from '../support/canary.ts';
import { everything } from '../support/everything.ts';
import { rejectionOf } from '../support/refusal.ts';
import {
  assumed,
  CANARIES,
  DISPATCHER,
  type FakeAws,
  ISSUED,
  REGION,
  ROLE_ARN,
  startFakeAws,
  WEB_IDENTITY_TOKEN,
} from './support/fake-aws.ts';
import { FAULTS, type Fault, ON_THE_WAY } from './support/faults.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';
import { createSimulatedTime, immediately, optionsOf, type SimulatedTime } from './support/simulated-time.ts';

isolateEnvironment();

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** What is not asked again before the credentials that are held expire. */
const REFUSED = ['SourceIdentityMismatch', 'AssumeRoleDenied', 'RequestRejected'];

let aws: FakeAws;
let time: SimulatedTime;
/** Calls that the SDK waits for, and whether nobody will answer the last of them. */
let underWay: number;
let isSilent: boolean;
let warnings: string[];
/** How often the fault was met, and how often STS gave credentials. */
let met: number;
let given: number;

beforeAll(async () => {
  aws = await startFakeAws(() => time.now());
});
afterAll(() => aws.close());
beforeEach(() => {
  underWay = 0;
  isSilent = false;
  warnings = [];
  met = 0;
  given = 0;
  time = createSimulatedTime(Date.parse('2026-03-01T12:00:00Z'), { isBusy: () => underWay > 0 && !isSilent });
  for (const { prototype } of [STSClient, SSMClient]) countCalls(prototype as never);
  behave();
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Send = (this: unknown, ...args: unknown[]) => Promise<unknown>;

function countCalls(prototype: { send: Send }): void {
  const { send } = prototype;
  vi.spyOn(prototype, 'send').mockImplementation(async function (this: unknown, ...args) {
    underWay += 1;
    isSilent = false;
    try {
      return await send.apply(this, args);
    } finally {
      underWay -= 1;
    }
  });
}

/** AWS behaves well, and STS gives other credentials each time. */
function behave(): void {
  aws.forget();
  aws.on('AssumeRole', (request) => {
    given += 1;
    return assumed(request, time.now, { sessionToken: `${ISSUED.sessionToken}${given}` });
  });
}

async function begin({ answer }: Fault, action = 'AssumeRole', times = Number.POSITIVE_INFINITY): Promise<void> {
  if (answer === 'refused') return aws.listen(false);
  aws.on(action, (request) => {
    met += 1;
    const said = answer(request, time.now);
    isSilent = said === 'silence' || (typeof said === 'object' && 'bytes' in said && said.finally === 'silence');
    if (met === times) behave();
    return said;
  });
}

async function end({ answer }: Fault): Promise<void> {
  if (answer === 'refused') await aws.listen(true);
  isSilent = false;
  behave();
}

function openBroker(options: SessionBrokerOptions = {}): SessionBroker {
  const broker = new SessionBroker({
    ...optionsOf(time),
    tenant: 'acme',
    cluster: 'hub',
    region: REGION,
    endpoint: aws.endpoint,
    credentials: DISPATCHER,
    logger: { warn: (message) => void warnings.push(message) },
    ...options,
  });
  onTestFinished(() => broker.close());
  return broker;
}

function open(options?: SessionBrokerOptions): Session {
  return openBroker(options).session({ session: 's1', roleArn: ROLE_ARN });
}

/** Lets time pass until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; !isSo() && waited < 2 * MINUTE; waited += SECOND) await time.advance(SECOND);
}

/** What a call for credentials ends in. */
async function outcomeOf(session: Session): Promise<unknown> {
  let outcome: unknown;
  const take = (taken: unknown): void => {
    outcome = taken;
  };
  void session.credentials().then(take, take);
  await until(() => outcome !== undefined);
  return outcome;
}

/** The session's own credentials, of one assumption. */
function credentialsNumber(number: number) {
  return expect.objectContaining({ ...ISSUED, sessionToken: `${ISSUED.sessionToken}${number}` });
}

const findLeak = leakFinder(CANARIES);

function expectNothingLeaked(error?: unknown): void {
  expect(findLeak([...warnings, everything(error)].join('\n'))).toBeUndefined();
  // No redirect is followed.
  expect(aws.requests.filter(({ host }) => !aws.endpoint.endsWith(host))).toEqual([]);
}

function expectRefusal(session: Session, error: unknown, { answer, attempts, code }: Fault): void {
  expect(error).toBeInstanceOf(SessionBrokerError);
  expect((error as SessionBrokerError).code).toBe(code);
  if (answer !== 'refused') expect(met).toBe(attempts);
  expect(session.current()).toBeUndefined();
}

describe.each(FAULTS)('$name', (fault) => {
  test('at the first credentials is the coded error, and a session later', async () => {
    const session = open();
    await begin(fault);
    const error = await outcomeOf(session);
    expectRefusal(session, error, fault);
    expect(given).toBe(0);
    await end(fault);
    await time.advance(5 * SECOND);
    expect(await outcomeOf(session)).toEqual(credentialsNumber(1));
    expectNothingLeaked(error);
  });

  test('in a renewal in the background leaves what is held, is told once, and does not prevent the next', async () => {
    const session = open();
    expect(await outcomeOf(session)).toEqual(credentialsNumber(1));
    await time.advance(29 * MINUTE);
    await begin(fault);
    await until(() => warnings.length > 0);
    expect(session.current()).toEqual(credentialsNumber(1));
    expect(warnings).toEqual([
      expect.stringMatching(
        new RegExp(`^credentials of "agent\\.acme\\.s1" could not be renewed: .* \\[${fault.code}\\]$`),
      ),
    ]);
    await end(fault);
    if (REFUSED.includes(fault.code)) time.set(time.now() + 30 * MINUTE);
    else await time.advance(2 * MINUTE);
    expect(await outcomeOf(session)).toEqual(credentialsNumber(2));
    expect(warnings).toHaveLength(1);
    expectNothingLeaked();
  });

  test('in a renewal of what has expired is the coded error, and no credentials at all', async () => {
    const session = open();
    expect(await outcomeOf(session)).toEqual(credentialsNumber(1));
    await begin(fault);
    time.set(time.now() + 61 * MINUTE);
    const error = await outcomeOf(session);
    expectRefusal(session, error, fault);
    await end(fault);
    await time.advance(5 * SECOND);
    expect(await outcomeOf(session)).toEqual(credentialsNumber(2));
    expectNothingLeaked(error);
  });
});

test.each(FAULTS.filter(({ answer, attempts }) => answer !== 'refused' && attempts > 1))(
  '$name that passes within the attempts of a call is none',
  async (fault) => {
    await begin(fault, 'AssumeRole', fault.attempts - 1);
    expect(await outcomeOf(open())).toEqual(credentialsNumber(1));
    expect(warnings).toEqual([]);
  },
);

test.each(ON_THE_WAY)('$name where the parameter of the role is read is the coded error', async (fault) => {
  const session = openBroker().session({ session: 's1' });
  await begin(fault, 'GetParameter');
  const error = await outcomeOf(session);
  expectRefusal(session, error, fault);
  await end(fault);
  expectNothingLeaked(error);
});

// What stalls is given up by the same clock as a provider of the dispatcher's own: test/runtime/deadlines.test.ts.
test.each(ON_THE_WAY.filter(({ name }) => !name.startsWith('a stall')))(
  '$name where the dispatcher shows its web identity is the coded error',
  async (fault) => {
    const folder = mkdtempSync(join(tmpdir(), 'session-broker-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'token'), WEB_IDENTITY_TOKEN);
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', join(folder, 'token'));
    vi.stubEnv('AWS_ROLE_ARN', 'arn:aws:iam::111122223333:role/hub-acme-tenant');
    await begin(fault, 'AssumeRoleWithWebIdentity');
    // The file is read in real time.
    const provide = providerAgainst(aws, {
      credentials: undefined,
      clientConfig: undefined,
      random: () => 0,
      schedule: immediately,
    });
    const error = await rejectionOf(provide());
    expect([error.code, met]).toEqual([fault.code, fault.answer === 'refused' ? 0 : fault.attempts]);
    await end(fault);
    expectNothingLeaked(error);
  },
);

test('an answer without end is read no further than any answer goes', async () => {
  aws.on('AssumeRole', () => 'endless');
  expect(await outcomeOf(open())).toMatchObject({ code: 'ResponseInvalid' });
  expect(aws.requests.filter(({ action }) => action === 'AssumeRole')).toHaveLength(3);
  // What fits into the buffers on the way is taken three times.
  expect(aws.taken()).toBeLessThan(64 * 1024 * 1024);
});

test('an answer that is long, but none without end, is read', async () => {
  aws.on('AssumeRole', (request) => {
    const answer = assumed(request, time.now);
    return { ...answer, body: answer.body.replace('<Credentials>', `<Padding>${'x'.repeat(200_000)}</Padding>$&`) };
  });
  expect(await outcomeOf(open())).toMatchObject(ISSUED);
});

test.each([
  ['ahead', 10],
  ['behind', -10],
])('by a clock of AWS that is 10 minutes %s, a session starts and is renewed', async (_, minutes) => {
  vi.spyOn(Date, 'now').mockImplementation(time.now); // the SDK signs by it
  const account = await startFixture({ clock: () => new Date(time.now() + minutes * MINUTE) });
  const session = open({ endpoint: account.endpoint, credentials: account.dispatcherCredentials('hub', 'acme') });
  const assumptions = () =>
    account.events().filter(({ eventName, errorCode }) => eventName === 'AssumeRole' && errorCode === undefined);
  expect(await outcomeOf(session)).toMatchObject({ accountId: '111122223333' });
  await time.advance(35 * MINUTE);
  expect(assumptions()).toHaveLength(2);
  time.set(time.now() + 70 * MINUTE);
  await outcomeOf(session);
  expect(assumptions().map(({ requestParameters }) => requestParameters?.['sourceIdentity'])).toEqual(
    Array(3).fill('agent.acme.s1'),
  );
  expect(session.current()?.expiration.getTime()).toBeGreaterThan(time.now() + 40 * MINUTE);
});
