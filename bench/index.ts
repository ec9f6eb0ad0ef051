/**
 * What this package costs, against what one would use without it. It measures dist/, so build first.
 *
 *     npm run build && npm run bench [-- --quick] [-- --json]
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { measureCallers } from './callers.ts';
import { measureCommand } from './command.ts';
import { measureEndpoint } from './endpoint.ts';
import { isMet, type Outcome, printOutcome } from './outcome.ts';
import { assertBuilt } from './processes.ts';
import { measureSessions } from './sessions.ts';

const { quick, json } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
}).values;

assertBuilt();
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
const machine = { node: process.version, platform: `${process.platform}-${process.arch}`, cores: cpus().length };
if (!json) console.log(`Node ${machine.node}, ${machine.platform}, ${machine.cores} cores${quick ? ', quick' : ''}`);

const outcomes: Outcome[] = [];
for (const measure of [measureCommand, measureCallers, measureEndpoint, measureSessions]) {
  const measured = await measure({ isQuick: quick });
  if (!json) for (const outcome of measured) printOutcome(outcome);
  outcomes.push(...measured);
}
if (json) {
  const rows = outcomes.map((outcome) => ({ ...outcome, isMet: isMet(outcome) }));
  console.log(JSON.stringify({ ...machine, isQuick: quick, outcomes: rows }, undefined, 2));
}
