import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, test, vi } from 'vitest';
import { FROM_COMMANDS } from '../../lib/doctor/cli-output.ts';
import { FINDINGS } from '../../lib/doctor/findings.ts';
import type { Statement } from '../../lib/policy/index.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { callerPolicy, saveCallerPolicy, trustPodIdentity } from './scenarios.ts';
import { ACCOUNT, REGION, TENANT_ROLE_ARN, World } from './world.ts';

isolateEnvironment();

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'doctor.md'), 'utf8');

test('docs/doctor.md has every finding, as the code has it', () => {
  const rows = [...page.matchAll(/^\| `([A-Z]\w+)` \| (.*?) \| (.*) \|$/gm)].map(([, ...cells]) => cells);
  const findings = Object.entries(FINDINGS).map(([code, { severities, says }]) => [
    code,
    severities.join(' or '),
    says,
  ]);
  expect(rows).toEqual(findings);
});

test('docs/doctor.md names every command whose output --from takes', () => {
  for (const command of FROM_COMMANDS) {
    const [, , operation = ''] = command.split(' ');
    expect(page).toMatch(new RegExp(`\\b${operation}\\b`));
  }
});

describe('the policy of docs/doctor.md', () => {
  const [, json = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  const { Statement: statements } = JSON.parse(json) as { readonly Statement: readonly Statement[] };
  const actions = statements.flatMap(({ Action }) => Action as string | readonly string[]);

  /** A world in which doctor has something of everything to ask. */
  async function fullWorld(): Promise<World> {
    const world = await World.start();
    await trustPodIdentity(world);
    const association = ['--cluster-name', 'hub', '--namespace', 'acme', '--service-account', 'dispatcher'];
    await world.aws('eks', 'create-pod-identity-association', ...association, '--role-arn', TENANT_ROLE_ARN);
    await saveCallerPolicy(world, callerPolicy(['sts:AssumeRole', 'sts:SetSourceIdentity']));
    return world;
  }

  /** Makes whoever runs doctor a role with this policy alone. */
  async function become(world: World, policy: readonly Statement[]): Promise<void> {
    vi.stubEnv('AWS_SESSION_TOKEN', undefined);
    for (const [name, value] of Object.entries(world.account.administratorEnvironment(ACCOUNT)))
      vi.stubEnv(name, value);
    const document = JSON.stringify({ Version: '2012-10-17', Statement: policy });
    const named = ['--role-name', 'auditor'];
    await world.aws('iam', 'put-role-policy', ...named, '--policy-name', 'doctor', '--policy-document', document);
    const sts = new STSClient({ region: REGION });
    const { Credentials: credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/auditor`, RoleSessionName: 'auditor' }),
    );
    sts.destroy();
    vi.stubEnv('AWS_ACCESS_KEY_ID', credentials?.AccessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials?.SecretAccessKey);
    vi.stubEnv('AWS_SESSION_TOKEN', credentials?.SessionToken);
  }

  async function auditedWorld(): Promise<World> {
    const world = await fullWorld();
    const Principal = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] };
    const words = ['--role-name', 'auditor', '--assume-role-policy-document', JSON.stringify(trust)];
    await world.aws('iam', 'create-role', ...words);
    return world;
  }

  test('is enough: nothing is denied, and everything is checked', async () => {
    const world = await auditedWorld();
    const asAdministrator = await world.report();
    await become(world, statements);
    const calls = world.account.events().length;
    const report = await world.report();

    expect(report).toEqual({ ...asAdministrator });
    expect(report.notChecked).toEqual([]);
    expect(report.findings.map(({ code }) => code)).toEqual([
      'PodIdentityNeedsTagSession',
      'CallerPolicyDrifted',
      'NamesFree',
    ]);
    const made = world.account.events().slice(calls);
    expect(made.every(({ readOnly }) => readOnly)).toBe(true);
    const asked = made.map(({ eventSource, eventName }) => `${eventSource.split('.')[0]}:${eventName}`);
    expect([...new Set(asked)].sort()).toEqual([...actions, 'sts:GetCallerIdentity'].sort());
  });

  test('is needed: without any one action, that is said, and what it was for is not checked', async () => {
    const world = await auditedWorld();
    for (const action of actions) {
      const rest = statements.flatMap((statement) => {
        const left = [statement.Action ?? []].flat().filter((other) => other !== action);
        return left.length === 0 ? [] : [{ ...statement, Action: left }];
      });
      await become(world, rest);
      const { exitCode, stdout } = await world.doctor('--json');
      const { findings, notChecked } = JSON.parse(stdout) as Awaited<ReturnType<World['report']>>;
      const denied = findings.filter(({ code }) => code === 'ReadFailed');

      expect(
        denied.map(({ severity, evidence }) => [severity, evidence.split(' ')[0]]),
        action,
      ).toEqual([['warning', action]]);
      expect(denied[0]?.fix.statements[0]?.statement).toEqual({ Effect: 'Allow', Action: action, Resource: '*' });
      expect(notChecked.map(({ missing }) => missing).join(), action).toContain(`${action} on `);
      expect([1, 6]).toContain(exitCode);
    }
  });
});
