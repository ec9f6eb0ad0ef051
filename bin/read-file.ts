import { existsSync, readFileSync } from 'node:fs';

/** A file's text, or undefined if there is no such file. */
export function readFile(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
