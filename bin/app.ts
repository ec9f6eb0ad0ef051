import { runApp } from '../lib/stacks/index.ts';
import { readFile } from './read-file.ts';

process.exitCode = runApp({ readFile, note: (line) => process.stderr.write(`${line}\n`) });
