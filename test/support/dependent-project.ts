import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellWord } from '../../lib/shell-word.ts';
import { commandLine } from './session-broker.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Makes a folder a project that depends on this package as it is in the source tree. */
export function makeDependentProject(folder: string): void {
  const dependency = join(folder, 'node_modules', 'session-broker');
  mkdirSync(dependency, { recursive: true });
  for (const name of ['@aws-sdk', '@opentelemetry', '@types', 'aws-cdk-lib', 'constructs', 'tsx']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  symlinkSync(join(ROOT, 'lib'), join(dependency, 'lib'));
  writeFileSync(join(dependency, 'package.json'), JSON.stringify({ type: 'module', exports: sourceExports() }));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: { noUnusedLocals: false, rootDir: '/' },
      include: [join(folder, '**', '*.ts'), join(folder, '**', '*.mts')],
    }),
  );
}

/** Puts the command `session-broker` into a folder, which a test has in its PATH. */
export function installCommand(folder: string): void {
  const program = commandLine([]).map(shellWord).join(' ');
  writeFileSync(join(folder, 'session-broker'), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
}

/** The published subpaths, each leading to its source. */
function sourceExports(): Readonly<Record<string, string>> {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, { readonly default: string }>>;
  };
  return Object.fromEntries(
    Object.entries(exports).map(([subpath, { default: compiled }]) => [
      subpath,
      compiled.replace('./dist/', './').replace(/\.js$/, '.ts'),
    ]),
  );
}
