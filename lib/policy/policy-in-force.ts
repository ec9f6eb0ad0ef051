import { splitArn } from './arn-segments.ts';
import { type CompiledStatement, compile } from './compile.ts';
import type { PolicyDocument } from './document.ts';
import { notUnderstood } from './fault.ts';

export type PolicyKind = 'identity' | 'boundary' | 'session' | 'resource' | 'service-control';

/** A policy and how a verdict calls it. */
export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** A policy that was read, with its statements ready to be compared with requests. */
export interface PolicyInForce {
  readonly kind: PolicyKind;
  /** How a verdict calls it. */
  readonly name: string;
  /** `trust policy` */
  readonly kindText: string;
  readonly statements: readonly CompiledStatement[];
}

export const KIND_TEXTS: Readonly<Record<PolicyKind, string>> = {
  identity: 'identity policy',
  boundary: 'permissions boundary',
  session: 'session policy',
  resource: 'resource policy',
  'service-control': 'service control policy',
};

/**
 * Reads a policy and checks that its statements have what its kind must have, and no more.
 * @param resource for a resource's policy: whose
 * @throws {SessionBrokerError} PolicyNotUnderstood
 */
export function inForce(kind: PolicyKind, { name, document }: NamedPolicy, resource = ''): PolicyInForce {
  const kindText = kind === 'resource' && isRole(resource) ? 'trust policy' : KIND_TEXTS[kind];
  const statements = compile(document, name);
  for (const statement of statements) {
    const where = `${name}, ${statement.name}`;
    if (kind === 'resource') {
      if (statement.principals === undefined) {
        throw notUnderstood(where, `${kindText} must have Principal or NotPrincipal in each statement`);
      }
      if (isRole(resource) && statement.resources !== undefined) {
        throw notUnderstood(where, 'trust policy must have no Resource: it is about its own role');
      }
    } else {
      if (statement.principals !== undefined) {
        throw notUnderstood(where, `${kindText} must have no Principal: it is about whom it is attached to`);
      }
      if (statement.resources === undefined) {
        throw notUnderstood(where, `${kindText} must have Resource or NotResource in each statement`);
      }
    }
  }
  return { kind, name, kindText, statements };
}

/** Whether the resource is an IAM role. */
export function isRole(resource: string): boolean {
  const [, , service, , , name = ''] = splitArn(resource) ?? [];
  return service === 'iam' && name.startsWith('role/');
}
