import { randomUUID } from 'node:crypto';
import type { AwsFault } from './aws-fault.ts';
import type { Call } from './call.ts';
import type { CloudTrailEvent, CloudTrailUserIdentity } from './event.ts';
import { accountOf, arnOf, type Credential, idOf, type RoleSession, type WebIdentity } from './store.ts';

/** What an event tells that the call itself does not know. */
export interface EventOutcome {
  readonly readOnly: boolean;
  /** Absent: the call was answered. */
  readonly fault: AwsFault | undefined;
  /** The code as it went over the wire. */
  readonly errorCode: string | undefined;
  /** Whose event it is when no caller is known. */
  readonly fallbackAccount: string;
}

/** The events of one call: one, or two when a role in another account was assumed. */
export function eventsOf(call: Call, outcome: EventOutcome): readonly CloudTrailEvent[] {
  const { credential, record } = call;
  const { fault, errorCode, fallbackAccount, readOnly } = outcome;
  const callerAccount = credential === undefined ? undefined : accountOf(credential.caller);
  const recipient = callerAccount ?? record.resourceAccount ?? fallbackAccount;
  const event: CloudTrailEvent = {
    eventVersion: '1.11',
    userIdentity: userIdentity(credential, record.webIdentity),
    eventTime: wholeSeconds(call.time),
    eventSource: `${call.service}.amazonaws.com`,
    eventName: call.operation,
    awsRegion: call.region,
    sourceIPAddress: call.sourceIpAddress,
    userAgent: call.userAgent,
    ...(fault === undefined ? {} : { errorCode: errorCode ?? fault.code, errorMessage: fault.message }),
    requestParameters: record.requestParameters ?? null,
    responseElements: fault === undefined ? (record.responseElements ?? null) : null,
    ...(call.service === 'sts'
      ? { additionalEventData: { RequestDetails: { endpointType: 'regional', awsServingRegion: call.region } } }
      : {}),
    requestID: call.requestId,
    eventID: randomUUID(),
    readOnly,
    ...(record.resources === undefined ? {} : { resources: record.resources }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: recipient,
    eventCategory: 'Management',
  };
  const other = record.resourceAccount;
  if (fault !== undefined || credential === undefined || other === undefined || other === callerAccount) return [event];
  const sharedEventID = randomUUID();
  return [
    { ...event, sharedEventID },
    {
      ...event,
      sharedEventID,
      // The other account learns which account called, and nothing about its role.
      userIdentity: { type: 'AWSAccount', principalId: idOf(credential.caller), accountId: recipient },
      eventID: randomUUID(),
      recipientAccountId: other,
    },
  ];
}

function userIdentity(
  credential: Credential | undefined,
  webIdentity: WebIdentity | undefined,
): CloudTrailUserIdentity {
  if (webIdentity !== undefined) {
    const { provider, audience, subject } = webIdentity;
    return {
      type: 'WebIdentityUser',
      principalId: `${provider}:${audience}:${subject}`,
      userName: subject,
      identityProvider: provider,
    };
  }
  if (credential === undefined) return { type: 'Unknown' };
  const { accessKeyId, caller } = credential;
  const common = { principalId: idOf(caller), arn: arnOf(caller), accountId: accountOf(caller), accessKeyId };
  return caller.kind === 'user'
    ? { type: 'IAMUser', ...common, userName: caller.name }
    : { type: 'AssumedRole', ...common, sessionContext: sessionContext(caller) };
}

function sessionContext(session: RoleSession): NonNullable<CloudTrailUserIdentity['sessionContext']> {
  const { role, webIdentity, issuedAt, sourceIdentity } = session;
  return {
    sessionIssuer: {
      type: 'Role',
      principalId: role.id,
      arn: role.arn,
      accountId: role.account,
      userName: role.name,
    },
    ...(webIdentity === undefined
      ? {}
      : { webIdFederationData: { federatedProvider: webIdentity.provider, attributes: {} } }),
    attributes: { creationDate: wholeSeconds(issuedAt), mfaAuthenticated: 'false' },
    ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
  };
}

function wholeSeconds(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}Z`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Jul 18, 2023, 4:07:39 PM`, as CloudTrail writes times that are parameters or results. */
export function cloudTrailTime(instant: Date): string {
  const hours = instant.getUTCHours();
  const time = [hours % 12 || 12, twoDigits(instant.getUTCMinutes()), twoDigits(instant.getUTCSeconds())].join(':');
  const day = `${MONTHS[instant.getUTCMonth()]} ${instant.getUTCDate()}, ${instant.getUTCFullYear()}`;
  return `${day}, ${time} ${hours < 12 ? 'AM' : 'PM'}`;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
