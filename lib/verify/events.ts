import { quote } from '../errors.ts';
import type { EventStep, Outcome } from './step.ts';

type Json = Readonly<Record<string, unknown>>;

/** An event as CloudTrail keeps it, in the parts that are looked at. */
export interface TrailEvent {
  readonly eventId: string;
  readonly eventTime: string;
  readonly eventName: string;
  readonly requestId: string;
  readonly errorCode: string | undefined;
  /** The name of the session that made the call. */
  readonly callerIdentity: string | undefined;
  /** Null where the event does not show the request. */
  readonly request: Json | null;
}

/**
 * Reads what CloudTrail keeps of one call.
 * @param text `CloudTrailEvent` of LookupEvents
 * @returns undefined for what is no event
 * @see CloudTrail User Guide, "CloudTrail record contents" and "CloudTrail userIdentity element"
 */
export function readTrailEvent(text: string): TrailEvent | undefined {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    return undefined;
  }
  const request = at(event, 'requestParameters');
  return {
    eventId: textAt(event, 'eventID') ?? '',
    eventTime: textAt(event, 'eventTime') ?? '',
    eventName: textAt(event, 'eventName') ?? '',
    requestId: textAt(event, 'requestID') ?? '',
    errorCode: textAt(event, 'errorCode'),
    callerIdentity: textAt(event, 'userIdentity', 'sessionContext', 'sourceIdentity'),
    request: typeof request === 'object' ? (request as Json | null) : null,
  };
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const key of path) found = (found as Json | null | undefined)?.[key];
  return found;
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** A step after a look at some events: as it was, unless one of them is its own. */
export function judgeEvents(step: EventStep, events: readonly TrailEvent[], sourceIdentity: string): EventStep {
  const event = events.find(({ eventName, requestId }) => eventName === step.eventName && requestId === step.requestId);
  return event === undefined ? step : { ...step, ...JUDGES[step.step](event, sourceIdentity) };
}

type Judgement = Pick<EventStep, 'outcome' | 'evidence' | 'request'>;
type Judge = (event: TrailEvent, sourceIdentity: string) => Judgement;

const asCaller: Judge = (event, sourceIdentity) =>
  judgeName(event, 'userIdentity.sessionContext.sourceIdentity', event.callerIdentity, sourceIdentity);

const asRefused: Judge = (event) => {
  const { errorCode } = event;
  const request = requestOf(event);
  const evidence = `${titleOf(event)} has the errorCode ${quote(errorCode ?? null)} and requestParameters ${request}`;
  return { outcome: errorCode === undefined ? 'failed' : 'passed', evidence, request };
};

function requestOf({ request }: TrailEvent): EventStep['request'] {
  if (request === null) return 'null';
  return request['sourceIdentity'] === undefined ? 'without sourceIdentity' : 'with sourceIdentity';
}

const JUDGES: Readonly<Record<EventStep['step'], Judge>> = {
  'event-of-hop': (event, sourceIdentity) =>
    judgeName(event, 'requestParameters.sourceIdentity', event.request?.['sourceIdentity'], sourceIdentity),
  'event-of-call': asCaller,
  'event-of-chain': asCaller,
  'event-of-refused-no-identity': asRefused,
  'event-of-refused-other-tenant': asRefused,
};

function judgeName(event: TrailEvent, field: string, found: unknown, expected: string): Judgement {
  const outcome: Outcome = found === expected ? 'passed' : 'failed';
  const says = found === undefined ? 'no' : quote(found);
  const evidence =
    outcome === 'passed'
      ? `${titleOf(event)} has ${field} ${says}`
      : `${titleOf(event)} must have ${field} ${quote(expected)}, it has ${found === undefined ? 'none' : says}`;
  return { outcome, evidence };
}

function titleOf({ eventName, eventId, eventTime }: TrailEvent): string {
  return `${eventName} ${quote(eventId)} of ${quote(eventTime)}`;
}
