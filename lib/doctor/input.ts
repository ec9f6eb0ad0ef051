import { MANIFEST, type ReadFile, readAssembly } from '../template/assembly.ts';
import { addCliOutput } from './cli-output.ts';
import { addAssembly } from './from-assembly.ts';
import { Snapshot } from './snapshot.ts';
import { inputUnreadable } from './unreadable.ts';

/**
 * What files say of the accounts: cloud assemblies, and what the AWS CLI printed.
 * @param paths a cloud assembly's folder, or a file of JSON
 * @throws {SessionBrokerError} InputUnreadable, AssemblyUnreadable
 */
export function readSnapshot(paths: readonly string[], readFile: ReadFile): Snapshot {
  const snapshot = new Snapshot();
  for (const path of paths) {
    if (isAssembly(path, readFile)) addAssembly(readAssembly(path, readFile), snapshot);
    else addCliOutput(readJson('--from', path, readFile), path, snapshot);
  }
  return snapshot;
}

function isAssembly(path: string, readFile: ReadFile): boolean {
  try {
    return readFile(`${path}/${MANIFEST}`) !== undefined;
  } catch {
    return false; // below a file there is nothing
  }
}

/**
 * A file of JSON.
 * @param option the option that names it
 * @throws {SessionBrokerError} InputUnreadable
 */
export function readJson(option: string, path: string, readFile: ReadFile): unknown {
  let text: string | undefined;
  try {
    text = readFile(path);
  } catch (cause) {
    throw inputUnreadable(option, path, 'must be a file that can be read', messageOf(cause), cause);
  }
  if (text === undefined) throw inputUnreadable(option, path, 'must be a file that exists', 'correct the path');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw inputUnreadable(option, path, 'must be a file of JSON', messageOf(cause), cause);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
