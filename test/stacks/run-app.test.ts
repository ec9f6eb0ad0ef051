import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AppShell, runApp } from '../../lib/stacks/index.ts';
import { inTemporaryFolder } from '../support/synthesize.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CONFIG = `
clusters:
  hub:
    account: "111122223333"
    region: us-west-2
    tenants:
      acme:
        attribution: true
        tenantRole: arn:aws:iam::111122223333:role/hub-acme-tenant
`;

describe('the app', () => {
  /** Runs the app on files that exist in memory alone, as the CDK CLI starts it. */
  function run(files: Record<string, string>, context: Record<string, unknown> = {}) {
    return inTemporaryFolder((outdir) => {
      vi.stubEnv('CDK_OUTDIR', outdir);
      vi.stubEnv('CDK_CONTEXT_JSON', JSON.stringify(context));
      const notes: string[] = [];
      const shell: AppShell = { readFile: (path) => files[path], note: (line) => notes.push(line) };
      const exitCode = runApp(shell);
      const made = readdirSync(outdir).filter((file) => file.endsWith('.template.json'));
      return { exitCode, notes, made };
    });
  }
  afterEach(() => vi.unstubAllEnvs());

  const made = ['SessionBroker-hub-acme.template.json'];

  test('reads tenants.yaml', () => {
    expect(run({ 'tenants.yaml': CONFIG, 'tenants.example.yaml': 'no' })).toEqual({ exitCode: 0, notes: [], made });
  });

  test('reads the file that the CDK context names, before any other', () => {
    expect(run({ 'tenants.yaml': 'no', 'other.yaml': CONFIG }, { config: 'other.yaml' })).toEqual({
      exitCode: 0,
      notes: [],
      made,
    });
  });

  test('reads the example until there is one, and says so', () => {
    expect(run({ 'tenants.example.yaml': CONFIG })).toEqual({
      exitCode: 0,
      notes: [
        'session-broker: no tenants.yaml, so this is the example; cp tenants.example.yaml tenants.yaml starts your own',
      ],
      made,
    });
  });

  test('fails with every fault of the configuration, and makes nothing', () => {
    const { exitCode, notes, made: nothing } = run({ 'tenants.yaml': CONFIG.replace('us-west-2', 'us-west') });
    expect([exitCode, nothing]).toEqual([2, []]);
    expect(notes).toEqual([
      'session-broker: configuration has 1 fault\ntenants.yaml:5:13 clusters.hub.region: region must be the name of a Region in the partitions aws, aws-us-gov or aws-cn: "us-west"; write it like "us-west-2"',
    ]);
  });

  test('fails where there is no configuration', () => {
    const { exitCode, notes } = run({});
    expect(exitCode).toBe(2);
    expect(notes).toEqual([expect.stringMatching(/^session-broker: configuration file must exist: "tenants.yaml"/)]);
  });

  test('fails for a context that is no path', () => {
    expect(() => run({}, { config: { file: 'x' } })).toThrow(new TypeError('context config must be a path'));
  });
});

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program as a user would, in a folder. */
async function start(
  folder: string,
  program: readonly string[],
  environment: Record<string, string> = {},
): Promise<Ended> {
  const { NODE_ENV: _test, ...inherited } = process.env;
  const child = spawn(process.execPath, [...program], { cwd: folder, env: { ...inherited, ...environment } });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  const [exitCode] = await once(child, 'close');
  return { exitCode: exitCode as number, ...output };
}

describe('in processes of their own', () => {
  const cdk = join(ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'session-broker-test-'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('the entry point synthesizes without the CDK CLI', async () => {
    cpSync(join(ROOT, 'tenants.example.yaml'), join(folder, 'tenants.example.yaml'));
    const { exitCode, stdout, stderr } = await start(
      folder,
      ['--import', import.meta.resolve('tsx'), join(ROOT, 'bin', 'app.ts')],
      { CDK_OUTDIR: join(folder, 'out'), CDK_VALIDATION: 'false' },
    );
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: '',
      stderr:
        'session-broker: no tenants.yaml, so this is the example; cp tenants.example.yaml tenants.yaml starts your own\n',
    });
    expect(existsSync(join(folder, 'out', 'manifest.json'))).toBe(true);
    expect(existsSync(join(folder, 'out', 'SessionBroker-hub-acme.template.json'))).toBe(true);
  });

  /** An app of somebody else whose escape hatch removes the condition. */
  const SPOILED = `
