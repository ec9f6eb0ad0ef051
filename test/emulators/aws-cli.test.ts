import { describe, expect, test } from 'vitest';
import { startFixture } from '../local/fixture.ts';
import { startAgent } from './agent.ts';
import { clientOf, DELIVERIES, expectSessionAlone, SESSION, TIMES } from './deliveries.ts';
import { createHostilePod } from './hostile-pod.ts';
import { hasPythonTools, PYTHON } from './python-tools.ts';

const client = clientOf(PYTHON, 'aws_cli_agent.py', ['--profile']);

describe.skipIf(!hasPythonTools)('the AWS CLI', { timeout: 120_000 }, () => {
  test.each(DELIVERIES)(
    `is the session and nobody else by %s, after ${TIMES.join(', ')} minutes`,
    async (_, deliver) => {
      await expectSessionAlone(client, deliver);
    },
  );

  test('is the tenant role in the same pod without session-broker', async () => {
    const { environment } = createHostilePod(await startFixture(), SESSION);

    const agent = startAgent(client(), { ...environment, AWS_DEFAULT_REGION: 'us-west-2' });

    expect(await agent.ask('caller')).toContain(':assumed-role/hub-acme-tenant/');
  });
});
