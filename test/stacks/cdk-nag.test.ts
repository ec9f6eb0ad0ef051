import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib/core';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { buildApp } from '../../lib/stacks/index.ts';
import { inTemporaryFolder } from '../support/synthesize.ts';

/** Every option at once. */
const EVERYTHING = `
clusters:
  hub:
    account: "111122223333"
    region: us-west-2
    rollout: general
    parameterPrefix: /agents
    iamPath: /agents/
    permissionsBoundary: arn:aws:iam::111122223333:policy/edge
    eks: { clusterName: Hub }
    terminationProtection: true
    tags: { team: platform }
    tenants:
      acme:
        attribution: true
        tenantRole: arn:aws:iam::111122223333:role/tenants/hub-acme-tenant
        models: [amazon.nova-lite-v1:0]
        inferenceProfiles:
          us.anthropic.claude-sonnet-4-5-20250929-v1:0: [us-east-1, us-west-2]
          global.anthropic.claude-sonnet-4-5-20250929-v1:0: []
        roleSessionName: bound
        chainTo: ["arn:aws:iam::111122223333:role/deployer"]
        statements: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::docs/readme" }]
        managedPolicies: ["arn:aws:iam::111122223333:policy/docs"]
        eks: { kubernetesGroups: [agents] }
        callerPolicy: external
        tags: { team: acme }
      globex:
        attribution: true
        tenantRole: arn:aws:iam::111122223333:role/tenants/hub-globex-tenant
      initech:
        attribution: false
        tenantRole: arn:aws:iam::111122223333:role/tenants/hub-initech-tenant
`;

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
