import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { EKSClient } from '@aws-sdk/client-eks';
import { IAMClient } from '@aws-sdk/client-iam';
import { SSMClient } from '@aws-sdk/client-ssm';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  STSClient,
} from '@aws-sdk/client-sts';
import type { LocalAccount, LocalCredentials } from '../../lib/local/index.ts';
import { ACCOUNT, ACME_ROLE, REGION } from './fixture.ts';

/** The credentials do not tell the SDK when they end: the account under test is to say so. */
function settings(account: LocalAccount, credentials: LocalCredentials, region: string) {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return {
    endpoint: account.endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    maxAttempts: 1,
  };
}

export function stsClient(account: LocalAccount, credentials: LocalCredentials, region = REGION): STSClient {
  return new STSClient(settings(account, credentials, region));
}

export function ssmClient(account: LocalAccount, credentials: LocalCredentials, region = REGION): SSMClient {
  return new SSMClient(settings(account, credentials, region));
}

/** @param credentials the administrator's if not given */
export function iamClient(
  account: LocalAccount,
  credentials: LocalCredentials = account.administratorCredentials(ACCOUNT),
): IAMClient {
  return new IAMClient(settings(account, credentials, 'us-east-1'));
}

/** @param credentials the administrator's if not given */
export function eksClient(
  account: LocalAccount,
  credentials: LocalCredentials = account.administratorCredentials(ACCOUNT),
  region = REGION,
): EKSClient {
  return new EKSClient(settings(account, credentials, region));
}

/** @param credentials the administrator's if not given */
export function cloudTrailClient(
  account: LocalAccount,
  region = REGION,
  credentials: LocalCredentials = account.administratorCredentials(ACCOUNT),
): CloudTrailClient {
  return new CloudTrailClient(settings(account, credentials, region));
}

export function dispatcher(account: LocalAccount): STSClient {
  return stsClient(account, account.dispatcherCredentials('hub', 'acme'));
}

export const SESSION = 'agent.acme.s1';

export function assume(
  client: STSClient,
  input: Partial<AssumeRoleCommandInput> = {},
): Promise<AssumeRoleCommandOutput> {
  return client.send(new AssumeRoleCommand({ RoleArn: ACME_ROLE, RoleSessionName: SESSION, ...input }));
}

/** Credentials that an answer handed out. */
export function handedOut({ Credentials, AssumedRoleUser }: AssumeRoleCommandOutput): LocalCredentials {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    accountId: AssumedRoleUser?.Arn?.split(':')[4] ?? '',
  };
}

/** A client with a session of acme's session-broker role. */
export async function agent(account: LocalAccount, sourceIdentity: string = SESSION): Promise<STSClient> {
  const answer = await assume(dispatcher(account), { SourceIdentity: sourceIdentity, RoleSessionName: sourceIdentity });
  return stsClient(account, handedOut(answer));
}

export interface SdkRefusal {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly requestId: string;
}

/** The error that an SDK call ends in; success fails the test. */
export async function sdkRefusal(promise: Promise<unknown>): Promise<SdkRefusal> {
  const error = await promise.then(
    () => {
      throw new Error('expected a refusal, the call was answered');
    },
    (reason: Error & { $metadata?: { httpStatusCode?: number; requestId?: string } }) => reason,
  );
  if (error.$metadata === undefined) throw error;
  const { httpStatusCode, requestId = '' } = error.$metadata;
  return { name: error.name, message: error.message, status: httpStatusCode, requestId };
}

/** What AWS says to a caller who may not. */
export function notAuthorized(arn: string, action: string, resource: string): string {
  return `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}`;
}
