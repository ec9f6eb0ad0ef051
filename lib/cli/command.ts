import { type ParseArgsConfig, parseArgs } from 'node:util';
import { quote, SessionBrokerError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { SessionBrokerOptions } from '../runtime/index.ts';
import type { Child } from './child.ts';

/** What a command sees of the process that runs it. */
export interface Shell {
  /** Writes to standard output: the answer, and nothing else. */
  readonly write: (text: string) => void;
  /** Writes a line to standard error: progress, notices, errors. */
  readonly note: (line: string) => void;
  /** Whether standard output is a terminal that shows colour. */
  readonly colour: boolean;
  /** A file's text, or undefined if there is no such file. */
  readonly readFile: (path: string) => string | undefined;
  /** All of standard input as text. */
  readonly readInput: () => Promise<string>;
  /** Environment of child processes. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The program and flags that run a file of this package as this process is run. */
  readonly node: readonly [program: string, ...flags: string[]];
  /** Fires when the user asks to stop. */
  readonly stop: AbortSignal;
  /** Whether a standard stream is a terminal. */
  readonly isTerminal: (stream: 'stdin' | 'stdout' | 'stderr') => boolean;
  /** Starts a program that shares this process's standard streams. */
  readonly spawn: (command: readonly [string, ...string[]], environment: Shell['environment']) => Child;
  /** Calls for each of these signals, in place of what it would do to this process, until it is disposed of. */
  readonly onSignal: (signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void) => Disposable;
  /**
   * Ends this process by a signal, as if nothing had been done about it.
   * @returns the exit code for a signal that does not end it
   */
  readonly endBy: (signal: NodeJS.Signals) => number;
  /** What this process gives to children that the SDK starts, see `NESTED`. */
  readonly nestedMark: string;
  /** The clock of sessions. Absent: the system's. */
  readonly time?: Pick<SessionBrokerOptions, 'now' | 'random' | 'schedule'>;
}

/** One command: what it is called, how it reads its arguments, what it does. */
export interface Command<Input> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole of `--help`, an example included. */
  readonly help: string;
  readonly parse: (args: readonly string[]) => Input;
  /** @returns the exit code */
  readonly run: (input: Input, shell: Shell) => Promise<number>;
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<Given extends Options> = ReturnType<
  typeof parseArgs<{ options: Given; strict: true; allowPositionals: true; tokens: true }>
>['values'];

/**
 * The options of a command line.
 * @throws {SessionBrokerError} UsageInvalid for an option that the command does not have, a missing value, an option
 * that is given twice and may not be, or an argument that is no option
 */
export function parseOptions<const Given extends Options>(
  command: string,
  args: readonly string[],
  options: Given,
): Values<Given> {
  return parseArguments(command, args, options, 0).values;
}

/**
 * The options of a command line, and its other arguments.
 * @param most how many arguments that are no options the command takes
 * @throws {SessionBrokerError} UsageInvalid as {@link parseOptions}
 */
export function parseArguments<const Given extends Options>(
  command: string,
  args: readonly string[],
  options: Given,
  most: number,
): { readonly values: Values<Given>; readonly positionals: readonly string[] } {
  try {
    const config = { args: [...args], options, strict: true, allowPositionals: true, tokens: true } as const;
    const { values, positionals, tokens } = parseArgs(config);
    const names = tokens.flatMap((token) => (token.kind === 'option' ? [token.name] : []));
    const twice = names.find((name, index) => options[name]?.multiple !== true && names.indexOf(name) < index);
    if (twice !== undefined) throw new TypeError(`Option '--${twice}' is given twice`);
    const unexpected = positionals[most];
    if (unexpected !== undefined) throw new TypeError(`Unexpected argument '${unexpected}'`);
    return { values, positionals };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new SessionBrokerError(
      'UsageInvalid',
      `${reasonOf(error, args, Object.keys(options))}; see session-broker ${command} --help`,
      { cause: error },
    );
  }
}

/** What a parser says of a command line, shorter where it says how to go on and longer where it does not. */
function reasonOf({ message }: TypeError, args: readonly string[], names: readonly string[]): string {
  const [, unknown] = /^Unknown option '--(.+?)'(?:\.|$)/.exec(message) ?? [];
  if (unknown !== undefined) return `unknown option '--${unknown}'${nearestTo(unknown, [...names, 'help'], '--')}`;
  const [, option] = /^Option '(--[\w-]+)' argument is ambiguous/.exec(message) ?? [];
  if (option !== undefined) {
    const value = args.find((arg, index) => arg.startsWith('-') && args[index - 1] === option);
    return `option '${option}' must have a value: ${quote(value)} looks like an option; write ${option}=VALUE if it is the value`;
  }
  const [reason = ''] = message.split(/\.(?:\s|$)/);
  return `${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
}

/** The known name that was probably meant by a wrong one, as a message goes on with it, or nothing. */
export function nearestTo(given: string, names: readonly string[], before = ''): string {
  const meant = nearest(given, names);
  return meant === undefined ? '' : `, the nearest is ${before}${meant}`;
}
