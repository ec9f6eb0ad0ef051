import {
  type CloudTrailClient,
  LookupEventsCommand,
  type LookupEventsCommandInput,
  type LookupEventsCommandOutput,
} from '@aws-sdk/client-cloudtrail';
import { GetRoleCommand } from '@aws-sdk/client-iam';
import { describe, expect, test } from 'vitest';
import type { LocalAccount } from '../../lib/local/index.ts';
import {
  assume,
  cloudTrailClient,
  dispatcher,
  handedOut,
  iamClient,
  SESSION,
  sdkRefusal,
  stsClient,
} from './clients.ts';
import { ACCOUNT, ACME_ROLE, OTHER_ACCOUNT, REGION, REMOTE_ROLE, startFixture } from './fixture.ts';
import { post, sign } from './wire.ts';

/** A clock that a test moves and that goes on by itself: the SDK signs by the system's. */
function movableClock() {
  let offset = 0;
  return {
    read: () => new Date(Date.now() + offset),
    advance: (seconds: number) => {
      offset += seconds * 1000;
    },
  };
}

/** An account in which lookups are never too many: its clock goes on by a second at each. */
async function started(options: { readonly cloudTrailDelaySeconds?: number } = {}) {
  const clock = movableClock();
  const account = await startFixture({ clock: clock.read, ...options });
  const lookup = (input: LookupEventsCommandInput = {}, client: CloudTrailClient = cloudTrailClient(account)) => {
    clock.advance(1);
    return client.send(new LookupEventsCommand(input));
  };
  return { account, clock, lookup };
}

function by(AttributeKey: string, AttributeValue: string) {
  return { LookupAttributes: [{ AttributeKey: AttributeKey as 'EventName', AttributeValue }] };
}

function namesIn({ Events: events = [] }: LookupEventsCommandOutput): readonly (string | undefined)[] {
  return events.map(({ EventName }) => EventName);
}

function hop(account: LocalAccount) {
  return assume(dispatcher(account), { SourceIdentity: SESSION });
}

