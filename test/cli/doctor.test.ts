import { readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { SCENARIOS } from '../doctor/scenarios.ts';
import { ACCOUNT, CONFIG_FILE, HEALTHY, PARAMETER, World } from '../doctor/world.ts';
import { temporaryFolder, writeAssembly } from '../local/fixture.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { synthesize } from '../support/synthesize.ts';
import { fakeProcess, runIn } from './fake-shell.ts';

isolateEnvironment();

/** A process in whose folder these files are. */
function processWith(files: Readonly<Record<string, string>>, given: Parameters<typeof fakeProcess>[0] = {}) {
  return fakeProcess({
    readFile: (path) => files[path] ?? (isAbsolute(path) ? readFileSync(path, 'utf8') : undefined),
    environment: {},
    ...given,
  });
}

async function spoiled(code: string): Promise<World> {
  const scenario = SCENARIOS.find((known) => known.code === code);
  const world = await World.start(scenario?.yaml, scenario?.arrange, scenario?.options);
  await scenario?.spoil?.(world);
  return world;
}

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'doctor.md'), 'utf8');

describe('docs/doctor.md', () => {
  test.each([
    'session-broker doctor',
    'session-broker doctor --from account.json',
    'session-broker doctor --from cdk.out --from account.json',
    'session-broker doctor --scp scp.json',
  ])('shows a command that works: %s', async (command) => {
    expect(page).toContain(`\n${command}\n`);
    const world = await World.start();
    const [details = ''] = await world.dump();
    const assembly = writeAssembly(Object.fromEntries(synthesize(HEALTHY)) as never);
    const files: Record<string, string> = {
      'tenants.yaml': HEALTHY,
      'account.json': world.contentOf(details),
      'scp.json': '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    };
    for (const file of ['manifest.json', 'SessionBroker-hub-acme.template.json']) {
      files[`cdk.out/${file}`] = readFileSync(join(assembly, file), 'utf8');
    }
    const [, ...args] = command.split(' ');
    const { exitCode, stderr, stdout } = await runIn(processWith(files), ...args);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^hub\/acme {4}(ok, )?1 note/);
  });
});

