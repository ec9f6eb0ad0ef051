import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { LocalAccount } from '../../lib/local/index.ts';
import { policyDocument, type Statement } from '../../lib/policy/index.ts';
import { ACCOUNT, ACME_ROLE, ACME_TENANT_ROLE, startFixture, temporaryFolder } from '../local/fixture.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { fakeProcess, type Run, run, runIn } from './fake-shell.ts';

const A = `arn:aws:iam::${ACCOUNT}:role/a`;
const STRICT: Statement = {
  Sid: 'Strict',
  Effect: 'Allow',
  Principal: { AWS: A },
  Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
  Condition: { StringLike: { 'sts:SourceIdentity': 'agent.acme.*' } },
};
const LOOSE: Statement = {
  Sid: 'Loose',
  Effect: 'Allow',
  Principal: { AWS: A },
  Action: 'sts:AssumeRole',
  Condition: { StringEquals: { 'sts:ExternalId': 'x-1' } },
};

/** The path of a file with this text, or with a trust policy of these statements. */
function fileOf(...content: readonly Statement[] | readonly [string]): string {
  const path = join(temporaryFolder(), 'trust.json');
  const [first] = content;
  writeFileSync(
    path,
    typeof first === 'string' ? first : JSON.stringify(policyDocument(content as readonly Statement[])),
  );
  return path;
}

function runOn(input: string, ...args: readonly string[]): Promise<Run> {
  return runIn(fakeProcess({ readInput: async () => input }), 'check-trust', ...args);
}

