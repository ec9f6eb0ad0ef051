import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'aws-cdk-lib/core';
import type { Config } from '../../lib/config/config.ts';
import { parseConfig } from '../../lib/config/parse.ts';
import { buildApp } from '../../lib/stacks/index.ts';

/** A finished CloudFormation template. */
export interface FinishedTemplate {
  readonly Resources?: Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>;
  readonly [section: string]: unknown;
}

/** Templates by stack name. */
export type Templates = ReadonlyMap<string, FinishedTemplate>;

const known = new Map<string, Templates>();

/**
 * The finished templates of a configuration, given as it is or as the text of a `tenants.yaml`. Each configuration is
 * synthesized once in a process, without CDK's own validator. The templates are shared: do not change them.
 */
export function synthesize(given: Config | string): Templates {
  const config = typeof given === 'string' ? parseConfig(given, 'tenants.yaml') : given;
  const key = JSON.stringify(config);
  let templates = known.get(key);
  if (templates === undefined) {
    templates = inTemporaryFolder((outdir) =>
      templatesOf(buildApp(config, { outdir, autoSynth: false, builtinCloudFormationValidation: false })),
    );
    known.set(key, templates);
  }
  return templates;
}

/** The finished templates of an app. Its output folder must still be there. */
export function templatesOf(app: App): Templates {
  return new Map(app.synth().stacksRecursively.map((stack) => [stack.stackName, stack.template as FinishedTemplate]));
}

/** Runs with a folder that is gone afterwards. */
export function inTemporaryFolder<Result>(run: (folder: string) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'session-broker-test-'));
  try {
    return run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
