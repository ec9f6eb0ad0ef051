import { isDeepStrictEqual } from 'node:util';
import { quote } from '../errors.ts';
import { forbiddenGrants, isForbiddenManagedPolicy, type PolicyDocument, renderGuardPolicy } from '../policy/index.ts';
import { GUARD_POLICY, PERMISSIONS_POLICY } from '../policy/permissions.ts';
import { type FinishedTemplate, hasTransform, type TemplateValues } from '../template/values.ts';
import { NamedInAccounts } from './named-in-accounts.ts';

const OWN_POLICIES: readonly unknown[] = [GUARD_POLICY, PERMISSIONS_POLICY];

const POLICY_ELEMENTS: readonly string[] = ['Version', 'Id', 'Statement'];

/** A policy in a finished template. */
export interface FinishedPolicy {
  /** How a fault calls it. */
  readonly name: string;
  /** With all known values in place. */
  readonly document: () => unknown;
  /** Of one that stands outside of the role and becomes an inline policy of it: its name there. */
  readonly inlineName?: (() => unknown) | undefined;
  /** Whether a macro would change it once more. */
  readonly isTransformed: () => boolean;
}

/** The policies of an app that reach roles, by what they are attached by. */
export interface AppPolicies {
  /** By the names of the roles. */
  readonly byRole: NamedInAccounts<FinishedPolicy>;
  /** Those of which the deployment decides whom they reach. */
  readonly ofUnknownRoles: readonly FinishedPolicy[];
  /** The managed ones by their own names. */
  readonly managed: NamedInAccounts<FinishedPolicy>;
}

