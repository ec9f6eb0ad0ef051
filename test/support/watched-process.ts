import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';

const CONSOLE = ['log', 'info', 'debug', 'warn', 'error', 'trace', 'dir'] as const;

/** Everything that this process says from now on by any way but a return value, until the test ends. */
export function watchProcess(): () => string {
  const said: string[] = [];
  const note = (...parts: readonly unknown[]): true => {
    said.push(parts.map(String).join(' '));
    return true;
  };
  const spies = [
    ...[process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(note)),
    ...CONSOLE.map((method) => vi.spyOn(console, method).mockImplementation(note)),
    vi.spyOn(process, 'emitWarning').mockImplementation(note),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return () => said.join('\n');
}

/** The names and the contents of all files below a folder. */
export function filesBelow(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(folder, name), 'latin1')]));
}
