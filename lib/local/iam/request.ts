import { SessionBrokerError } from '../../errors.ts';
import { parseIamPath } from '../../identity/index.ts';
import { POLICY_ARN_LENGTH, POLICY_NAME_LENGTH, ROLE_NAME_LENGTH } from '../../identity/limits.ts';
import type { RequestContext } from '../../policy/index.ts';
import { authorize, resourceTags } from '../authorize.ts';
import { AwsFault, noSuchEntity, notModelled, validationError } from '../aws-fault.ts';
import { type Call, callerOf } from '../call.ts';
import { Constraints } from '../constraints.ts';
import type { ManagedPolicy } from '../managed-policy.ts';
import type { QueryParameters, XmlValue } from '../query.ts';
import { placeOf, type Role, type Store } from '../store.ts';

export type Answer = { readonly [name: string]: XmlValue };

/** @see IAM API Reference, the parameters of the operations */
export const ROLE_NAME = { required: true, min: 1, max: ROLE_NAME_LENGTH, pattern: '[\\w+=,.@-]+' } as const;
export const POLICY_NAME = { required: true, min: 1, max: POLICY_NAME_LENGTH, pattern: '[\\w+=,.@-]+' } as const;
export const POLICY_ARN = { required: true, min: 20, max: POLICY_ARN_LENGTH } as const;
export const DOCUMENT = { required: true, min: 1, max: 131_072 } as const;

/** What is particular to an operation on a role or a policy. */
export interface RequestProps {
  /** The parameters that it knows, beside the one that names what it is about. */
  readonly known?: readonly string[];
  /** What its event tells beside that. */
  readonly recorded?: Readonly<Record<string, unknown>>;
  /** Condition keys of its action. */
  readonly context?: RequestContext;
}

/** The role that a call names, once the caller may do what it asks with it. */
export function roleFor(
  call: Call,
  parameters: QueryParameters,
  store: Store,
  { known = [], recorded = {}, context = {} }: RequestProps = {},
): Role {
  parameters.assertOnly(`iam:${call.operation}`, ['RoleName', ...known]);
  const name = checked('roleName', parameters.get('RoleName'), ROLE_NAME);
  const { account, partition } = placeOf(callerOf(call));
  const role = store.findRole(account, name);
  const arn = role?.arn ?? `arn:${partition}:iam::${account}:role/${name}`;
  authorize(call, store, `iam:${call.operation}`, arn, {
    shownAs: `role ${name}`,
    context: { ...(role === undefined ? {} : roleContext(role)), ...context },
  });
  call.record.requestParameters = { roleName: name, ...recorded };
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

function roleContext({ tags, permissionsBoundary }: Role): RequestContext {
  return {
    ...resourceTags(tags),
    ...(permissionsBoundary === undefined ? {} : { 'iam:PermissionsBoundary': permissionsBoundary }),
  };
}

/** The customer managed policy that a call names, once the caller may do what it asks with it. */
export function policyFor(
  call: Call,
  parameters: QueryParameters,
  store: Store,
  { known = [], recorded = {}, context = {} }: RequestProps = {},
): ManagedPolicy {
  parameters.assertOnly(`iam:${call.operation}`, ['PolicyArn', ...known]);
  const arn = checked('policyArn', parameters.get('PolicyArn'), POLICY_ARN);
  if (!/^arn:[a-z-]+:iam::(?:\d{12}|aws):policy\/[\x21-\x7e]+$/.test(arn)) {
    throw new AwsFault('InvalidInput', 400, `ARN ${arn} is not valid.`);
  }
  const { account } = placeOf(callerOf(call));
  const policy = store.findPolicy(arn);
  authorize(call, store, `iam:${call.operation}`, arn, {
    shownAs: `policy ${arn}`,
    context: { ...resourceTags(policy?.tags ?? {}), ...context },
  });
  call.record.requestParameters = { policyArn: arn, ...recorded };
  if (policy !== undefined) return policy;
  const isUsed = [...store.rolesWith({ arn, account }), ...store.rolesWithin({ arn, account })].length > 0;
  if (isUsed || /^arn:[a-z-]+:iam::aws:/.test(arn))
    throw notModelled(`the policy ${arn}, which is not in the assembly`);
  throw noSuchEntity(`Policy ${arn} was not found.`);
}

export function checked(field: string, value: string | undefined, rule: Parameters<Constraints['text']>[2]): string {
  const constraints = new Constraints();
  const text = constraints.text(field, value, rule);
  constraints.assert();
  return text;
}

/** The text of a policy, as far as its characters go. */
export function checkedDocument(field: string, value: string | undefined): string {
  const text = checked(field, value, DOCUMENT);
  assertCharacters(field, text, /^[\t\n\r\x20-\xff]*$/);
  return text;
}

/** @throws {AwsFault} ValidationError */
export function assertCharacters(field: string, text: string, allowed: RegExp): void {
  if (allowed.test(text)) return;
  throw validationError(
    `The specified value for ${field} is invalid. It must contain only printable ASCII characters.`,
  );
}

export function readPath(text: string): string {
  try {
    return parseIamPath(text);
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    throw validationError(
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.',
    );
  }
}
