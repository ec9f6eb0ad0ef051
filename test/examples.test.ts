import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../lib/config/parse.ts';
import { buildApp } from '../lib/stacks/index.ts';
import { DISPATCHER, type FakeAws, startFakeAws } from './runtime/support/fake-aws.ts';
import { makeDependentProject } from './support/dependent-project.ts';

const ROOT = join(import.meta.dirname, '..');
const run = promisify(execFile);

interface Example {
  readonly name: string;
  readonly code: string;
}

const pages = [
  'README.md',
  'docs/constructs.md',
  'docs/delivery.md',
  'docs/local-account.md',
  'docs/runtime.md',
  'docs/telemetry.md',
].map((path) => ({
  path,
  text: readFileSync(join(ROOT, path), 'utf8'),
}));
const examples = pages.flatMap(({ path, text }) =>
  [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(
    ([, code = ''], index): Example => ({ name: `${path.replace(/\W/g, '-')}-${index + 1}.ts`, code }),
  ),
);

/** The examples that assume a role of AWS's, not of the local account's. */
const DISPATCHERS = /README|delivery|runtime|telemetry/;

let folder: string;
let aws: FakeAws;

/** A project that depends on this package, with a configuration, its cloud assembly, and a file for each example. */
beforeAll(async () => {
  aws = await startFakeAws();
  folder = mkdtempSync(join(tmpdir(), 'session-broker-test-'));
  makeDependentProject(folder);
  copyFileSync(join(ROOT, 'tenants.example.yaml'), join(folder, 'tenants.yaml'));
  const config = parseConfig(readFileSync(join(folder, 'tenants.yaml'), 'utf8'), 'tenants.yaml');
  buildApp(config, { outdir: join(folder, 'cdk.out') }).synth();
  for (const { name, code } of examples) writeFileSync(join(folder, name), code);
  cpSync(join(ROOT, 'examples', 'typescript'), join(folder, 'typescript'), { recursive: true });
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await aws.close();
});

describe('the examples of the README and the docs', () => {
  test('are there', () => {
    expect(examples.map(({ name }) => name)).toEqual([
      'README-md-1.ts',
      'docs-constructs-md-1.ts',
      'docs-delivery-md-1.ts',
      'docs-local-account-md-1.ts',
      'docs-runtime-md-1.ts',
      'docs-runtime-md-2.ts',
      'docs-runtime-md-3.ts',
      'docs-runtime-md-4.ts',
      'docs-telemetry-md-1.ts',
    ]);
  });

  test('agree with the types', async () => {
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const compiled = await run(process.execPath, [compiler, '-p', folder]).catch((error: { stdout: string }) => error);
    expect(compiled.stdout).toBe('');
  });

  test('run, in one process, and each session of a dispatcher gets its name', async () => {
    const env = {
      PATH: process.env['PATH'],
      AWS_REGION: 'us-west-2',
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_ACCESS_KEY_ID: DISPATCHER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: DISPATCHER.secretAccessKey,
      AWS_SESSION_TOKEN: DISPATCHER.sessionToken,
      SESSION_BROKER_CLUSTER: 'hub',
      SESSION_BROKER_TENANT: 'acme',
      CDK_OUTDIR: join(folder, 'synthesized'),
      CDK_VALIDATION: 'false',
    };
    const imports = examples.map(({ name }) => `await import('./${name}'); console.log('ran ${name}');`);
    writeFileSync(join(folder, 'all.ts'), imports.join('\n'));
    const { stdout } = await run(process.execPath, ['--import', 'tsx', 'all.ts'], { cwd: folder, env });

    for (const { name } of examples) expect(stdout).toContain(`ran ${name}`);
    const identities = aws.requests.flatMap(({ parameters }) => parameters['SourceIdentity'] ?? []);
    expect(identities).toHaveLength(examples.filter(({ name }) => DISPATCHERS.test(name)).length);
    for (const identity of identities) expect(identity).toMatch(/^agent\.acme\.\w+$/);
  });

  test('leave behind what docs/constructs.md says that a role makes', () => {
    const template = readFileSync(join(folder, 'synthesized', 'AgentSessions.template.json'), 'utf8');
    const { Resources } = JSON.parse(template) as { Resources: Record<string, { Type: string }> };
    expect(Object.values(Resources).map(({ Type }) => Type)).toEqual([
      'AWS::IAM::Role',
      'AWS::SSM::Parameter',
      'AWS::SSM::Parameter',
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::Policy',
    ]);
  });
});

test('the configuration in the README is accepted', () => {
  const [, yaml = ''] = /^```yaml\n([\s\S]*?)^```/m.exec(pages[0]?.text ?? '') ?? [];
  expect(parseConfig(yaml, 'README.md').clusters[0]?.tenants.map(({ name, optIn }) => [name, optIn])).toEqual([
    ['acme', 'in'],
  ]);
});
