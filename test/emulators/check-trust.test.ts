import { describe, expect, test } from 'vitest';
import { fakeProcess, runIn } from '../cli/fake-shell.ts';
import { ACCOUNT, ACME_ROLE, startFixture } from '../local/fixture.ts';
import { aws, hasPythonTools } from './python-tools.ts';

describe.skipIf(!hasPythonTools)('session-broker check-trust', () => {
  test('judges what the AWS CLI prints', async () => {
    const account = await startFixture();
    const command = 'aws iam get-role --role-name hub-acme-session | session-broker check-trust';
    const [getRole = '', checkTrust = ''] = command.split(' | ');

    const role = await aws(account.administratorEnvironment(ACCOUNT), ...getRole.split(' ').slice(1));
    const fake = fakeProcess({ readInput: async () => role.stdout });
    const judged = await runIn(fake, ...checkTrust.split(' ').slice(1), '--json');

    expect([judged.exitCode, judged.stderr]).toEqual([0, '']);
    expect(JSON.parse(judged.stdout)).toMatchObject({ role: ACME_ROLE, required: true, pinned: true });
  });
});
