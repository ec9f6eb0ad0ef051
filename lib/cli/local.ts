import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { CONFLICTING_VARIABLES, type LocalAccount, startLocalAccount } from '../local/index.ts';
import { shellWord } from '../shell-word.ts';
import { type Command, parseOptions, type Shell } from './command.ts';
import { parsePort } from './port.ts';
import { stopped } from './stopped.ts';
import { stylist } from './style.ts';
import { synthesize } from './synthesize.ts';
import { temporaryFolder } from './temporary-folder.ts';

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
  help: `Starts a local account on loopback that speaks STS, SSM, IAM, EKS and CloudTrail and enforces what the
synthesized policies say. Prints its endpoint and, for each tenant, the environment that makes any AWS client its
dispatcher. Runs until it is interrupted.

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
  return { ...options, port: parsePort(port) };
}

async function runLocal(input: LocalInput, shell: Shell): Promise<number> {
  const { config } = loadConfig({ given: input.config, readFile: shell.readFile });
  await using account = await start(input, config, shell);
  await using folder = await temporaryFolder();
  const tenants = await dispatchers(account, folder.path);
  const renewal = setInterval(() => void dispatchers(account, folder.path), TOKEN_RENEWAL_MS);
  for (const notice of account.notices) shell.note(`note: ${notice}`);
  shell.write(
    input.json
      ? `${JSON.stringify({ endpoint: account.endpoint, tenants, notices: account.notices })}\n`
      : renderDispatchers(account.endpoint, tenants, shell.colour),
  );
  await stopped(shell.stop);
  clearInterval(renewal);
  return 0;
}

async function start(input: LocalInput, config: Config, shell: Shell): Promise<LocalAccount> {
  const { port, log } = input;
  if (input.assembly !== undefined) return startLocalAccount({ assembly: input.assembly, config, port, log });
  shell.note(`synthesizing ${config.file} with the CDK ...`);
  await using assembly = await synthesize(input.config, shell, ', or give --assembly');
  return await startLocalAccount({ assembly: assembly.folder, config, port, log });
}

/** Web-identity tokens last a day; EKS renews them in place too. */
const TOKEN_RENEWAL_MS = 12 * 60 * 60 * 1000;

/** A tenant and what makes a client its dispatcher. */
interface Dispatcher {
  readonly cluster: string;
  readonly tenant: string;
  readonly attribution: boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** Variables that must not be set beside these: clients would heed them first. */
  readonly unset: readonly string[];
}

/** A profile beside the tenant's web identity, such as the reader of `session-broker verify`. No client takes it unasked. */
const PROFILE = 'administrator';

/** Writes the keys of an account's administrator, good nowhere else. @returns the file */
async function writeProfile(account: LocalAccount, accountId: string, folder: string): Promise<string> {
  const { accessKeyId, secretAccessKey } = account.administratorCredentials(accountId);
  const file = join(folder, `${accountId}.credentials`);
  const lines = [
    `[${PROFILE}]`,
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    '',
  ];
  await writeFile(file, lines.join('\n'), { mode: 0o600 });
  return file;
}

/** Writes each tenant's web-identity token, good nowhere else, and names the environment that leads to it. */
async function dispatchers(account: LocalAccount, folder: string): Promise<readonly Dispatcher[]> {
  const tenants = account.config.clusters.flatMap((cluster) => cluster.tenants.map((tenant) => ({ cluster, tenant })));
  return Promise.all(
    tenants.map(async ({ cluster, tenant }) => {
      const tokenFile = join(folder, `${cluster.name}.${tenant.name}.token`);
      await writeFile(tokenFile, account.mintWebIdentityToken(cluster.name, tenant.name), { mode: 0o600 });
      const environment = {
        ...account.webIdentityEnvironment(cluster.name, tenant.name, tokenFile),
        AWS_SHARED_CREDENTIALS_FILE: await writeProfile(account, cluster.account, folder),
      };
      return {
        cluster: cluster.name,
        tenant: tenant.name,
        attribution: tenant.optIn === 'in',
        environment,
        unset: CONFLICTING_VARIABLES.filter((name) => !Object.hasOwn(environment, name)),
      };
    }),
  );
}

function renderDispatchers(endpoint: string, tenants: readonly Dispatcher[], colour: boolean): string {
  const style = stylist(colour);
  const blocks = tenants.map(({ cluster, tenant, attribution, environment, unset }) =>
    [
      `${style('bold', `${cluster}/${tenant}`)}${attribution ? '' : style('dim', '  not opted in')}`,
      `  unset ${unset.join(' ')}`,
      ...Object.entries(environment).map(([name, value]) => `  export ${name}=${shellWord(value)}`),
    ].join('\n'),
  );
  const title = `local account at ${style('green', endpoint)}, until it is interrupted; the profile ${PROFILE} of each shell may do everything in its account`;
  return [title, ...blocks, ''].join('\n\n');
}
