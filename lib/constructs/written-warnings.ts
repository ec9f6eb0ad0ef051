import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Construct } from 'constructs';
import { Annotations, Stack, Stage } from './cdk.ts';

export interface ConstructWarning {
  readonly construct: Construct;
  /** By which it can be acknowledged. */
  readonly id: string;
  readonly message: string;
}

/** What the CDK says about a construct, as an assembly has it. */
interface MetadataEntry {
  readonly type: string;
  readonly data: unknown;
}

/** A manifest of a cloud assembly, as far as it is changed here. */
interface Manifest {
  readonly artifacts: Record<string, { metadata?: Record<string, MetadataEntry[]> }>;
}

/**
 * Gives warnings of the CDK to constructs whose assembly is written already: to the constructs, from which the CDK
 * makes its validation report and whatever it synthesizes later, and to the manifests, from which its CLI takes them.
 * @returns whether any is new: not there from an earlier synthesis, and not acknowledged in the way of the CDK
 */
export function addWrittenWarnings(warnings: readonly ConstructWarning[]): boolean {
  const manifests = new Map<string, Manifest>();
  for (const { construct, id, message } of warnings) {
    const { node } = construct;
    const known = node.metadata.length;
    Annotations.of(construct).addWarningV2(id, message);
    // Without the trace, which leads here and not to what is warned of.
    const added = node.metadata.slice(known).map(({ type, data }): MetadataEntry => ({ type, data }));
    if (added.length === 0) continue;
    const stack = topStackOf(construct);
    const path = join(Stage.of(stack)?.outdir ?? '', 'manifest.json');
    const manifest = manifests.get(path) ?? (JSON.parse(readFileSync(path, 'utf8')) as Manifest);
    manifests.set(path, manifest);
    // The CDK joins these with those in a file of their own.
    const artifact = manifest.artifacts[stack.artifactId];
    if (artifact === undefined) continue; // a synthesizer that deploys nothing
    artifact.metadata ??= {};
    artifact.metadata[`/${node.path}`] = [...(artifact.metadata[`/${node.path}`] ?? []), ...added];
  }
  for (const [path, manifest] of manifests) writeFileSync(path, JSON.stringify(manifest, undefined, 2));
  return manifests.size > 0;
}

/** The CDK shows what is in a nested stack with the stack around it. */
function topStackOf(construct: Construct): Stack {
  let stack = Stack.of(construct);
  while (stack.nestedStackParent !== undefined) stack = stack.nestedStackParent;
  return stack;
}
