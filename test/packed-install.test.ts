import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../lib/config/parse.ts';
import { buildApp } from '../lib/stacks/index.ts';
import { DISPATCHER, type FakeAws, ISSUED, startFakeAws } from './runtime/support/fake-aws.ts';

const ROOT = join(import.meta.dirname, '..');
const execute = promisify(execFile);

/** What a dispatcher must not load: CDK, the libraries of configuration, and every room but the runtime's own. */
const FORBIDDEN =
  /\/node_modules\/(?:aws-cdk-lib|constructs|yaml|valibot)\/|\/session-broker\/dist\/(?:bin|lib\/(?:cli|config|constructs|local|stacks)\/)/;

let folder: string;
let aws: FakeAws;

/** A folder with nothing in it but this package as it would be published. */
beforeAll(async () => {
  aws = await startFakeAws();
  folder = mkdtempSync(join(tmpdir(), 'session-broker-'));
  await npm(ROOT, 'pack', '--pack-destination', folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'no tarball';
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  await npm(folder, 'install', '--omit=peer', '--prefer-offline', '--no-audit', '--no-fund', join(folder, tarball));
  writeFileSync(join(folder, 'record.js'), RECORD);
  // The platform team's part: a dispatcher's tests get its configuration and its cloud assembly.
  const configuration = readFileSync(join(ROOT, 'tenants.example.yaml'), 'utf8');
  writeFileSync(join(folder, 'tenants.yaml'), configuration);
  buildApp(parseConfig(configuration, 'tenants.yaml'), { outdir: join(folder, 'cdk.out') }).synth();
}, 180_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await aws.close();
});

