import { CONFIG_FILE, EXAMPLE_FILE, loadConfig } from '../config/load.ts';
import { App } from '../constructs/cdk.ts';
import { SessionBrokerError } from '../errors.ts';
import { addStacks } from './app.ts';

/**
 * Where each construct was created, which CDK finds out at some cost, says nothing about stacks that come from a
 * configuration. `cdk --debug` brings it back.
 */
const WITHOUT_CREATION_TRACES = { 'aws:cdk:disable-creation-stack-traces': true };

/** What the app needs of the process that it runs in. */
export interface AppShell {
  /** A file's text, or undefined if there is no such file. */
  readonly readFile: (path: string) => string | undefined;
  /** Shows a line to people; standard output belongs to the CDK. */
  readonly note: (line: string) => void;
}

/**
 * Synthesizes the configuration that the CDK context names by `config`, else `tenants.yaml`, else the example.
 * @returns the exit code
 */
export function runApp({ readFile, note }: AppShell): number {
  try {
    // Synthesized here, so that its errors end here too.
    const app = new App({ autoSynth: false, context: WITHOUT_CREATION_TRACES });
    const given = app.node.tryGetContext('config');
    if (given !== undefined && typeof given !== 'string') throw new TypeError('context config must be a path');
    const { config, isExample } = loadConfig({ given, readFile });
    if (isExample) {
      note(
        `session-broker: no ${CONFIG_FILE}, so this is the example; cp ${EXAMPLE_FILE} ${CONFIG_FILE} starts your own`,
      );
    }
    addStacks(app, config);
    app.synth();
    return 0;
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    note(`session-broker: ${error.message}`);
    return error.exitCode;
  }
}
