import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SessionBrokerError } from '../errors.ts';
import type { Shell } from './command.ts';
import { entryPoint, installedVersion, peerRange } from './package.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A synthesized cloud assembly in a folder of its own, which disappears with it. */
export interface Assembly extends AsyncDisposable {
  readonly folder: string;
  /** Version of the CDK that made it. */
  readonly cdkVersion: string;
  /** Names of its stacks. */
  readonly stacks: readonly string[];
}

/** The packages that synthesis needs and a dispatcher does not. */
const CDK = ['aws-cdk-lib', 'constructs'] as const;

/**
 * Synthesizes the configuration by this package's own CDK app, as `cdk synth` does but without its CLI. CDK's
 * template validator, which costs seconds, stays off: nothing is deployed from here.
 * @param config path of the configuration, or undefined to find it as `cdk synth` does
 * @param instead what else the user of the command can do where the CDK is not installed
 * @throws {SessionBrokerError} SynthesisFailed
 */
export async function synthesize(config: string | undefined, shell: Shell, instead = ''): Promise<Assembly> {
  const missing = CDK.filter((name) => installedVersion(name) === undefined);
  if (missing.length > 0) {
    throw new SessionBrokerError(
      'SynthesisFailed',
      `synthesis needs ${missing.join(' and ')}, not installed here; run npm install ${CDK.map((name) => `'${name}@${peerRange(name)}'`).join(' ')}${instead}`,
    );
  }
  const folder = await temporaryFolder();
  try {
    await runApp(folder.path, config, shell);
    return {
      folder: folder.path,
      cdkVersion: installedVersion('aws-cdk-lib') ?? '',
      stacks: await stacksOf(folder.path),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

async function stacksOf(folder: string): Promise<readonly string[]> {
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
    readonly artifacts?: Readonly<Record<string, { readonly type: string }>>;
  };
  const artifacts = Object.entries(manifest.artifacts ?? {});
  return artifacts.filter(([, { type }]) => type === 'aws:cloudformation:stack').map(([name]) => name);
}

async function runApp(folder: string, config: string | undefined, shell: Shell): Promise<void> {
  const [program, ...flags] = shell.node;
  const child = spawn(program, [...flags, entryPoint('app')], {
    env: {
      ...shell.environment,
      CDK_OUTDIR: folder,
      CDK_CONTEXT_JSON: JSON.stringify(config === undefined ? {} : { config }),
      CDK_VALIDATION: 'false',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: shell.stop,
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (exitCode !== 0) {
    throw new SessionBrokerError('SynthesisFailed', `synthesis failed: ${complaint.trim()}`);
  }
  if (complaint !== '') shell.note(complaint.trimEnd());
}
