import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import { SESSION_DURATION_SECONDS } from '../../lib/identity/index.ts';
import { VARIABLES } from '../../lib/runtime/environment.ts';
import { DISPATCHER, type FakeAws, startFakeAws } from './support/fake-aws.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'runtime.md'), 'utf8');
const examples = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
const run = promisify(execFile);

let folder: string;
let aws: FakeAws;

/** A project that has this package as a dependency, with one file for each example. */
beforeAll(async () => {
  aws = await startFakeAws();
  folder = mkdtempSync(join(tmpdir(), 'session-broker-'));
  const dependency = join(folder, 'node_modules', 'session-broker');
  mkdirSync(dependency, { recursive: true });
  for (const name of ['@aws-sdk', '@types', 'tsx']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  symlinkSync(join(ROOT, 'lib'), join(dependency, 'lib'));
  const exports = { './runtime': './lib/runtime/index.ts', './errors': './lib/errors.ts' };
  writeFileSync(join(dependency, 'package.json'), JSON.stringify({ type: 'module', exports }));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const include = [join(folder, '*.ts')];
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions: { noUnusedLocals: false }, include }),
  );
  examples.forEach((code, index) => {
    writeFileSync(join(folder, `example-${index}.ts`), code);
  });
  writeFileSync(
    join(folder, 'all.js'),
    examples.map((_, index) => `await import('./example-${index}.ts');`).join('\n'),
  );
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await aws.close();
});

describe('the examples of docs/runtime.md', () => {
  test('are there', () => {
    expect(examples).toHaveLength(3);
  });

  test('agree with the types', async () => {
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const compiled = await run(process.execPath, [compiler, '-p', folder]).catch((error: { stdout: string }) => error);
    expect(compiled.stdout).toBe('');
  });

  test('run', async () => {
    const env = {
      PATH: process.env['PATH'],
      AWS_REGION: 'us-west-2',
      AWS_ENDPOINT_URL: aws.endpoint,
      AWS_ACCESS_KEY_ID: DISPATCHER.accessKeyId,
      AWS_SECRET_ACCESS_KEY: DISPATCHER.secretAccessKey,
      AWS_SESSION_TOKEN: DISPATCHER.sessionToken,
      SESSION_BROKER_CLUSTER: 'hub',
      SESSION_BROKER_TENANT: 'acme',
    };
    await run(process.execPath, ['--import', 'tsx', 'all.js'], { cwd: folder, env });
    expect(aws.requests.map(({ action }) => action)).toEqual([
      ...['GetParameter', 'AssumeRole', 'GetParameter'],
      ...['GetParameter', 'AssumeRole'],
      ...['GetParameter', 'AssumeRole'],
    ]);
  });
});

describe('docs/runtime.md', () => {
  test('names every option and every variable', () => {
    const source = readFileSync(join(ROOT, 'lib', 'runtime', 'from-session-broker.ts'), 'utf8');
    const [, body = ''] = /interface FromSessionBrokerOptions \{([\s\S]*?)^\}/m.exec(source) ?? [];
    const options = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
    expect(options.length).toBeGreaterThan(10);
    for (const name of [...options, ...Object.values(VARIABLES)]) expect(page).toContain(`\`${name}\``);
  });

  test('gives the range of the duration', () => {
    const { min, max } = SESSION_DURATION_SECONDS;
    expect(page).toContain(`${min} to ${max}`);
  });

  test('names every code that the runtime throws, and no other', () => {
    const runtime = ['clients', 'endpoint', 'from-session-broker', 'resolve-role', 'assume', 'translate']
      .map((name) => readFileSync(join(ROOT, 'lib', 'runtime', `${name}.ts`), 'utf8'))
      .join('\n');
    const thrown = Object.keys(ERRORS).filter((code) => runtime.includes(`'${code}'`));
    const [, table = ''] = page.split('## Errors');
    const families = /^(?:Tenant|Workflow|Session|Cluster|Segment|Identity)/;
    for (const code of thrown.filter((name) => !families.test(name))) expect(table, code).toContain(`\`${code}\``);
    for (const [, code = ''] of table.matchAll(/^\| (`.*?) \|/gm)) {
      for (const [, name = ''] of code.matchAll(/`([A-Za-z]+)`/g)) expect(Object.keys(ERRORS)).toContain(name);
    }
  });
});
