import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { partitionOf } from '../identity/index.ts';
import { type FinishedTemplate, hasTransform, type Template } from '../template/values.ts';
import { Stack, Stage, Token } from './cdk.ts';

/** A template as it was written. */
export interface TemplateText {
  readonly stack: Stack;
  readonly text: string;
}

/** Reads the templates of all stacks in a stage, nested ones included. */
export function readTemplateTexts(stage: Stage): readonly TemplateText[] {
  return stage.node
    .findAll()
    .filter((construct) => Stack.isStack(construct))
    .map((stack) => ({
      stack,
      text: readFileSync(join(Stage.of(stack)?.outdir ?? stage.outdir, stack.templateFile), 'utf8'),
    }));
}

export function isSameText(one: readonly TemplateText[], other: readonly TemplateText[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ stack, text }, index) => other[index]?.stack === stack && other[index].text === text)
  );
}

export function parseTemplates(texts: readonly TemplateText[]): ReadonlyMap<Stack, FinishedTemplate> {
  const templates = new Map<Stack, FinishedTemplate>();
  for (const { stack, text } of texts) {
    const template = JSON.parse(text) as Template;
    const { account, region } = stack;
    templates.set(stack, {
      path: stack.node.path,
      template,
      isTransformed: template.Transform !== undefined || hasTransform(text),
      account: Token.isUnresolved(account) ? undefined : account,
      region: Token.isUnresolved(region) ? undefined : region,
      partition: knownPartition(region),
      parent: parentOf(stack, templates),
    });
  }
  return templates;
}

function knownPartition(region: string): string | undefined {
  try {
    return partitionOf(region);
  } catch {
    return undefined; // left to the deployment, or of a partition without session-broker roles
  }
}

function parentOf(stack: Stack, templates: ReadonlyMap<Stack, FinishedTemplate>): FinishedTemplate['parent'] {
  const { nestedStackParent, nestedStackResource } = stack;
  const parent = nestedStackParent && templates.get(nestedStackParent); // read before its children
  if (!parent || !nestedStackResource) return undefined;
  const logicalId = String(stack.resolve(nestedStackResource.logicalId));
  return { template: parent, parameters: parent.template.Resources?.[logicalId]?.Properties?.['Parameters'] };
}
