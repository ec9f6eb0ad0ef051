import { quote, SessionBrokerError } from '../errors.ts';
import type { Config } from './config.ts';
import { parseConfig } from './parse.ts';

/** Where the configuration stands unless another file is given. */
export const CONFIG_FILE = 'tenants.yaml';
/** What is read until there is one. */
export const EXAMPLE_FILE = 'tenants.example.yaml';

export interface LoadConfigOptions {
  /**
   * The file to read.
   * @default CONFIG_FILE, and EXAMPLE_FILE until that exists
   */
  readonly given?: string | undefined;
  /** A file's text, or undefined if there is no such file. */
  readonly readFile: (path: string) => string | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Whether it is the example, for want of a configuration; who reads it should say so. */
  readonly isExample: boolean;
}

/**
 * The configuration of an app or command.
 * @throws {SessionBrokerError} ConfigUnreadable if there is no such file; ConfigInvalid
 */
export function loadConfig({ given, readFile }: LoadConfigOptions): LoadedConfig {
  const files = given === undefined ? [CONFIG_FILE, EXAMPLE_FILE] : [given];
  for (const file of files) {
    const text = read(file, readFile);
    if (text === undefined) continue;
    return { config: parseConfig(text, file), isExample: given === undefined && file === EXAMPLE_FILE };
  }
  const fix =
    given === undefined
      ? `make one, or name another with --config or the CDK context key config`
      : `correct the path, or leave it out to read ${CONFIG_FILE}`;
  throw new SessionBrokerError(
    'ConfigUnreadable',
    `configuration file must exist: ${files.map(quote).join(', ')}; ${fix}`,
    {
      detail: { files },
    },
  );
}

function read(file: string, readFile: LoadConfigOptions['readFile']): string | undefined {
  try {
    return readFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SessionBrokerError(
      'ConfigUnreadable',
      `configuration file must be readable: ${quote(file)} is not, ${reason}; correct the path or the permissions`,
      { cause, detail: { files: [file] } },
    );
  }
}
