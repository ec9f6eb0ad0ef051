import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { keepCompiledCode } from '../../lib/cli/compile-cache.ts';
import { temporaryFolder } from '../runtime/delivery/fixture.ts';

let home: string;
let enableCompileCache: ReturnType<typeof vi.fn<(folder: string) => void>>;
beforeEach(() => {
  home = temporaryFolder();
  enableCompileCache = vi.fn();
});

describe('compiled code', () => {
  test('is kept in a folder of the user alone', () => {
    keepCompiledCode({ HOME: home }, { enableCompileCache });
    const folder = join(home, '.cache', 'session-broker');
    expect(enableCompileCache.mock.calls).toEqual([[folder]]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('is kept where XDG_CACHE_HOME says', () => {
    keepCompiledCode({ HOME: '/nowhere', XDG_CACHE_HOME: home }, { enableCompileCache });
    expect(enableCompileCache.mock.calls).toEqual([[join(home, 'session-broker')]]);
  });

  test('is kept in the folder that an earlier run made', () => {
    keepCompiledCode({ HOME: home }, { enableCompileCache });
    keepCompiledCode({ HOME: home }, { enableCompileCache });
    expect(enableCompileCache).toHaveBeenCalledTimes(2);
  });
});

describe('compiled code is not kept', () => {
  test('in a folder that others may write to', () => {
    mkdirSync(join(home, 'session-broker'));
    chmodSync(join(home, 'session-broker'), 0o770);
    keepCompiledCode({ XDG_CACHE_HOME: home }, { enableCompileCache });
    expect(enableCompileCache).not.toHaveBeenCalled();
  });

  test('behind a link, which somebody else may have put there', () => {
    mkdirSync(join(home, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(home, 'elsewhere'), join(home, 'session-broker'));
    keepCompiledCode({ XDG_CACHE_HOME: home }, { enableCompileCache });
    expect(enableCompileCache).not.toHaveBeenCalled();
  });

  test('where no folder can be made', () => {
    writeFileSync(join(home, 'file'), '');
    keepCompiledCode({ XDG_CACHE_HOME: join(home, 'file') }, { enableCompileCache });
    expect(enableCompileCache).not.toHaveBeenCalled();
  });

  test.each([
    ['without a home', {}],
    ['with a home that is relative', { HOME: 'home', XDG_CACHE_HOME: 'cache' }],
  ])('%s', (_, environment) => {
    keepCompiledCode(environment, { enableCompileCache });
    expect(enableCompileCache).not.toHaveBeenCalled();
  });

  test.each([
    ['when the user has Node keep none', { NODE_DISABLE_COMPILE_CACHE: '1' }, undefined],
    ['when Node keeps it in a folder of the user', {}, '/elsewhere'],
  ])('%s', (_, environment, kept) => {
    keepCompiledCode({ HOME: home, ...environment }, { enableCompileCache, getCompileCacheDir: () => kept });
    expect(enableCompileCache).not.toHaveBeenCalled();
    expect(readdirSync(home)).toEqual([]);
  });

  test('by a Node that cannot', () => {
    keepCompiledCode({ HOME: home }, {});
    expect(readdirSync(home)).toEqual([]);
  });
});
