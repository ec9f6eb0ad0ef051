import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, sep } from 'node:path';
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
  return manifest(packageFile('package.json')).version;
}

/** The version of an installed package, or undefined where it is not installed. */
export function installedVersion(name: string): string | undefined {
  try {
    return manifest(createRequire(import.meta.url).resolve(`${name}/package.json`)).version;
  } catch {
    return undefined;
  }
}

/** The versions of an optional peer that this package works with. */
export function peerRange(name: string): string {
  const { peerDependencies } = manifest(packageFile('package.json'));
  return peerDependencies?.[name] ?? 'latest';
}

/** Whether this package runs as a dependency of another, and not from its own checkout. */
export function isInstalled(): boolean {
  return here.split(sep).includes('node_modules');
}

interface Manifest {
  readonly version: string;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

function manifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
}
