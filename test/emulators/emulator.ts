import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { clientEnvironment } from '../../lib/local/client-environment.ts';
import { firstLine } from '../support/session-broker.ts';
import { answersOf, environmentOf, isolated, PYTHON } from './python-tools.ts';

const SERVER = fileURLToPath(new URL('ministack_server.py', import.meta.url));

/** The keys of a caller whose calls MiniStack lets pass. */
const UNJUDGED = { AccessKeyId: 'test', SecretAccessKey: 'test' };

/** MiniStack, an emulator of AWS that was not made for this project. */
export interface Emulator extends AsyncDisposable {
  /** The corrections that there are, each by the behaviour of AWS that it restores. */
  readonly corrections: readonly string[];
  /** Leads a client there, as one whose calls no policy judges. */
  readonly environment: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

export interface EmulatorOptions {
  /** Whose calls come in, twelve digits. */
  readonly account: string;
  readonly region: string;
  /** Those that are in force. */
  readonly corrections: 'all' | readonly string[];
}

/** Starts an emulator, which ends with this process at the latest. */
export async function startEmulator({ account, region, corrections }: EmulatorOptions): Promise<Emulator> {
  const child = spawn(PYTHON, [SERVER, ...(corrections === 'all' ? ['all'] : corrections)], {
    env: isolated({ MINISTACK_ACCOUNT_ID: account, MINISTACK_REGION: region, PYTHONDONTWRITEBYTECODE: '1' }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const started = JSON.parse(await firstLine(child)) as { endpoint: string; corrections: readonly string[] };
  const close = async (): Promise<void> => {
    const closed = once(child, 'close');
    child.stdin.end();
    await closed;
  };
  return {
    corrections: started.corrections,
    environment: environmentOf(clientEnvironment(started.endpoint, region), UNJUDGED),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Makes an IAM user who may do everything, and returns the environment of a client that is this user. */
export async function createAdministrator({ environment }: Emulator): Promise<Readonly<Record<string, string>>> {
  const user = { UserName: 'administrator' };
  const policy = { PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' };
  const [, , created] = await answersOf(environment, [
    { service: 'iam', operation: 'create_user', parameters: user },
    { service: 'iam', operation: 'attach_user_policy', parameters: { ...user, ...policy } },
    { service: 'iam', operation: 'create_access_key', parameters: user },
  ]);
  return environmentOf(environment, created?.['AccessKey']);
}
