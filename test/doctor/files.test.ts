import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { readServiceControl } from '../../lib/doctor/service-control.ts';
import { temporaryFolder, writeAssembly } from '../local/fixture.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { refusalOf } from '../support/refusal.ts';
import { synthesize } from '../support/synthesize.ts';
import { ACCOUNT, CALLER_POLICY_ARN, HEALTHY, ROLE_ARN, TENANT_ROLE, World } from './world.ts';

isolateEnvironment();

function assemblyOf(yaml: string): string {
  return writeAssembly(Object.fromEntries(synthesize(parseConfig(yaml, 'tenants.yaml'))) as never);
}

describe('a cloud assembly alone', () => {
  test('is as the configuration says, and what else is needed is said', async () => {
    const world = await World.start();
    const { findings, notChecked } = await world.report('--from', assemblyOf(HEALTHY));
    expect(findings.map(({ code }) => code)).toEqual(['NamesFree']);
    expect(new Set(notChecked.map(({ check }) => check))).toEqual(
      new Set([
        'whether the Region is enabled',
        'whether the tenant role exists',
        'whether session tags are allowed',
        'whether the boundary of the tenant role allows the hop',
        'whether the policies of the tenant role deny the hop',
        "the caller's policy",
        'what the tenant role can do beyond the hop',
        'the quotas of the tenant role',
        'whether the identity can be lost',
        'the EKS cluster',
        'the access entry',
        'the roles of chainTo',
        'the quotas of the role',
        'whether it is deployed',
        `roles of tenants that left the configuration, in account ${ACCOUNT}`,
        `the quotas of account ${ACCOUNT}`,
      ]),
    );
    for (const { missing } of notChecked) expect(missing).toMatch(/in none of --from; add /);
  });

  test('says nothing of what exists only under a condition', async () => {
    const world = await World.start();
    const templates = structuredClone(synthesize(parseConfig(HEALTHY, 'tenants.yaml')));
    for (const { Resources } of [...templates.values()] as { Resources: Record<string, Record<string, unknown>> }[]) {
      for (const resource of Object.values(Resources)) resource['Condition'] = 'Sometimes';
    }
    const { findings, notChecked } = await world.report(
      '--from',
      writeAssembly(Object.fromEntries(templates) as never),
    );
    expect(findings.map(({ code }) => code)).toEqual(['NamesFree']);
    for (const check of ['the trust policy', 'the parameters']) {
      expect(notChecked.map((entry) => entry.check)).toContain(check);
    }
  });

  test('is judged by the configuration that is given, not by the one that it was made from', async () => {
    const world = await World.start();
    world.configure('clusters.hub.tenants.acme.models', []);
    const findings = await world.findings('--from', assemblyOf(HEALTHY));
    expect(findings.map(({ code, evidence }) => [code, evidence.slice(0, 140)])).toEqual([
      [
        'PermissionsDrifted',
        expect.stringContaining('permissions of hub-acme-session is not as configured: it has a further statement'),
      ],
    ]);
  });
});

describe('a cloud assembly and an export of the account', () => {
  test('say before a deployment whether the hop will work', async () => {
    const yaml = HEALTHY.replace(/ {8}chainTo: .*\n/, '');
    const world = await World.start(yaml);
    await world.undeploy('SessionBroker-hub-acme');
    const words = ['--role-name', TENANT_ROLE, '--permissions-boundary'];
    const edge = await world.createPolicy('edge', { Effect: 'Allow', Action: 's3:*', Resource: '*' });
    await world.aws('iam', 'put-role-permissions-boundary', ...words, edge);
    const [details = ''] = await world.dump();

    expect((await world.findings('--from', details)).map(({ code }) => code)).toEqual(['NotDeployed']);
    const planned = await world.findings('--from', assemblyOf(yaml), '--from', details);
    expect(planned.map(({ code }) => code)).toEqual(['BoundaryOmitsHop']);
    await world.applyAll(planned);
    const [after = ''] = await world.dump();
    expect(await world.findings('--from', assemblyOf(yaml), '--from', after)).toEqual([]);
  });

  test('count in the order in which they are given', async () => {
    const world = await World.start();
    await world.aws('iam', 'detach-role-policy', '--role-name', TENANT_ROLE, '--policy-arn', CALLER_POLICY_ARN);
    const [details = ''] = await world.dump();
    const codes = async (...from: readonly string[]) =>
      (await world.findings(...from.flatMap((path) => ['--from', path]))).map(({ code }) => code);

    expect(await codes(details, assemblyOf(HEALTHY))).toEqual(['CallerPolicyNotAttached']);
    expect(await codes(assemblyOf(HEALTHY), details)).toEqual([]);
  });
});

