import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** What each room may import from: its own folder, those listed, and all that those may. */
const DIRECTIONS: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  nearest: [],
  'credential-variables': [],
  'shell-word': [],
  loopback: ['errors'],
  identity: ['errors'],
  policy: ['identity'],
  config: ['policy', 'nearest'],
  template: ['identity'],
  constructs: ['config', 'template'],
  stacks: ['constructs'],
  sdk: ['identity'],
  runtime: ['policy', 'nearest', 'credential-variables', 'loopback', 'sdk', 'shell-word'],
  doctor: ['config', 'template', 'sdk', 'shell-word'],
  verify: ['runtime', 'config', 'sdk'],
  local: ['config', 'template', 'credential-variables', 'loopback'],
  cli: ['runtime', 'doctor', 'verify', 'local', 'config'],
};

const SDK = ['cloudtrail', 'eks', 'iam', 'ssm', 'sts'].map((service) => `@aws-sdk/client-${service}`);

/** The packages that a room may load; a room that is not listed loads none. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  config: ['yaml', 'valibot'],
  constructs: ['aws-cdk-lib', 'constructs'],
  stacks: ['aws-cdk-lib', 'constructs'],
  sdk: SDK,
  runtime: ['@aws-sdk/client-sts', '@aws-sdk/client-ssm', '@opentelemetry/api'],
  verify: ['valibot'],
  cli: ['@aws-sdk/client-sts', '@aws-sdk/client-ssm', 'ulid'],
};

/** The rooms that read no clock, environment, file or network. */
const PURE = ['errors', 'nearest', 'credential-variables', 'shell-word', 'identity', 'policy', 'config', 'template'];

interface Source {
  readonly path: string;
  readonly room: string;
  readonly code: string;
  readonly imports: readonly string[];
}

const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path): Source => {
    const file = posix.join('lib', path.replaceAll('\\', '/'));
    const code = withoutComments(readFileSync(join(ROOT, file), 'utf8'));
    return { path: file, room: roomOf(file), code, imports: importsOf(code) };
  });

describe('a file of lib/', () => {
  test.each(sources)('imports only from rooms below its own: $path', ({ path, room, imports }) => {
    const allowed = reachable(room);
    for (const target of imports.filter((specifier) => specifier.startsWith('.'))) {
      const resolved = posix.join(posix.dirname(path), target);
      expect(resolved, `${path} imports ${target}`).toMatch(/^lib\/.*\.ts$/);
      expect(allowed, `${path} imports ${target}`).toContain(roomOf(resolved));
    }
  });

  test.each(sources)('loads only the packages of its room: $path', ({ path, room, imports }) => {
    const packages = imports
      .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .map((specifier) => specifier.match(/^(@[^/]+\/)?[^/]+/)?.[0]);
    for (const name of packages) expect(PACKAGES[room] ?? [], `${path} imports ${name}`).toContain(name);
  });

  test.each(sources.filter(({ room }) => PURE.includes(room)))('is pure: $path', ({ code, imports }) => {
    expect(imports.filter((specifier) => specifier.startsWith('node:'))).toEqual([]);
    expect(code).not.toMatch(/\bprocess\b|\bfetch\(|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\b/);
  });

  test.each(sources)(
    'names no partition in an ARN, re-exports nothing by star and has no default export: $path',
    ({ code }) => {
      expect(code).not.toMatch(/arn:aws[a-z-]*:[a-z]/);
      expect(code).not.toMatch(/export \*/);
      expect(code).not.toMatch(/export default/);
    },
  );
});

test('OpenTelemetry is loaded by one file, when it is needed', () => {
  const statically = /^(?:import|export)\s+(?!type\b)[^;]*?\bfrom '@opentelemetry\/api'/m;
  const lazily = /(?<!typeof )import\('@opentelemetry\/api'\)/;
  expect(sources.filter(({ code }) => statically.test(code)).map(({ path }) => path)).toEqual([]);
  expect(sources.filter(({ code }) => lazily.test(code)).map(({ path }) => path)).toEqual([
    'lib/runtime/open-telemetry.ts',
  ]);
  // The types of these two are not published: a project without the API compiles.
  expect(sources.filter(({ imports }) => imports.includes('@opentelemetry/api')).map(({ path }) => path)).toEqual([
    'lib/runtime/open-telemetry.ts',
    'lib/runtime/telemetry.ts',
  ]);
});

test('the environment is read in one file of the runtime', () => {
  // A format of credentials has the same name: as a text or as a key.
  const host = /(?<!')\bprocess\b(?![':])/;
  const readers = sources.filter(({ room, code }) => room === 'runtime' && host.test(code));
  expect(readers.map(({ path }) => path)).toEqual(['lib/runtime/environment.ts']);
});

test('no files import each other in a circle', () => {
  const graph = new Map(
    sources.map(({ path, imports }) => [
      path,
      imports.filter((target) => target.startsWith('.')).map((target) => posix.join(posix.dirname(path), target)),
    ]),
  );
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    expect(trail, 'a circle of imports').not.toContain(path);
    if (finished.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
});

describe('data is never code:', () => {
  test.each(sources)('nothing is evaluated, and no module is chosen by data: $path', ({ code }) => {
    expect(code).not.toMatch(/\beval\(|\bFunction\(|\bset(?:Timeout|Interval|Immediate)\(['"`]|\bimport\((?!')/);
    expect(code).not.toMatch(/'node:(?:vm|worker_threads|cluster|inspector|repl|wasi)'/);
  });

  test('what is required by a name that is no literal comes from three places, of our own', () => {
    const requiring = sources.filter(({ code }) => /\bcreateRequire\(/.test(code));
    expect(requiring.map(({ path }) => path).sort()).toEqual([
      'lib/cli/package.ts', // the versions of packages
      'lib/constructs/cdk.ts', // parts of the CDK
      'lib/sdk/load.ts', // clients of the SDK
    ]);
  });

  test('programs are started in two places, and never by a shell', () => {
    const starting = sources.filter(({ imports }) => imports.includes('node:child_process'));
    expect(starting.map(({ path }) => path).sort()).toEqual([
      'lib/cli/child.ts', // what the user gives to exec
      'lib/cli/synthesize.ts', // our own CDK app
    ]);
    for (const { code } of starting) {
      expect(code).toMatch(/^import \{ spawn \} from 'node:child_process';$/m);
      expect(code).not.toMatch(/\bshell: (?:true|['"`])/);
    }
  });
});

test('files in bin/ hold no logic', () => {
  for (const name of readdirSync(join(ROOT, 'bin'))) {
    const lines = readFileSync(join(ROOT, 'bin', name), 'utf8')
      .trim()
      .split('\n');
    expect(lines.length, name).toBeLessThanOrEqual(25);
  }
});

function roomOf(path: string): string {
  const [, room = ''] = path.split('/');
  return room.replace(/\.ts$/, '');
}

function reachable(room: string): readonly string[] {
  const below = DIRECTIONS[room];
  if (below === undefined) throw new Error(`lib/${room} has no place in DIRECTIONS`);
  return [room, ...below.flatMap(reachable)];
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<![:'"`\\])\/\/.*$/gm, '');
}

/** Every module that a file names, types and lazy imports included. */
function importsOf(code: string): readonly string[] {
  const statements = code.matchAll(
    /^(?:import|export)\b[^;]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...statements].map(([, stated, nameless, lazy]) => stated ?? nameless ?? lazy ?? '');
}
