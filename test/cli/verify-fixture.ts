import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import type { Shell } from '../../lib/cli/command.ts';
import type { LocalAccount, LocalAccountOptions } from '../../lib/local/index.ts';
import { LONGEST_ATTEMPT } from '../../lib/runtime/timing.ts';
import type { Result } from '../../lib/verify/result.ts';
import { ACCOUNT, OTHER_ACCOUNT, startFixture, temporaryFolder } from '../local/fixture.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { setEnvironment } from '../verify/fixture.ts';
import { type FakeProcess, fakeProcess, type Run, runIn } from './fake-shell.ts';

/** A machine on which `session-broker verify` runs as acme's dispatcher. */
export interface Machine {
  readonly account: LocalAccount;
  readonly folder: string;
  /** Runs `session-broker verify` there. */
  readonly verify: (...args: readonly string[]) => Promise<Run>;
  /** A process for it, to be seen at its work. */
  readonly process: (given?: Partial<Shell>) => FakeProcess;
}

/** The time of day stands still in the tests of a file, but for the pauses that a command makes: they take none. */
export function timeStandsStill(): void {
  isolateEnvironment();
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-03-01T12:00:00Z') }));
  afterEach(() => void vi.useRealTimers());
}

/** Only pauses move the clock; the end of an attempt that goes well is no pause. */
export const pausesOnly: NonNullable<Shell['time']> = {
  now: () => Date.now(),
  random: () => 0,
  schedule: (run, milliseconds) => {
    if (milliseconds === LONGEST_ATTEMPT) return () => {};
    const timer = setImmediate(() => {
      pass(milliseconds);
      run();
    });
    return () => clearImmediate(timer);
  },
};

/** Lets time pass for everybody. */
export function pass(milliseconds: number): void {
  vi.setSystemTime(Date.now() + milliseconds);
}

/** A machine of acme's dispatcher, with profiles that may read CloudTrail, that may not, and of another account. */
export async function startMachine(options: Partial<LocalAccountOptions> = {}): Promise<Machine> {
  const account = await startFixture(options);
  const folder = temporaryFolder();
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, 'machine', name), text);
    return join(folder, 'machine', name);
  };
  mkdirSync(join(folder, 'machine'));
  setEnvironment({
    ...account.webIdentityEnvironment('hub', 'acme', file('token', account.mintWebIdentityToken('hub', 'acme'))),
    AWS_SHARED_CREDENTIALS_FILE: file(
      'credentials',
      [
        profile('auditor', account.administratorCredentials(ACCOUNT)),
        profile('dispatcher', account.dispatcherCredentials('hub', 'acme')),
        profile('globex', account.dispatcherCredentials('hub', 'globex')),
        profile('remote', account.administratorCredentials(OTHER_ACCOUNT)),
      ].join('\n'),
    ),
  });
  const process = (given: Partial<Shell> = {}): FakeProcess => fakeProcess({ time: pausesOnly, ...given });
  return { account, folder, process, verify: (...args) => runIn(process(), 'verify', ...args) };
}

function profile(
  name: string,
  { accessKeyId, secretAccessKey, sessionToken }: ReturnType<LocalAccount['administratorCredentials']>,
): string {
  return [
    `[${name}]`,
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    ...(sessionToken === undefined ? [] : [`aws_session_token = ${sessionToken}`]),
  ].join('\n');
}

/** What a command printed or wrote, as a program reads it. */
export type Printed = Result & {
  readonly points: readonly { readonly point: string; readonly settled: boolean; readonly says: string }[];
  readonly next?: string;
};

export function readResult(path: string): Printed {
  return JSON.parse(readFileSync(path, 'utf8')) as Printed;
}

/** Every step with its outcome. */
export function outcomes({ steps, events }: Result): Readonly<Record<string, string>> {
  return Object.fromEntries([...steps, ...events].map(({ step, outcome }) => [step, outcome]));
}
