import { describe, expect, test } from 'vitest';
import type { LocalAccount } from '../../lib/local/index.ts';
import { ACCOUNT, ACME_PARAMETER, ACME_ROLE, ACME_TENANT_ROLE, DATA_ROLE, startFixture } from '../local/fixture.ts';
import { environmentsOf, onHostileMachine } from '../local/hostile-machine.ts';
import { aws, boto3, environmentOf, hasPythonTools, printed } from './python-tools.ts';

const SESSION = 'agent.acme.s1';
const DISPATCHER = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/dispatcher`;
const AGENT = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/${SESSION}`;
const denied = (caller: string, action: string, roleArn: string) =>
  `User: ${caller} is not authorized to perform: ${action} on resource: ${roleArn}`;

const assumeRole = (roleArn: string, ...more: string[]) => [
  'sts',
  'assume-role',
  '--role-arn',
  roleArn,
  '--role-session-name',
  SESSION,
  ...more,
];

function podEnvironment(account: LocalAccount): Readonly<Record<string, string>> {
  return environmentsOf(account)['web identity'] ?? {};
}

describe.skipIf(!hasPythonTools)('the AWS CLI', () => {
  test('assumes the role with the right source identity, and goes on under it', async () => {
    const account = await startFixture();
    const environment = account.dispatcherEnvironment('hub', 'acme');

    const session = printed(await aws(environment, ...assumeRole(ACME_ROLE, '--source-identity', SESSION)));
    expect(session).toMatchObject({ SourceIdentity: SESSION, AssumedRoleUser: { Arn: AGENT } });

    const chained = environmentOf(environment, session['Credentials']);
    const next = printed(await aws(chained, ...assumeRole(DATA_ROLE)));
    expect(next).toMatchObject({ SourceIdentity: SESSION });
    const changed = await aws(chained, ...assumeRole(DATA_ROLE, '--source-identity', 'agent.acme.s2'));
    expect(changed.exitCode).not.toBe(0);
    expect(changed.stderr).toContain(
      `An error occurred (AccessDenied) when calling the AssumeRole operation: ${denied(AGENT, 'sts:SetSourceIdentity', DATA_ROLE)}`,
    );
  });

  test.each([
    ['without a source identity', []],
    ["with another tenant's", ['--source-identity', 'agent.globex.s1']],
    ['with a prefix sibling', ['--source-identity', 'agent.acme-2.s1']],
  ])('fails to assume the role %s', async (_, parameters) => {
    const account = await startFixture();

    const answer = await aws(account.dispatcherEnvironment('hub', 'acme'), ...assumeRole(ACME_ROLE, ...parameters));

    expect(answer.exitCode).not.toBe(0);
    expect(answer.stderr).toContain(
      `An error occurred (AccessDenied) when calling the AssumeRole operation: ${denied(DISPATCHER, 'sts:AssumeRole', ACME_ROLE)}`,
    );
  });

  test('gets the tenant role by the web identity of its pod', async () => {
    const account = await startFixture();
    const environment = podEnvironment(account);

    expect(printed(await aws(environment, 'sts', 'get-caller-identity'))).toMatchObject({
      Account: ACCOUNT,
      Arn: expect.stringMatching(new RegExp(`^arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-tenant/`)),
    });
    const session = printed(await aws(environment, ...assumeRole(ACME_ROLE, '--source-identity', SESSION)));
    expect(session).toMatchObject({ SourceIdentity: SESSION });
  });

  test('reads the parameter and the role', async () => {
    const account = await startFixture();

    const parameter = await aws(
      account.dispatcherEnvironment('hub', 'acme'),
      ...['ssm', 'get-parameter', '--name', ACME_PARAMETER],
    );
    expect(printed(parameter)).toMatchObject({ Parameter: { Value: ACME_ROLE, Version: 1 } });

    const administrator = account.administratorEnvironment(ACCOUNT);
    const role = await aws(administrator, 'iam', 'get-role', '--role-name', 'hub-acme-session');
    expect(printed(role)).toMatchObject({
      Role: {
        Arn: ACME_ROLE,
        AssumeRolePolicyDocument: {
          Statement: [
            { Sid: 'AssumeAsAgent', Principal: { AWS: ACME_TENANT_ROLE } },
            { Sid: 'SetAgentIdentity', Principal: { AWS: ACME_TENANT_ROLE } },
          ],
        },
      },
    });
  });

  test.each(['dispatcher', 'web identity', 'administrator'])(
    'finds the account on a machine that is set up for another: %s',
    async (kind) => {
      const account = await startFixture();
      const environment = onHostileMachine(environmentsOf(account)[kind] ?? {});

      expect(printed(await aws(environment, 'sts', 'get-caller-identity'))).toMatchObject({ Account: ACCOUNT });
      expect(printed(await aws(environment, 'ssm', 'get-parameter', '--name', ACME_PARAMETER))).toMatchObject({
        Parameter: { Value: ACME_ROLE },
      });
    },
  );

  test('is told what is not modelled, in one attempt', async () => {
    const account = await startFixture();

    const answer = await aws(account.administratorEnvironment(ACCOUNT), 'dynamodb', 'list-tables');

    expect(answer.stderr).toContain(
      'An error occurred (NotModelled) when calling the ListTables operation: the strict local account does not model the service dynamodb; see docs/local-account.md',
    );
    expect(account.events().filter(({ eventName }) => eventName === 'ListTables')).toHaveLength(1);
  });
});