describe('the published package, installed without CDK', () => {
  test('brings no CDK', () => {
    for (const name of ['aws-cdk-lib', 'constructs']) {
      expect(existsSync(join(folder, 'node_modules', name)), name).toBe(false);
    }
  });

  test.each([
    ['identity', 'formatSourceIdentity'],
    ['policy', 'evaluate'],
    ['runtime', 'fromSessionBroker'],
    ['testing', 'startLocalAccount'],
    ['errors', 'SessionBrokerError'],
  ])('offers ./%s', async (subpath, name) => {
    const { stdout } = await node(`console.log(Object.keys(await import('session-broker/${subpath}')).join())`);
    expect(stdout.trim().split(',')).toContain(name);
  });

  test('has no root export', async () => {
    await expect(node("await import('session-broker')")).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  test('has types for each export', () => {
    const root = join(folder, 'node_modules', 'session-broker');
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
    };
    for (const { types, default: code } of Object.values(exports)) {
      for (const path of [types, code]) expect(existsSync(join(root, path)), path).toBe(true);
    }
  });

  test('assumes a role, and loads only what a dispatcher needs', async () => {
    const { stdout, loaded } = await node(`
      import { fromSessionBroker } from 'session-broker/runtime';
      const provide = fromSessionBroker({
        cluster: 'hub', tenant: 'acme', session: 's1', region: 'us-west-2',
        endpoint: ${JSON.stringify(aws.endpoint)}, credentials: ${JSON.stringify(DISPATCHER)},
      });
      console.log((await provide()).accessKeyId);`);
    expect(stdout.trim()).toBe(ISSUED.accessKeyId);
    expect(aws.requests.map(({ action, parameters }) => [action, parameters['SourceIdentity']])).toEqual([
      ['GetParameter', undefined],
      ['AssumeRole', 'agent.acme.s1'],
    ]);
    expect(loaded).toContainEqual(expect.stringContaining('/session-broker/dist/lib/runtime/index.js'));
    expect(loaded).toContainEqual(expect.stringContaining('/@aws-sdk/client-sts/'));
    expect(loaded.filter((url) => FORBIDDEN.test(url))).toEqual([]);
  });

  test('assumes a role in the local account that it brings, and is refused without a name', async () => {
    const { stdout } = await node(`
      import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
      import { createSessionIdentity, formatSourceIdentity } from 'session-broker/identity';
      import { fromSessionBroker } from 'session-broker/runtime';
      import { startLocalAccount } from 'session-broker/testing';
      const account = await startLocalAccount({ assembly: 'cdk.out', config: 'tenants.yaml' });
      const at = { region: 'us-west-2', endpoint: account.endpoint, credentials: account.dispatcherCredentials('hub', 'acme') };
      const session = { tenant: 'acme', session: 's1' };
      await fromSessionBroker({ cluster: 'hub', ...session, ...at })();
      const { sourceIdentity, roleArn } = account.events().at(-1).requestParameters;
      const refused = await new STSClient(at)
        .send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 's1' }))
        .catch(({ name }) => name);
      await account.close();
      console.log(JSON.stringify([sourceIdentity, formatSourceIdentity(createSessionIdentity(session)), refused]));`);
    expect(JSON.parse(stdout)).toEqual(['agent.acme.s1', 'agent.acme.s1', 'AccessDenied']);
  });

  test('reads no SDK until the first call of a provider', async () => {
    const { loaded } = await node("await import('session-broker/runtime')");
    expect(loaded.filter((url) => url.includes('/node_modules/') && !url.includes('/session-broker/'))).toEqual([]);
  });

  test('brings the command, which hands a session to an agent', async () => {
    aws.forget();
    const command = join(folder, 'node_modules', '.bin', 'session-broker');
    const agent = `
      const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file } = process.env;
      const headers = { authorization: require('node:fs').readFileSync(file, 'utf8') };
      fetch(uri, { headers }).then((answer) => answer.json()).then(({ AccessKeyId }) => console.log(AccessKeyId));`;
    const options = ['exec', '--cluster', 'hub', '--tenant', 'acme', '--session', 's1'];
    const { stdout, stderr } = await execute(command, [...options, '--', process.execPath, '-e', agent], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        XDG_RUNTIME_DIR: folder,
        AWS_REGION: 'us-west-2',
        AWS_ENDPOINT_URL: aws.endpoint,
        AWS_ACCESS_KEY_ID: DISPATCHER.accessKeyId,
        AWS_SECRET_ACCESS_KEY: DISPATCHER.secretAccessKey,
      },
    });
    expect([stdout, stderr]).toEqual([`${ISSUED.accessKeyId}\n`, '']);
    expect(aws.requests.at(-1)?.parameters['SourceIdentity']).toBe('agent.acme.s1');
  });

  test('loads in ./testing what ./runtime must not, so that the record above is known to see it', async () => {
    const { loaded } = await node("await import('session-broker/testing')");
    expect(loaded.filter((url) => FORBIDDEN.test(url)).length).toBeGreaterThan(0);
    expect(loaded).toContainEqual(expect.stringMatching(/\/node_modules\/(?:yaml|valibot)\//));
  });
});

/** Writes down every module that is loaded: by import through a hook, by require from its cache at the end. */
const RECORD = `
import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
const hook = \`
  import { appendFileSync } from 'node:fs';
  export async function resolve(specifier, context, next) {
    const resolved = await next(specifier, context);
    appendFileSync(\${JSON.stringify(process.env.LOADED)}, resolved.url + '\\\\n');
    return resolved;
  }\`;
register('data:text/javascript,' + encodeURIComponent(hook));
process.on('exit', () => {
  const { cache } = createRequire(import.meta.url);
  appendFileSync(process.env.LOADED, Object.keys(cache).join('\\n') + '\\n');
});
`;

let runs = 0;

/** Runs a module in the folder, and lists what it loaded. */
async function node(code: string): Promise<{ readonly stdout: string; readonly loaded: readonly string[] }> {
  runs += 1;
  mkdirSync(join(folder, 'runs'), { recursive: true });
  const file = join(folder, 'runs', `${runs}.js`);
  const LOADED = join(folder, 'runs', `${runs}.loaded`);
  writeFileSync(file, code);
  const record = join(folder, 'record.js');
  const env = { PATH: process.env['PATH'], LOADED };
  const { stdout } = await execute(process.execPath, ['--import', record, file], { cwd: folder, env });
  return { stdout, loaded: readFileSync(LOADED, 'utf8').trim().split('\n') };
}

async function npm(cwd: string, ...args: readonly string[]): Promise<void> {
  await execute('npm', args, { cwd });
}
