import { isDeepStrictEqual } from 'node:util';
import { quote } from '../errors.ts';
import { forbiddenGrants, isForbiddenManagedPolicy, type PolicyDocument, renderGuardPolicy } from '../policy/index.ts';
import type { FinishedTemplate, TemplateValues } from './template.ts';

/** Name of the inline policy that every session-broker role has. */
export const GUARD_POLICY = 'guard';

/** A policy in a finished template. */
interface FinishedPolicy {
  /** How a fault calls it. */
  readonly name: string;
  /** With all known values in place. */
  readonly document: () => unknown;
}

/** The policies of an app that reach roles, by what they are attached by. */
export interface AppPolicies {
  /** By account and role name in lower case: IAM takes names for the same that differ only by case. */
  readonly byRole: ReadonlyMap<string, readonly FinishedPolicy[]>;
  /** Those of which the deployment decides whom they reach. */
  readonly ofUnknownRoles: readonly FinishedPolicy[];
  /** The managed ones by ARN. */
  readonly managed: ReadonlyMap<string, FinishedPolicy>;
}

/** Collects the policies of all templates that stand outside of roles. */
export function collectPolicies(templates: readonly FinishedTemplate[], values: TemplateValues): AppPolicies {
  const byRole = new Map<string, FinishedPolicy[]>();
  const ofUnknownRoles: FinishedPolicy[] = [];
  const managed = new Map<string, FinishedPolicy>();
  for (const template of templates) {
    for (const [logicalId, { Type: type, Properties: properties = {} }] of Object.entries(
      template.template.Resources ?? {},
    )) {
      const rolesProperty = POLICY_TYPES[type];
      if (rolesProperty === undefined) continue;
      const policy: FinishedPolicy = {
        name: `${type} ${logicalId} of ${template.path}`,
        document: () => values.resolve(template, properties['PolicyDocument']),
      };
      const arn = values.arn(template, logicalId);
      if (arn !== undefined) managed.set(arn, policy);
      for (const name of [values.resolve(template, properties[rolesProperty] ?? [])].flat()) {
        if (typeof name !== 'string' || template.account === undefined) {
          ofUnknownRoles.push(policy);
          continue;
        }
        const key = roleKey(template.account, name);
        byRole.set(key, [...(byRole.get(key) ?? []), policy]);
      }
    }
  }
  return { byRole, ofUnknownRoles, managed };
}

/** The property by which a policy names its roles, by type. */
const POLICY_TYPES: Readonly<Record<string, string>> = {
  'AWS::IAM::ManagedPolicy': 'Roles',
  'AWS::IAM::Policy': 'Roles',
  'AWS::IAM::RolePolicy': 'RoleName',
};

export interface FinishedRole {
  readonly account: string;
  readonly roleName: string;
  /** The role's properties, with all known values in place. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** ARNs of the roles that a session may go on to. */
  readonly chainTo: readonly string[];
}

/**
 * What the policies of a session-broker role grant that would let a session leave its name.
 * @returns rule, what was found and what to do, one text for each fault
 */
export function policyFaults(role: FinishedRole, policies: AppPolicies): readonly string[] {
  const inline = listIn(role.properties, 'Policies').map(
    (entry): FinishedPolicy => ({
      name: `inline policy ${quote(propertyOf(entry, 'PolicyName') ?? entry)}`,
      document: () => propertyOf(entry, 'PolicyDocument'),
    }),
  );
  const attached = listIn(role.properties, 'ManagedPolicyArns');
  const reaching = [
    ...inline,
    ...attached.flatMap((arn) => policies.managed.get(String(arn)) ?? []),
    ...(policies.byRole.get(roleKey(role.account, role.roleName)) ?? []),
    ...policies.ofUnknownRoles,
  ];
  return [
    ...guardFaults(role),
    ...attached.flatMap(managedArnFaults),
    ...[...new Set(reaching)].flatMap((policy) => grantFaults(policy, role.chainTo)),
  ];
}

function guardFaults({ properties, chainTo }: FinishedRole): readonly string[] {
  const guard = listIn(properties, 'Policies').find((entry) => propertyOf(entry, 'PolicyName') === GUARD_POLICY);
  if (isDeepStrictEqual(propertyOf(guard, 'PolicyDocument'), renderGuardPolicy(chainTo))) return [];
  return [`inline policy ${quote(GUARD_POLICY)} must stand as it was made: it is missing or changed; restore it`];
}

function managedArnFaults(arn: unknown): readonly string[] {
  if (typeof arn !== 'string') {
    return [`managed policy must be known before it is deployed: ${quote(arn)}; give its ARN`];
  }
  if (!isForbiddenManagedPolicy(arn)) return [];
  return [`managed policy must not grant everything, IAM or STS: ${quote(arn)}; attach one that grants what is needed`];
}

function grantFaults({ name, document }: FinishedPolicy, chainTo: readonly string[]): readonly string[] {
  const policy = document();
  if (propertyOf(policy, 'Statement') === undefined) {
    return [`${name} must be known before it is deployed: ${quote(policy)}; write its statements out`];
  }
  return forbiddenGrants(policy as PolicyDocument, chainTo).map(
    ({ index, sid, action, reason }) => `${name}, ${sid ?? `statement ${index + 1}`}: ${quote(action)} ${reason}`,
  );
}

function roleKey(account: string, roleName: string): string {
  return `${account}/${roleName.toLowerCase()}`;
}

/** A property's list; a value that is none, such as an intrinsic function, counts as one entry. */
function listIn(properties: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  return properties[name] === undefined ? [] : [properties[name]].flat();
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