describe('session-broker doctor', () => {
  test('says of a healthy deployment that it is as configured, and of what a note is about', async () => {
    const world = await World.start();
    const { exitCode, stderr, stdout } = await world.doctor();
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`hub/acme    ok, 1 note
hub/globex  ok, not deployed

1 note

NamesFree  hub/acme
  the dispatcher of acme chooses the role session name, which is all that Kubernetes and the logs of Bedrock and S3 see
  fix: bind it to the source identity, once verify has shown on the pilot that AWS lets such sessions in
    in the configuration: clusters.hub.tenants.acme.roleSessionName: "bound"
    npx cdk deploy SessionBroker-hub-acme -c config=${CONFIG_FILE}

28 checks ran on 2 tenants: 1 note
`);
  });

  test('tells a note that several tenants have in common once', async () => {
    const world = await World.start();
    world.configure('clusters.hub.rollout', 'general');
    world.configure('clusters.hub.tenants.initech', {
      attribution: true,
      tenantRole: `arn:aws:iam::${ACCOUNT}:role/tenants/hub-initech-tenant`,
    });
    const { stdout } = await world.doctor();
    expect(stdout).toContain('\n2 notes\n\nNamesFree  hub/acme\n');
    expect(stdout).toMatch(/\n {4}npx cdk deploy \S+-acme .*\n {2}the same goes for hub\/initech\n/);
    expect(stdout.match(/NamesFree/g)).toHaveLength(1);
  });

  test('has a line of its own for nothing found at all', async () => {
    const world = await World.start();
    world.configure('clusters.hub.tenants.acme.attribution', false);
    await world.undeploy('SessionBroker-hub-acme');
    const { exitCode, stdout } = await world.doctor();
    expect(exitCode).toBe(0);
    expect(stdout).toBe(`hub/acme    ok, not deployed
hub/globex  ok, not deployed

5 checks ran on 2 tenants: nothing found, all is as configured
`);
  });

  test.each([
    ['TrustNamesDeletedRole', 1],
    ['SessionLimitDrifted', 6],
  ])('ends with the exit code of the worst: %s', async (code, expected) => {
    const world = await spoiled(code);
    const { exitCode, stdout } = await world.doctor();
    expect(exitCode).toBe(expected);
    const words = expected === 1 ? '1 error' : '1 warning';
    expect(stdout).toContain(`hub/acme    ${words}, 1 note\n`);
    expect(stdout).toContain(`\n${words}\n\n${code}  hub/acme\n`);
    expect(stdout).toContain(`28 checks ran on 2 tenants: ${words}, 1 note\n`);
  });

  test('shows a statement for people where there is no command, as with a service control policy', async () => {
    const world = await spoiled('ServiceControlPolicyDeniesHop');
    const { stdout } = await world.doctor();
    const path = '/platform/scp-0.json';
    const statement = {
      Effect: 'Deny',
      Action: 'ssm:GetParameter',
      NotResource: `arn:aws:ssm:us-west-2:${ACCOUNT}:parameter${PARAMETER}`,
    };
    expect(stdout).toContain(`
  fix: leave the hop out of what the service control policy denies
    in ${path}, in place of statement 1: ${JSON.stringify(statement)}
`);
  });

  test('lists what was not checked by what is missing for it', async () => {
    const world = await World.start();
    const [details = ''] = await world.dump();
    const { exitCode, stdout } = await world.doctor('--from', details);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^hub\/acme {4}1 note, 7 not checked\n/);
    expect(stdout).toContain(`
not checked
  whether us-west-2 is enabled is in none of --from; add the output of aws account get-region-opt-status --region-name us-west-2
    hub/acme: whether the Region is enabled
`);
    expect(stdout).toMatch(/\n\d+ checks ran on 2 tenants, \d+ could not run: 1 note\n$/);
  });

  test('prints one JSON document', async () => {
    const world = await spoiled('SessionLimitDrifted');
    const { stdout } = await world.doctor('--json');
    expect(stdout.trimEnd()).not.toContain('\n');
    expect(JSON.parse(stdout)).toMatchObject({
      account: ACCOUNT,
      config: CONFIG_FILE,
      tenants: [
        { cluster: 'hub', tenant: 'acme', optIn: 'in', checks: 24 },
        { cluster: 'hub', tenant: 'globex', optIn: 'never', checks: 1 },
      ],
      checks: 28,
      notChecked: [],
      findings: [
        {
          code: 'SessionLimitDrifted',
          severity: 'warning',
          cluster: 'hub',
          tenant: 'acme',
          evidence: expect.any(String),
          fix: {
            summary: 'set it back: a deploy would see no change',
            statements: [],
            commands: ['aws iam update-role --role-name hub-acme-session --max-session-duration 3600'],
          },
        },
        { code: 'NamesFree', severity: 'note' },
      ],
    });
  });

  test('prints commands for the profile that it was given', async () => {
    const world = await spoiled('SessionLimitDrifted');
    const folder = temporaryFolder();
    const config = join(folder, 'config');
    writeFileSync(config, '[profile audit]\nregion = us-west-2\n');
    vi.stubEnv('AWS_CONFIG_FILE', config);
    const credentials = join(folder, 'credentials');
    const { accessKeyId, secretAccessKey } = world.account.administratorCredentials(ACCOUNT);
    writeFileSync(
      credentials,
      `[audit]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    );
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', credentials);
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, undefined);

    const [finding] = await world.findings('--profile', 'audit');
    expect(finding?.fix.commands).toEqual([
      'aws iam update-role --role-name hub-acme-session --max-session-duration 3600 --profile audit',
    ]);
  });

  test.each([
    [
      ['--tenant', 'acne'],
      'tenant must be one that the configuration names: "acne" is not, the nearest is acme; it names acme, globex',
    ],
    [
      ['--cluster', 'hup'],
      'cluster must be one that the configuration names: "hup" is not, the nearest is hub; it names hub',
    ],
    [['--profile', 'a', '--from', 'b'], 'profile must not be given with --from, which asks no account; leave one out'],
    [['--region', 'us-west-2'], "unknown option '--region'"],
  ] as const)('fails before a call for %j', async (args, message) => {
    const { exitCode, stderr, stdout } = await runIn(processWith({ 'tenants.yaml': HEALTHY }), 'doctor', ...args);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`error: ${message}`);
    expect(stderr).toContain('[UsageInvalid]');
  });

  test('says that it is about the example while there is no configuration', async () => {
    const example = readFileSync(new URL('../../tenants.example.yaml', import.meta.url), 'utf8');
    const world = await World.start();
    const [details = ''] = await world.dump();
    const fake = processWith({ 'tenants.example.yaml': example, [details]: world.contentOf(details) });
    const { stderr, stdout } = await runIn(fake, 'doctor', '--from', details);
    expect(stderr).toBe('note: no tenants.yaml, so this is about tenants.example.yaml\n');
    expect(stdout).toContain('npx cdk deploy SessionBroker-hub-acme\n');
  });

  test('fails with the code of what keeps it from looking', async () => {
    await World.start();
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, undefined);
    const { exitCode, stderr, stdout } = await runIn(processWith({ 'tenants.yaml': HEALTHY }), 'doctor');
    expect([exitCode, stdout]).toEqual([4, '']);
    expect(stderr).toContain('[CredentialsMissing]');
  });

  test('has colour on a terminal alone, and shows nothing that a terminal acts on', async () => {
    const world = await spoiled('SessionLimitDrifted');
    await world.aws(
      'iam',
      'put-role-policy',
      '--role-name',
      'hub-acme-session',
      '--policy-name',
      'plain',
      '--policy-document',
      '{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::\\u001b[2J"}]}',
    );
    const plain = (await world.doctor()).stdout;
    expect(plain).not.toContain('\u001b');
    const coloured = processWith({ 'tenants.yaml': HEALTHY }, { colour: true });
    expect((await runIn(coloured, 'doctor')).stdout).toContain('\u001b[33mSessionLimitDrifted\u001b[39m');
  });

  test('says what it waits for, to a terminal and after a second', async () => {
    await World.start();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let said = (): void => {};
    const first = new Promise<void>((resolve) => {
      said = resolve;
    });
    // Time passes as soon as something is asked for.
    const readFile = (path: string): string | undefined => {
      if (path === 'tenants.yaml') setImmediate(() => void vi.advanceTimersByTimeAsync(1000).then(said));
      return path === 'tenants.yaml' ? HEALTHY : undefined;
    };
    const fake = fakeProcess({ readFile, environment: {}, isTerminal: (stream) => stream === 'stderr' });
    const running = runIn(fake, 'doctor');
    await first;
    vi.useRealTimers();
    const { stderr, exitCode } = await running;
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^asking (AWS whose credentials these are|account \d+) \.\.\.\n$/);
  });
});
