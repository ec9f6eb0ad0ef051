import { mkdirSync } from 'node:fs';
import module from 'node:module';
import { join } from 'node:path';
import type { Variables } from '../credential-variables.ts';
import { isPrivateFolder } from '../runtime/delivery/discovery.ts';

/** The part of `node:module` that Node has since 22.1. */
interface CompileCache {
  readonly enableCompileCache?: (folder: string) => unknown;
  readonly getCompileCacheDir?: () => string | undefined;
}

/**
 * Keeps what Node compiles of this package and of the SDK for the next run, which then starts sooner. It is code
 * and never data. Who could write to the folder could run code as this user, so the folder is this user's alone;
 * where there can be none, as for a file system that is read-only, nothing is kept.
 */
export function keepCompiledCode(
  environment: Variables,
  { enableCompileCache, getCompileCacheDir }: CompileCache = module as CompileCache,
): void {
  const folder = cacheFolder(environment);
  const isDecided = Boolean(environment['NODE_DISABLE_COMPILE_CACHE']) || getCompileCacheDir?.() !== undefined;
  if (enableCompileCache === undefined || folder === undefined || isDecided) return;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    return;
  }
  if (isPrivateFolder(folder)) enableCompileCache(folder);
}

/** @see XDG Base Directory Specification: a path that is relative counts as not set */
function cacheFolder({ XDG_CACHE_HOME, HOME }: Variables): string | undefined {
  if (XDG_CACHE_HOME?.startsWith('/')) return join(XDG_CACHE_HOME, 'session-broker');
  return HOME?.startsWith('/') ? join(HOME, '.cache', 'session-broker') : undefined;
}