describe('an export of a part of the account', () => {
  /** The export of a healthy account, with some of it changed. */
  async function exported(change: (details: Record<string, readonly { Arn: string }[]>) => object) {
    const world = await World.start();
    const [path = ''] = await world.dump();
    const details = JSON.parse(world.contentOf(path)) as Record<string, readonly { Arn: string }[]>;
    return world.report('--from', world.write('part.json', { ...details, ...change(details) }));
  }
  const withoutTenantRole = ({ RoleDetailList = [] }: Record<string, readonly { Arn: string }[]>) => ({
    RoleDetailList: RoleDetailList.filter(({ Arn }) => !Arn.endsWith(`/${TENANT_ROLE}`)),
  });

  test('says what is not there if it holds the whole account', async () => {
    const { findings } = await exported(withoutTenantRole);
    expect(findings.map(({ code }) => code)).toContain('TenantRoleMissing');
  });

  test.each([{ IsTruncated: true }, { NextToken: 'more' }, { Marker: 'more' }])(
    'says nothing of what it does not hold, if more of it was to come: %j',
    async (rest) => {
      const { findings, notChecked } = await exported((details) => ({ ...withoutTenantRole(details), ...rest }));
      expect(findings.map(({ code }) => code)).not.toContain('TenantRoleMissing');
      expect(notChecked.map(({ check }) => check)).toContain('whether the tenant role exists');
    },
  );

  test('says nothing of policies if it was asked for roles alone', async () => {
    const { findings, notChecked } = await exported(() => ({ Policies: [] }));
    expect(findings.map(({ code }) => code)).not.toContain('CallerPolicyMissing');
    expect(notChecked.map(({ check }) => check)).toContain("the caller's policy");
  });
});

describe('a tenant role in another account', () => {
  const OTHER = '444455556666';
  const CROSS = HEALTHY.replace(
    `tenantRole: arn:aws:iam::${ACCOUNT}:role/tenants/hub-acme-tenant`,
    `callerPolicy: external\n        tenantRole: arn:aws:iam::${OTHER}:role/tenants/hub-acme-tenant`,
  );

  /** The export of the other account, with these policies on the tenant role. */
  function theirs(...statements: readonly object[]) {
    return {
      UserDetailList: [],
      GroupDetailList: [],
      RoleDetailList: [
        {
          Path: '/tenants/',
          RoleName: TENANT_ROLE,
          RoleId: 'AROAFOREIGNTENANTROLE',
          Arn: `arn:aws:iam::${OTHER}:role/tenants/${TENANT_ROLE}`,
          CreateDate: '2026-03-01T12:00:00+00:00',
          AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] },
          RolePolicyList: [{ PolicyName: 'hop', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
          AttachedManagedPolicies: [],
          Tags: [],
        },
      ],
      Policies: [],
    };
  }

  test('cannot be read, which is said', async () => {
    const world = await World.start(CROSS);
    const { findings, notChecked } = await world.report();
    expect(findings.map(({ code }) => code)).toEqual(['NamesFree']);
    expect(new Set(notChecked.map(({ missing }) => missing))).toEqual(
      new Set([
        `the role ${TENANT_ROLE} is in account ${OTHER}, and the credentials are of ${ACCOUNT}; ask its owner for the output of aws iam get-account-authorization-details, and give that by --from`,
      ]),
    );
  });

  test.each([
    ['nothing', [], ['CallerLacksAssumeRole', 'CallerLacksSetSourceIdentity']],
    [
      'sts:SetSourceIdentity alone',
      [{ Effect: 'Allow', Action: 'sts:SetSourceIdentity', Resource: ROLE_ARN }],
      ['CallerLacksAssumeRole'],
    ],
    [
      'both actions',
      [{ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'], Resource: ROLE_ARN }],
      [],
    ],
  ] as const)("is judged by its owner's export: %s", async (_, statements, codes) => {
    const world = await World.start(CROSS);
    const none = { Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: 'arn:aws:s3:::none' };
    const other = world.write('other.json', theirs(...(statements.length === 0 ? [none] : statements)));
    const from = [...(await world.dump()), other].flatMap((path) => ['--from', path]);
    const findings = (await world.findings(...from)).filter(({ code }) => code !== 'TenantRoleDoesMore');

    expect(findings.map(({ code, severity }) => [code, severity])).toEqual(codes.map((code) => [code, 'error']));
    for (const { fix } of findings) {
      const document = {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'AssumeUnderAnIdentity',
            Effect: 'Allow',
            Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
            Resource: ROLE_ARN,
          },
        ],
      };
      expect(fix.commands).toEqual([
        `aws iam put-role-policy --role-name ${TENANT_ROLE} --policy-name hub-acme-caller --policy-document '${JSON.stringify(document)}'`,
      ]);
      const fixed = world.write('fixed.json', theirs(...document.Statement));
      const after = [...(await world.dump()), fixed].flatMap((path) => ['--from', path]);
      expect(await world.findings(...after)).toEqual([]);
    }
  });
});

