import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { IConstruct } from 'constructs';
import { SessionBrokerError } from '../errors.ts';
import { attachCustomSynthesis, type CloudAssembly, cxApi, Stage } from './cdk.ts';
import { identityRequirements } from './chained-roles.ts';
import { finishedApp, type JudgedRole, placeRole } from './finished-app.ts';
import { launderingWarnings } from './laundering-warnings.ts';
import { isSameText, parseTemplates, readTemplateTexts, type TemplateText } from './read-templates.ts';
import { type CallerOwners, roleFaults } from './role-faults.ts';
import { addWrittenWarnings } from './written-warnings.ts';

/** An app with roles to judge. */
interface JudgedApp {
  readonly roles: JudgedRole[];
  /** The stages whose `synth` the check follows. */
  readonly stages: Set<Stage>;
  /** Whether one of these is at work, after which the check comes. */
  isSynthesizing: boolean;
}

const judgedApps = new WeakMap<IConstruct, JudgedApp>();

/**
 * Has an app judge a session-broker role in its finished templates, after every override: synthesis fails when the
 * trust policy admits a request without a source identity of the role's scope, or when a policy that reaches the role
 * would let a session leave its name. Where a policy grants what loses the name, the role gets a warning of the CDK,
 * which fails under `cdk synth --strict`.
 *
 * It follows `synth` of the app itself and of each stage that the role stands in. What CDK offers instead can be passed
 * by: an Aspect sees no overrides, validations of constructs are left out by `skipValidation`, and the report of a
 * validation plugin is dropped by an acknowledgement or by the context key
 * `@aws-cdk/core:failSynthOnValidationErrors`.
 */
export function judgeWhenFinished(role: JudgedRole): void {
  const { construct } = role;
  const { root, path, scopes } = construct.node;
  const app = judgedApps.get(root) ?? { roles: [], stages: new Set(), isSynthesizing: false };
  judgedApps.set(root, app);
  app.roles.push(role);
  for (const stage of scopes.filter((scope) => Stage.isStage(scope))) {
    if (app.stages.has(stage)) continue;
    app.stages.add(stage);
    judgeAfterSynth(stage, app);
  }
  // CDK calls this when it writes the templates. A `synth` that was at work before the role was made is not followed.
  attachCustomSynthesis(construct, {
    onSynthesize: () => {
      if (app.isSynthesizing) return;
      throw refused([`${path}: role must be made before synthesis begins, not by an Aspect; make it in a constructor`]);
    },
  });
}

function judgeAfterSynth(stage: Stage, app: JudgedApp): void {
  const synth = stage.synth.bind(stage);
  stage.synth = (options) => {
    if (app.isSynthesizing) return synth(options); // judged with the stage around it
    app.isSynthesizing = true;
    const { _assemblyBuilder: builder } = stage;
    const { buildAssembly } = builder;
    let judged: readonly TemplateText[] = [];
    const judgeOnce = (assembly: CloudAssembly): CloudAssembly => {
      const texts = readTemplateTexts(stage);
      if (isSameText(texts, judged)) return assembly;
      judged = texts;
      return judge(stage, app, texts, assembly);
    };
    // A warning must be there before the CDK makes its validation report,
    builder.buildAssembly = (props) => judgeOnce(buildAssembly.call(builder, props));
    try {
      // and what a validation plugin changed, or the CDK kept from an earlier synthesis, was not built here.
      return judgeOnce(synth(options));
    } finally {
      builder.buildAssembly = buildAssembly;
      app.isSynthesizing = false;
    }
  };
}

/** @returns the assembly, with the warnings in it */
function judge(stage: Stage, app: JudgedApp, texts: readonly TemplateText[], assembly: CloudAssembly): CloudAssembly {
  const finished = finishedApp(parseTemplates(texts));
  const owners: CallerOwners = new Map();
  const roles = app.roles
    .filter(({ construct }) => construct.node.scopes.includes(stage))
    .map((role) => ({ role, placed: placeRole(role, finished) }));
  const faults = roles.flatMap(({ role, placed }) =>
    roleFaults(role, placed, finished, owners).map((fault) => `${role.construct.node.path}: ${fault}`),
  );
  if (faults.length > 0) {
    removeManifests(stage);
    throw refused(faults);
  }
  const requiresIdentity = identityRequirements(finished);
  const warnings = roles.flatMap(({ role, placed }) =>
    placed === undefined ? [] : launderingWarnings(role, placed, requiresIdentity),
  );
  return addWrittenWarnings(warnings) ? new (cxApi().CloudAssembly)(assembly.directory) : assembly;
}

/** Nothing deploys from a folder without a manifest. */
function removeManifests(stage: Stage): void {
  for (const { outdir } of stage.node.findAll().filter((construct) => Stage.isStage(construct))) {
    rmSync(join(outdir, 'manifest.json'), { force: true });
  }
}

function refused(faults: readonly string[]): SessionBrokerError {
  const count = faults.length === 1 ? 'in 1 place' : `in ${faults.length} places`;
  return new SessionBrokerError(
    'TemplateRefused',
    `finished templates would let a session leave its name, ${count}\n${faults.join('\n')}`,
    { detail: { faults } },
  );
}
