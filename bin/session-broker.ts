#!/usr/bin/env node
import { main } from '../lib/cli/main.ts';
import { readFile } from './read-file.ts';

// A terminal's interrupt arrives twice under npx, so it may come again while a command is ending.
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

const environment = { ...process.env };
// The SDK warns of its own future versions; a command runs the version that it was released with.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

process.exitCode = await main(process.argv.slice(2), {
  write: (text) => process.stdout.write(text),
  note: (line) => process.stderr.write(`${line}\n`),
  colour: process.stdout.hasColors?.() ?? false,
  readFile,
  environment,
  node: [process.execPath, ...process.execArgv],
  stop: stop.signal,
});
