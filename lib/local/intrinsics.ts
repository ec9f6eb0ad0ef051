import { quote } from '../errors.ts';
import type { Stack } from '../template/assembly.ts';
import { resolveIntrinsics, Unresolvable } from '../template/intrinsics.ts';

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

/**
 * A property's value without intrinsic functions.
 * @throws {NotCreatedYet | Unresolvable}
 */
export function resolve(value: unknown, scope: Scope): unknown {
  return resolveIntrinsics(value, {
    environment: scope.stack,
    ref: (name) => reference(name, scope),
    attribute: (logicalId, attribute) => attributeOf(logicalId, attribute, scope),
    isDeploying: true,
  });
}

function reference(name: string, scope: Scope): string {
  const { stack } = scope;
  switch (name) {
    case 'AWS::StackName':
      return stack.name;
    case 'AWS::URLSuffix':
      return stack.partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
    default:
      return attributeOf(name, '', scope);
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