describe('session-broker check-trust', () => {
  test('finds a source identity required and pinned, and exits with 0', async () => {
    const path = fileOf(STRICT);
    expect(await run('check-trust', path)).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: `trust policy of ${path}
✓ a source identity is required and pinned on the only way in

AssumeRole by ${A}
  ✓ required: Strict needs sts:SourceIdentity like "agent.acme.*", the request has none
  ✓ pinned to "agent.acme.*"
`,
    });
  });

  test('shows the smallest request that gets in without one, and exits with 1', async () => {
    const path = fileOf(STRICT, LOOSE);
    expect(await run('check-trust', path)).toEqual({
      exitCode: 1,
      stderr: '',
      stdout: `trust policy of ${path}
✗ a source identity is not required

AssumeRole by ${A}
  ✗ not required: Loose admits it without a source identity
  ✓ pinned to "agent.acme.*"
  gets in: role ${A}, without a source identity, sts:ExternalId = "x-1"
`,
    });
  });

  test('shows the smallest request that gets in under a foreign one, and exits with 1', async () => {
    const present: Statement = { ...STRICT, Condition: { Null: { 'sts:SourceIdentity': 'false' } } };
    const { exitCode, stdout } = await run('check-trust', fileOf(present));
    expect(exitCode).toBe(1);
    expect(stdout.split('\n').slice(1)).toEqual([
      '✗ a source identity is required, but its value is not pinned',
      '',
      `AssumeRole by ${A}`,
      '  ✓ required',
      '  ✗ not pinned: Strict admits it as "anybody", a name that no pattern fixes',
      `  gets in: role ${A}, as "anybody"`,
      '',
    ]);
  });

  const user = `arn:aws:iam::${ACCOUNT}:user/alice`;
  const provider = `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.example.com`;
  const saml = `arn:aws:iam::${ACCOUNT}:saml-provider/sso`;
  const named = { Condition: { Null: { 'sts:SourceIdentity': 'false' } } };
  const inherited = { Condition: { Null: { 'aws:SourceIdentity': 'false' } } };
  const both = (action: string) => [action, 'sts:SetSourceIdentity'];
  const tagging = {
    Condition: {
      StringEquals: { 'aws:RequestTag/team': 'red' },
      'ForAnyValue:StringEquals': { 'sts:TransitiveTagKeys': 'team' },
    },
    Action: ['sts:AssumeRole', 'sts:TagSession'],
  };

  test.each<[string, Partial<Statement>, string]>([
    ['a user', { Principal: { AWS: user } }, `user ${user}, without a source identity`],
    [
      'a role session',
      { Principal: { AWS: `arn:aws:sts::${ACCOUNT}:assumed-role/a/night` }, Action: both('sts:AssumeRole'), ...named },
      `role ${A}, in a session named "night", as "anybody"`,
    ],
    [
      'a unique id',
      { Principal: { AWS: 'AROAEXAMPLEOFAROLE' } },
      'role arn:aws:iam::123456789012:role/any-role with the id AROAEXAMPLEOFAROLE, without a source identity',
    ],
    [
      'a service',
      { Principal: { Service: 'lambda.amazonaws.com' } },
      'the service lambda.amazonaws.com, without a source identity',
    ],
    [
      'a web identity',
      { Principal: { Federated: provider }, Action: both('sts:AssumeRoleWithWebIdentity'), ...named },
      `anybody whom ${provider} vouches for, as "anybody" by its token`,
    ],
    [
      'SAML',
      { Principal: { Federated: saml }, Action: both('sts:AssumeRoleWithSAML'), ...named },
      `anybody whom ${saml} vouches for, as "anybody" by its assertion`,
    ],
    [
      'a session that has a name already',
      { Action: both('sts:AssumeRole'), ...inherited },
      `role ${A}, whose session is "anybody" already`,
    ],
    [
      'session tags',
      tagging,
      `role ${A}, without a source identity, session tag "team" = "red", transitive session tag "team"`,
    ],
    [
      'a role session name',
      { Condition: { StringLike: { 'sts:RoleSessionName': 'nightly-?' } } },
      `role ${A}, without a source identity, role session name "nightly-x"`,
    ],
    [
      'several values of a key',
      {
        Principal: { Federated: provider },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          'ForAnyValue:StringEquals': { 'oidc.example.com:amr': 'mfa' },
          'ForAnyValue:StringLike': { 'oidc.example.com:amr': 'p*' },
        },
      },
      `anybody whom ${provider} vouches for, without a source identity, oidc.example.com:amr = "p", "mfa"`,
    ],
  ])('tells a request of %s', async (_, more, expected) => {
    const statement: Statement = { Effect: 'Allow', Principal: { AWS: A }, Action: 'sts:AssumeRole', ...more };
    const { stdout } = await run('check-trust', fileOf(statement));
    expect(stdout.match(/(?<=gets in: ).*/g)).toEqual([expected]);
  });

  test('says that nobody gets in, and why, and exits with 0', async () => {
    const half: Statement = { ...STRICT, Action: 'sts:AssumeRole' };
    const { exitCode, stdout } = await run('check-trust', fileOf(half));
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').slice(1)).toEqual([
      '✓ nobody can assume this role: no request meets its trust policy',
      '',
      `AssumeRole by ${A}`,
      '  - cannot get in: no statement of the trust policy allows sts:SetSourceIdentity: none is about this action',
      '',
    ]);
  });

  test('tells exceptions, names in any case, and where none can be set', async () => {
    const { stdout } = await run(
      'check-trust',
      fileOf(
        {
          ...STRICT,
          Condition: { ...STRICT.Condition, StringNotLike: { 'sts:SourceIdentity': 'agent.acme.*.*' } },
        },
        {
          ...STRICT,
          Sid: 'Case',
          Principal: { AWS: `${A}2` },
          Condition: { StringEqualsIgnoreCase: { 'sts:SourceIdentity': ['Night', 'Day'] } },
        },
        { ...LOOSE, Principal: { AWS: `${A}3` } },
      ),
    );
    expect(stdout.match(/✓ (?:pinned|none).*/g)).toEqual([
      '✓ pinned to "agent.acme.*", but not "agent.acme.*.*"',
      '✓ pinned to "Night" in any case or "Day" in any case',
      '✓ none can be set',
    ]);
  });

  test('prints the same as one JSON document', async () => {
    const { exitCode, stdout } = await run('check-trust', '--json', fileOf(STRICT, LOOSE));
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      role: null,
      required: false,
      pinned: true,
      ways: [{ principal: A, operation: 'AssumeRole', decidedBy: { index: 1, sid: 'Loose' } }],
      closed: [],
      witnesses: [{ kind: 'anonymous', attempt: { context: { 'sts:ExternalId': 'x-1' } } }],
    });
  });

  test('shows colour on a terminal alone', async () => {
    const path = fileOf(STRICT);
    const shown = await runIn(fakeProcess({ colour: true }), 'check-trust', path);
    expect(shown.stdout).toContain('\u001b[32m✓\u001b[39m');
    expect((await run('check-trust', path)).stdout).not.toContain('\u001b');
  });

  describe('takes what people have', () => {
    const policy = policyDocument([STRICT]);
    const answer = (document: unknown): string =>
      JSON.stringify({ Role: { Arn: ACME_ROLE, RoleName: 'x', AssumeRolePolicyDocument: document } });

    test.each([
      ['the policy', JSON.stringify(policy), 'standard input'],
      ['the policy with white space around it', `\n ${JSON.stringify(policy)}\n`, 'standard input'],
      ['the policy in percent-encoding', encodeURIComponent(JSON.stringify(policy)), 'standard input'],
      ['the policy of the older version', JSON.stringify({ ...policy, Version: '2008-10-17' }), 'standard input'],
      ['the answer of aws iam get-role', answer(policy), ACME_ROLE],
      ['the answer with the policy in percent-encoding', answer(encodeURIComponent(JSON.stringify(policy))), ACME_ROLE],
      ['the answer with the policy as text', answer(JSON.stringify(policy)), ACME_ROLE],
      ['the answer by --query Role', JSON.stringify(JSON.parse(answer(policy)).Role), ACME_ROLE],
    ])('%s', async (_, text, subject) => {
      const { exitCode, stdout, stderr } = await runOn(text, '-');
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(`trust policy of ${subject}\n✓`);
      expect((await runOn(text)).stdout).toBe(stdout);
    });
  });

  test.each<[string, string, string]>([
    ['is no JSON', 'Statement:', 'trust policy: it must be JSON: "Statement:"'],
    ['is empty', '', 'trust policy: it must be JSON: ""'],
    [
      'the evaluator does not understand',
      JSON.stringify(policyDocument([{ ...STRICT, Condition: { StringMatches: { 'sts:SourceIdentity': 'x' } } }])),
      'trust policy, Strict: condition operator "StringMatches" is not known',
    ],
    [
      'has a key twice',
      JSON.stringify(policyDocument([STRICT])).replace('"Sid"', '"Sid":"Other","Sid"'),
      'trust policy: a key must stand once in an object: "Sid" stands twice',
    ],
    [
      'is a policy of permissions',
      JSON.stringify(policyDocument([{ Effect: 'Allow', Action: '*', Resource: '*' }])),
      'trust policy, statement 1: trust policy must have Principal or NotPrincipal in each statement',
    ],
  ])('fails with exit code 2 for what %s', async (_, text, message) => {
    expect(await runOn(text, '-', '--json')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: ${message} [PolicyNotUnderstood]\n`,
    });
  });

  test.each([['nowhere.json'], ['/']])('fails for a file that cannot be read: %s', async (path) => {
    expect(await run('check-trust', path)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: trust policy file must be readable: "${path}" is not; correct the path, or send the policy to standard input [PolicyUnreadable]\n`,
    });
  });

  test.each<[readonly string[], string]>([
    [['a.json', 'b.json'], "unexpected argument 'b.json'; see session-broker check-trust --help"],
    [['a.json', '--role', 'x'], 'a file and --role cannot be judged at once; see session-broker check-trust --help'],
    [['a.json', '--profile', 'x'], '--profile and --region are for --role; see session-broker check-trust --help'],
    [['--region', 'us-west-2'], '--profile and --region are for --role; see session-broker check-trust --help'],
    [['--jsn', '-'], "unknown option '--jsn', the nearest is --json; see session-broker check-trust --help"],
  ])('fails for arguments that it does not take: %j', async (args, message) => {
    expect(await run('check-trust', ...args)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: ${message} [UsageInvalid]\n`,
    });
  });

  test('fails at a terminal where nothing is given', async () => {
    const terminal = fakeProcess({ isTerminal: () => true });
    expect(await runIn(terminal, 'check-trust')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'error: trust policy must be given: name a file or a role (--role), or send it to standard input; see session-broker check-trust --help [UsageInvalid]\n',
    });
  });
});

test('docs/check-trust.md shows a policy and what it comes to', async () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'check-trust.md'), 'utf8');
  const principal = { AWS: `arn:aws:iam::${ACCOUNT}:role/tenant` };
  const text = JSON.stringify(
    policyDocument([
      { ...LOOSE, Sid: 'Legacy', Principal: principal },
      { ...STRICT, Principal: principal },
    ]),
  );
  const fake = fakeProcess({ readFile: (path) => (path === 'trust.json' ? text : undefined) });
  const [, ...args] = 'session-broker check-trust trust.json'.split(' ');
  expect(page).toContain(`\`\`\`\n${(await runIn(fake, ...args)).stdout}\`\`\`\n`);
});

