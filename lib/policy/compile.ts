import { quote } from '../errors.ts';
import { type Condition, readConditions } from './conditions.ts';
import { listOf, type PolicyDocument, type Statement } from './document.ts';
import { notUnderstood } from './fault.ts';
import { parseShape, statementName } from './parse-document.ts';
import { hasVariable, type Pattern, parseTemplate, patternOf, splitTemplate, type Template } from './pattern.ts';
import { type PrincipalEntry, readPrincipals } from './principal-element.ts';

/** An element that has a negated form. */
interface Element<Value> {
  /** `NotAction`, `NotResource`, `NotPrincipal` */
  readonly negated: boolean;
  /** As the policy writes them. */
  readonly texts: readonly string[];
  readonly values: readonly Value[];
}

/** A statement made ready to be compared with requests. */
export interface CompiledStatement {
  readonly index: number;
  readonly sid: string | undefined;
  readonly name: string;
  readonly effect: 'Allow' | 'Deny';
  readonly principals: Element<PrincipalEntry> | undefined;
  /** Patterns in lower case. */
  readonly actions: Element<Pattern>;
  readonly resources: Element<Template> | undefined;
  readonly conditions: readonly Condition[];
}

/** By document. Only documents that {@link parsePolicyDocument} froze: another may change after it was compiled. */
const compiledDocuments = new WeakMap<PolicyDocument, readonly CompiledStatement[]>();

/**
 * Reads a policy document from foreign JSON, whole: what the evaluator would not understand is refused here.
 *
 * `Statement` may be a lone statement, an element a lone text, a condition value `true` or `5`. The `Version` must
 * be written out, since without it policy variables are plain text.
 * @param value the parsed JSON
 * @param name how an error calls the policy
 * @returns a new document, deeply frozen
 * @throws {SessionBrokerError} PolicyNotUnderstood
 * @see IAM User Guide, "Grammar of the IAM JSON policy language"
 */
export function parsePolicyDocument(value: unknown, name = 'policy'): PolicyDocument {
  const document = parseShape(value, name);
  compiledDocuments.set(
    document,
    document.Statement.map((statement, index) => compileStatement(statement, index, name)),
  );
  return document;
}

/** The statements of a document, each read in full. A document from {@link parsePolicyDocument} is read only once. */
export function compile(document: PolicyDocument, name: string): readonly CompiledStatement[] {
  const known = compiledDocuments.get(document);
  if (known !== undefined) return known;
  return parseShape(document, name).Statement.map((statement, index) => compileStatement(statement, index, name));
}

function compileStatement(statement: Statement, index: number, policyName: string): CompiledStatement {
  const name = statementName(statement.Sid, index);
  const where = `${policyName}, ${name}`;
  const { Principal: principal, NotPrincipal: notPrincipal } = statement;
  const principals = principal ?? notPrincipal;
  return {
    index,
    sid: statement.Sid,
    name,
    effect: statement.Effect,
    principals: principals && {
      negated: principal === undefined,
      texts:
        typeof principals === 'string' ? [principals] : Object.values(principals).flatMap((value) => listOf(value)),
      values: readPrincipals(principals, where),
    },
    actions: compileElement(statement.Action, statement.NotAction, (text) => readAction(text, where)),
    resources:
      (statement.Resource ?? statement.NotResource) === undefined
        ? undefined
        : compileElement(statement.Resource, statement.NotResource, (text) => readResource(text, where)),
    conditions: readConditions(statement.Condition ?? {}, where),
  };
}

function compileElement<Value>(
  plain: Statement['Action'],
  negated: Statement['Action'],
  read: (text: string) => Value,
): Element<Value> {
  const texts = listOf(plain ?? negated);
  return { negated: plain === undefined, texts, values: texts.map(read) };
}

/** action = "*" / "*:*" / service ":" name, the name with wildcards */
const ACTION = /^(?:\*|\*:\*|[a-z0-9-]+:[\w*?-]+)$/i;

function readAction(text: string, where: string): Pattern {
  if (!ACTION.test(text)) {
    throw notUnderstood(
      where,
      `an action must read like "sts:AssumeRole", with wildcards after the colon only: ${quote(text)}`,
    );
  }
  return patternOf(text.toLowerCase(), true);
}

/** Segments before this one may have no policy variable; the service segment may have no wildcard either. */
const RESOURCE_SEGMENT = 5;
const SERVICE_SEGMENT = 2;

/**
 * A resource is compared as one text: IAM lets a wildcard at the end of a segment reach over the next colon.
 * @see IAM User Guide, "IAM JSON policy elements: Resource"
 */
function readResource(text: string, where: string): Template {
  const template = parseTemplate(text, true, where);
  if (text === '*') return template;
  const segments = splitTemplate(template, RESOURCE_SEGMENT + 1);
  if (!text.startsWith('arn:') || segments.length <= SERVICE_SEGMENT) {
    throw notUnderstood(where, `a resource must be * or an ARN: ${quote(text)}`);
  }
  if (segments.slice(0, RESOURCE_SEGMENT).some(hasVariable)) {
    throw notUnderstood(where, `a policy variable must stand after the fifth colon of a resource: ${quote(text)}`);
  }
  if (/[*?]/.test(text.split(':')[SERVICE_SEGMENT] ?? '') && segments.length > SERVICE_SEGMENT + 1) {
    throw notUnderstood(where, `the service of a resource must be without wildcard: ${quote(text)}`);
  }
  return template;
}
