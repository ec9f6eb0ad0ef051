import type { RoleArn } from '../identity/index.ts';
import type { SessionCredentials } from '../runtime/assume.ts';
import { type Account, openAccount } from '../sdk/account.ts';
import { type Caller, callerIdentityStep, readCaller } from './caller.ts';
import { chainSteps } from './chain.ts';
import { assumeRoleStep, type Hop, withoutCallerPolicyStep } from './hop.ts';
import {
  type Refused,
  refuseLongSessionStep,
  refuseNoIdentityStep,
  refuseOtherSessionNameStep,
  refuseOtherTenantStep,
} from './refusals.ts';
import type { CallStep, EventStep } from './step.ts';

/** What there is to exercise beside the hop. */
export interface Exercise {
  /** Roles that the session goes on to. */
  readonly chainTo: readonly RoleArn[];
  /** Whether the role's trust policy binds the role session name. Absent: not known. */
  readonly isBound?: boolean | undefined;
  /** Whether only the hop is tried, before the caller's policy is attached. */
  readonly withoutCallerPolicy: boolean;
}

export interface Exercised {
  /** The dispatcher itself. */
  readonly dispatcher: Caller;
  readonly steps: readonly CallStep[];
  /** None of them looked for yet. */
  readonly events: readonly EventStep[];
  readonly window: EventWindow;
}

/** Where the events lie. */
export interface EventWindow {
  readonly start: Date;
  readonly end: Date;
}

/** Milliseconds by which the times of events may be off. */
const MARGIN = 10_000;

/**
 * Makes every call of the acceptance, and drops every session that it gets.
 * @throws {SessionBrokerError} what keeps a call from being decided by AWS
 */
export async function exercise(hop: Hop, given: Exercise): Promise<Exercised> {
  const begin = hop.now();
  const dispatcher = await readCaller(hop.dispatcher);
  if (given.withoutCallerPolicy) {
    const step =
      dispatcher.account === hop.role.account ? await withoutCallerPolicyStep(hop) : otherAccount(dispatcher);
    return { dispatcher, steps: [step], events: [], window: windowOf(begin, hop.now()) };
  }
  const { step, session } = await assumeRoleStep(hop);
  if (session === undefined) {
    return { dispatcher, steps: [step, ...NOTHING_ADMITTED], events: [], window: windowOf(begin, hop.now()) };
  }
  const issuedAt = session.credentials.expiration.getTime() - hop.durationSeconds * 1000;
  const issuedHere = hop.now();
  const exercised = await exerciseSession(hop, session.credentials, given.chainTo);
  const none = await refuseNoIdentityStep(hop);
  const other = await refuseOtherTenantStep(hop);
  const long = await refuseLongSessionStep(hop);
  const bound = given.isBound === true ? (await refuseOtherSessionNameStep(hop)).step : notBound(given.isBound);
  return {
    dispatcher,
    steps: [step, exercised.identity, none.step, other.step, long.step, bound, ...exercised.chain],
    events: [
      expected('event-of-hop', 'AssumeRole', session.requestId),
      ...exercised.events,
      // In the account of the caller alone.
      ...(dispatcher.account === hop.role.account
        ? [
            ...refusedEvent('event-of-refused-no-identity', none),
            ...refusedEvent('event-of-refused-other-tenant', other),
          ]
        : []),
    ],
    // By the clock of STS, as the events are.
    window: windowOf(issuedAt, issuedAt + hop.now() - issuedHere),
  };
}

interface SessionSteps {
  readonly identity: CallStep;
  readonly chain: readonly CallStep[];
  readonly events: readonly EventStep[];
}

/** What is done with the session's own credentials. */
async function exerciseSession(
  hop: Hop,
  credentials: SessionCredentials,
  chainTo: readonly RoleArn[],
): Promise<SessionSteps> {
  const account: Account = openAccount({ region: hop.region, credentials, signal: hop.signal });
  try {
    const caller = await readCaller(account);
    const chains = [];
    for (const role of chainTo) chains.push(await chainSteps(hop, account, role));
    const [first] = chains.flatMap(({ requestId }) => requestId ?? []);
    return {
      identity: callerIdentityStep(hop, caller),
      chain: chains.length === 0 ? NO_CHAIN : chains.flatMap(({ steps }) => steps),
      events: [
        expected('event-of-call', 'GetCallerIdentity', caller.requestId),
        ...(first === undefined ? [] : [expected('event-of-chain', 'AssumeRole', first)]),
      ],
    };
  } finally {
    account.close();
  }
}

function windowOf(first: number, last: number): EventWindow {
  return { start: new Date(first - MARGIN), end: new Date(last + MARGIN) };
}

function expected(step: EventStep['step'], eventName: EventStep['eventName'], requestId = ''): EventStep {
  return { step, outcome: 'not exercised', evidence: 'CloudTrail was not read', eventName, requestId };
}

/** A call that was admitted has failed already. */
function refusedEvent(name: EventStep['step'], { step, requestId }: Refused): readonly EventStep[] {
  return step.outcome === 'passed' && requestId !== undefined ? [expected(name, 'AssumeRole', requestId)] : [];
}

function notExercised(step: CallStep['step'], evidence: string): CallStep {
  return { step, outcome: 'not exercised', evidence };
}

const WITHOUT_SESSION = 'the hop was refused, so that another refusal proves nothing';
const NOTHING_ADMITTED: readonly CallStep[] = [
  notExercised('caller-identity', 'the hop was refused: there are no credentials to ask with'),
  notExercised('refuse-no-identity', WITHOUT_SESSION),
  notExercised('refuse-other-tenant', WITHOUT_SESSION),
  notExercised('refuse-long-session', WITHOUT_SESSION),
];

const NO_CHAIN: readonly CallStep[] = [
  notExercised('chain-keeps-name', 'no role to go on to was given (--chain-to ARN, or --config FILE)'),
];

function notBound(isBound: boolean | undefined): CallStep {
  return notExercised(
    'refuse-other-session-name',
    isBound === undefined
      ? "whether the tenant's role session names are bound was not given (--bound, or --config FILE)"
      : "the tenant's role session names are free",
  );
}

function otherAccount({ arn }: Caller): CallStep {
  return notExercised(
    'hop-without-caller-policy',
    `the dispatcher is ${arn}, in another account than the role, where AWS documents that its own policy must allow it`,
  );
}
