import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { describe, expect, test } from 'vitest';
import type { CloudTrailEvent } from '../../lib/local/index.ts';
import { refusalOf, rejectionOf } from '../support/refusal.ts';
import {
  agent,
  assume,
  dispatcher,
  handedOut,
  notAuthorized,
  SESSION,
  sdkRefusal,
  ssmClient,
  stsClient,
} from './clients.ts';
import {
  ACCOUNT,
  ACME_PARAMETER,
  ACME_ROLE,
  ACME_TENANT_ROLE,
  OTHER_ACCOUNT,
  REGION,
  REMOTE_ROLE,
  startFixture,
  TestClock,
  temporaryFolder,
} from './fixture.ts';
import { callQuery, elementOf, refusalIn } from './wire.ts';

const ROLE_ID = expect.stringMatching(/^AROA[A-Z2-7]{17}$/);
const KEY_ID = expect.stringMatching(/^ASIA[A-Z2-7]{16}$/);
const UUID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const PROVIDER = expect.stringMatching(new RegExp(`^arn:aws:iam::${ACCOUNT}:oidc-provider/oidc\\.eks\\.`));

/** What every event has, in the clock's first second. */
const COMMON = {
  eventVersion: '1.11',
  eventTime: '2026-03-01T12:00:00Z',
  awsRegion: REGION,
  sourceIPAddress: '127.0.0.1',
  userAgent: expect.any(String),
  requestID: UUID,
  eventID: UUID,
  readOnly: true,
  eventType: 'AwsApiCall',
  managementEvent: true,
  recipientAccountId: ACCOUNT,
  eventCategory: 'Management',
};

const DISPATCHER = {
  type: 'AssumedRole',
  principalId: expect.stringMatching(/^AROA[A-Z2-7]{17}:dispatcher$/),
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`,
  accountId: ACCOUNT,
  accessKeyId: KEY_ID,
  sessionContext: {
    sessionIssuer: {
      type: 'Role',
      principalId: ROLE_ID,
      arn: ACME_TENANT_ROLE,
      accountId: ACCOUNT,
      userName: 'hub-acme-tenant',
    },
    webIdFederationData: { federatedProvider: PROVIDER, attributes: {} },
    attributes: { creationDate: '2026-03-01T12:00:00Z', mfaAuthenticated: 'false' },
  },
};

const AGENT = {
  type: 'AssumedRole',
  principalId: expect.stringMatching(/^AROA[A-Z2-7]{17}:agent\.acme\.s1$/),
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/${SESSION}`,
  accountId: ACCOUNT,
  accessKeyId: KEY_ID,
  sessionContext: {
    sessionIssuer: {
      type: 'Role',
      principalId: ROLE_ID,
      arn: ACME_ROLE,
      accountId: ACCOUNT,
      userName: 'hub-acme-session',
    },
    attributes: { creationDate: '2026-03-01T12:00:00Z', mfaAuthenticated: 'false' },
    sourceIdentity: SESSION,
  },
};

const ENDPOINT = { RequestDetails: { endpointType: 'regional', awsServingRegion: REGION } };

/** Calls signed in the account's time; the SDK signs in the system's. */
async function started() {
  const clock = new TestClock();
  const account = await startFixture({ clock: clock.read });
  const sts = (credentials: Parameters<typeof callQuery>[2], parameters: Record<string, string>) =>
    callQuery(
      account,
      'sts',
      credentials,
      { Action: 'AssumeRole', RoleSessionName: SESSION, ...parameters },
      clock.read(),
    );
  const session = async () => {
    const answer = await sts(account.dispatcherCredentials('hub', 'acme'), {
      RoleArn: ACME_ROLE,
      SourceIdentity: SESSION,
    });
    return {
      accountId: ACCOUNT,
      accessKeyId: elementOf(answer, 'AccessKeyId') ?? '',
      secretAccessKey: elementOf(answer, 'SecretAccessKey') ?? '',
      sessionToken: elementOf(answer, 'SessionToken') ?? '',
    };
  };
  return { account, sts, session };
}

