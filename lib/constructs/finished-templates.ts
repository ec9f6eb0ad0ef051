import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { IConstruct } from 'constructs';
import { SessionBrokerError } from '../errors.ts';
import { attachCustomSynthesis, Stage } from './cdk.ts';
import { readTemplates } from './read-templates.ts';
import { type JudgedRole, roleFaults } from './role-faults.ts';

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
 * would let a session leave its name.
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
    try {
      const assembly = synth(options);
      const roles = app.roles.filter(({ construct }) => construct.node.scopes.includes(stage));
      const faults = roleFaults(roles, readTemplates(stage));
      if (faults.length === 0) return assembly;
      removeManifests(stage);
      throw refused(faults);
    } finally {
      app.isSynthesizing = false;
    }
  };
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
