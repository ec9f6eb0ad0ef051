import type { Shell } from './command.ts';

/** Milliseconds after which somebody wonders. */
const LONG = 1000;

/**
 * Passes on what is waited for, and says what that is if it takes long and somebody looks.
 * @param hasLog whether standard error is read later, too, as that of a service is
 */
export async function saying<Result>(
  line: string,
  wait: Promise<Result>,
  shell: Shell,
  hasLog = false,
): Promise<Result> {
  if (!hasLog && !shell.isTerminal('stderr')) return wait;
  const timer = setTimeout(() => shell.note(line), LONG);
  return wait.finally(() => clearTimeout(timer));
}
