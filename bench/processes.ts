import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What users run. */
const DIST = resolve(process.env['BENCH_DIST'] ?? join(ROOT, 'dist'));
export const COMMAND = join(DIST, 'bin', 'session-broker.cjs');

/** A module as users load it. */
export async function compiled<Module>(path: string): Promise<Module> {
  return import(pathToFileURL(join(DIST, path)).href);
}

/** @throws if what would be measured is not what the sources say */
export function assertBuilt(): void {
  const isCurrent = existsSync(COMMAND) && statSync(COMMAND).mtimeMs >= statSync(join(ROOT, 'lib')).mtimeMs;
  if (!isCurrent) throw new Error('dist/ is missing or older than lib/; run npm run build first');
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Node reads this file of certificates at each start: some ms, on one side only if the other is no Node. */
export function withoutExtraCertificates({ NODE_EXTRA_CA_CERTS: _, ...environment }: Environment): Environment {
  return environment;
}

export interface Finished {
  readonly wallMs: number;
  readonly stdout: string;
}

/** Runs a program to its end. */
export function run([program, ...args]: readonly [string, ...string[]], environment: Environment): Finished {
  const begin = performance.now();
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    cwd: ROOT,
    env: { ...environment },
  });
  const wallMs = performance.now() - begin;
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')} failed: ${error?.message ?? stderr}`);
  return { wallMs, stdout };
}

/** A process of the benchmark's own, which prints a line of JSON whenever it has something to say. */
export interface Helper extends AsyncDisposable {
  readonly next: () => Promise<Record<string, unknown>>;
}

/** Starts a file of this folder, with its arguments as JSON. */
export function startHelper(file: string, given: object, flags: readonly string[] = []): Helper {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const args = [...flags, '--import', import.meta.resolve('tsx'), path, JSON.stringify(given)];
  return linesOf(
    spawn(process.execPath, args, {
      env: { ...withoutExtraCertificates(process.env) },
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
    JSON.parse,
  );
}

/** Starts the command, which prints something once it is ready. */
export function startCommand(args: readonly string[], environment: Environment): Helper {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  return linesOf(
    spawn(process.execPath, [COMMAND, ...args], { env: { ...environment }, stdio: [...stdio] }),
    (line) => ({
      line,
    }),
  );
}

/** What a helper is started with. */
export function givenArguments<Given>(): Given {
  return JSON.parse(process.argv[2] ?? '{}');
}

export function say(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function linesOf(child: ChildProcess, read: (line: string) => Record<string, unknown>): Helper {
  if (child.stdout === null) throw new Error('the process has no standard output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'close');
  return {
    async next() {
      const { value, done } = await lines.next();
      if (done) throw new Error(`a process of the benchmark ended: ${child.spawnargs.join(' ')}`);
      return read(value);
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}
