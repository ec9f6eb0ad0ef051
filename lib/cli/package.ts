import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);

/** A file that stands at the top of the package, beside package.json, also when the code runs compiled. */
export function packageFile(...path: readonly string[]): string {
  let folder = dirname(here);
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, ...path);
}

/** An entry point in `bin/`, in the form that runs now: source or compiled. */
export function entryPoint(name: string): string {
  return join(dirname(here), '..', '..', 'bin', `${name}${extname(here)}`);
}

/** This package's version. */
export function packageVersion(): string {
  return versionIn(packageFile('package.json'));
}

/** The version of an installed package, or undefined where it is not installed. */
export function installedVersion(name: string): string | undefined {
  try {
    return versionIn(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function versionIn(file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
