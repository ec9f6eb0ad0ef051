import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command line, in a process of its own. */
export async function runCommand(
  args: readonly string[],
  options: { readonly cwd?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  return ended(startCommand(args, options));
}

/** As {@link runCommand}, for a command that runs until it is stopped. */
export function startCommand(
  args: readonly string[],
  options: { readonly cwd?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): ChildProcess {
  const [program, ...parameters] = commandLine(args);
  shareCompiledCode(options.environment?.['TMPDIR']);
  return spawn(program, parameters, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** What tsx has compiled lies with the temporary files: from an empty folder, a command takes a second longer. */
function shareCompiledCode(temporary: string | undefined): void {
  if (temporary === undefined) return;
  const name = `tsx-${process.getuid?.()}`;
  mkdirSync(join(tmpdir(), name), { recursive: true });
  if (!existsSync(join(temporary, name))) symlinkSync(join(tmpdir(), name), join(temporary, name));
}

/** The program and its arguments that run the command line. */
export function commandLine(args: readonly string[]): readonly [string, ...string[]] {
  return [process.execPath, '--import', import.meta.resolve('tsx'), join(ROOT, 'bin', 'session-broker.ts'), ...args];
}

/** What a process printed, once it has ended. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stdout, stderr };
}

/** What a process has printed to standard output once it matches. */
export function printedUntil(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (pattern.test(text)) resolve(text);
    });
    child.once('close', () => reject(new Error(`the process ended before it printed ${pattern}: ${text}`)));
  });
}

/** The first line that a process prints to standard output. */
export async function firstLine(child: ChildProcess): Promise<string> {
  const [line = ''] = (await printedUntil(child, /\n/)).split('\n');
  return line;
}