import { App, Stack, Validations } from 'aws-cdk-lib/core';
import { Role } from 'aws-cdk-lib/aws-iam';
import { SessionBrokerRole } from ${JSON.stringify(join(ROOT, 'lib', 'constructs', 'index.ts'))};

const app = new App();
const stack = new Stack(app, 'Agents', { env: { account: '111122223333', region: 'us-west-2' } });
const tenantRole = Role.fromRoleArn(stack, 'TenantRole', 'arn:aws:iam::111122223333:role/hub-acme-tenant');
const role = new SessionBrokerRole(stack, 'Sessions', { cluster: 'hub', tenant: 'acme', tenantRole });
role.node.defaultChild.addPropertyDeletionOverride('AssumeRolePolicyDocument.Statement.0.Condition');
Validations.of(app).acknowledge({ id: 'TemplateRefused', reason: 'try' });
`;
  const REFUSAL =
    'finished templates would let a session leave its name, in 1 place\nAgents/Sessions: trust policy must admit no name but agent.acme.<session>: AssumeAsAgent admits arn:aws:iam::111122223333:role/hub-acme-tenant without a source identity; remove what changed it';

  const startedAs = `--import ${import.meta.resolve('tsx')} app.mts`;

  test('an app of somebody else fails on a spoiled trust policy, and says why', async () => {
    writeFileSync(join(folder, 'app.mts'), SPOILED);
    const { exitCode, stderr } = await start(folder, startedAs.split(' '), {
      CDK_OUTDIR: join(folder, 'out'),
      CDK_VALIDATION: 'false',
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(REFUSAL);
  });

  test('cdk synth fails on it whatever switches validation off', async () => {
    writeFileSync(join(folder, 'app.mts'), SPOILED);
    const { exitCode, stderr } = await start(
      folder,
      [
        cdk,
        'synth',
        '--quiet',
        '--no-validation',
        ...['-c', '@aws-cdk/core:failSynthOnValidationErrors=false'],
        ...['--app', `"${process.execPath}" ${startedAs}`],
      ],
      { CDK_VALIDATION: 'false' },
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain(REFUSAL);
  });

  test('cdk synth shows what a session could lose its name by, and fails on it under --strict', async () => {
    const granted = CONFIG.trimEnd().concat(`
        statements: [{ Sid: Tools, Effect: Allow, Action: "lambda:InvokeFunction", Resource: "*" }]
`);
    writeFileSync(join(folder, 'tenants.yaml'), granted);
    const app = `"${process.execPath}" --import ${import.meta.resolve('tsx')} ${join(ROOT, 'bin', 'app.ts')}`;
    // On a CI machine the CLI would write its messages to standard output.
    const environment = { CDK_VALIDATION: 'false', CI: 'false' };
    const run = (...rest: string[]) => start(folder, [cdk, 'synth', '--quiet', ...rest], environment);
    const warning =
      /^(WARNING|\[Warning at \/SessionBroker-hub-acme\/Role\]) inline policy "permissions", Tools: "lambda:InvokeFunction" lets a session lose its name: /m;

    const shown = await run('--app', app);
    expect(shown).toEqual({ exitCode: 0, stdout: '', stderr: expect.stringMatching(warning) });

    const refused = await run('--strict', '--app', 'cdk.out');
    expect(refused).toEqual({ exitCode: 1, stdout: '', stderr: expect.stringMatching(warning) });
    expect(refused.stderr).toMatch(/--strict mode/);
  });

  test('the CDK CLI lists the stack of the example, by the cdk.json of this package', async () => {
    for (const file of ['cdk.json', 'tenants.example.yaml']) cpSync(join(ROOT, file), join(folder, file));
    for (const part of ['bin', 'lib', 'package.json', 'tsconfig.json'])
      symlinkSync(join(ROOT, part), join(folder, part));
    const { exitCode, stdout, stderr } = await start(folder, [cdk, 'list'], { CDK_VALIDATION: 'false' });
    expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 0, stdout: 'SessionBroker-hub-acme\n' });
  });
});
