import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { buildApp } from '../../lib/stacks/index.ts';
import { EVERYTHING } from '../support/configurations.ts';
import { inTemporaryFolder } from '../support/synthesize.ts';

/** What the AwsSolutions pack finds: rule, resource and place. */
function findingsOf(text: string): readonly string[] {
  return inTemporaryFolder((outdir) => {
    const app = buildApp(parseConfig(text, 'tenants.yaml'), {
      outdir,
      autoSynth: false,
      builtinCloudFormationValidation: false,
      // The report alone, no error: it is read below.
      context: { '@aws-cdk/core:failSynthOnValidationErrors': false },
    });
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
    const report = JSON.parse(readFileSync(join(outdir, 'validation-report.json'), 'utf8')) as Report;
    return report.pluginReports.flatMap(({ violations }) =>
      violations.flatMap(({ ruleName, violatingConstructs }) =>
        violatingConstructs.map(({ constructPath }) => `${ruleName} ${constructPath}`),
      ),
    );
  });
}

interface Report {
  readonly pluginReports: readonly {
    readonly pluginName: string;
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

test('the AwsSolutions pack finds nothing in the example', () => {
  expect(findingsOf(readFileSync(join(import.meta.dirname, '../../tenants.example.yaml'), 'utf8'))).toEqual([]);
});

test('the AwsSolutions pack finds nothing in all options together', () => {
  expect(findingsOf(EVERYTHING)).toEqual([]);
});

test('the AwsSolutions pack does look at the roles', () => {
  expect(findingsOf(EVERYTHING.replace('arn:aws:s3:::docs/readme', '*'))).toEqual([
    'AwsSolutions-IAM5[Resource::*] SessionBroker-hub-acme/Role/Resource',
  ]);
});