describe.skipIf(!hasPythonTools)('boto3', () => {
  const call = (roleArn: string, more: Record<string, unknown> = {}) => ({
    service: 'sts',
    operation: 'assume_role',
    parameters: { RoleArn: roleArn, RoleSessionName: SESSION, ...more },
  });

  test('assumes the role with the right source identity alone', async () => {
    const account = await startFixture();

    const [right, without, long] = await boto3(account.dispatcherEnvironment('hub', 'acme'), [
      call(ACME_ROLE, { SourceIdentity: SESSION }),
      call(ACME_ROLE),
      call(ACME_ROLE, { SourceIdentity: SESSION, DurationSeconds: 3601 }),
    ]);

    expect(right?.answer).toMatchObject({ SourceIdentity: SESSION, AssumedRoleUser: { Arn: AGENT } });
    expect(without?.error).toEqual({
      code: 'AccessDenied',
      message: denied(DISPATCHER, 'sts:AssumeRole', ACME_ROLE),
      status: 403,
    });
    expect(long?.error).toEqual({
      code: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
      status: 400,
    });
  });

  test('goes on under the same identity', async () => {
    const account = await startFixture();
    const environment = account.dispatcherEnvironment('hub', 'acme');
    const [session] = await boto3(environment, [call(ACME_ROLE, { SourceIdentity: SESSION })]);

    const [next, changed, unlisted] = await boto3(environmentOf(environment, session?.answer?.['Credentials']), [
      call(DATA_ROLE),
      call(DATA_ROLE, { SourceIdentity: 'agent.acme.s2' }),
      call(ACME_TENANT_ROLE),
    ]);

    expect(next?.answer).toMatchObject({ SourceIdentity: SESSION });
    expect(changed?.error?.message).toBe(denied(AGENT, 'sts:SetSourceIdentity', DATA_ROLE));
    expect(unlisted?.error?.message).toBe(
      `${denied(AGENT, 'sts:AssumeRole', ACME_TENANT_ROLE)} with an explicit deny in an identity-based policy`,
    );
  });

  test('gets the tenant role by the web identity of its pod, and reads the parameter', async () => {
    const account = await startFixture();

    const [caller, parameter, page] = await boto3(podEnvironment(account), [
      { service: 'sts', operation: 'get_caller_identity' },
      { service: 'ssm', operation: 'get_parameter', parameters: { Name: ACME_PARAMETER } },
      { service: 'ssm', operation: 'get_parameters_by_path', parameters: { Path: '/' } },
    ]);

    expect(caller?.answer).toMatchObject({ Account: ACCOUNT });
    expect(parameter?.answer).toMatchObject({ Parameter: { Value: ACME_ROLE } });
    expect(page?.error).toMatchObject({ code: 'AccessDeniedException', status: 400 });
  });

  test('manages roles', async () => {
    const account = await startFixture();
    const trust = {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: ACME_ROLE }, Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'] },
      ],
    };
    const iam = (operation: string, parameters: Record<string, unknown>) => ({ service: 'iam', operation, parameters });

    const [created, roles, absent, deleted] = await boto3(account.administratorEnvironment(ACCOUNT), [
      iam('create_role', {
        RoleName: 'new',
        AssumeRolePolicyDocument: JSON.stringify(trust),
        Tags: [{ Key: 'a', Value: 'b' }],
      }),
      iam('list_roles', { PathPrefix: '/session-broker/' }),
      iam('create_role', {
        RoleName: 'other',
        AssumeRolePolicyDocument: JSON.stringify(trust).replace('hub-acme', 'hub-absent'),
      }),
      iam('delete_role', { RoleName: 'new' }),
    ]);

    expect(created?.answer).toMatchObject({
      Role: { RoleName: 'new', AssumeRolePolicyDocument: trust, Tags: [{ Key: 'a', Value: 'b' }] },
    });
    expect(roles?.answer?.['Roles']).toHaveLength(2);
    expect(absent?.error).toEqual({
      code: 'MalformedPolicyDocument',
      message: `Invalid principal in policy: "AWS":"${ACME_ROLE.replace('hub-acme', 'hub-absent')}"`,
      status: 400,
    });
    expect(deleted?.answer).toEqual({});
  });
});
