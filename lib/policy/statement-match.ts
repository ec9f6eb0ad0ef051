import { quote } from '../errors.ts';
import type { CompiledStatement } from './compile.ts';
import { conditionHolds, explainCondition } from './conditions.ts';
import type { ContextValues } from './context.ts';
import { matchesPattern, resolveTemplate, type Template } from './pattern.ts';
import { type Grant, grantTo, isSpared } from './principal-element.ts';
import { type Requester, requesterName } from './requester.ts';

/** A request as statements are compared with it. */
export interface Asked {
  readonly requester: Requester;
  readonly action: string;
  readonly actionInLowerCase: string;
  readonly resource: string;
  readonly context: ContextValues;
  /** Whether the requester has a permissions boundary. */
  readonly hasBoundary: boolean;
}

/** Whether a statement applies to the request. */
export function applies(statement: CompiledStatement, asked: Asked): boolean {
  return (
    isAbout(statement, asked) && statement.conditions.every((condition) => conditionHolds(condition, asked.context))
  );
}

/** Whether a statement is about the request, its conditions aside. */
export function isAbout(statement: CompiledStatement, asked: Asked): boolean {
  return (
    namesAction(statement, asked) &&
    namesResource(statement, asked) &&
    (statement.principals === undefined || grantOf(statement, asked) !== undefined)
  );
}

/** What a statement's principals give the requester; undefined where they are not about it. */
export function grantOf({ principals, effect }: CompiledStatement, asked: Asked): Grant | undefined {
  if (principals === undefined) return undefined;
  if (!principals.negated) return grantTo(asked.requester, principals.values);
  const isExcepted =
    effect === 'Deny'
      ? isSpared(asked.requester, principals.values, asked.hasBoundary)
      : grantTo(asked.requester, principals.values) !== undefined;
  return isExcepted ? undefined : grantTo(asked.requester, [{ kind: 'everyone' }]);
}

/** How near a statement comes to being about a request, and the first thing that keeps it from it. */
export interface NearMiss {
  /** Larger is nearer. */
  readonly nearness: number;
  /** Reads on from the statement's name. Absent where another action keeps it away, which explains nothing. */
  readonly text: string | undefined;
}

/** @param statement one that does not apply */
export function explainMiss(statement: CompiledStatement, asked: Asked): NearMiss {
  if (!namesAction(statement, asked)) return { nearness: 0, text: undefined };
  if (!namesResource(statement, asked)) {
    const { texts = [], negated } = statement.resources ?? {};
    return { nearness: 1, text: `is for ${negated ? 'all but ' : ''}${texts.map(quote).join(', ')}` };
  }
  const { principals } = statement;
  if (principals !== undefined && grantOf(statement, asked) === undefined) {
    const named = `${principals.negated ? 'all but ' : ''}${principals.texts.map(quote).join(', ')}`;
    return { nearness: 2, text: `is for ${named}, the request comes from ${requesterName(asked.requester)}` };
  }
  const failed = statement.conditions.findIndex((condition) => !conditionHolds(condition, asked.context));
  const condition = statement.conditions[failed];
  return { nearness: 3 + failed, text: condition && explainCondition(condition, asked.context) };
}

function namesAction({ actions }: CompiledStatement, { actionInLowerCase }: Asked): boolean {
  return actions.values.some((pattern) => matchesPattern(pattern, actionInLowerCase)) !== actions.negated;
}

/** A statement without Resource is about the resource that its policy belongs to. */
function namesResource({ resources }: CompiledStatement, { resource, context }: Asked): boolean {
  if (resources === undefined) return true;
  const matches = (template: Template): boolean | undefined => {
    const pattern = resolveTemplate(template, context);
    return pattern && matchesPattern(pattern, resource);
  };
  // As in a condition: a policy variable that the request lacks lets neither form apply.
  return resources.negated
    ? resources.values.every((template) => matches(template) === false)
    : resources.values.some(matches);
}
