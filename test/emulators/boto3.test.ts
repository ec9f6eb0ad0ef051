import { describe, expect, test } from 'vitest';
import { credentialsEnvironment } from '../../lib/local/client-environment.ts';
import { startFixture } from '../local/fixture.ts';
import { commandLine } from '../support/session-broker.ts';
import { startAgent } from './agent.ts';
import { clientOf, DELIVERIES, expectSessionAlone, SESSION, SESSION_ARN, TIMES } from './deliveries.ts';
import { AGENT_PROFILE, createHostilePod, type HostilePod, SEALED_PROFILE } from './hostile-pod.ts';
import { hasPythonTools, PYTHON } from './python-tools.ts';

const client = clientOf(PYTHON, 'boto3_agent.py');

describe.skipIf(!hasPythonTools)('boto3', { timeout: 120_000 }, () => {
  test.each(DELIVERIES)(
    `is the session and nobody else by %s, after ${TIMES.join(', ')} minutes`,
    async (_, deliver) => {
      await expectSessionAlone(client, deliver);
    },
  );

  test('is the session where its dispatcher has static keys in its environment', async () => {
    const account = await startFixture();
    const { environment } = createHostilePod(account, SESSION);
    const dispatcher = { ...environment, ...credentialsEnvironment(account.dispatcherCredentials('hub', 'acme')) };

    const agent = startAgent(commandLine(['exec', '--session', SESSION, '--', ...client()]), dispatcher);

    expect(await agent.ask('caller')).toBe(SESSION_ARN);
  });

  test("is the tenant role by AWS_PROFILE beside a web identity, and the session where that is the process's alone", async () => {
    const pod = createHostilePod(await startFixture(), SESSION);
    const callerBy = (environment: HostilePod['environment'], profile: string) =>
      // The second is the one that botocore takes first.
      startAgent(client(), { ...environment, AWS_PROFILE: profile, AWS_DEFAULT_PROFILE: profile }).ask('caller');

    expect(await callerBy(pod.environment, AGENT_PROFILE)).toContain(':assumed-role/hub-acme-tenant/');
    expect(await callerBy(pod.sealed, SEALED_PROFILE)).toBe(SESSION_ARN);
  });

  test('is the tenant role in the same pod without session-broker', async () => {
    const { environment } = createHostilePod(await startFixture(), SESSION);

    const agent = startAgent(client(), { ...environment, AWS_DEFAULT_REGION: 'us-west-2' });

    expect(await agent.ask('caller')).toContain(':assumed-role/hub-acme-tenant/');
  });
});