describe('the event of', () => {
  test('AssumeRoleWithWebIdentity', async () => {
    const { account } = await started();

    account.dispatcherCredentials('hub', 'acme');

    expect(account.events()).toEqual([
      {
        ...COMMON,
        userIdentity: {
          type: 'WebIdentityUser',
          principalId: expect.stringMatching(/:sts\.amazonaws\.com:system:serviceaccount:acme:dispatcher$/),
          userName: 'system:serviceaccount:acme:dispatcher',
          identityProvider: PROVIDER,
        },
        eventSource: 'sts.amazonaws.com',
        eventName: 'AssumeRoleWithWebIdentity',
        requestParameters: { roleArn: ACME_TENANT_ROLE, roleSessionName: 'dispatcher', durationSeconds: 43_200 },
        responseElements: {
          credentials: { accessKeyId: KEY_ID, expiration: 'Mar 2, 2026, 12:00:00 AM' },
          assumedRoleUser: { assumedRoleId: DISPATCHER.principalId, arn: DISPATCHER.arn },
          subjectFromWebIdentityToken: 'system:serviceaccount:acme:dispatcher',
          provider: PROVIDER,
          audience: 'sts.amazonaws.com',
        },
        additionalEventData: ENDPOINT,
        resources: [{ accountId: ACCOUNT, type: 'AWS::IAM::Role', ARN: ACME_TENANT_ROLE }],
      },
    ]);
  });

  test('AssumeRole', async () => {
    const { account, session } = await started();

    const { accessKeyId } = await session();

    expect(account.events().at(-1)).toEqual({
      ...COMMON,
      userIdentity: DISPATCHER,
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      requestParameters: { roleArn: ACME_ROLE, roleSessionName: SESSION, sourceIdentity: SESSION },
      responseElements: {
        credentials: { accessKeyId, expiration: 'Mar 1, 2026, 1:00:00 PM' },
        assumedRoleUser: { assumedRoleId: AGENT.principalId, arn: AGENT.arn },
        sourceIdentity: SESSION,
      },
      additionalEventData: ENDPOINT,
      resources: [{ accountId: ACCOUNT, type: 'AWS::IAM::Role', ARN: ACME_ROLE }],
    });
  });

  test('an AssumeRole that is denied, which does not show what was asked', async () => {
    const { account, sts } = await started();

    await sts(account.dispatcherCredentials('hub', 'acme'), { RoleArn: ACME_ROLE, SourceIdentity: 'agent.globex.s1' });

    expect(account.events().at(-1)).toEqual({
      ...COMMON,
      userIdentity: DISPATCHER,
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      errorCode: 'AccessDenied',
      errorMessage: notAuthorized(DISPATCHER.arn, 'sts:AssumeRole', ACME_ROLE),
      requestParameters: null,
      responseElements: null,
      additionalEventData: ENDPOINT,
    });
  });

  test('an AssumeRole across accounts: one in each, with a shared id', async () => {
    const { account, sts, session } = await started();
    const credentials = await session();
    const before = account.events().length;

    await sts(credentials, { RoleArn: REMOTE_ROLE });

    const [own, other, ...rest] = account.events().slice(before);
    const shared = {
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      requestParameters: { roleArn: REMOTE_ROLE, roleSessionName: SESSION, sourceIdentity: SESSION },
      responseElements: expect.objectContaining({ sourceIdentity: SESSION }),
      additionalEventData: ENDPOINT,
      resources: [{ accountId: OTHER_ACCOUNT, type: 'AWS::IAM::Role', ARN: REMOTE_ROLE }],
      sharedEventID: UUID,
    };
    expect(rest).toEqual([]);
    expect(own).toEqual({ ...COMMON, ...shared, userIdentity: AGENT });
    expect(other).toEqual({
      ...COMMON,
      ...shared,
      userIdentity: { type: 'AWSAccount', principalId: AGENT.principalId, accountId: ACCOUNT },
      recipientAccountId: OTHER_ACCOUNT,
    });
    expect(other?.sharedEventID).toBe(own?.sharedEventID);
    expect(other?.requestID).toBe(own?.requestID);
    expect(other?.eventID).not.toBe(own?.eventID);
  });

  test('GetParameter', async () => {
    const account = await startFixture();
    const client = ssmClient(account, account.dispatcherCredentials('hub', 'acme'));

    await client.send(new GetParameterCommand({ Name: ACME_PARAMETER }));

    expect(account.events().at(-1)).toMatchObject({
      eventSource: 'ssm.amazonaws.com',
      eventName: 'GetParameter',
      requestParameters: { name: ACME_PARAMETER },
      responseElements: null,
    });
  });

  test('an IAM call, which is recorded in the Region of IAM and writes', async () => {
    const account = await startFixture();

    await callQuery(account, 'iam', account.administratorCredentials(ACCOUNT), {
      Action: 'DeleteRole',
      RoleName: 'data-reader',
    });

    expect(account.events().at(-1)).toMatchObject({
      eventSource: 'iam.amazonaws.com',
      eventName: 'DeleteRole',
      awsRegion: 'us-east-1',
      readOnly: false,
      userIdentity: { type: 'IAMUser', userName: 'administrator', accessKeyId: expect.stringMatching(/^AKIA/) },
      requestParameters: { roleName: 'data-reader' },
    });
  });

  test('a call whose caller is not known', async () => {
    const account = await startFixture();
    const foreign = await startFixture();

    await sdkRefusal(assume(stsClient(account, foreign.dispatcherCredentials('hub', 'acme'))));

    expect(account.events()).toEqual([
      expect.objectContaining({
        userIdentity: { type: 'Unknown' },
        errorCode: 'InvalidClientTokenId',
        requestParameters: null,
        recipientAccountId: ACCOUNT,
      }),
    ]);
  });
});

