import type { Config } from '../config/config.ts';
import { CONFIG_FILE, EXAMPLE_FILE, loadConfig } from '../config/load.ts';
import { Commands } from '../doctor/commands.ts';
import { examine, type Report } from '../doctor/examine.ts';
import type { Severity } from '../doctor/findings.ts';
import { readSnapshot } from '../doctor/input.ts';
import { openLive } from '../doctor/live.ts';
import { readServiceControl } from '../doctor/service-control.ts';
import { quote, SessionBrokerError } from '../errors.ts';
import { type Command, nearestTo, parseOptions, type Shell } from './command.ts';
import { renderReport } from './doctor-text.ts';
import { unlessStopped } from './stopped.ts';
import { saying } from './waiting.ts';

export interface DoctorInput {
  readonly config?: string | undefined;
  readonly cluster?: string | undefined;
  readonly tenant?: string | undefined;
  /** What to read instead of the account. */
  readonly from: readonly string[];
  /** Files of service control policies, one for each level. */
  readonly scp: readonly string[];
  readonly profile?: string | undefined;
  readonly json: boolean;
}

export const doctor: Command<DoctorInput> = {
  name: 'doctor',
  summary: 'says whether the hop works and what is deployed otherwise than configured',
  help: `Says whether each tenant role would reach its session-broker role, and whether what is deployed is what the
configuration says. Every finding comes with its fix: the statement to add, the command to run. Reads IAM, Systems
Manager, STS and EKS with your own credentials and changes nothing; or reads files alone.

Usage: session-broker doctor [options]

Options:
  --config FILE    the configuration (default: tenants.yaml, and tenants.example.yaml until that exists)
  --cluster NAME   this cluster alone (default: all that are in the account of the credentials)
  --tenant NAME    this tenant alone (default: all)
  --from PATH      read this instead of the account: a cloud assembly such as cdk.out, or a file with the JSON that the
                   AWS CLI printed, such as aws iam get-account-authorization-details; many times
  --scp FILE       service control policies of one level of the organization, as JSON; many times
  --profile NAME   the profile with the credentials (default: the SDK's own choice)
  --json           print one JSON document instead

Exit code: 0 for nothing but notes, 6 for warnings, 1 for errors.

Example: session-broker doctor --tenant acme
`,
  parse: parseDoctor,
  run: runDoctor,
};

/** By the worst that was found. */
export const DOCTOR_EXIT_CODES = { error: 1, warning: 6, note: 0 } as const satisfies Record<Severity, number>;

function parseDoctor(args: readonly string[]): DoctorInput {
  const values = parseOptions('doctor', args, {
    config: { type: 'string' },
    cluster: { type: 'string' },
    tenant: { type: 'string' },
    from: { type: 'string', multiple: true, default: [] },
    scp: { type: 'string', multiple: true, default: [] },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  if (values.profile !== undefined && values.from.length > 0) {
    throw new SessionBrokerError(
      'UsageInvalid',
      'profile must not be given with --from, which asks no account; leave one out',
    );
  }
  return values;
}

async function runDoctor(input: DoctorInput, shell: Shell): Promise<number> {
  const { config, isExample } = loadConfig({ given: input.config, readFile: shell.readFile });
  if (isExample) shell.note(`note: no ${CONFIG_FILE}, so this is about ${EXAMPLE_FILE}`);
  assertNamed(config, input);
  const serviceControl = input.scp.map((path) => readServiceControl(path, shell.readFile));
  const commands = new Commands({
    profile: input.profile,
    configFile: [CONFIG_FILE, EXAMPLE_FILE].includes(config.file) ? undefined : config.file,
  });
  const settings = { now: new Date(shell.time?.now?.() ?? Date.now()), commands, serviceControl };
  const { account, report } = await unlessStopped(shell.stop, reportOn(config, input, settings, shell));
  const document = { account, config: config.file, ...report };
  shell.write(input.json ? `${JSON.stringify(document)}\n` : renderReport(document, shell.colour));
  return DOCTOR_EXIT_CODES[report.findings[0]?.severity ?? 'note'];
}

interface Examined {
  /** The one that was asked. Absent: none was. */
  readonly account: string | undefined;
  readonly report: Report;
}

async function reportOn(
  config: Config,
  input: DoctorInput,
  settings: Parameters<typeof examine>[0]['settings'],
  shell: Shell,
): Promise<Examined> {
  const { cluster, tenant, profile } = input;
  const options = { config, settings, only: { cluster, tenant }, environment: shell.environment };
  if (input.from.length > 0) {
    const reader = readSnapshot(input.from, shell.readFile);
    return { account: undefined, report: await examine({ ...options, reader }) };
  }
  const clusters = config.clusters.filter(({ name }) => cluster === undefined || name === cluster);
  const regions = [...new Set(clusters.map(({ region }) => region))];
  if (regions.length === 0) return { account: undefined, report: EMPTY };
  using live = await saying(
    'asking AWS whose credentials these are ...',
    openLive({ regions, profile, signal: shell.stop }),
    shell,
  );
  const { account, callerArn, reader } = live;
  if (clusters.every((other) => other.account !== account)) {
    const accounts = clusters.map((other) => `${other.name} in ${other.account}`).join(', ');
    throw new SessionBrokerError(
      'UsageInvalid',
      `credentials must be of the account of a cluster: ${quote(callerArn)} is of none, and the configuration has ${accounts}; give others by --profile or AWS_PROFILE, or files by --from`,
    );
  }
  const report = examine({ ...options, reader, account });
  return { account, report: await saying(`asking account ${account} ...`, report, shell) };
}

/** What there is to say of a configuration without clusters. */
const EMPTY: Report = { tenants: [], findings: [], notChecked: [], checks: 0 };

/** @throws {SessionBrokerError} UsageInvalid for a cluster or tenant that the configuration does not name */
function assertNamed({ clusters }: Config, { cluster, tenant }: DoctorInput): void {
  const meant = clusters.filter(({ name }) => cluster === undefined || name === cluster);
  if (cluster !== undefined && meant.length === 0) {
    throw notNamed(
      'cluster',
      cluster,
      clusters.map(({ name }) => name),
    );
  }
  const tenants = meant.flatMap((one) => one.tenants.map(({ name }) => name as string));
  if (tenant !== undefined && !tenants.includes(tenant)) throw notNamed('tenant', tenant, [...new Set(tenants)]);
}

function notNamed(option: string, given: string, names: readonly string[]): SessionBrokerError {
  return new SessionBrokerError(
    'UsageInvalid',
    `${option} must be one that the configuration names: ${quote(given)} is not${nearestTo(given, names)}; it names ${names.join(', ') || 'none'}`,
  );
}
