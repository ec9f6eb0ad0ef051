import { SSMClient } from '@aws-sdk/client-ssm';
import { type AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { SessionBroker, type SessionBrokerOptions } from '../../lib/runtime/index.ts';
import { ACCOUNT, DISPATCHER, ISSUED, REGION } from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { createSimulatedTime, optionsOf, type SimulatedTime } from './support/simulated-time.ts';

isolateEnvironment();

const SESSIONS = 10_000;
const MINUTE = 60_000;

const ROLE = `arn:aws:iam::${ACCOUNT}:role/session-broker/hub-crowd-session`;

interface Sent {
  readonly at: number;
  readonly sourceIdentity: string;
}

const send = { sts: STSClient.prototype.send, ssm: SSMClient.prototype.send };

let time: SimulatedTime;
let sent: Sent[];
/** Calls of STS that the account may make in a second. */
let quota: number;
/** When each parameter was read. */
let reads: number[];
let underWay: number;
let mostUnderWay: number;

beforeEach(() => {
  time = createSimulatedTime(Date.parse('2026-03-01T12:00:00Z'), { tick: 10 });
  sent = [];
  quota = 600;
  reads = [];
  underWay = 0;
  mostUnderWay = 0;
  // Not spies, which would remember every call.
  STSClient.prototype.send = assume as never;
  SSMClient.prototype.send = read as never;
});
afterAll(() => {
  STSClient.prototype.send = send.sts;
  SSMClient.prototype.send = send.ssm;
});

/** What STS answers, 100 ms later; beyond the quota, that there are too many calls. */
async function assume(this: STSClient, command: AssumeRoleCommand): Promise<unknown> {
  const { SourceIdentity: sourceIdentity = '', RoleArn, DurationSeconds } = command.input;
  // What another file left running in this process is not counted here.
  if (!/^agent\.(?:crowd|t\d)/.test(sourceIdentity))
    return (send.sts as (given: unknown) => Promise<unknown>).call(this, command);
  const now = time.now();
  const isThrottled = (sent.at(-quota)?.at ?? Number.NEGATIVE_INFINITY) > now - 1000;
  sent.push({ at: now, sourceIdentity });
  underWay += 1;
  mostUnderWay = Math.max(mostUnderWay, underWay);
  await new Promise<void>((resolve) => void time.schedule(resolve, 100));
  underWay -= 1;
  if (isThrottled) throw Object.assign(new Error('Rate exceeded'), { name: 'Throttling', $fault: 'client' });
  return {
    SourceIdentity: sourceIdentity,
    AssumedRoleUser: {
      AssumedRoleId: `AROAEXAMPLE:${sourceIdentity}`,
      Arn: `${String(RoleArn).replace(':iam:', ':sts:').replace('role/session-broker', 'assumed-role')}/${sourceIdentity}`,
    },
    Credentials: {
      AccessKeyId: ISSUED.accessKeyId,
      SecretAccessKey: ISSUED.secretAccessKey,
      SessionToken: sourceIdentity,
      Expiration: new Date(now + Number(DurationSeconds) * 1000),
    },
  };
}

/** The parameter of any tenant of the cluster hub. */
async function read({ input }: { readonly input: { readonly Name: string } }): Promise<unknown> {
  reads.push(time.now());
  const [, tenant] = /session-broker\/([\w-]+)/.exec(input.Name) ?? [];
  return {
    Parameter: {
      ARN: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${input.Name}`,
      Value: ROLE.replace('crowd', tenant ?? ''),
    },
  };
}

function mostInASecond(times: readonly number[]): number {
  let most = 0;
  let first = 0;
  times.forEach((at, index) => {
    while ((times[first] ?? at) <= at - 1000) first += 1;
    most = Math.max(most, index - first + 1);
  });
  return most;
}

function createBroker(options: SessionBrokerOptions = {}): SessionBroker {
  const broker = new SessionBroker({
    ...optionsOf(time),
    cluster: 'hub',
    region: REGION,
    endpoint: 'http://127.0.0.1:1',
    credentials: DISPATCHER,
    ...options,
  });
  onTestFinished(() => broker.close());
  return broker;
}

/** Sessions of one tenant, whose role is given. */
function openAll(broker: SessionBroker, count: number) {
  return Array.from({ length: count }, (_, index) =>
    broker.session({ session: `s${index}`, tenant: 'crowd', roleArn: ROLE }),
  );
}

describe('sessions that start at once', () => {
  test('are all started, ten thousand of them, within the quota, each under its own name, first come first served', async () => {
    const broker = createBroker();
    const sessions = openAll(broker, SESSIONS);
    const started = Promise.all(sessions.map(({ credentials }) => credentials()));
    await time.advance(40_000);
    const credentials = await started;
    expect(credentials.every(({ sessionToken }, index) => sessionToken === `agent.crowd.s${index}`)).toBe(true);
    expect(sent.every(({ sourceIdentity }, index) => sourceIdentity === `agent.crowd.s${index}`)).toBe(true);
    expect(sent).toHaveLength(SESSIONS);
    expect(mostInASecond(sent.map(({ at }) => at))).toBeLessThanOrEqual(306);
    expect(mostUnderWay).toBeLessThanOrEqual(50);
    expect((sent.at(-1)?.at ?? 0) - (sent[0]?.at ?? 0)).toBeLessThan((SESSIONS / 300) * 1000);
    broker.close();
    expect(time.timers()).toEqual([]);
  });

  test('are all started though others use up most of the quota', async () => {
    quota = 50;
    time.chance = 0.5;
    const started = Promise.all(openAll(createBroker(), 200).map(({ credentials }) => credentials()));
    await time.advance(60_000);
    expect(await started).toHaveLength(200);
    expect(sent.length).toBeGreaterThan(200);
  });

  test('are all started, thousands of them, though little of the quota is left, and few calls are in vain', async () => {
    quota = 50;
    time.chance = 0.5;
    const broker = createBroker();
    const started = Promise.all(openAll(broker, 3000).map(({ credentials }) => credentials()));
    await time.advance(2 * MINUTE);
    expect(await started).toHaveLength(3000);
    expect(sent.length).toBeLessThan(1.1 * 3000);
    broker.close();
  });

  test('never keep others from their renewal in time', async () => {
    const broker = createBroker({ callsPerSecond: 50 });
    const others = Array.from({ length: 100 }, (_, index) =>
      broker.session({ session: `o${index}`, tenant: 'crowd', roleArn: ROLE, durationSeconds: 1800 }),
    );
    void Promise.all(others.map(({ credentials }) => credentials()));
    await time.advance(13.9 * MINUTE);
    const started = Promise.all(openAll(broker, 4500).map(({ credentials }) => credentials()));
    for (let checks = 0; checks < 12; checks += 1) {
      expect(others.every((session) => session.current() !== undefined)).toBe(true);
      await time.advance(10_000);
    }
    await started;
    broker.close();
  });

  test('keep to the calls a second that the broker is given', async () => {
    const broker = createBroker({ callsPerSecond: 10 });
    const started = Promise.all(openAll(broker, 50).map(({ credentials }) => credentials()));
    await time.advance(6000);
    await started;
    expect(mostInASecond(sent.map(({ at }) => at))).toBeLessThanOrEqual(11);
  });

  test('of a hundred tenants read each parameter once, 20 in a second', async () => {
    const broker = createBroker();
    const tenants = Array.from({ length: 100 }, (_, index) => `t${index}`);
    const started = ['s1', 's2', 's3'].flatMap((session) =>
      tenants.map((tenant) => broker.session({ session, tenant }).credentials()),
    );
    await time.advance(7000);
    await Promise.all(started);
    expect(reads).toHaveLength(100);
    expect(mostInASecond(reads)).toBeLessThanOrEqual(21);
    expect(sent).toHaveLength(300);
  });

  test('and are closed while they wait make no further call', async () => {
    const broker = createBroker();
    const started = Promise.allSettled(openAll(broker, 300).map(({ credentials }) => credentials()));
    await time.advance(90);
    const { length } = sent;
    broker.close();
    expect((await started).every(({ status }) => status === 'rejected')).toBe(true);
    await time.advance(10_000);
    expect(sent).toHaveLength(length);
    expect(length).toBeLessThan(60);
  });
});