describe('the log', () => {
  test('has one line for each event, appended', async () => {
    const log = join(temporaryFolder(), 'events.jsonl');
    const first = await startFixture({ log });
    await agent(first);
    await first.close();
    const second = await startFixture({ log });
    await agent(second);

    const lines = readFileSync(log, 'utf8').trimEnd().split('\n');

    expect(lines.map((line): CloudTrailEvent => JSON.parse(line))).toEqual([...first.events(), ...second.events()]);
    expect(lines).toHaveLength(4);
  });

  test('holds no secret and no token', async () => {
    const log = join(temporaryFolder(), 'events.jsonl');
    const account = await startFixture({ log });
    const dispatching = account.dispatcherCredentials('hub', 'acme');
    const session = handedOut(await assume(stsClient(account, dispatching), { SourceIdentity: SESSION }));
    const token = account.mintWebIdentityToken('hub', 'acme');
    await sdkRefusal(assume(dispatcher(account)));
    await callQuery(account, 'sts', dispatching, { Action: 'AssumeRoleWithWebIdentity', WebIdentityToken: token });

    const text = readFileSync(log, 'utf8') + JSON.stringify(account.decisions());

    for (const { secretAccessKey, sessionToken } of [dispatching, session]) {
      expect(text).not.toContain(secretAccessKey);
      expect(text).not.toContain(sessionToken);
    }
    expect(text).not.toContain(token);
  });

  test.skipIf(!existsSync('/dev/full'))('fails each call that it cannot hold, and no credentials leave', async () => {
    const account = await startFixture({ log: '/dev/full' });
    const message =
      'log must stay writable: "/dev/full" is not, ENOSPC: no space left on device, write; make room or give another path';

    const refusal = refusalOf(() => account.dispatcherCredentials('hub', 'acme'));
    expect({ code: refusal.code, message: refusal.message }).toEqual({ code: 'LogUnwritable', message });

    const answer = await callQuery(account, 'sts', account.administratorCredentials(ACCOUNT), {
      Action: 'AssumeRole',
      RoleArn: REMOTE_ROLE,
      RoleSessionName: SESSION,
    });
    expect(refusalIn(answer)).toEqual({
      status: 500,
      code: 'InternalFailure',
      message: `the strict local account failed: ${message}`,
    });
    expect(answer.text).not.toContain('Credentials');
    expect(account.events()).toEqual([]);
  });

  test('leaves out requests that do not say which service they are for', async () => {
    const account = await startFixture();

    expect((await fetch(`${account.endpoint}/?Action=AssumeRole`)).status).toBe(403);
    expect(account.events()).toEqual([]);
    expect((await fetch(`${account.endpoint}/?Action=AssumeRole&Version=2011-06-15`)).status).toBe(403);
    expect(account.events().map(({ eventName, errorCode }) => [eventName, errorCode])).toEqual([
      ['AssumeRole', 'MissingAuthenticationToken'],
    ]);
  });

  test('fails to start where it cannot be written', async () => {
    const log = join(temporaryFolder(), 'absent', 'events.jsonl');

    const refusal = await rejectionOf(startFixture({ log }));

    expect(refusal.code).toBe('LogUnwritable');
    expect(refusal.message).toBe(`log must be a file that can be written: ${JSON.stringify(log)}; give another path`);
  });
});
