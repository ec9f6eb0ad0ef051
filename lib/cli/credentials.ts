import { quote, SessionBrokerError } from '../errors.ts';
import { askFor } from '../runtime/delivery/ask.ts';
import { CREDENTIALS_FORMATS } from '../runtime/delivery/formats.ts';
import type { SessionRequest } from '../runtime/delivery/session-key.ts';
import { type CredentialsFormat, formatCredentials, type SessionCredentials } from '../runtime/index.ts';
import { type Command, parseOptions, type Shell } from './command.ts';
import { refuseInsideSession } from './inside-session.ts';
import { refuseNested } from './nested.ts';
import { mint, openBroker, openSession, sessionRequest } from './open-session.ts';
import {
  ROLE_HELP,
  type RoleInput,
  requiredSession,
  roleInput,
  SCOPE_HELP,
  type ScopeInput,
  SESSION_OPTIONS,
  type SessionInput,
  scopeInput,
} from './session-options.ts';
import { unlessStopped } from './stopped.ts';

export interface CredentialsInput extends SessionInput {
  readonly format: CredentialsFormat;
}

export const credentials: Command<CredentialsInput> = {
  name: 'credentials',
  summary: "prints a session's credentials, for credential_process, Claude Code or a shell",
  help: `Prints credentials of one session, and nothing else, to standard output. An endpoint of this user that serves the
session already (session-broker exec, session-broker serve) is asked first; nothing is ever kept on disk.

Usage: session-broker credentials --tenant NAME --session ID [options]

Options:
  --session ID        the session id: A-Z a-z 0-9 "_" "-" (required)
${ROLE_HELP}
${SCOPE_HELP}
  --format FORMAT     process: for credential_process of a profile; claude: for awsCredentialExport of Claude Code;
                      env: commands for a shell; json: an object (default: process)
  --json              the same as --format json

In a script, write out=$(session-broker credentials ... --format env) || exit; eval "$out". A plain eval "$(...)"
succeeds even if the command fails: the script would go on as the dispatcher.

Example: session-broker credentials --cluster hub --tenant acme --session 01K9ZQ4T5N8XV2M7B3C6D1E0FG --format env
`,
  parse: parseCredentials,
  run: runCredentials,
};

function parseCredentials(args: readonly string[]): CredentialsInput {
  const values = parseOptions('credentials', args, {
    ...SESSION_OPTIONS,
    format: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  return {
    ...roleInput(values),
    ...scopeInput(values),
    session: requiredSession('credentials', values.session),
    format: parseFormat(values),
  };
}

function parseFormat({ format, json }: { readonly format?: string | undefined; readonly json: boolean }) {
  const asked = format ?? (json ? 'json' : 'process');
  const known = CREDENTIALS_FORMATS.find((name) => name === asked);
  if (known === undefined) {
    throw new SessionBrokerError(
      'UsageInvalid',
      `format must be one of ${CREDENTIALS_FORMATS.join(', ')}: ${quote(asked)}; see session-broker credentials --help`,
    );
  }
  if (json && known !== 'json') {
    throw new SessionBrokerError(
      'UsageInvalid',
      `--json must not stand beside --format ${known}, it asks for another format; leave one of the two out`,
    );
  }
  return known;
}

async function runCredentials(input: CredentialsInput, shell: Shell): Promise<number> {
  refuseNested(shell.environment);
  const { format, session, ...rest } = input;
  const obtained = await unlessStopped(shell.stop, obtain(session, rest, shell));
  shell.write(formatCredentials(format, obtained));
  return 0;
}

/** From an endpoint that serves the session, else from STS. */
async function obtain(session: string, input: RoleInput & ScopeInput, shell: Shell): Promise<SessionCredentials> {
  const request = sessionRequest(session, input, shell);
  using broker = openBroker(input, shell);
  const opened = openSession(broker, request, shell);
  const served = await fromEndpoint(request, opened.session.sourceIdentity, shell);
  if (served !== undefined) return served;
  refuseInsideSession(shell.environment);
  await mint([opened], shell);
  return opened.session.credentials();
}

/** What an endpoint of this user says of the session, or undefined if there is none. */
async function fromEndpoint(
  request: SessionRequest,
  sourceIdentity: string,
  { environment }: Shell,
): Promise<SessionCredentials | undefined> {
  const answer = await askFor(request, sourceIdentity, environment);
  if (answer !== undefined && 'error' in answer) throw new SessionBrokerError(answer.error.code, answer.error.message);
  return answer?.credentials;
}
