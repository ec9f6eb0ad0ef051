import { ulid } from 'ulid';
import { SessionBrokerError } from '../errors.ts';
import { agentEnvironment, startCredentialsEndpoint } from '../runtime/index.ts';
import type { Ending } from './child.ts';
import { type Command, parseOptions, type Shell } from './command.ts';
import { refuseInsideSession } from './inside-session.ts';
import { refuseNested } from './nested.ts';
import { announceSessions, mint, openBroker, openSession, sessionRequest, warner } from './open-session.ts';
import {
  ROLE_HELP,
  type RoleInput,
  roleInput,
  SCOPE_HELP,
  type ScopeInput,
  SESSION_OPTIONS,
  scopeInput,
} from './session-options.ts';
import { relaySignals } from './signals.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { openTokenFiles } from './token-files.ts';

export interface ExecInput extends RoleInput, ScopeInput {
  /** Absent: a new one. */
  readonly session?: string | undefined;
  readonly json: boolean;
  readonly command: readonly [program: string, ...args: string[]];
}

export const exec: Command<ExecInput> = {
  name: 'exec',
  summary: "runs a command with a session's credentials, renewed for as long as it runs",
  help: `Runs a command whose AWS clients get the session's credentials from an endpoint on loopback, which renews them. Every
other source of credentials that AWS SDKs know is shut in the command's environment; the rest of the environment, the
standard streams, signals and the exit code pass through. The endpoint and its token are gone when the command ends.

Usage: session-broker exec --tenant NAME [options] -- COMMAND [argument ...]

Options:
  --session ID        the session id: A-Z a-z 0-9 "_" "-" (default: a new ULID, told on standard error)
${ROLE_HELP}
${SCOPE_HELP}
  --json              tell the session on standard error as a JSON document

Example: session-broker exec --cluster hub --tenant acme -- aws sts get-caller-identity
`,
  parse: parseExec,
  run: runExec,
};

function parseExec(args: readonly string[]): ExecInput {
  const end = args.indexOf('--');
  const [program, ...rest] = end === -1 ? [] : args.slice(end + 1);
  if (!program) {
    throw new SessionBrokerError(
      'UsageInvalid',
      'command must stand after "--": session-broker exec --tenant NAME -- COMMAND; see session-broker exec --help',
    );
  }
  const values = parseOptions('exec', args.slice(0, end), {
    ...SESSION_OPTIONS,
    json: { type: 'boolean', default: false },
  });
  const { session, json } = values;
  return { ...roleInput(values), ...scopeInput(values), session, json, command: [program, ...rest] };
}

async function runExec(input: ExecInput, shell: Shell): Promise<number> {
  refuseNested(shell.environment);
  refuseInsideSession(shell.environment);
  const ending = await runCommand(input, shell);
  return 'signal' in ending ? shell.endBy(ending.signal) : ending.exitCode;
}

/** Everything that is made here is gone when it returns, also when a signal comes before there is a child. */
async function runCommand({ session, json, command, ...input }: ExecInput, shell: Shell): Promise<Ending> {
  using relay = relaySignals(shell);
  const request = sessionRequest(session ?? ulid(), input, shell);
  using broker = openBroker(input, shell);
  const opened = openSession(broker, request, shell);
  const { sourceIdentity } = opened.session;
  await Promise.race([mint([opened], shell), relay.untilEarly]);
  if (relay.early !== undefined) return { signal: relay.early };

  await using endpoint = await startCredentialsEndpoint({ log: warner(shell) });
  await using folder = await temporaryFolder();
  const { uri, token } = endpoint.serve(opened.session);
  const tokenFile = await (await openTokenFiles(folder.path)).write('token', token);
  await using _announcement = await announceSessions([opened], shell);
  const environment = agentEnvironment(shell.environment, { uri, tokenFile, region: await broker.region() });
  if (json) shell.note(JSON.stringify({ session: request.session, sourceIdentity, uri }));
  else if (session === undefined) shell.note(`session ${sourceIdentity}`);

  if (relay.early !== undefined) return { signal: relay.early };
  const child = shell.spawn(command, environment);
  relay.forwardTo(child);
  return await child.ended;
}
