import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLine } from '../support/session-broker.ts';
import type { Account } from './account.ts';
import { createAdministrator, startEmulator } from './emulator.ts';
import { answersOf, aws, type Boto3Call, type Finished, PYTHON, python, run } from './python-tools.ts';

const CDK = fileURLToPath(new URL('../../node_modules/aws-cdk/bin/cdk', import.meta.url));
const READ_ACCOUNT = fileURLToPath(new URL('read_account.py', import.meta.url));

type Variables = Readonly<Record<string, string>>;

/** What doctor found, as it prints it. */
interface Finding {
  readonly code: string;
  readonly tenant?: string;
  readonly fix: { readonly commands: readonly string[] };
}

/** An emulated account to which the CDK CLI deploys. */
export interface Deployments {
  /** The environment of an administrator of the account. */
  readonly environment: Variables;
  /** Where the CDK CLI has last put the app's cloud assembly. */
  readonly assembly: string;
  /** Runs the CDK CLI in this project, with a configuration given as what a `tenants.yaml` holds. */
  readonly cdk: (configuration: unknown, args: readonly string[], environment?: Variables) => Promise<Finished>;
  /** Makes calls with boto3, which must succeed. */
  readonly call: (...calls: readonly Boto3Call[]) => Promise<void>;
  /** The same in another account. */
  readonly callIn: (account: string, ...calls: readonly Boto3Call[]) => Promise<void>;
  /** What the account holds, read with boto3. */
  readonly read: () => Promise<Account>;
  /** What `session-broker doctor` finds: in the account, or in what the AWS CLI prints of it. */
  readonly doctor: (configuration: unknown, reading: 'live' | 'offline') => Promise<readonly Finding[]>;
  /** Runs commands as they are printed. */
  readonly shell: (commands: readonly string[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts an emulated account. */
export async function startDeployments(account: string, region: string): Promise<Deployments> {
  const emulator = await startEmulator({ account, region, corrections: 'all' });
  const environment = await createAdministrator(emulator);
  const folder = mkdtempSync(join(tmpdir(), 'session-broker-deployments-'));
  const configFile = join(folder, 'tenants.yaml');
  const assembly = join(folder, 'cdk.out');

  return {
    environment,
    assembly,
    cdk: async (configuration, args, more = {}) => {
      writeFileSync(configFile, JSON.stringify(configuration));
      const parameters = [...args, '--context', `config=${configFile}`, '--output', assembly, '--no-notices'];
      return run(process.execPath, [CDK, ...parameters], { ...environment, ...CDK_ENVIRONMENT, HOME: folder, ...more });
    },
    call: async (...calls) => void (await answersOf(environment, calls)),
    callIn: async (other, ...calls) => {
      // MiniStack takes an access key of twelve digits for that account's own.
      await answersOf({ ...emulator.environment, AWS_ACCESS_KEY_ID: other }, calls);
    },
    read: async () => (await python(environment, READ_ACCOUNT)) as Account,
    doctor: async (configuration, reading) => {
      writeFileSync(configFile, JSON.stringify(configuration));
      const details = join(folder, 'details.json');
      const from = reading === 'live' ? [] : ['--from', details];
      if (reading === 'offline') {
        const printed = await aws(environment, 'iam', 'get-account-authorization-details');
        writeFileSync(details, printed.stdout);
      }
      const [program, ...args] = commandLine(['doctor', '--json', '--config', configFile, ...from]);
      const { stdout, stderr } = await run(program, args, environment);
      if (stdout === '') throw new Error(stderr);
      return JSON.parse(stdout).findings;
    },
    shell: async (commands) => {
      const path = `${dirname(PYTHON)}${delimiter}${process.env['PATH']}`;
      succeeded(await run('bash', ['-euc', commands.join('\n')], { ...environment, PATH: path }));
    },
    close: async () => {
      await emulator.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const CDK_ENVIRONMENT = {
  CI: 'true',
  CDK_DISABLE_CLI_TELEMETRY: 'true',
  CDK_VALIDATION: 'false',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
};

/** A call of IAM by boto3. */
export function iam(operation: string, parameters: Readonly<Record<string, unknown>>): Boto3Call {
  return { service: 'iam', operation, parameters };
}

/** Makes a role that EKS may assume. */
export function createRole(RoleName: string, Path = '/'): Boto3Call {
  const trust = allowing({ Principal: { Service: 'eks.amazonaws.com' }, Action: 'sts:AssumeRole' });
  return iam('create_role', { RoleName, Path, AssumeRolePolicyDocument: trust });
}

/** A policy document of one statement. */
export function allowing(statement: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
}

/** @throws {Error} with all that a program printed, unless it has succeeded */
export function succeeded({ exitCode, stdout, stderr }: Finished): void {
  if (exitCode !== 0) throw new Error(stdout + stderr);
}