describe('session-broker check-trust --role', () => {
  isolateEnvironment();
  let local: LocalAccount;

  beforeEach(async () => {
    local = await startFixture();
    for (const [name, value] of Object.entries(local.administratorEnvironment(ACCOUNT))) vi.stubEnv(name, value);
  });

  test.each([
    ['session-broker check-trust --role hub-acme-session'],
    [`session-broker check-trust --role ${ACME_ROLE}`],
  ])('reads the trust policy from IAM: %s', async (command) => {
    expect(await run(...command.split(' ').slice(1))).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: `trust policy of ${ACME_ROLE}
✓ a source identity is required and pinned on the only way in

AssumeRole by ${ACME_TENANT_ROLE}
  ✓ required: AssumeAsAgent needs sts:SourceIdentity like "agent.acme.?*", the request has none
  ✓ pinned to "agent.acme.?*", but not "agent.acme.*.*"
`,
    });
    expect(local.events().map(({ eventName }) => eventName)).toEqual(['GetRole']);
  });

  test('finds that a tenant role lets anybody in that its provider vouches for', async () => {
    const { exitCode, stdout } = await run('check-trust', '--json', '--role', 'hub-acme-tenant');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      role: ACME_TENANT_ROLE,
      required: false,
      witnesses: [{ kind: 'anonymous', attempt: { operation: 'AssumeRoleWithWebIdentity' } }],
    });
  });

  test('fails for a role that is not there', async () => {
    const { exitCode, stdout, stderr } = await run('check-trust', '--role', 'nobody');
    expect([exitCode, stdout]).toEqual([3, '']);
    expect(stderr).toContain('error: "nobody" must exist: iam:GetRole did not find it');
  });

  test('fails for an ARN that is not that of the role', async () => {
    const given = `arn:aws:iam::${ACCOUNT}:role/hub-acme-session`;
    const { exitCode, stderr } = await run('check-trust', '--role', given);
    expect(exitCode).toBe(3);
    expect(stderr).toBe(
      `error: "${given}" must exist: in the account that was asked a role of that name is "${ACME_ROLE}"; correct the ARN, or ask with credentials of its account (--profile or AWS_PROFILE) [EntityNotFound]\n`,
    );
  });

  test('fails for an ARN of something else, before anything is asked', async () => {
    const { exitCode, stderr } = await run('check-trust', '--role', `arn:aws:iam::${ACCOUNT}:user/alice`);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('[RoleArnInvalid]');
    expect(local.events()).toEqual([]);
  });
});
