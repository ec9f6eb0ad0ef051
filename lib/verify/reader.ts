import { quote, SessionBrokerError } from '../errors.ts';
import { type Account, openAccount } from '../sdk/account.ts';
import { readCaller } from './caller.ts';
import { readTrailEvent, type TrailEvent } from './events.ts';
import type { EventWindow } from './exercise.ts';
import type { EventStep } from './step.ts';

/** Where and by whom CloudTrail is read. */
export interface ReaderOptions {
  /** Twelve digits: the account of the session-broker role, which has the events. */
  readonly account: string;
  /** The Region of the STS endpoint, in which its events are. */
  readonly region: string;
  /** @default the SDK's default chain */
  readonly profile?: string | undefined;
  readonly signal: AbortSignal;
}

/** CloudTrail's event history as the second set of credentials sees it. */
export interface Reader extends Disposable {
  /** Who reads. */
  readonly arn: string;
  /** One page of events of a name, newest first, and what leads to the next. */
  readonly lookUp: (
    eventName: EventStep['eventName'],
    window: EventWindow,
    next: string | undefined,
  ) => Promise<EventPage>;
}

export interface EventPage {
  readonly events: readonly TrailEvent[];
  readonly next: string | undefined;
}

/**
 * Opens CloudTrail, and sees that it may be read in the right account, which costs one look.
 * @throws {SessionBrokerError} ReaderAccountMismatch; AccessDenied, CredentialsMissing and others of `Account`
 */
export async function openReader({ account: expected, region, profile, signal }: ReaderOptions): Promise<Reader> {
  // One attempt: a look that is throttled is made again in its own time.
  const account = openAccount({ region, profile, profileOption: '--reader-profile', attempts: 1, signal });
  try {
    const { arn, account: found } = await readCaller(account);
    if (found !== expected) throw wrongAccount(expected, found, arn);
    await lookUp(account, { eventName: 'AssumeRole', pageSize: 1 }).catch(unlessThrottled);
    return {
      arn,
      lookUp: (eventName, window, next) => lookUp(account, { eventName, window, next, pageSize: PAGE_SIZE }),
      [Symbol.dispose]: () => account.close(),
    };
  } catch (error) {
    account.close();
    throw error;
  }
}

/** Others look, too: the next look will tell. */
function unlessThrottled(error: unknown): void {
  if (!(error instanceof SessionBrokerError) || error.code !== 'Throttled') throw error;
}

/** As large as pages are. */
const PAGE_SIZE = 50;

interface Look {
  readonly eventName: EventStep['eventName'];
  readonly window?: EventWindow | undefined;
  readonly next?: string | undefined;
  readonly pageSize: number;
}

async function lookUp(account: Account, { eventName, window, next, pageSize }: Look): Promise<EventPage> {
  const { Events = [], NextToken } = await account.cloudTrail(
    { action: 'cloudtrail:LookupEvents', resource: eventName },
    (cloudTrail, { LookupEventsCommand }, options) =>
      cloudTrail.send(
        new LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: eventName }],
          StartTime: window?.start,
          EndTime: window?.end,
          MaxResults: pageSize,
          NextToken: next,
        }),
        options,
      ),
  );
  const events = Events.flatMap(({ CloudTrailEvent = '' }) => readTrailEvent(CloudTrailEvent) ?? []);
  return { events, next: NextToken };
}

function wrongAccount(expected: string, found: string, arn: string): SessionBrokerError {
  return new SessionBrokerError(
    'ReaderAccountMismatch',
    `reader of CloudTrail must be in the role's account ${quote(expected)}: ${quote(arn)} is in ${quote(found)}; give a profile of that account with --reader-profile, or set AWS_PROFILE`,
    { detail: { expected, found } },
  );
}
