import { SessionBrokerError } from '../../errors.ts';
import { forbiddenGrants, judgeTrust, launderingGrants, type NamedPolicy, unacknowledged } from '../../policy/index.ts';
import { GUARD_POLICY, PERMISSIONS_POLICY } from '../../policy/permissions.ts';
import type { Draft } from '../amendments.ts';
import {
  type Known,
  known,
  NotKnown,
  need,
  type PolicyFacts,
  type RoleFacts,
  type Unknown,
  unknown,
  valueOr,
} from '../facts.ts';
import { understood } from '../judge.ts';
import { brokerRole, type FixParts, findingOf, type TenantCase } from '../tenant-case.ts';

/**
 * Whether a policy that is really attached grants what would let a session leave its name. At synthesis only those of
 * the app can be read.
 */
export function* checkForbiddenGrants(tested: TenantCase): Iterable<Draft> {
  const { expected } = tested;
  const { tenant, names } = expected;
  const { inlinePolicies, attachedPolicies } = brokerRole(tested);
  const inline = need(inlinePolicies).filter(({ name }) => name !== GUARD_POLICY);
  const unread: Unknown[] = [];
  for (const policy of [...inline, ...need(attachedPolicies)] as readonly PolicyFacts[]) {
    const document = understood(policy);
    if ('unknown' in document) {
      unread.push(document.unknown);
      continue;
    }
    const grants = forbiddenGrants(document.value, tenant.chainTo, names.roleName);
    const [first] = grants;
    if (first === undefined) continue;
    const place = first.sid ?? `statement ${first.index + 1}`;
    const more = grants.length > 1 ? `; and ${grants.length - 1} more` : '';
    const evidence = `${policy.arn ?? `the inline policy ${policy.name}`} of ${names.roleName} grants too much: ${place}, ${first.action}, ${first.reason}${more}`;
    yield findingOf(tested, 'PolicyGrantsTooMuch', 'error', evidence, removal(tested, policy));
  }
  const [missing] = unread;
  if (missing !== undefined) throw new NotKnown(missing);
}

/**
 * Whether a policy that is really attached grants what loses the identity of a session, and nobody has acknowledged it.
 * @see docs/laundering.md
 */
export function* checkIdentityLoss(tested: TenantCase): Iterable<Draft> {
  const { expected, facts, settings } = tested;
  const { cluster, tenant, names } = expected;
  const { inlinePolicies, attachedPolicies } = brokerRole(tested);
  const unread: Unknown[] = [];
  const policies: NamedPolicy[] = [];
  for (const policy of [...need(inlinePolicies), ...need(attachedPolicies)] as readonly PolicyFacts[]) {
    const document = understood(policy);
    if ('unknown' in document) unread.push(document.unknown);
    else policies.push({ name: policy.arn ?? `the inline policy ${policy.name}`, document: document.value });
  }
  const requiresIdentity = (arn: string): boolean | undefined => {
    const required = isRequiredBy(arn, facts.chainRoles.get(arn));
    if ('unknown' in required) unread.push(required.unknown);
    return valueOr(required, undefined);
  };
  const options = { chainTo: tenant.chainTo, ownRoleName: names.roleName, requiresIdentity };
  const grants = unacknowledged(launderingGrants(policies, options), tenant.acknowledgeIdentityLoss);
  for (const { policy, index, sid, action, reason } of grants) {
    const place = sid ?? `statement ${index + 1}`;
    const evidence = `${policy} of ${names.roleName} grants ${action} in ${place}, by which the identity is lost: ${reason}`;
    const reasonGiven = { action, reason: 'write here why it is granted all the same' };
    yield findingOf(tested, 'IdentityLost', 'warning', evidence, {
      summary:
        action.toLowerCase() === 'sts:assumerole'
          ? 'have the owner of that role require an identity on every way in, or acknowledge it with a reason of your own'
          : 'take it away, or acknowledge it with a reason of your own',
      configuration: {
        path: `clusters.${cluster.name}.tenants.${tenant.name}.acknowledgeIdentityLoss`,
        value: [...tenant.acknowledgeIdentityLoss, reasonGiven],
      },
      commands: [settings.commands.deploy(names.stackName)],
    });
  }
  const [missing] = unread;
  if (missing !== undefined) throw new NotKnown(missing);
}

/** Whether each way into a role requires a source identity. */
function isRequiredBy(arn: string, role: Known<RoleFacts | undefined> | undefined): Known<boolean | undefined> {
  if (role === undefined || 'unknown' in role) return role ?? known(undefined);
  if (role.value === undefined) return known(undefined);
  const document = understood({ name: `the trust policy of ${arn}`, document: role.value.trust });
  if ('unknown' in document) return document;
  try {
    return known(judgeTrust(document.value, { roleArn: arn }).required);
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    return unknown(`whether ${arn} requires an identity: ${error.message}`);
  }
}

/** Takes a policy from the role, or puts back what it should be. */
function removal({ expected, settings }: TenantCase, { name, arn }: PolicyFacts): FixParts {
  const { cluster, tenant, names, roleArn, role } = expected;
  const { commands } = settings;
  const configured = role.inlinePolicies[name];
  if (arn === undefined && name === PERMISSIONS_POLICY && configured !== undefined) {
    return {
      summary: 'put back what is configured',
      commands: [commands.putInline(cluster, roleArn, name, configured)],
    };
  }
  if (arn === undefined) return { summary: 'delete it', commands: [commands.deleteInline(cluster, roleArn, name)] };
  if (!role.managedPolicies.includes(arn)) {
    return { summary: 'detach it', commands: [commands.detach(cluster, roleArn, arn)] };
  }
  return {
    summary: 'take it out of managedPolicies and deploy; what sessions need of it goes into a policy of its own',
    configuration: {
      path: `clusters.${cluster.name}.tenants.${tenant.name}.managedPolicies`,
      value: tenant.managedPolicies.filter((other) => other !== arn),
    },
    commands: [commands.deploy(names.stackName)],
  };
}
