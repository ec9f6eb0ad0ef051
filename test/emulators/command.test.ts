import { expect, onTestFinished, test } from 'vitest';
import { firstLine, startCommand } from '../support/session-broker.ts';
import { aws, hasPythonTools, printed } from './python-tools.ts';

const ROLE = 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session';
const assumeRole = ['sts', 'assume-role', '--role-arn', ROLE, '--role-session-name', 'from-the-cli'];

test.skipIf(!hasPythonTools)(
  'the AWS CLI, pointed at session-broker local by what it prints, gets the role with a name and not without',
  async () => {
    const child = startCommand(['local', '--json']);
    onTestFinished(() => void child.kill());
    const { tenants } = JSON.parse(await firstLine(child)) as {
      readonly tenants: readonly { readonly tenant: string; readonly environment: Record<string, string> }[];
    };
    const environment = tenants.find(({ tenant }) => tenant === 'acme')?.environment ?? {};

    const session = printed(await aws(environment, ...assumeRole, '--source-identity', 'agent.acme.s1'));
    expect(session).toMatchObject({ SourceIdentity: 'agent.acme.s1' });
    const { exitCode, stderr } = await aws(environment, ...assumeRole);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('An error occurred (AccessDenied) when calling the AssumeRole operation');
  },
);
