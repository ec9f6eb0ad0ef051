import { createHash } from 'node:crypto';
import { authorize } from './authorize.ts';
import { AwsFault, notModelled } from './aws-fault.ts';
import { type Call, callerOf, type Environment } from './call.ts';
import { cloudTrailTime } from './cloudtrail.ts';
import type { CloudTrailEvent } from './event.ts';
import { resourcesOf, userNameOf } from './event-resources.ts';
import { assertOnly, type JsonObject, numberIn, objectsIn, stringIn } from './json-input.ts';
import { placeOf } from './store.ts';

/** @see CloudTrail API Reference, LookupEvents */
const LIMITS = { attributes: 1, valueLength: 2000, maxResults: 50 } as const;

/** What an event is looked up by, and the values that it has there. */
const ATTRIBUTES: Readonly<Record<string, (event: CloudTrailEvent) => readonly (string | undefined)[]>> = {
  AccessKeyId: ({ userIdentity }) => [userIdentity.accessKeyId],
  EventId: ({ eventID }) => [eventID],
  EventName: ({ eventName }) => [eventName],
  EventSource: ({ eventSource }) => [eventSource],
  ReadOnly: ({ readOnly }) => [String(readOnly)],
  ResourceName: (event) => resourcesOf(event).map(({ ResourceName }) => ResourceName),
  ResourceType: (event) => resourcesOf(event).map(({ ResourceType }) => ResourceType),
  Username: (event) => [userNameOf(event)],
};

interface Attribute {
  readonly key: string;
  readonly value: string;
}

interface Lookup {
  readonly attribute: Attribute | undefined;
  readonly startTime: Date | undefined;
  readonly endTime: Date | undefined;
  readonly maxResults: number;
  readonly nextToken: string | undefined;
}

/** The account's management events in the Region that is asked, newest first. */
export function lookupEvents(call: Call, input: JsonObject, { store, history }: Environment): JsonObject {
  assertOnly(call, input, ['LookupAttributes', 'StartTime', 'EndTime', 'MaxResults', 'NextToken', 'EventCategory']);
  const { account } = placeOf(callerOf(call));
  if (!history.admit(account, call.region, call.time)) {
    throw new AwsFault('ThrottlingException', 400, 'Rate exceeded');
  }
  const lookup = readLookup(call, input);
  authorize(call, store, 'cloudtrail:LookupEvents', '*');
  call.record.requestParameters = recorded(lookup);
  const found = history.events(account, call.region, call.time).filter((event) => isAskedFor(event, lookup));
  const scope = scopeOf(lookup);
  const start = lookup.nextToken === undefined ? 0 : placeOfToken(lookup.nextToken, scope, found);
  const end = start + lookup.maxResults;
  const last = found[end - 1];
  return {
    Events: found.slice(start, end).map(shown),
    ...(end < found.length && last !== undefined ? { NextToken: tokenOf(last, scope) } : {}),
  };
}

function readLookup(call: Call, input: JsonObject): Lookup {
  const category = stringIn(input, 'EventCategory');
  if (category === 'insight') throw notModelled('Insights events');
  if (category !== undefined) {
    throw new AwsFault('InvalidEventCategoryException', 400, `${category} is not a category of events.`);
  }
  const maxResults = numberIn(input, 'MaxResults') ?? LIMITS.maxResults;
  if (!Number.isInteger(maxResults) || maxResults < 1 || maxResults > LIMITS.maxResults) {
    const message = `MaxResults must be between 1 and ${LIMITS.maxResults}: ${maxResults}.`;
    throw new AwsFault('InvalidMaxResultsException', 400, message);
  }
  const startTime = instantIn(input, 'StartTime');
  const endTime = instantIn(input, 'EndTime');
  if (startTime !== undefined && endTime !== undefined && startTime > endTime) {
    throw invalidTimeRange('The start time must not be after the end time.');
  }
  const attribute = readAttribute(call, objectsIn(input, 'LookupAttributes'));
  return { attribute, startTime, endTime, maxResults, nextToken: stringIn(input, 'NextToken') };
}

