import { SESSION_DURATION_SECONDS } from '../identity/index.ts';
import { VARIABLES } from '../runtime/environment.ts';
import { shellWord } from '../shell-word.ts';
import { type Command, parseOptions, type Shell } from './command.ts';
import { refuseInsideSession } from './inside-session.ts';
import { refuseNested, unwrapLoop } from './nested.ts';
import { openBroker } from './open-session.ts';
import { ROLE_HELP, ROLE_OPTIONS, type RoleInput, requiredSession, roleInput } from './session-options.ts';
import { unlessStopped } from './stopped.ts';

export interface EnvInput extends RoleInput {
  readonly session: string;
  readonly json: boolean;
}

export const env: Command<EnvInput> = {
  name: 'env',
  summary: 'prints the variables for a client that assumes the role by itself',
  help: `Prints the variables that a dispatcher sets for a client that calls sts:AssumeRole by itself: the source identity to
send (FAB_OPERATOR), the role and the duration, and what this package's own runtime reads. No credentials are among
them. Such a client chooses its own role session name, so its tenant must not have roleSessionName: bound.

Usage: session-broker env --tenant NAME --session ID [options]

Options:
  --session ID        the session id: A-Z a-z 0-9 "_" "-" (required)
${ROLE_HELP}
  --json              print one JSON document instead of exports for a shell

Example: session-broker env --cluster hub --tenant acme --session 01K9ZQ4T5N8XV2M7B3C6D1E0FG
`,
  parse: parseEnv,
  run: runEnv,
};

function parseEnv(args: readonly string[]): EnvInput {
  const values = parseOptions('env', args, {
    ...ROLE_OPTIONS,
    session: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  return { ...roleInput(values), session: requiredSession('env', values.session), json: values.json };
}

async function runEnv({ json, ...input }: EnvInput, shell: Shell): Promise<number> {
  refuseNested(shell.environment);
  // Where the role is known, nothing is asked of AWS.
  if (!(input.roleArn ?? shell.environment[VARIABLES.roleArn])) refuseInsideSession(shell.environment);
  const variables = await unlessStopped(shell.stop, resolveVariables(input, shell));
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${shellWord(value)}\n`);
  shell.write(json ? `${JSON.stringify(variables)}\n` : exports.join(''));
  return 0;
}

async function resolveVariables(
  input: Omit<EnvInput, 'json'>,
  shell: Shell,
): Promise<Readonly<Record<string, string>>> {
  using broker = openBroker(input, shell);
  const { region: _, session, ...role } = input;
  const { sourceIdentity } = broker.session({ ...role, session });
  const roleArn = await broker.roleArn(role).catch((error: unknown) => {
    throw unwrapLoop(error, shell.nestedMark);
  });
  const { environment } = shell;
  const variables = {
    FAB_OPERATOR: sourceIdentity,
    [VARIABLES.roleArn]: roleArn,
    FAB_SESSION_DURATION: String(SESSION_DURATION_SECONDS.default),
    [VARIABLES.cluster]: input.cluster ?? environment[VARIABLES.cluster],
    [VARIABLES.tenant]: input.tenant ?? environment[VARIABLES.tenant],
    [VARIABLES.parameterPrefix]: environment[VARIABLES.parameterPrefix],
  };
  return Object.fromEntries(Object.entries(variables).filter((entry): entry is [string, string] => !!entry[1]));
}