/** Collects the policies of all templates that stand outside of roles. */
export function collectPolicies(templates: readonly FinishedTemplate[], values: TemplateValues): AppPolicies {
  const byRole = new NamedInAccounts<FinishedPolicy>();
  const ofUnknownRoles: FinishedPolicy[] = [];
  const managed = new NamedInAccounts<FinishedPolicy>();
  for (const template of templates) {
    for (const [logicalId, resource] of Object.entries(template.template.Resources ?? {})) {
      const { Type: type, Properties: properties = {} } = resource;
      const rolesProperty = Object.hasOwn(POLICY_TYPES, type) ? POLICY_TYPES[type] : undefined;
      if (rolesProperty === undefined) continue;
      const isManaged = type === 'AWS::IAM::ManagedPolicy';
      const policy: FinishedPolicy = {
        name: `${type} ${logicalId} of ${template.path}`,
        document: () => values.resolve(template, properties['PolicyDocument']),
        inlineName: isManaged ? undefined : () => values.resolve(template, properties['PolicyName']),
        isTransformed: () => hasTransform(JSON.stringify(resource)),
      };
      if (isManaged) managed.add(template.account, values.name(template, logicalId), policy);
      for (const name of [values.resolve(template, properties[rolesProperty] ?? [])].flat()) {
        if (typeof name === 'string') byRole.add(template.account, name, policy);
        else ofUnknownRoles.push(policy);
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

/** The policies that reach a session-broker role. */
export interface ReachingPolicies {
  readonly policies: readonly FinishedPolicy[];
  /** Attached by an ARN that is not of the app, so that nobody can read them here. */
  readonly unread: readonly unknown[];
}

export function reachingPolicies(role: FinishedRole, app: AppPolicies): ReachingPolicies {
  const inline = listIn(role.properties, 'Policies').map(
    (entry): FinishedPolicy => ({
      name: `inline policy ${quote(propertyOf(entry, 'PolicyName') ?? entry)}`,
      document: () => propertyOf(entry, 'PolicyDocument'),
      isTransformed: () => false, // the whole template is judged for that
    }),
  );
  const attached = listIn(role.properties, 'ManagedPolicyArns').map(
    (arn) => [arn, managedOf(app.managed, arn)] as const,
  );
  const policies = [
    ...inline,
    ...attached.flatMap(([, found]) => found),
    ...app.byRole.get(role.account, role.roleName),
    ...app.ofUnknownRoles,
  ];
  return {
    policies: [...new Set(policies)],
    unread: attached.flatMap(([arn, found]) => (found.length === 0 ? [arn] : [])),
  };
}

/**
 * What the policies of a session-broker role grant that would let a session leave its name.
 * @param reaching the policies that reach it
 * @returns rule, what was found and what to do, one text for each fault
 */
export function policyFaults(role: FinishedRole, reaching: readonly FinishedPolicy[]): readonly string[] {
  const entries = listIn(role.properties, 'Policies');
  return [
    ...guardFaults(role),
    ...entries.flatMap((entry, index) => entryFaults(entry, entries.slice(0, index))),
    ...listIn(role.properties, 'ManagedPolicyArns').flatMap(managedArnFaults),
    ...reaching.flatMap((policy) => [
      ...inlineNameFaults(policy),
      ...(policy.isTransformed() ? [`${policy.name} must have no Fn::Transform, which would change it once more`] : []),
      ...grantFaults(policy, role),
    ]),
  ];
}

/** arn:<partition>:iam::<account>:policy[/<path>]/<name>, of which the account and the name say which one it is. */
function managedOf(managed: NamedInAccounts<FinishedPolicy>, arn: unknown): readonly FinishedPolicy[] {
  const { account, name } =
    /^arn:[^:]*:iam::(?<account>[^:]*):policy\/(?:.*\/)?(?<name>[^/]*)$/.exec(String(arn))?.groups ?? {};
  return account === undefined || account === 'aws' || name === undefined ? [] : managed.get(account, name);
}

/** Inline policies are kept by name, so a second one of a name would stand in the first one's place. */
function entryFaults(entry: unknown, earlier: readonly unknown[]): readonly string[] {
  const name = propertyOf(entry, 'PolicyName');
  if (typeof name !== 'string') return [unknownName(`inline policy ${quote(entry)}`, name)];
  const isRepeated = earlier.some((other) => nameKey(propertyOf(other, 'PolicyName')) === nameKey(name));
  return isRepeated ? [`inline policy ${quote(name)} must appear once: its name is given twice; rename one`] : [];
}

function inlineNameFaults({ name, inlineName }: FinishedPolicy): readonly string[] {
  if (inlineName === undefined) return [];
  const given = inlineName();
  if (typeof given !== 'string') return [unknownName(name, given)];
  if (!OWN_POLICIES.includes(nameKey(given))) return [];
  return [`${name} must not take the place of the role's own inline policy ${quote(given)}; rename it`];
}

function unknownName(policy: string, given: unknown): string {
  return `${policy} must have a name that is known before it is deployed: ${quote(given)}; write it out`;
}

function nameKey(name: unknown): unknown {
  return typeof name === 'string' ? name.toLowerCase() : name;
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

function grantFaults({ name, document }: FinishedPolicy, { chainTo, roleName }: FinishedRole): readonly string[] {
  const policy = document();
  if (propertyOf(policy, 'Statement') === undefined) {
    return [`${name} must be known before it is deployed: ${quote(policy)}; write its statements out`];
  }
  const foreign = Object.keys(policy as object).find((element) => !POLICY_ELEMENTS.includes(element));
  if (foreign !== undefined) {
    return [`${name} must have no element but ${POLICY_ELEMENTS.join(', ')}: ${quote(foreign)}; remove it`];
  }
  return forbiddenGrants(policy as PolicyDocument, chainTo, roleName).map(
    ({ index, sid, action, reason }) => `${name}, ${sid ?? `statement ${index + 1}`}: ${quote(action)} ${reason}`,
  );
}

/** A property's list; a value that is none, such as an intrinsic function, counts as one entry. */
function listIn(properties: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  return properties[name] === undefined ? [] : [properties[name]].flat();
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
