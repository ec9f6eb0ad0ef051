#!/usr/bin/env node
import { keepCompiledCode } from '../lib/cli/compile-cache.ts';
import { answerFromEndpoint } from '../lib/cli/served.ts';
import { readFile } from './read-file.ts';

// Left to Node, this signal opens a debugger on a port of loopback, to every user of the machine.
process.on('SIGUSR1', () => {});

// The whole command line is loaded only for what no endpoint answers.
answerFromEndpoint(process).then(async (isAnswered) => {
  if (isAnswered) return;
  keepCompiledCode(process.env);
  const { runIn } = await import('../lib/cli/run-in.ts');
  await runIn(process, readFile);
});