describe('a Region that the account has not enabled', () => {
  test('is an error, until it is', async () => {
    const world = await World.start();
    const status = (value: string) => world.write('region.json', { RegionName: 'us-west-2', RegionOptStatus: value });
    const [details = ''] = await world.dump();
    const findings = await world.findings('--from', details, '--from', status('DISABLED'));
    expect(findings.map(({ code, severity, evidence, fix }) => [code, severity, evidence, fix.commands])).toEqual([
      [
        'RegionNotEnabled',
        'error',
        `us-west-2 is not enabled in account ${ACCOUNT}, so STS answers nobody there`,
        ['aws account enable-region --region-name us-west-2 --region us-east-1'],
      ],
    ]);
    expect(await world.findings('--from', details, '--from', status('ENABLED'))).toEqual([]);
  });
});

describe('service control policies', () => {
  const DENY = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: 's3:*', Resource: '*' }] };
  const ALLOW = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
  const read = (content: unknown) => readServiceControl('scp.json', () => JSON.stringify(content));

  test.each([
    ['a policy', ALLOW, ['scp.json']],
    ['denials alone, beside which AWS has its own', DENY, ['scp.json', 'FullAWSAccess']],
    ['a list', [DENY, ALLOW], ['scp.json, policy 1', 'scp.json, policy 2']],
    ['an answer of Organizations', { Policy: { PolicySummary: {}, Content: JSON.stringify(ALLOW) } }, ['scp.json']],
  ])('may be given as %s', (_, content, names) => {
    expect(read(content).map(({ name }) => name)).toEqual(names);
  });

  test('fail where they cannot be understood', () => {
    const refusal = refusalOf(() =>
      read({ ...ALLOW, Statement: [{ ...ALLOW.Statement[0], Condition: { Near: { a: 'b' } } }] }),
    );
    expect([refusal.code, refusal.message]).toEqual([
      'PolicyNotUnderstood',
      'scp.json, statement 1: condition operator "Near" is not known',
    ]);
  });
});

describe('a file of --from', () => {
  test.each([
    ['does not exist', undefined, 'must be a file that exists', 'correct the path'],
    ['is no JSON', '{', 'must be a file of JSON', /JSON/],
    [
      'is another JSON',
      '{"Users": []}',
      'must be a cloud assembly, or JSON that the AWS CLI printed',
      /get-account-authorization-details/,
    ],
    ['is JSON, and no object', '[]', 'must be a cloud assembly, or JSON that the AWS CLI printed', /of these commands/],
    [
      'is not whole',
      '{"RoleDetailList": {}}',
      'must be the whole output of aws iam get-account-authorization-details',
      'RoleDetailList is no list',
    ],
  ])('fails where it %s', async (_, content, rule, remedy) => {
    const world = await World.start();
    const path = content === undefined ? '/platform/absent.json' : world.write('file.json', content);
    const { exitCode, stderr, stdout } = await world.doctor('--from', path);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`error: --from ${rule}: ${JSON.stringify(path)}; `);
    expect(stderr).toMatch(remedy);
    expect(stderr).toContain('[InputUnreadable]');
  });

  test('fails where it is a folder without an assembly', async () => {
    const world = await World.start();
    const folder = temporaryFolder();
    const { exitCode, stderr } = await world.doctor('--from', folder);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`--from must be a file that can be read: ${JSON.stringify(folder)}; `);
  });

  test('that was filtered or cut does not say what is not there', async () => {
    const world = await World.start();
    await world.deletePolicy(CALLER_POLICY_ARN);
    const filtered = world.write('filtered.json', { RoleDetailList: [], Policies: [] });
    const cut = world.write('cut.json', { RoleDetailList: [], Policies: [], NextToken: 'more' });
    for (const path of [filtered, cut]) {
      const { findings, notChecked } = await world.report('--from', path);
      expect(findings.map(({ code }) => code)).toEqual(['NamesFree']);
      expect(notChecked.map(({ check }) => check)).toContain('whether it is deployed');
    }
  });
});
