#!/usr/bin/env node
import { runIn } from '../lib/cli/run-in.ts';
import { readFile } from './read-file.ts';

await runIn(process, readFile);
