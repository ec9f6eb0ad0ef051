import type { Shell } from './command.ts';

/** Milliseconds after which somebody at a terminal wonders. */
const LONG = 1000;

/** Passes on what is waited for, and says what that is if it takes long and somebody looks. */
export async function saying<Result>(line: string, wait: Promise<Result>, shell: Shell): Promise<Result> {
  if (!shell.isTerminal('stderr')) return wait;
  const timer = setTimeout(() => shell.note(line), LONG);
  return wait.finally(() => clearTimeout(timer));
}
