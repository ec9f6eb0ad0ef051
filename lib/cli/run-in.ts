import type { Shell } from './command.ts';
import { main } from './main.ts';

/** What ends a command: an interrupt, a polite request, a terminal that closes. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs the command line in a process and sets its exit code.
 * @param readFile a file's text, or undefined if there is no such file
 */
export async function runIn(host: NodeJS.Process, readFile: Shell['readFile']): Promise<void> {
  const stop = new AbortController();
  // An interrupt arrives twice under npx, so it may come again while a command is ending.
  for (const signal of STOP_SIGNALS) host.on(signal, () => stop.abort());

  let isOutputBroken = false;
  host.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough, such as head, is no fault.
    if (error.code !== 'EPIPE') host.stderr.write(`error: standard output cannot be written: ${error.message}\n`);
    isOutputBroken = true;
    host.exitCode = 1;
    stop.abort();
  });

  const environment = { ...host.env };
  // The SDK warns of its own future versions; a command runs the version that it was released with.
  host.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

  const exitCode = await main(host.argv.slice(2), {
    write: (text) => host.stdout.write(text),
    note: (line) => host.stderr.write(`${line}\n`),
    colour: host.stdout.hasColors?.() ?? false,
    readFile,
    environment,
    node: [host.execPath, ...host.execArgv],
    stop: stop.signal,
  });
  host.exitCode = isOutputBroken ? 1 : exitCode;
}
