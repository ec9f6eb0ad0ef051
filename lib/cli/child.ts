import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { quote, SessionBrokerError } from '../errors.ts';
import { lookUp } from '../runtime/delivery/discovery.ts';

/** How a program ended: by itself, or by a signal. */
export type Ending = { readonly exitCode: number } | { readonly signal: NodeJS.Signals };

/** A program that was started. */
export interface Child {
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Rejects with CommandNotFound or CommandNotExecutable for a program that could not be started. */
  readonly ended: Promise<Ending>;
}

/** Starts a program that shares this process's standard streams. */
export function startChild(
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string | undefined>>,
): Child {
  let kill: Child['kill'] = () => {};
  const ended = new Promise<Ending>((resolve, reject) => {
    const refuse = (error: unknown): void => reject(notStarted(program, error));
    try {
      const child = spawn(program, args, { env, stdio: 'inherit' });
      // Once it runs, an error is one of kill: the program has changed its user.
      child.once('error', refuse).once('spawn', () => child.off('error', refuse).on('error', () => {}));
      child.once('exit', (code, signal) => resolve(signal === null ? { exitCode: code ?? 1 } : { signal }));
      kill = (signal) => void child.kill(signal);
    } catch (error) {
      refuse(error);
    }
  });
  return { kill, ended };
}

function notStarted(program: string, cause: unknown): SessionBrokerError {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return new SessionBrokerError(
      'CommandNotFound',
      `command must be a program in a folder of PATH, or the path of one: ${quote(program)} was not found, or the interpreter in its first line was not; correct or install it`,
      { cause },
    );
  }
  return new SessionBrokerError(
    'CommandNotExecutable',
    `command must be a program that may be executed: ${quote(program)} ${whyNot(program, code)}`,
    { cause },
  );
}

function whyNot(program: string, code: string | undefined): string {
  const isFolder = program.includes('/') && lookUp(() => statSync(program))?.isDirectory();
  if (isFolder) return 'is a folder; name a program in it';
  const remedy = code === 'EACCES' ? 'check its permissions (chmod +x)' : 'check its path and its arguments';
  return `could not be started (${code}); ${remedy}`;
}
