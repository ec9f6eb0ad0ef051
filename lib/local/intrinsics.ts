import { quote } from '../errors.ts';
import type { Stack } from './assembly.ts';

/** What a template's functions are resolved with. */
export interface Scope {
  readonly stack: Stack;
  /** Logical ids of resources with the values of `Ref` (under an empty name) and of `Fn::GetAtt`, once created. */
  readonly created: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** A value that refers to a resource which is not created yet. */
export class NotCreatedYet extends Error {
  override readonly name = 'NotCreatedYet';
}

/** A function of CloudFormation, or a use of one, that is not known here. */
export class Unresolvable extends Error {
  override readonly name = 'Unresolvable';
}

/** Stands for a property that is left out. */
const NO_VALUE = Symbol('AWS::NoValue');

/**
 * A property's value without intrinsic functions: those that CDK emits into IAM and SSM resources are resolved.
 * @throws {NotCreatedYet | Unresolvable}
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((entry) => resolve(entry, scope)).filter((entry) => entry !== NO_VALUE);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
    return resolveFunction(first[0], first[1], scope);
  }
  return Object.fromEntries(
    entries.map(([key, entry]) => [key, resolve(entry, scope)] as const).filter(([, entry]) => entry !== NO_VALUE),
  );
}

function resolveFunction(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return reference(text(name, argument), scope);
    case 'Fn::GetAtt': {
      const [logicalId, attribute] = typeof argument === 'string' ? argument.split(/\.(.*)/s) : list(name, argument);
      return attributeOf(text(name, logicalId), text(name, attribute), scope);
    }
    case 'Fn::Join': {
      const [delimiter, parts] = list(name, argument);
      return list(name, resolve(parts, scope))
        .map((part) => text(name, part))
        .join(text(name, delimiter));
    }
    case 'Fn::Sub':
      return substitute(argument, scope);
    default:
      throw new Unresolvable(`the function ${name} is not modelled`);
  }
}

function reference(name: string, { stack, created }: Scope): unknown {
  switch (name) {
    case 'AWS::AccountId':
      return stack.account;
    case 'AWS::NoValue':
      return NO_VALUE;
    case 'AWS::Partition':
      return stack.partition;
    case 'AWS::Region':
      return stack.region;
    case 'AWS::StackName':
      return stack.name;
    case 'AWS::URLSuffix':
      return stack.partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
    default:
      return attributeOf(name, '', { stack, created });
  }
}

function attributeOf(logicalId: string, attribute: string, { stack, created }: Scope): string {
  const resource = created.get(logicalId);
  if (resource === undefined) {
    if (Object.hasOwn(stack.resources, logicalId)) throw new NotCreatedYet(`${logicalId} is not created`);
    throw new Unresolvable(`${quote(logicalId)} is not a resource of the template`);
  }
  const value = Object.hasOwn(resource, attribute) ? resource[attribute] : undefined;
  if (value === undefined)
    throw new Unresolvable(`the attribute ${attribute || 'Ref'} of ${logicalId} is not modelled`);
  return value;
}

function substitute(argument: unknown, scope: Scope): string {
  const [template, variables] = typeof argument === 'string' ? [argument, {}] : list('Fn::Sub', argument);
  const given = resolve(variables ?? {}, scope) as Readonly<Record<string, unknown>>;
  return text('Fn::Sub', template).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    if (Object.hasOwn(given, name)) return text('Fn::Sub', given[name]);
    if (name.startsWith('AWS::') || !name.includes('.')) return text('Fn::Sub', reference(name, scope));
    const [logicalId = '', attribute = ''] = name.split(/\.(.*)/s);
    return attributeOf(logicalId, attribute, scope);
  });
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Unresolvable(`${name} must have text here: ${quote(value)}`);
}

function list(name: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Unresolvable(`${name} must have a list here: ${quote(value)}`);
}
