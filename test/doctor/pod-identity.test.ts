import { describe, expect, test } from 'vitest';
import type { PolicyDocument } from '../../lib/policy/index.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { policy, trust, trustPodIdentity } from './scenarios.ts';
import { ACCOUNT, HEALTHY, READER_ARN, ROLE, ROLE_ARN, TENANT_ROLE, TENANT_ROLE_ARN, World } from './world.ts';

isolateEnvironment();

const HUB = ['--cluster-name', 'hub'];

async function associate(world: World): Promise<void> {
  const account = ['--namespace', 'acme', '--service-account', 'dispatcher'];
  await world.aws('eks', 'create-pod-identity-association', ...HUB, ...account, '--role-arn', TENANT_ROLE_ARN);
}

/** Files of the whole account, but for the descriptions of associations. */
async function withoutAssociations(world: World): Promise<readonly string[]> {
  const files = await world.dump();
  const known = files.filter((file) => !/"associations?"/.test(world.contentOf(file)));
  return known.flatMap((file) => ['--from', file]);
}

async function trustOf(world: World, role: string): Promise<PolicyDocument> {
  const { Role: found } = await world.aws('iam', 'get-role', '--role-name', role);
  return JSON.parse(decodeURIComponent((found as Record<string, string>)['AssumeRolePolicyDocument'] ?? ''));
}

describe('session tags of EKS Pod Identity', () => {
  test('are not needed where the association does not bring them', async () => {
    const world = await World.start();
    await trustPodIdentity(world);
    await associate(world);
    await world.fix('PodIdentityNeedsTagSession');
    expect(await world.findings()).toEqual([]);
    expect((await world.report()).notChecked).toEqual([]);
  });

  test('come from the role before, too, where EKS goes on from one to the tenant role', async () => {
    const world = await World.start();
    const first = `arn:aws:iam::${ACCOUNT}:role/first`;
    const pods = { Effect: 'Allow', Principal: { Service: 'pods.eks.amazonaws.com' }, Action: 'sts:AssumeRole' };
    const words = ['--role-name', 'first', '--assume-role-policy-document', policy(pods)];
    await world.aws('iam', 'create-role', ...words);
    const Action = ['sts:AssumeRole', 'sts:TagSession'];
    await trust(world, TENANT_ROLE, policy({ Effect: 'Allow', Principal: { AWS: first }, Action }));
    const association = { associationId: 'a-1', roleArn: first, targetRoleArn: TENANT_ROLE_ARN };
    const file = world.write('association.json', { association });
    const associationArn = `arn:aws:eks:us-west-2:${ACCOUNT}:podidentityassociation/hub/a-1`;
    const associations = [{ clusterName: 'hub', associationArn, associationId: 'a-1' }];
    const list = world.write('associations.json', { associations });
    const from = [...(await withoutAssociations(world)), '--from', list, '--from', file];
    const [finding, ...others] = await world.findings(...from);
    expect([finding?.code, others]).toEqual(['PodIdentityNeedsTagSession', []]);
    expect(finding?.fix.commands).toEqual([
      'aws eks update-pod-identity-association --cluster-name hub --association-id a-1 --disable-session-tags --region us-west-2',
    ]);
  });

  test('must be allowed where nothing is known of associations and there is no other way in', async () => {
    const world = await World.start(HEALTHY.replace(/ +chainTo:.*\n/, ''));
    await trustPodIdentity(world);
    await associate(world);
    const { findings, notChecked } = await world.report(...(await withoutAssociations(world)));
    expect(findings.map(({ code }) => code)).toEqual(['PodIdentityNeedsTagSession', 'NamesFree']);
    expect(notChecked.map(({ check, missing }) => [check, missing])).toEqual([
      ['whether session tags are allowed', expect.stringMatching(/^the Pod Identity associations of hub are in none/)],
    ]);
    const [{ fix } = { fix: undefined }] = findings;
    expect(fix?.statements.map(({ policy, statement }) => [policy, statement.Sid])).toEqual([
      [`the trust policy of ${ROLE_ARN}`, 'TagAgentSession'],
    ]);
    if (fix !== undefined) await world.apply(fix);
    // The trust policy is not the configuration's then, and all the same it is right.
    expect(await world.findings(...(await withoutAssociations(world)))).toEqual([]);
    expect((await trustOf(world, ROLE)).Statement.map(({ Sid }) => Sid)).toContain('TagAgentSession');
  });

  test('pass on to the roles of chainTo, which have to allow them, too', async () => {
    const world = await World.start();
    await trustPodIdentity(world);
    await associate(world);
    const [{ fix } = { fix: undefined }] = await world.findings(...(await withoutAssociations(world)));
    if (fix !== undefined) await world.apply(fix);

    const [finding, ...others] = await world.findings();
    expect([finding?.code, others]).toEqual(['ChainRoleRefuses', []]);
    expect(finding?.evidence).toMatch(new RegExp(`^the role ${READER_ARN} of chainTo refuses sessions sts:TagSession`));
    if (finding !== undefined) await world.apply(finding.fix);
    expect(await world.findings()).toEqual([]);
  });

  test('leave conditions on tags open while nothing is known of associations', async () => {
    const world = await World.start();
    const web = { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: ['sts:AssumeRole', 'sts:TagSession'] };
    await trust(world, TENANT_ROLE, policy(web));
    const edge = await world.createPolicy(
      'edge',
      { Effect: 'Allow', Action: '*', Resource: '*' },
      {
        Sid: 'NotFromHub',
        Effect: 'Deny',
        Action: 'sts:AssumeRole',
        Resource: '*',
        Condition: { StringEquals: { 'aws:PrincipalTag/eks-cluster-name': 'hub' } },
      },
    );
    const bound = ['--role-name', TENANT_ROLE, '--permissions-boundary', edge];
    await world.aws('iam', 'put-role-permissions-boundary', ...bound);

    // Whoever has no such tag, the denial is not about; and here nobody has one.
    expect((await world.report()).notChecked).toEqual([]);
    const { findings, notChecked } = await world.report(...(await withoutAssociations(world)));
    expect(findings.map(({ code }) => code)).toEqual(['NamesFree']);
    expect(notChecked.map(({ check, missing }) => [check, missing])).toEqual([
      ['whether session tags are allowed', expect.stringMatching(/^the Pod Identity associations of hub are in none/)],
      [
        'whether the boundary of the tenant role allows the hop',
        'NotFromHub of edge tests aws:PrincipalTag/eks-cluster-name, which only a real request has',
      ],
    ]);
  });
});
