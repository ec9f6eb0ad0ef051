import { quote, SessionBrokerError } from '../errors.ts';
import { ask } from '../runtime/delivery/ask.ts';
import { announcementFolder } from '../runtime/delivery/discovery.ts';
import { CREDENTIALS_FORMATS } from '../runtime/delivery/formats.ts';
import { type SessionRequest, sessionKey } from '../runtime/delivery/session-key.ts';
import { type CredentialsFormat, formatCredentials, type SessionCredentials } from '../runtime/index.ts';
import { type Command, parseOptions, type Shell } from './command.ts';
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
  if (known === undefined || (json && known !== 'json')) {
    throw new SessionBrokerError(
      'UsageInvalid',
      `format must be one of ${CREDENTIALS_FORMATS.join(', ')}, and json beside --json: ${quote(asked)}; see session-broker credentials --help`,
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
  const opened = openSession(broker, request);
  const served = await fromEndpoint(request, opened.sourceIdentity, shell);
  if (served !== undefined) return served;
  await mint([opened], shell);
  return opened.credentials();
}

/** What an endpoint of this user says of the session, or undefined if there is none. */
async function fromEndpoint(
  request: SessionRequest,
  sourceIdentity: string,
  { environment }: Shell,
): Promise<SessionCredentials | undefined> {
  const folder = announcementFolder(environment);
  if (folder === undefined) return undefined;
  const answer = await ask(sessionKey(request, environment), sourceIdentity, folder);
  if (answer !== undefined && 'error' in answer) throw new SessionBrokerError(answer.error.code, answer.error.message);
  return answer?.credentials;
}
