import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { startChild } from '../../lib/cli/child.ts';
import type { Shell } from '../../lib/cli/command.ts';
import { main } from '../../lib/cli/main.ts';
import { newMark } from '../../lib/cli/nested-mark.ts';

export interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process for a command to run in that is not this one. */
export interface FakeProcess {
  readonly shell: Shell;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Sends it a signal, as `kill` would. */
  readonly raise: (signal: NodeJS.Signals) => void;
  /** The signal that it ended itself by. */
  readonly endedBy: () => NodeJS.Signals | undefined;
  /** The signals that somebody listens to. */
  readonly heard: () => readonly NodeJS.Signals[];
}

/** What a test that does not run real commands in it gets as the exit code of {@link Shell.endBy}. */
export const ENDED_BY_SIGNAL = 200;

/** Its sockets and its children's files go with the test. */
export function fakeProcess(given: Partial<Shell> = {}): FakeProcess {
  let stdout = '';
  let stderr = '';
  let endedBy: NodeJS.Signals | undefined;
  const stop = new AbortController();
  const listeners = new Map<NodeJS.Signals, Set<(signal: NodeJS.Signals) => void>>();
  const shell: Shell = {
    write: (text) => {
      stdout += text;
    },
    note: (line) => {
      stderr += `${line}\n`;
    },
    colour: false,
    readFile: (path) => {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    readInput: async () => '',
    environment: given.environment ?? { ...process.env, XDG_RUNTIME_DIR: socketFolder() },
    node: [process.execPath],
    stop: stop.signal,
    nestedMark: newMark(),
    isTerminal: () => false,
    spawn: startChild,
    onSignal: (signals, listener) => {
      for (const signal of signals) listeners.set(signal, (listeners.get(signal) ?? new Set()).add(listener));
      return { [Symbol.dispose]: () => signals.forEach((signal) => void listeners.get(signal)?.delete(listener)) };
    },
    endBy: (signal) => {
      endedBy = signal;
      return ENDED_BY_SIGNAL;
    },
    ...given,
  };
  return {
    shell,
    stdout: () => stdout,
    stderr: () => stderr,
    raise: (signal) => {
      if (['SIGINT', 'SIGTERM', 'SIGHUP'].includes(signal)) stop.abort();
      for (const listener of listeners.get(signal) ?? []) listener(signal);
    },
    endedBy: () => endedBy,
    heard: () => [...listeners].filter(([, heard]) => heard.size > 0).map(([signal]) => signal),
  };
}

/** Paths of sockets are short: the machine's own temporary folder may be too long for one. */
function socketFolder(): string {
  const folder = mkdtempSync('/tmp/sb-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Runs a command line to its end. */
export async function runIn(fake: FakeProcess, ...args: readonly string[]): Promise<Run> {
  const exitCode = await main(args, fake.shell);
  return { exitCode, stdout: fake.stdout(), stderr: fake.stderr() };
}

/** Runs a command line in a process of its own kind, to its end. */
export async function run(...args: readonly string[]): Promise<Run> {
  return runIn(fakeProcess(), ...args);
}

/** Starts a command that runs until it is stopped, and waits for what it prints first. */
export async function startIn(fake: FakeProcess, ...args: readonly string[]) {
  let printed = (_text: string): void => {};
  const first = new Promise<string>((resolve) => {
    printed = resolve;
  });
  const write = (text: string): void => {
    fake.shell.write(text);
    printed(text);
  };
  const ending = main(args, { ...fake.shell, write });
  onTestFinished(async () => {
    fake.raise('SIGTERM');
    await ending;
  });
  const ended = ending.then((exitCode) => Promise.reject(exited(exitCode, fake)));
  return { first: await Promise.race([first, ended]), ending };
}

function exited(exitCode: number, fake: FakeProcess): Error {
  return new Error(`the command ended with ${exitCode}: ${fake.stderr()}`);
}
