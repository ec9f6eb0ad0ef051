import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Shell } from '../lib/cli/command.ts';
import { fromSessionBroker, SessionBroker } from '../lib/runtime/index.ts';
import { fakeProcess, run, runIn, startIn } from './cli/fake-shell.ts';
import { ACME_ROLE, startFixture } from './local/fixture.ts';
import { isolateEnvironment } from './runtime/support/isolation.ts';

const SESSION = '01K9ZQ4T5N8XV2M7B3C6D1E0FG';
const SOURCE_IDENTITY = `agent.acme.${SESSION}`;

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** The names that STS itself and the container endpoint give to credentials. */
interface AwsCredentials {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken?: string;
  readonly Token?: string;
}

function fromAws({ AccessKeyId, SecretAccessKey, SessionToken, Token = '' }: AwsCredentials): Credentials {
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken ?? Token };
}

async function printed(format: string): Promise<string> {
  return (await run('credentials', '--session', SESSION, '--format', format)).stdout;
}

/** As an SDK in an agent asks. */
async function fromEndpoint(environment: Shell['environment']): Promise<Credentials> {
  const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri = '', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file = '' } =
    environment;
  const answer = await fetch(uri, { headers: { authorization: readFileSync(file, 'utf8'), connection: 'close' } });
  return fromAws((await answer.json()) as AwsCredentials);
}

/** A client of another maker, told by variables alone what to send. It has its own way to name a role session. */
async function existingClient(variables: Readonly<Record<string, string>>): Promise<Credentials> {
  const { FAB_OPERATOR, FAB_SESSION_ROLE_ARN, FAB_SESSION_DURATION } = variables;
  const client = new STSClient({});
  const { Credentials } = await client.send(
    new AssumeRoleCommand({
      RoleArn: FAB_SESSION_ROLE_ARN,
      RoleSessionName: 'fab-runner-7',
      SourceIdentity: FAB_OPERATOR,
      DurationSeconds: Number(FAB_SESSION_DURATION),
    }),
  );
  client.destroy();
  return fromAws(Credentials as AwsCredentials);
}

/** Every way to a session's credentials, told of the dispatcher by variables. */
const MODES: Readonly<Record<string, () => Promise<Credentials>>> = {
  fromSessionBroker: () => fromSessionBroker({ session: SESSION })(),
  SessionBroker: async () => {
    const broker = new SessionBroker();
    onTestFinished(() => broker.close());
    return broker.session({ session: SESSION }).credentials();
  },
  'credentials --format process': async () => fromAws(JSON.parse(await printed('process'))),
  'credentials --format claude': async () => fromAws(JSON.parse(await printed('claude')).Credentials),
  'credentials --format json': async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = JSON.parse(await printed('json'));
    return { accessKeyId, secretAccessKey, sessionToken };
  },
  'credentials --format env': async () => {
    const script = `${await printed('env')}\nprintf '%s %s %s' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN"`;
    const words = execFileSync('sh', ['-euc', script], { encoding: 'utf8' }).split(' ');
    const [accessKeyId = '', secretAccessKey = '', sessionToken = ''] = words;
    return { accessKeyId, secretAccessKey, sessionToken };
  },
  exec: async () => {
    let credentials: Promise<Credentials> | undefined;
    const spawn: Shell['spawn'] = (_, environment) => {
      credentials = fromEndpoint(environment);
      return { kill: () => {}, ended: credentials.then(() => ({ exitCode: 0 })) };
    };
    await runIn(fakeProcess({ spawn }), 'exec', '--session', SESSION, '--', 'agent');
    return credentials as Promise<Credentials>;
  },
  serve: async () => {
    const { first } = await startIn(fakeProcess(), 'serve', '--session', SESSION, '--json');
    const [{ uri, tokenFile }] = JSON.parse(first).sessions;
    return fromEndpoint({ AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile });
  },
  env: async () => existingClient(JSON.parse((await run('env', '--session', SESSION, '--json')).stdout)),
};

describe('every mode of delivery', () => {
  isolateEnvironment();
  beforeEach(() => vi.stubEnv('AWS_MAX_ATTEMPTS', '1'));

  /** What the account saw of a mode, and of a call with the credentials that it delivered. */
  async function seen(deliver: () => Promise<Credentials>) {
    const account = await startFixture();
    for (const [name, value] of Object.entries(account.dispatcherEnvironment('hub', 'acme'))) vi.stubEnv(name, value);
    const before = account.events().length;
    const client = new STSClient({ credentials: await deliver() });
    await client.send(new GetCallerIdentityCommand({}));
    client.destroy();
    return account.events().slice(before);
  }

  test.each(Object.keys(MODES))('carries the same source identity, byte for byte: %s', async (mode) => {
    const events = await seen(MODES[mode] ?? (() => Promise.reject(new Error('no such mode'))));
    const roleSessionName = mode === 'env' ? 'fab-runner-7' : SOURCE_IDENTITY;
    const assumed = events.filter(({ eventName }) => eventName === 'AssumeRole');
    expect(assumed.map(({ requestParameters }) => requestParameters)).toEqual([
      { roleArn: ACME_ROLE, roleSessionName, sourceIdentity: SOURCE_IDENTITY, durationSeconds: 3600 },
    ]);
    expect(events.at(-1)).toMatchObject({
      eventName: 'GetCallerIdentity',
      userIdentity: {
        arn: `arn:aws:sts::111122223333:assumed-role/hub-acme-session/${roleSessionName}`,
        sessionContext: { sourceIdentity: SOURCE_IDENTITY },
      },
    });
  });
});
