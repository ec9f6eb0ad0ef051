import { ulid } from 'ulid';
import { type Command, parseOptions, type Shell } from './command.ts';
import { demonstrate } from './quickstart-demonstration.ts';
import { renderDemonstration } from './quickstart-text.ts';

export interface QuickstartInput {
  readonly json: boolean;
}

export const quickstart: Command<QuickstartInput> = {
  name: 'quickstart',
  summary: 'shows the whole main job on this machine, without an AWS account',
  help: `Synthesizes tenants.example.yaml with the CDK, starts the local account on it, and shows a session that gets
its name, keeps it, and is refused every other one. Exits with 0 only if all of it happened.

Usage: session-broker quickstart [--json]

Options:
  --json   the same as data

Example: session-broker quickstart --json
`,
  parse: (args) => parseOptions('quickstart', args, { json: { type: 'boolean', default: false } }),
  run: runQuickstart,
};

async function runQuickstart({ json }: QuickstartInput, shell: Shell): Promise<number> {
  const demonstration = await demonstrate(ulid(), shell);
  shell.write(json ? `${JSON.stringify(demonstration, null, 2)}\n` : renderDemonstration(demonstration, shell.colour));
  return 0;
}
