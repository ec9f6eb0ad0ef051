import { constants } from 'node:os';
import { text } from 'node:stream/consumers';
import { isatty } from 'node:tty';
import { onBrokenOutput } from './broken-output.ts';
import { startChild } from './child.ts';
import type { Shell } from './command.ts';
import { main } from './main.ts';
import { NESTED } from './nested.ts';
import { newMark, removeMark } from './nested-mark.ts';

/** What ends a command: an interrupt, a polite request, a terminal that closes. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Looked at by number: to open standard input would take it from a child. */
const DESCRIPTORS = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** What shells add to a signal's number for the exit code of a program that it ended. */
const ENDED_BY_SIGNAL = 128;

/**
 * Runs the command line in a process and sets its exit code.
 * @param readFile a file's text, or undefined if there is no such file
 */
export async function runIn(host: NodeJS.Process, readFile: Shell['readFile']): Promise<void> {
  const stop = new AbortController();
  // An interrupt arrives twice under npx, so it may come again while a command is ending.
  for (const signal of STOP_SIGNALS) host.on(signal, () => stop.abort());

  // Opened now: later it would make the same file non-blocking for a child that writes to it too.
  const { stdout, stderr } = host;
  let isOutputBroken = false;
  onBrokenOutput(host, () => {
    isOutputBroken = true;
    stop.abort();
  });
  stderr.on('error', () => {}); // nobody is left to tell

  const environment = { ...host.env };
  // The SDK warns of its own future versions; a command runs the version that it was released with.
  host.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const nestedMark = newMark();
  host.env[NESTED] = nestedMark;

  const exitCode = await main(host.argv.slice(2), {
    write: (text) => stdout.write(text),
    note: (line) => stderr.write(`${line}\n`),
    colour: stdout.hasColors?.() ?? false,
    readFile,
    readInput: () => text(host.stdin),
    environment,
    node: [host.execPath, ...host.execArgv],
    stop: stop.signal,
    nestedMark,
    isTerminal: (stream) => isatty(DESCRIPTORS[stream]),
    spawn: startChild,
    onSignal: (signals, listener) => {
      for (const signal of signals) host.on(signal, listener);
      return {
        [Symbol.dispose]: () => {
          for (const signal of signals) host.off(signal, listener);
        },
      };
    },
    endBy: (signal) => {
      removeMark(nestedMark);
      host.removeAllListeners(signal);
      host.kill(host.pid, signal);
      return ENDED_BY_SIGNAL + constants.signals[signal];
    },
  });
  removeMark(nestedMark);
  host.exitCode = isOutputBroken ? 1 : exitCode;
  // What was given up must not hold the process: a call of STS that nobody waits for any more.
  if (stop.signal.aborted) host.exit();
}
