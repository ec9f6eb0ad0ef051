import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fromSessionBroker } from '../../lib/runtime/index.ts';
import { firstLine, startCommand } from '../support/session-broker.ts';

interface Answer {
  readonly endpoint: string;
  readonly notices: readonly string[];
  readonly tenants: readonly {
    readonly cluster: string;
    readonly tenant: string;
    readonly attribution: boolean;
    readonly environment: Readonly<Record<string, string>>;
  }[];
}

describe('session-broker local', () => {
  test('serves the example until it is interrupted, and leaves nothing behind but its log', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'session-broker-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const log = join(folder, 'events.jsonl');
    const child = startCommand(['local', '--json', '--log', log]);
    onTestFinished(() => void child.kill('SIGKILL'));
    const { endpoint, tenants } = JSON.parse(await firstLine(child)) as Answer;
    expect(tenants.map(({ cluster, tenant, attribution }) => [cluster, tenant, attribution])).toEqual([
      ['hub', 'acme', true],
      ['hub', 'globex', false],
    ]);

    const { environment = {} } = tenants[0] ?? {};
    expect(environment).toMatchObject({
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: 'us-west-2',
      AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/eks-agent-platform/tenants/hub-acme-tenant',
      SESSION_BROKER_CLUSTER: 'hub',
      SESSION_BROKER_TENANT: 'acme',
    });
    const tokenFile = environment['AWS_WEB_IDENTITY_TOKEN_FILE'] ?? '';
    const profiles = environment['AWS_SHARED_CREDENTIALS_FILE'] ?? '';
    expect(statSync(profiles).mode & 0o777).toBe(0o600);
    expect(readFileSync(profiles, 'utf8')).toMatch(
      /^\[administrator\]\naws_access_key_id = AKIA\w+\naws_secret_access_key = \S+\n$/,
    );
    const credentials = fromSessionBroker({
      cluster: 'hub',
      tenant: 'acme',
      session: 's1',
      region: 'us-west-2',
      endpoint,
      credentials: await webIdentity(endpoint, environment['AWS_ROLE_ARN'] ?? '', readFileSync(tokenFile, 'utf8')),
    });
    const client = new STSClient({ endpoint, region: 'us-west-2', credentials });
    expect((await client.send(new GetCallerIdentityCommand({}))).Arn).toBe(
      'arn:aws:sts::111122223333:assumed-role/hub-acme-session/agent.acme.s1',
    );
    client.destroy();

    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect([existsSync(tokenFile), existsSync(profiles)]).toEqual([false, false]);
    const events = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ eventName }) => eventName)).toEqual([
      'AssumeRoleWithWebIdentity',
      'GetParameter',
      'AssumeRole',
      'GetCallerIdentity',
    ]);
    expect(events.at(-1).userIdentity.sessionContext.sourceIdentity).toBe('agent.acme.s1');
  });

  async function webIdentity(endpoint: string, roleArn: string, token: string) {
    const client = new STSClient({ endpoint, region: 'us-west-2' });
    const { Credentials } = await client.send(
      new AssumeRoleWithWebIdentityCommand({ RoleArn: roleArn, RoleSessionName: 'pod', WebIdentityToken: token }),
    );
    client.destroy();
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
    return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  }
});