describe('LookupEvents', () => {
  test('shows the hop as CloudTrail does, with the whole event', async () => {
    const { account, lookup } = await started();
    const session = handedOut(await hop(account));
    const recorded = account.events().at(-1);

    const { Events: events } = await lookup(by('EventName', 'AssumeRole'));

    const { Role: role } = await iamClient(account).send(new GetRoleCommand({ RoleName: 'hub-acme-session' }));
    expect(events).toEqual([
      {
        EventId: recorded?.eventID,
        EventName: 'AssumeRole',
        ReadOnly: 'true',
        AccessKeyId: recorded?.userIdentity.accessKeyId,
        EventTime: new Date(recorded?.eventTime ?? ''),
        EventSource: 'sts.amazonaws.com',
        Username: 'dispatcher',
        Resources: [
          { ResourceType: 'AWS::IAM::AccessKey', ResourceName: session.accessKeyId },
          { ResourceType: 'AWS::STS::AssumedRole', ResourceName: `${role?.RoleId}:${SESSION}` },
          { ResourceType: 'AWS::STS::AssumedRole', ResourceName: SESSION },
          {
            ResourceType: 'AWS::STS::AssumedRole',
            ResourceName: `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/${SESSION}`,
          },
          { ResourceType: 'AWS::IAM::Role', ResourceName: ACME_ROLE },
        ],
        CloudTrailEvent: JSON.stringify(recorded),
      },
    ]);
    expect(JSON.parse(events?.[0]?.CloudTrailEvent ?? '')).toMatchObject({
      requestParameters: { sourceIdentity: SESSION },
    });
  });

  test('shows all events of the Region without an attribute, newest first, and its own afterwards', async () => {
    const { account, lookup } = await started();
    await hop(account);

    expect(namesIn(await lookup())).toEqual(['AssumeRole', 'AssumeRoleWithWebIdentity']);
    expect(namesIn(await lookup())).toEqual(['LookupEvents', 'AssumeRole', 'AssumeRoleWithWebIdentity']);
    expect(account.events().at(-1)).toMatchObject({
      eventSource: 'cloudtrail.amazonaws.com',
      eventName: 'LookupEvents',
      awsRegion: REGION,
      readOnly: true,
      requestParameters: { maxResults: 50 },
    });
  });

  test('finds an event by each of the attributes, and by nothing like them', async () => {
    const { account, lookup } = await started();
    const session = handedOut(await hop(account));
    await iamClient(account).send(new GetRoleCommand({ RoleName: 'data-reader' }));
    const event = account.events().find(({ eventName }) => eventName === 'AssumeRole');
    const hit = async (key: string, value: string) => namesIn(await lookup(by(key, value)));

    expect(await hit('EventId', event?.eventID ?? '')).toEqual(['AssumeRole']);
    expect(await hit('EventSource', 'sts.amazonaws.com')).toEqual(['AssumeRole', 'AssumeRoleWithWebIdentity']);
    expect(await hit('AccessKeyId', event?.userIdentity.accessKeyId ?? '')).toEqual(['AssumeRole']);
    expect(await hit('Username', 'dispatcher')).toEqual(['AssumeRole']);
    expect(await hit('Username', 'system:serviceaccount:acme:dispatcher')).toEqual(['AssumeRoleWithWebIdentity']);
    expect(await hit('ResourceName', ACME_ROLE)).toEqual(['AssumeRole']);
    expect(await hit('ResourceName', session.accessKeyId)).toEqual(['AssumeRole']);
    expect(await hit('ResourceType', 'AWS::STS::AssumedRole')).toEqual(['AssumeRole', 'AssumeRoleWithWebIdentity']);
    expect(await hit('ReadOnly', 'false')).toEqual([]);
    expect(await hit('EventName', 'assumerole')).toEqual([]);
    expect(await hit('ResourceName', 'hub-acme-session')).toEqual([]);
  });

  test('shows events in the Region and the account where they were logged alone', async () => {
    const { account, lookup } = await started();
    await assume(dispatcher(account), { SourceIdentity: SESSION, RoleArn: ACME_ROLE });
    await iamClient(account).send(new GetRoleCommand({ RoleName: 'data-reader' }));
    const agent = handedOut(await hop(account));
    await assume(stsClient(account, agent), { RoleArn: REMOTE_ROLE });
    const other = account.administratorCredentials(OTHER_ACCOUNT);

    expect(namesIn(await lookup({}, cloudTrailClient(account, 'eu-west-1')))).toEqual([]);
    expect(namesIn(await lookup(by('EventSource', 'iam.amazonaws.com')))).toEqual([]);
    expect(namesIn(await lookup({}, cloudTrailClient(account, 'us-east-1')))).toEqual(['GetRole']);
    const { Events: shared } = await lookup({}, cloudTrailClient(account, REGION, other));
    expect(shared).toHaveLength(1);
    expect(shared?.[0]).toMatchObject({ EventName: 'AssumeRole' });
    expect(shared?.[0]).not.toHaveProperty('Username');
    expect(JSON.parse(shared?.[0]?.CloudTrailEvent ?? '')).toMatchObject({ recipientAccountId: OTHER_ACCOUNT });
  });

  test('comes in pages, which events that come between do not shift', async () => {
    const { account, lookup } = await started();
    for (let count = 0; count < 2; count += 1) await hop(account);
    const input = { ...by('EventSource', 'sts.amazonaws.com'), MaxResults: 3 };

    const first = await lookup(input);
    await hop(account);
    const second = await lookup({ ...input, NextToken: first.NextToken });

    const ids = [...(first.Events ?? []), ...(second.Events ?? [])].map(({ EventId }) => EventId);
    expect(ids).toEqual(
      account
        .events()
        .filter(({ eventSource }) => eventSource === 'sts.amazonaws.com')
        .slice(0, 4)
        .map(({ eventID }) => eventID)
        .toReversed(),
    );
    expect(second.NextToken).toBeUndefined();
  });

  test('shows what happened between two times', async () => {
    const { account, clock, lookup } = await started();
    await hop(account);
    clock.advance(60);
    const between = clock.read();
    clock.advance(60);
    await hop(account);

    const found = async (input: LookupEventsCommandInput) => namesIn(await lookup(input)).length;
    const attribute = by('EventName', 'AssumeRole');
    expect(await found({ ...attribute, EndTime: between })).toBe(1);
    expect(await found({ ...attribute, StartTime: between })).toBe(1);
    expect(await found({ ...attribute, StartTime: new Date(0), EndTime: clock.read() })).toBe(2);
  });

  test('shows an event when its time has come, and for 90 days', async () => {
    const { account, clock, lookup } = await started({ cloudTrailDelaySeconds: 120 });
    await hop(account);
    const found = async () => namesIn(await lookup(by('EventName', 'AssumeRole'))).length;

    expect(await found()).toBe(0);
    clock.advance(110);
    expect(await found()).toBe(0);
    clock.advance(10);
    expect(await found()).toBe(1);

    // Beyond what the SDK's clock can follow: the request is signed by the account's.
    const read = async () => {
      const target = 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents';
      const body = JSON.stringify(by('EventName', 'AssumeRole'));
      const headers = sign(account.endpoint, {
        service: 'cloudtrail',
        credentials: account.administratorCredentials(ACCOUNT),
        body,
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
        at: clock.read(),
      });
      return JSON.parse((await post(account.endpoint, headers, body)).text).Events.length;
    };
    clock.advance(89 * 86_400);
    expect(await read()).toBe(1);
    clock.advance(86_400);
    expect(await read()).toBe(0);
  });

  test('is answered twice a second in an account and Region, and no more often', async () => {
    const { account, clock } = await started();
    const client = cloudTrailClient(account);
    const lookup = (region = REGION, accountId = ACCOUNT) =>
      cloudTrailClient(account, region, account.administratorCredentials(accountId)).send(new LookupEventsCommand({}));
    const answers = async () => {
      const results = await Promise.allSettled([1, 2, 3].map(() => client.send(new LookupEventsCommand({}))));
      return results.map(({ status }) => status).sort();
    };

    expect(await answers()).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(await sdkRefusal(lookup())).toMatchObject({
      name: 'ThrottlingException',
      status: 400,
      message: 'Rate exceeded',
    });
    await lookup('us-east-1');
    await lookup(REGION, OTHER_ACCOUNT);
    clock.advance(1);
    await lookup();
  });

  test.each<[string, LookupEventsCommandInput, string]>([
    [
      'two attributes',
      { LookupAttributes: [...by('EventName', 'a').LookupAttributes, ...by('EventId', 'b').LookupAttributes] },
      'InvalidLookupAttributesException',
    ],
    ['an attribute that there is not', by('SourceIdentity', SESSION), 'InvalidLookupAttributesException'],
    ['an empty value', by('EventName', ''), 'InvalidLookupAttributesException'],
    ['a page that is too long', { MaxResults: 51 }, 'InvalidMaxResultsException'],
    ['a page of nothing', { MaxResults: 0 }, 'InvalidMaxResultsException'],
    ['times in the wrong order', { StartTime: new Date(2), EndTime: new Date(1) }, 'InvalidTimeRangeException'],
    ['a token that it did not give', { NextToken: 'token' }, 'InvalidNextTokenException'],
    ['a category that there is not', { EventCategory: 'data' as 'insight' }, 'InvalidEventCategoryException'],
    ['Insights events', { EventCategory: 'insight' }, 'NotModelled'],
  ])('fails for %s', async (_, input, name) => {
    const { account, lookup } = await started();
    await hop(account);

    expect(await sdkRefusal(lookup(input))).toMatchObject({ name, status: 400 });
  });

  test('fails for a token with other parameters than those that it was given for, or in another place', async () => {
    const { account, lookup } = await started();
    await hop(account);
    const input = { ...by('EventSource', 'sts.amazonaws.com'), MaxResults: 1 };
    const { NextToken: token } = await lookup(input);
    expect(token).toBeDefined();

    const refusal = { name: 'InvalidNextTokenException', status: 400 };
    for (const other of [{ MaxResults: 2 }, { StartTime: new Date(0) }, by('ReadOnly', 'true')]) {
      expect(await sdkRefusal(lookup({ ...input, ...other, NextToken: token }))).toMatchObject(refusal);
    }
    const elsewhere = cloudTrailClient(account, 'us-east-1');
    expect(await sdkRefusal(lookup({ ...input, NextToken: token }, elsewhere))).toMatchObject(refusal);
    expect(namesIn(await lookup({ ...input, NextToken: token }))).toEqual(['AssumeRoleWithWebIdentity']);
  });

  test('fails for who may not', async () => {
    const { account, lookup } = await started();
    const client = cloudTrailClient(account, REGION, account.dispatcherCredentials('hub', 'acme'));

    expect(await sdkRefusal(lookup({}, client))).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('is not authorized to perform: cloudtrail:LookupEvents on resource: *'),
    });
  });
});
