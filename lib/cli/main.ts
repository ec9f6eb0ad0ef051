import { printable, quote, SessionBrokerError } from '../errors.ts';
import { type Command, nearestTo, type Shell } from './command.ts';
import { refuseDebugOutput } from './debug-output.ts';
import { errorLine } from './error-line.ts';
import { packageVersion } from './package.ts';

/** The commands in the order that `--help` shows, each loaded only when it is called. */
const COMMANDS: Readonly<Record<string, () => Promise<Command<unknown>>>> = {
  quickstart: async () => (await import('./quickstart.ts')).quickstart as Command<unknown>,
  local: async () => (await import('./local.ts')).local as Command<unknown>,
  exec: async () => (await import('./exec.ts')).exec as Command<unknown>,
  credentials: async () => (await import('./credentials.ts')).credentials as Command<unknown>,
  serve: async () => (await import('./serve.ts')).serve as Command<unknown>,
  env: async () => (await import('./env.ts')).env as Command<unknown>,
  verify: async () => (await import('./verify.ts')).verify as Command<unknown>,
  doctor: async () => (await import('./doctor.ts')).doctor as Command<unknown>,
  'check-trust': async () => (await import('./check-trust.ts')).checkTrust as Command<unknown>,
};

/** What shells show for a command that an interrupt ended. */
const INTERRUPTED = 130;

/**
 * The command line.
 * @param args without the program's own name
 * @returns the exit code: 0, that of the error's code in `ERRORS`, 130 for an interrupted command, that of what `doctor`
 * found, or that of the program that the command ran
 */
export async function main(args: readonly string[], shell: Shell): Promise<number> {
  try {
    const [name, ...rest] = args;
    if (name === '--version') {
      shell.write(`${packageVersion()}\n`);
      return 0;
    }
    if (name !== undefined && HELP.includes(name)) {
      const [of] = rest;
      shell.write(of === undefined || HELP.includes(of) ? await overview() : (await find(of)).help);
      return 0;
    }
    const command = await find(name);
    if (asksForHelp(rest)) {
      shell.write(command.help);
      return 0;
    }
    const input = command.parse(rest);
    refuseDebugOutput(shell);
    return await command.run(input, shell);
  } catch (error) {
    if (shell.stop.aborted) return INTERRUPTED;
    if (error instanceof SessionBrokerError) {
      shell.note(errorLine(error));
      return error.exitCode;
    }
    const reason = error instanceof Error ? error.message : String(error);
    shell.note(`error: unexpected: ${printable(reason)}; this is a fault of session-broker itself, please report it`);
    return 1;
  }
}

/** What stands in a command's place and asks for help, of itself or of the command after it. */
const HELP = ['help', '--help', '-h'];

/** @throws {SessionBrokerError} UsageInvalid for a command that does not exist, or none */
async function find(name: string | undefined): Promise<Command<unknown>> {
  const names = Object.keys(COMMANDS);
  const load = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load !== undefined) return load();
  const given = name === undefined ? 'none is given' : `${quote(name)}${nearestTo(name, names)}`;
  throw new SessionBrokerError(
    'UsageInvalid',
    `command must be one of ${names.join(', ')}: ${given}; see session-broker --help`,
  );
}

/** What stands after "--" is another program's. */
function asksForHelp(args: readonly string[]): boolean {
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  return own.includes('--help') || own.includes('-h');
}

async function overview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(13)}${summary}`);
  return `Gives every AI-agent session its own immutable name in AWS.

Usage: session-broker <command> [options]

${list.join('\n')}

Options:
  --help      this text, or a command's own (also: help [command])
  --version   the version

Example: session-broker quickstart
`;
}
