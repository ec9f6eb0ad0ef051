import { quote, SessionBrokerError } from '../errors.ts';
import { type CredentialsEndpoint, startCredentialsEndpoint } from '../runtime/index.ts';
import { shellWord } from '../shell-word.ts';
import { type Command, parseOptions, type Shell } from './command.ts';
import { refuseInsideSession } from './inside-session.ts';
import { refuseNested } from './nested.ts';
import {
  announceSessions,
  mint,
  type OpenedSession,
  openBroker,
  openSession,
  sessionRequest,
  warner,
} from './open-session.ts';
import { parsePort } from './port.ts';
import {
  ROLE_HELP,
  ROLE_OPTIONS,
  type RoleInput,
  requiredSession,
  roleInput,
  SCOPE_HELP,
  SCOPE_OPTIONS,
  type ScopeInput,
  scopeInput,
} from './session-options.ts';
import { stopped, unlessStopped } from './stopped.ts';
import { stylist } from './style.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { openTokenFiles, type TokenFiles } from './token-files.ts';

export interface ServeInput extends RoleInput, ScopeInput {
  /** Session ids, each once. */
  readonly sessions: readonly string[];
  readonly port: number;
  /** Absent: a temporary folder. */
  readonly tokenFolder?: string | undefined;
  readonly json: boolean;
}

export const serve: Command<ServeInput> = {
  name: 'serve',
  summary: 'serves the credentials of one or many sessions to agents beside it',
  help: `Serves the credentials of sessions on loopback, as AWS SDKs ask a container's endpoint for them, and renews them until
it is stopped. Every session has credentials before the ready line is printed, and a token of its own in a file that
only this user can read. GET /health says 200 while every session has live credentials, else 503.

Usage: session-broker serve --tenant NAME --session ID [options]

Options:
  --session ID        a session id: A-Z a-z 0-9 "_" "-"; may be given many times (required)
${ROLE_HELP}
${SCOPE_HELP}
  --port NUMBER       loopback port (default: any free one)
  --token-folder DIR  where the token of each session is written, in a file named by the session id; made if it is not
                      there (default: a temporary folder)
  --json              print the ready line as one JSON document

Example: session-broker serve --cluster hub --tenant acme --session 01K9ZQ4T5N8XV2M7B3C6D1E0FG --token-folder /tokens
`,
  parse: parseServe,
  run: runServe,
};

function parseServe(args: readonly string[]): ServeInput {
  const values = parseOptions('serve', args, {
    ...ROLE_OPTIONS,
    ...SCOPE_OPTIONS,
    session: { type: 'string', multiple: true },
    port: { type: 'string', default: '0' },
    'token-folder': { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const { session: given = [], port, 'token-folder': tokenFolder, json } = values;
  requiredSession('serve', given[0]);
  return {
    ...roleInput(values),
    ...scopeInput(values),
    sessions: distinct(given),
    port: parsePort(port),
    tokenFolder,
    json,
  };
}

/** Files on some machines are named without regard to case. */
function distinct(sessions: readonly string[]): readonly string[] {
  const names = sessions.map((session) => session.toLowerCase());
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice === -1) return sessions;
  throw new SessionBrokerError(
    'UsageInvalid',
    `session must be given once, and differ from every other in more than upper and lower case: ${quote(sessions[twice])}; leave one out`,
  );
}

/** What an agent needs to know of its session. */
interface Ready {
  readonly session: string;
  readonly sourceIdentity: string;
  readonly uri: string;
  readonly tokenFile: string;
}

async function runServe({ sessions, port, tokenFolder, json, ...input }: ServeInput, shell: Shell): Promise<number> {
  refuseNested(shell.environment);
  refuseInsideSession(shell.environment);
  const requests = sessions.map((session) => sessionRequest(session, input, shell));
  using broker = openBroker(input, shell);
  const opened = requests.map((request) => openSession(broker, request, shell));
  await unlessStopped(shell.stop, mint(opened, shell, true));

  await using endpoint = await startCredentialsEndpoint({ port, log: warner(shell) });
  await using folder = tokenFolder === undefined ? await temporaryFolder() : undefined;
  await using tokens = await openTokenFiles(folder?.path ?? tokenFolder ?? '');
  const ready: Ready[] = [];
  for (const each of opened) ready.push(await serveOne(each, endpoint, tokens));
  await using _announcements = await announceSessions(opened, shell);
  const health = `${endpoint.url}/health`;
  shell.write(
    json
      ? `${JSON.stringify({ endpoint: endpoint.url, health, sessions: ready })}\n`
      : renderReady(endpoint.url, health, ready, shell.colour),
  );
  await stopped(shell.stop);
  return 0;
}

async function serveOne(
  { id, session }: OpenedSession,
  endpoint: CredentialsEndpoint,
  tokens: TokenFiles,
): Promise<Ready> {
  const { uri, token } = endpoint.serve(session);
  const tokenFile = await tokens.write(id, token);
  return { session: id, sourceIdentity: session.sourceIdentity, uri, tokenFile };
}

function renderReady(endpoint: string, health: string, ready: readonly Ready[], colour: boolean): string {
  const style = stylist(colour);
  const blocks = ready.map(({ sourceIdentity, uri, tokenFile }) =>
    [
      style('bold', sourceIdentity),
      `  export AWS_CONTAINER_CREDENTIALS_FULL_URI=${shellWord(uri)}`,
      `  export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=${shellWord(tokenFile)}`,
    ].join('\n'),
  );
  return [`credentials at ${style('green', endpoint)}, until it is interrupted; ${health}`, ...blocks, ''].join('\n\n');
}