function readAttribute(call: Call, attributes: readonly JsonObject[]): Attribute | undefined {
  const [attribute] = attributes;
  if (attribute === undefined) return undefined;
  if (attributes.length > LIMITS.attributes) {
    throw invalidAttributes(
      `There can be only ${LIMITS.attributes} lookup attribute: ${attributes.length} were given.`,
    );
  }
  assertOnly(call, attribute, ['AttributeKey', 'AttributeValue']);
  const key = stringIn(attribute, 'AttributeKey') ?? '';
  const value = stringIn(attribute, 'AttributeValue') ?? '';
  if (!Object.hasOwn(ATTRIBUTES, key)) {
    throw invalidAttributes(`${JSON.stringify(key)} is not an attribute: ${Object.keys(ATTRIBUTES).join(', ')} are.`);
  }
  if (value.length < 1 || value.length > LIMITS.valueLength) {
    throw invalidAttributes(`The value of an attribute must have 1 to ${LIMITS.valueLength} characters.`);
  }
  return { key, value };
}

/** Times come in seconds, with a fraction or without. */
function instantIn(input: JsonObject, field: string): Date | undefined {
  const seconds = numberIn(input, field);
  if (seconds === undefined) return undefined;
  const instant = new Date(seconds * 1000);
  if (Number.isNaN(instant.getTime())) throw invalidTimeRange(`${field} is out of the range of times.`);
  return instant;
}

function isAskedFor(event: CloudTrailEvent, { attribute, startTime, endTime }: Lookup): boolean {
  const time = new Date(event.eventTime);
  if (startTime !== undefined && time < startTime) return false;
  if (endTime !== undefined && time > endTime) return false;
  return attribute === undefined || ATTRIBUTES[attribute.key]?.(event).includes(attribute.value) === true;
}

function shown(event: CloudTrailEvent): JsonObject {
  const { accessKeyId } = event.userIdentity;
  const userName = userNameOf(event);
  return {
    EventId: event.eventID,
    EventName: event.eventName,
    ReadOnly: String(event.readOnly),
    ...(accessKeyId === undefined ? {} : { AccessKeyId: accessKeyId }),
    EventTime: new Date(event.eventTime).getTime() / 1000,
    EventSource: event.eventSource,
    ...(userName === undefined ? {} : { Username: userName }),
    Resources: resourcesOf(event),
    CloudTrailEvent: JSON.stringify(event),
  };
}

function recorded({ attribute, startTime, endTime, maxResults, nextToken }: Lookup): JsonObject {
  return {
    ...(attribute === undefined
      ? {}
      : { lookupAttributes: [{ attributeKey: attribute.key, attributeValue: attribute.value }] }),
    ...(startTime === undefined ? {} : { startTime: cloudTrailTime(startTime) }),
    ...(endTime === undefined ? {} : { endTime: cloudTrailTime(endTime) }),
    maxResults,
    ...(nextToken === undefined ? {} : { nextToken }),
  };
}

/** What a token is good for: the same question. In another account or Region its event is not found. */
function scopeOf({ nextToken: _, ...lookup }: Lookup): string {
  return createHash('sha256').update(JSON.stringify(lookup)).digest('base64url');
}

function tokenOf({ eventID }: CloudTrailEvent, scope: string): string {
  return Buffer.from(`${eventID} ${scope}`).toString('base64');
}

/** The place after the event that a token ends with; events that came since stand before it. */
function placeOfToken(token: string, scope: string, found: readonly CloudTrailEvent[]): number {
  const [eventID, tokenScope] = Buffer.from(token, 'base64').toString('utf8').split(' ');
  const index = found.findIndex((event) => event.eventID === eventID);
  if (index === -1 || tokenScope !== scope) {
    throw new AwsFault(
      'InvalidNextTokenException',
      400,
      'The token is not valid, or was used with other parameters than those of the call that gave it.',
    );
  }
  return index + 1;
}

function invalidAttributes(message: string): AwsFault {
  return new AwsFault('InvalidLookupAttributesException', 400, message);
}

function invalidTimeRange(message: string): AwsFault {
  return new AwsFault('InvalidTimeRangeException', 400, message);
}
