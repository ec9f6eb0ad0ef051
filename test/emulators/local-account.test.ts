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

  test('changes a policy by a new version, and reads back all that the account has', async () => {
    const account = await startFixture();
    const environment = account.administratorEnvironment(ACCOUNT);
    const policy = `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`;
    const document = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 'sts:*', Resource: '*' }] };

    const version = await aws(
      environment,
      ...['iam', 'create-policy-version', '--policy-arn', policy, '--set-as-default'],
      ...['--policy-document', JSON.stringify(document)],
    );
    expect(printed(version)).toMatchObject({ PolicyVersion: { VersionId: 'v2', IsDefaultVersion: true } });
    const details = printed(await aws(environment, 'iam', 'get-account-authorization-details', '--page-size', '3'));
    expect(details['RoleDetailList']).toHaveLength(6);
    expect(details['Policies']).toContainEqual(
      expect.objectContaining({
        Arn: policy,
        DefaultVersionId: 'v2',
        PolicyVersionList: [
          expect.objectContaining({ VersionId: 'v2', IsDefaultVersion: true, Document: document }),
          expect.objectContaining({ VersionId: 'v1', IsDefaultVersion: false }),
        ],
      }),
    );
    const denied = await aws(account.dispatcherEnvironment('hub', 'acme'), ...assumeRole(ACME_ROLE));
    expect(denied.stderr).toContain(' with an explicit deny in an identity-based policy');
    const deletion = await aws(environment, 'iam', 'delete-policy', '--policy-arn', policy);
    expect(deletion.stderr).toContain(
      'An error occurred (DeleteConflict) when calling the DeletePolicy operation: Cannot delete a policy attached to entities.',
    );
  });

  test('writes a parameter, and reads what it was', async () => {
    const account = await startFixture();
    const environment = account.administratorEnvironment(ACCOUNT);
    const put = ['ssm', 'put-parameter', '--name', ACME_PARAMETER, '--value', DATA_ROLE, '--type', 'String'];

    expect((await aws(environment, ...put)).stderr).toContain('(ParameterAlreadyExists)');
    expect(printed(await aws(environment, ...put, '--overwrite'))).toEqual({ Version: 2, Tier: 'Standard' });
    const history = printed(await aws(environment, 'ssm', 'get-parameter-history', '--name', ACME_PARAMETER));
    expect(history['Parameters']).toMatchObject([
      { Version: 1, Value: ACME_ROLE },
      { Version: 2, Value: DATA_ROLE },
    ]);
  });

  test('describes the cluster and lets a role in', async () => {
    const account = await startFixture();
    const environment = account.administratorEnvironment(ACCOUNT);
    const principal = ['--cluster-name', 'hub', '--principal-arn', ACME_ROLE];

    expect(printed(await aws(environment, 'eks', 'describe-cluster', '--name', 'hub'))).toMatchObject({
      cluster: { name: 'hub', status: 'ACTIVE', accessConfig: { authenticationMode: 'API_AND_CONFIG_MAP' } },
    });
    expect((await aws(environment, 'eks', 'describe-access-entry', ...principal)).stderr).toContain(
      'An error occurred (ResourceNotFoundException) when calling the DescribeAccessEntry operation: The specified principalArn could not be found.',
    );
    await aws(environment, 'eks', 'create-access-entry', ...principal, '--kubernetes-groups', 'agents');
    expect(printed(await aws(environment, 'eks', 'describe-access-entry', ...principal))).toMatchObject({
      accessEntry: { principalArn: ACME_ROLE, kubernetesGroups: ['agents'] },
    });
    expect(printed(await aws(environment, 'eks', 'list-access-entries', '--cluster-name', 'hub'))).toEqual({
      accessEntries: [ACME_ROLE],
    });
    const mode = ['--name', 'hub', '--access-config', 'authenticationMode=API'];
    expect(printed(await aws(environment, 'eks', 'update-cluster-config', ...mode))).toMatchObject({
      update: { type: 'AccessConfigUpdate' },
    });
  });

  test('finds the hop in the event history', async () => {
    const account = await startFixture();
    await aws(account.dispatcherEnvironment('hub', 'acme'), ...assumeRole(ACME_ROLE, '--source-identity', SESSION));

    const found = printed(
      await aws(
        account.administratorEnvironment(ACCOUNT),
        ...['cloudtrail', 'lookup-events', '--max-items', '1'],
        ...['--lookup-attributes', `AttributeKey=ResourceName,AttributeValue=${ACME_ROLE}`],
      ),
    );

    const [event] = found['Events'] as readonly Record<string, string>[];
    expect(event).toMatchObject({ EventName: 'AssumeRole', ReadOnly: 'true', EventSource: 'sts.amazonaws.com' });
    expect(JSON.parse(event?.['CloudTrailEvent'] ?? '')).toMatchObject({
      requestParameters: { sourceIdentity: SESSION },
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

  test('reads and changes what a tenant is made of, in every protocol', async () => {
    const account = await startFixture();
    const calls = (service: string, operation: string, parameters: Record<string, unknown> = {}) => ({
      service,
      operation,
      parameters,
    });
    const RoleName = 'hub-acme-tenant';

    const answers = await boto3(account.administratorEnvironment(ACCOUNT), [
      calls('iam', 'get_account_summary'),
      calls('iam', 'tag_role', { RoleName, Tags: [{ Key: 'team', Value: 'identity' }] }),
      calls('iam', 'list_role_tags', { RoleName }),
      calls('iam', 'list_entities_for_policy', {
        PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`,
      }),
      calls('iam', 'put_role_permissions_boundary', {
        RoleName,
        PermissionsBoundary: `arn:aws:iam::${ACCOUNT}:policy/absent`,
      }),
      calls('ssm', 'put_parameter', { Name: '/team/new', Value: 'one', Type: 'String' }),
      calls('eks', 'describe_cluster', { name: 'absent' }),
      calls('eks', 'create_access_entry', { clusterName: 'hub', principalArn: DATA_ROLE }),
      calls('cloudtrail', 'lookup_events', {
        LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'PutParameter' }],
        MaxResults: 10,
      }),
    ]);

    expect(answers.map(({ answer, error }) => answer ?? error)).toMatchObject([
      { SummaryMap: { Roles: 6, RolesQuota: 1000, VersionsPerPolicyQuota: 5 } },
      {},
      { Tags: [{ Key: 'team', Value: 'identity' }], IsTruncated: false },
      { PolicyRoles: [{ RoleName }], PolicyUsers: [], PolicyGroups: [] },
      { code: 'NoSuchEntity', status: 404 },
      { Version: 1, Tier: 'Standard' },
      { code: 'ResourceNotFoundException', message: 'No cluster found for name: absent.', status: 404 },
      { accessEntry: { principalArn: DATA_ROLE, type: 'STANDARD' } },
      { Events: [{ EventName: 'PutParameter', Username: 'administrator', ReadOnly: 'false' }] },
    ]);
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
