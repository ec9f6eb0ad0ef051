import { describe, expect, test } from 'vitest';
import { startFixture } from '../local/fixture.ts';
import { startAgent } from './agent.ts';
import { clientOf, DELIVERIES, expectSessionAlone, SESSION, TIMES } from './deliveries.ts';
import { AGENT_PROFILE, createHostilePod, SEALED_PROFILE } from './hostile-pod.ts';

const client = clientOf(process.execPath, 'javascript_agent.mjs');

describe('the AWS SDK for JavaScript', { timeout: 120_000 }, () => {
  test.each(DELIVERIES)(
    `is the session and nobody else by %s, after ${TIMES.join(', ')} minutes`,
    async (_, deliver) => {
      await expectSessionAlone(client, deliver);
    },
  );

  test("goes on to a web identity beside a credential_process that fails, and fails where that is the process's alone", async () => {
    const pod = createHostilePod(await startFixture(), 'not.a.session.id');

    const beside = startAgent(client(AGENT_PROFILE), pod.environment);
    expect(await beside.ask('caller')).toContain(':assumed-role/hub-acme-tenant/');

    const alone = startAgent(client(SEALED_PROFILE), { ...pod.sealed, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '' });
    expect(await alone.ask('caller')).toMatch(/^CredentialsProviderError: /);
  });

  test('takes the keys of the default profile in the same pod without session-broker', async () => {
    const { environment } = createHostilePod(await startFixture(), SESSION);

    const agent = startAgent(client(), { ...environment, AWS_DEFAULT_REGION: 'us-west-2' });

    expect(await agent.ask('caller')).toMatch(/^InvalidClientTokenId/);
  });
});
