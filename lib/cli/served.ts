import { createSessionIdentity, formatSourceIdentity } from '../identity/index.ts';
import { askFor } from '../runtime/delivery/ask.ts';
import { CREDENTIALS_FORMATS, formatCredentials } from '../runtime/delivery/formats.ts';
import { VARIABLES } from '../runtime/environment.ts';
import { onBrokenOutput } from './broken-output.ts';
import { NESTED } from './nested.ts';
import { SESSION_OPTIONS } from './session-options.ts';

/** What the shortest way to credentials needs of the process. */
export type ServedHost = Pick<NodeJS.Process, 'argv' | 'env' | 'stdout' | 'stderr' | 'exitCode'>;

/**
 * The command `credentials` where an endpoint of this user serves the session: a tool runs it whenever it needs
 * credentials, so nothing is loaded for it but what asks and prints.
 * @returns whether the credentials are printed. If not, nothing is, and the whole command line has to say what is
 * wrong or to ask STS: it runs for all that is not a plain request for credentials that are there.
 */
export async function answerFromEndpoint(host: ServedHost): Promise<boolean> {
  const { env } = host;
  const [, , command, ...args] = host.argv;
  const values = command === 'credentials' && !env[NESTED] ? parsePlain(args) : undefined;
  const format = CREDENTIALS_FORMATS.find((name) => name === (values?.format ?? 'process'));
  if (values?.session === undefined || format === undefined) return false;
  const { session, tenant, cluster, workflow, region, 'role-arn': roleArn, 'policy-arn': policyArns } = values;
  const request = { session, tenant, cluster, workflow, region, roleArn, policyArns };

  const name = nameOf({ session, workflow, tenant: tenant ?? env[VARIABLES.tenant] ?? '' });
  const answer = name === undefined ? undefined : await askFor(request, name, env);
  if (answer === undefined || 'error' in answer) return false;
  onBrokenOutput(host);
  host.stdout.write(formatCredentials(format, answer.credentials));
  return true;
}

/** All options but the session policy, whose file would have to be read. */
const { policy: _, 'policy-arn': __, ...SINGLE } = { ...SESSION_OPTIONS, format: { type: 'string' } };

type Values = { [Name in keyof typeof SINGLE]?: string } & { 'policy-arn'?: string[] };

/** The options' values, or undefined for what only the whole command line can read or refuse. */
function parsePlain(args: readonly string[]): Values | undefined {
  const values: Values = {};
  const rest = args.values();
  for (const arg of rest) {
    const [, name = '', inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const value = arg === '--json' ? 'json' : (inline ?? rest.next().value);
    if (value === undefined || (inline === undefined && value.startsWith('-'))) return undefined;
    const option = arg === '--json' ? 'format' : name;
    if (option === 'policy-arn') values[option] = [...(values[option] ?? []), value];
    else if (isSingle(option) && values[option] === undefined) values[option] = value;
    else return undefined;
  }
  return values;
}

function isSingle(name: string): name is keyof typeof SINGLE {
  return Object.hasOwn(SINGLE, name);
}

/** The session's source identity, or undefined for parts that make none. */
function nameOf(parts: Parameters<typeof createSessionIdentity>[0]): string | undefined {
  try {
    return formatSourceIdentity(createSessionIdentity(parts));
  } catch {
    return undefined;
  }
}
