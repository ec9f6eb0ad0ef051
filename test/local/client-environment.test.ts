import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CONFLICTING_VARIABLES } from '../../lib/local/index.ts';
import { ACCOUNT, startFixture } from './fixture.ts';
import { environmentsOf, hostileMachine, onHostileMachine } from './hostile-machine.ts';

const KINDS = ['dispatcher', 'web identity', 'administrator'];

/** A program that leaves everything to the SDK. */
const PROGRAM = `
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { GetAccountSummaryCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const { Account } = await new STSClient({ maxAttempts: 1 }).send(new GetCallerIdentityCommand({}));
const Name = '/eks-agent-platform/hub/session-broker/acme/session_role_arn';
await new SSMClient({ maxAttempts: 1 }).send(new GetParameterCommand({ Name }));
const calls = [
  new IAMClient({ maxAttempts: 1 }).send(new GetAccountSummaryCommand({})),
  new EKSClient({ maxAttempts: 1 }).send(new DescribeClusterCommand({ name: 'hub' })),
  new CloudTrailClient({ maxAttempts: 1 }).send(new LookupEventsCommand({})),
];
for (const { reason } of await Promise.allSettled(calls)) {
  // Not everybody may: that is an answer.
  if (reason !== undefined && !reason.name.startsWith('AccessDenied')) throw reason;
}
console.log(Account);
`;

async function run(env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PROGRAM], { env });
  return stdout.trim();
}

describe('the environment for clients', () => {
  test.each(KINDS)('leads the SDK to the account on a machine that is set up for another: %s', async (kind) => {
    const account = await startFixture();
    const environment = environmentsOf(account)[kind] ?? {};

    expect(await run(onHostileMachine(environment))).toBe(ACCOUNT);
    const called = account.events().map(({ eventSource, awsRegion }) => `${eventSource.split('.')[0]} ${awsRegion}`);
    expect([...new Set(called)].sort()).toEqual([
      'cloudtrail us-west-2',
      'eks us-west-2',
      'iam us-east-1',
      'ssm us-west-2',
      'sts us-west-2',
    ]);
  });

  test('names beside it whatever such a machine has that it does not set and that would lead the SDK astray', async () => {
    const account = await startFixture();
    const environment = environmentsOf(account)['web identity'] ?? {};

    await expect(run({ ...hostileMachine(), ...environment })).rejects.toThrow();
    expect(CONFLICTING_VARIABLES).toEqual([
      'AWS_PROFILE',
      'AWS_DEFAULT_PROFILE',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_SECURITY_TOKEN',
      'AWS_CREDENTIAL_EXPIRATION',
      'AWS_ACCOUNT_ID',
      'AWS_CREDENTIAL_SCOPE',
      'AWS_ACCESS_KEY',
      'AWS_SECRET_KEY',
      'AMAZON_ACCESS_KEY_ID',
      'AMAZON_SECRET_ACCESS_KEY',
      'AMAZON_SESSION_TOKEN',
      'AWS_CREDENTIAL_FILE',
      'AWS_USE_FIPS_ENDPOINT',
      'AWS_USE_DUALSTACK_ENDPOINT',
    ]);
  });
});
