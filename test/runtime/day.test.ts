import { Readable } from 'node:stream';
import { STSClient } from '@aws-sdk/client-sts';
import { HttpResponse } from '@smithy/core/protocols';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CloudTrailEvent, LocalAccount } from '../../lib/local/index.ts';
import { type ClientConfig, type Session, SessionBroker } from '../../lib/runtime/index.ts';
import { ACCOUNT, ACME_ROLE, ACME_TENANT_ROLE, REGION, startFixture } from '../local/fixture.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { createSimulatedTime, optionsOf, type SimulatedTime } from './support/simulated-time.ts';

isolateEnvironment();

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** For how long STS is away. */
const AWAY = 20 * MINUTE;

type Handler = NonNullable<Extract<ClientConfig['requestHandler'], { handle: unknown }>>;
type Handle = Handler['handle'];

/** What may happen to a request, in turn. */
const FAULTS: readonly ((send: () => ReturnType<Handle>) => ReturnType<Handle>)[] = [
  (send) => send(),
  () => Promise.reject(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })),
  async () => ({ response: answer(500, 'InternalFailure', 'oops') }),
  (send) => send(),
  async () => ({ response: answer(400, 'Throttling', 'Rate exceeded') }),
  async (send) => ({ response: cutOff((await send()).response) }),
  async () => ({ response: answer(503, 'ServiceUnavailable', 'later') }),
];

function answer(statusCode: number, code: string, message: string): HttpResponse {
  const text = `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
  return new HttpResponse({ statusCode, headers: { 'content-type': 'text/xml' }, body: Readable.from([text]) });
}

/** The beginning of an answer, and the connection is gone. */
function cutOff({ statusCode, headers, body }: HttpResponse): HttpResponse {
  body.destroy();
  const text = '<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAHALF';
  return new HttpResponse({ statusCode, headers, body: Readable.from([text]) });
}

let time: SimulatedTime;
let account: LocalAccount;
let isFaulty: boolean;
/** Requests that arrived, and attempts while STS was away. */
let requests: number;
let inVain: number;
/** When STS goes away. */
let away: number;

beforeEach(async () => {
  let underWay = 0;
  time = createSimulatedTime(Date.parse('2026-03-01T12:00:00Z'), { isBusy: () => underWay > 0 });
  vi.spyOn(Date, 'now').mockImplementation(time.now); // the SDK signs by it
  const { send } = STSClient.prototype;
  vi.spyOn(STSClient.prototype, 'send').mockImplementation(async function (this: STSClient, ...args: unknown[]) {
    underWay += 1;
    try {
      return await (send as (...all: unknown[]) => Promise<unknown>).apply(this, args);
    } finally {
      underWay -= 1;
    }
  } as never);
  requests = 0;
  inVain = 0;
  away = Number.POSITIVE_INFINITY;
  isFaulty = false;
  account = await startFixture({ clock: () => new Date(time.now()) });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const isAway = (): boolean => time.elapsed() >= away && time.elapsed() < away + AWAY;

class FaultyHandler extends NodeHttpHandler {
  override async handle(...[request, options]: Parameters<Handle>): Promise<{ response: HttpResponse }> {
    const send = () => super.handle(request, options);
    if (!isFaulty) return send();
    if (isAway()) {
      inVain += 1;
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    }
    requests += 1;
    const fault = FAULTS[requests % FAULTS.length];
    return fault === undefined ? send() : fault(send);
  }
}

function open(): Session {
  const broker = new SessionBroker({
    ...optionsOf(time),
    tenant: 'acme',
    cluster: 'hub',
    region: REGION,
    endpoint: account.endpoint,
    credentials: async () => account.dispatcherCredentials('hub', 'acme'),
    clientConfig: { requestHandler: new FaultyHandler() },
  });
  onTestFinished(() => broker.close());
  return broker.session({
    session: 's1',
    policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] },
    policyArns: [`arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`],
  });
}

const assumptions = (): readonly CloudTrailEvent[] =>
  account.events().filter(({ eventName, errorCode }) => eventName === 'AssumeRole' && errorCode === undefined);

describe('a day of one session', () => {
  test('has one identity and one scope, through faults on the way', async () => {
    const session = open();
    await session.credentials();
    isFaulty = true;
    time.chance = 0.6;
    const lefts: { readonly at: number; readonly left: number }[] = [];
    for (let minute = 0; minute < DAY / MINUTE; minute += 1) {
      const at = time.elapsed();
      const left = (session.current()?.expiration.getTime() ?? time.now()) - time.now();
      if (at > 14 * HOUR && away > DAY && left < 35 * MINUTE) away = at; // a renewal is about to begin
      void session.credentials().then(({ expiration }) => {
        lefts.push({ at, left: expiration.getTime() - time.now() });
      });
      await time.advance(MINUTE);
    }

    expect(lefts).toHaveLength(DAY / MINUTE);
    expect(requests).toBeGreaterThan(100);
    expect(inVain).toBeGreaterThan(20);
    const whileStsAnswers = lefts.filter(({ at }) => at < away || at > away + AWAY + MINUTE);
    expect(Math.min(...whileStsAnswers.map(({ left }) => left))).toBeGreaterThan(15 * MINUTE);
    expect(Math.min(...lefts.map(({ left }) => left))).toBeGreaterThan(10 * MINUTE);

    const parts = assumptions().map(({ requestParameters }) => requestParameters);
    expect(parts.length).toBeGreaterThan(48);
    expect(new Set(parts.map((part) => JSON.stringify(part))).size).toBe(1);
    expect(parts[0]).toEqual({
      roleArn: ACME_ROLE,
      roleSessionName: 'agent.acme.s1',
      sourceIdentity: 'agent.acme.s1',
      durationSeconds: 3600,
      policy: '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}',
      policyArns: [{ arn: `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller` }],
    });
    const asTenantRole = account
      .events()
      .filter(({ userIdentity }) => userIdentity.sessionContext?.sessionIssuer?.arn === ACME_TENANT_ROLE)
      .map(({ eventName }) => eventName);
    expect(new Set(asTenantRole)).toEqual(new Set(['GetParameter', 'AssumeRole']));
    expect(asTenantRole.filter((eventName) => eventName === 'GetParameter')).toHaveLength(1);
  });
});
