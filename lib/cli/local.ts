import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { quote, SessionBrokerError } from '../errors.ts';
import { type LocalAccount, startLocalAccount } from '../local/index.ts';
import { type Command, parseOptions, type Shell } from './command.ts';
import { stylist } from './style.ts';
import { synthesize } from './synthesize.ts';

export interface LocalInput {
  /** Folder of a synthesized cloud assembly. Absent: the configuration is synthesized first. */
  readonly assembly?: string | undefined;
  readonly config?: string | undefined;
  readonly port: number;
  readonly log?: string | undefined;
  readonly json: boolean;
}

export const local: Command<LocalInput> = {
  name: 'local',
  summary: 'starts the strict local account on what the configuration synthesizes to',
  help: `Starts a local account on loopback that speaks STS, SSM and IAM and enforces what the synthesized policies say.
Prints its endpoint and, for each tenant, the environment that makes any AWS client its dispatcher. Runs until it
is interrupted.

Usage: session-broker local [options]

Options:
  --config FILE       the configuration (default: tenants.yaml, and tenants.example.yaml until that exists)
  --assembly FOLDER   a synthesized cloud assembly of that configuration, such as cdk.out (default: synthesize now)
  --port NUMBER       loopback port (default: any free one)
  --log FILE          append CloudTrail events to this file, one JSON document a line
  --json              print one JSON document instead

Example: session-broker local --assembly cdk.out --log events.jsonl
`,
  parse: parseLocal,
  run: runLocal,
};

function parseLocal(args: readonly string[]): LocalInput {
  const { port, ...options } = parseOptions('local', args, {
    config: { type: 'string' },
    assembly: { type: 'string' },
    port: { type: 'string', default: '0' },
    log: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new SessionBrokerError(
      'UsageInvalid',
      `port must be a number from 0 to 65535: ${quote(port)}; leave it out for any free one`,
    );
  }
  return { ...options, port: Number(port) };
}

async function runLocal(input: LocalInput, shell: Shell): Promise<number> {
  const { config } = loadConfig({ given: input.config, readFile: shell.readFile });
  await using account = await start(input, config, shell);
  await using tokens = await tokenFolder();
  const tenants = await dispatchers(account, tokens.path);
  for (const notice of account.notices) shell.note(`note: ${notice}`);
  shell.write(
    input.json
      ? `${JSON.stringify({ endpoint: account.endpoint, tenants, notices: account.notices })}\n`
      : renderDispatchers(account.endpoint, tenants, shell.colour),
  );
  await stopped(shell.stop);
  return 0;
}

async function start(input: LocalInput, config: Config, shell: Shell): Promise<LocalAccount> {
  const { port, log } = input;
  if (input.assembly !== undefined) return startLocalAccount({ assembly: input.assembly, config, port, log });
  shell.note(`synthesizing ${config.file} with the CDK ...`);
  await using assembly = await synthesize(input.config, shell);
  return await startLocalAccount({ assembly: assembly.folder, config, port, log });
}

/** A tenant and what makes a client its dispatcher. */
interface Dispatcher {
  readonly cluster: string;
  readonly tenant: string;
  readonly attribution: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

async function dispatchers(account: LocalAccount, folder: string): Promise<readonly Dispatcher[]> {
  const tenants = account.config.clusters.flatMap((cluster) => cluster.tenants.map((tenant) => ({ cluster, tenant })));
  return Promise.all(
    tenants.map(async ({ cluster, tenant }) => {
      const tokenFile = join(folder, `${cluster.name}.${tenant.name}.token`);
      await writeFile(tokenFile, account.mintWebIdentityToken(cluster.name, tenant.name), { mode: 0o600 });
      return {
        cluster: cluster.name,
        tenant: tenant.name,
        attribution: tenant.optIn === 'in',
        environment: account.webIdentityEnvironment(cluster.name, tenant.name, tokenFile),
      };
    }),
  );
}

/** Web-identity tokens of the local account, good nowhere else. */
async function tokenFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'session-broker-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function renderDispatchers(endpoint: string, tenants: readonly Dispatcher[], colour: boolean): string {
  const style = stylist(colour);
  const blocks = tenants.map(({ cluster, tenant, attribution, environment }) =>
    [
      `${style('bold', `${cluster}/${tenant}`)}${attribution ? '' : style('dim', '  not opted in')}`,
      ...Object.entries(environment).map(([name, value]) => `  export ${name}='${value}'`),
    ].join('\n'),
  );
  return [`local account at ${style('green', endpoint)}, until it is interrupted`, ...blocks, ''].join('\n\n');
}

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true });
  });
}
