import { listOf, type PolicyDocument, policyDocument, type Statement } from '../../policy/index.ts';
import { matchesPattern, patternOf } from '../../policy/pattern.ts';
import type { Draft } from '../amendments.ts';
import { NotKnown, need, type PolicyFacts, type Unknown } from '../facts.ts';
import { understood } from '../judge.ts';
import { callerRole, findingOf, type TenantCase } from '../tenant-case.ts';

/**
 * Whether the tenant role can do more than start sessions. Whoever has its web-identity token can then do that without
 * a name, so that names are what everybody agrees to use and no more.
 */
export function* checkTenantRole(tested: TenantCase): Iterable<Draft> {
  const { expected, settings } = tested;
  const { cluster, tenantRole, callerPolicy } = expected;
  const { commands } = settings;
  const role = callerRole(tested);
  const isHop = hopsOf(tested);
  const limit = need(role.permissionsBoundary);
  const boundary = limit === undefined ? undefined : understood(limit);
  const unread: Unknown[] = boundary !== undefined && 'unknown' in boundary ? [boundary.unknown] : [];
  // What the boundary does not allow either, the role cannot do.
  const within = boundary !== undefined && 'value' in boundary ? furtherOf(boundary.value, isHop) : ['*'];
  const more: string[] = [];
  const fixes: string[] = [];
  const inline = need(role.inlinePolicies);
  const attached = need(role.attachedPolicies);
  for (const policy of [...inline, ...attached] as readonly PolicyFacts[]) {
    const document = understood(policy);
    if ('unknown' in document) {
      unread.push(document.unknown);
      continue;
    }
    const further = furtherOf(document.value, isHop).filter((action) => within.some((other) => overlap(action, other)));
    if (further.length === 0 || policy.arn === callerPolicy.arn) continue;
    more.push(`${policy.name} allows ${namesOf(further)}`);
    const left = document.value.Statement.filter((statement) => isHopAlone(statement, isHop));
    if (policy.arn !== undefined) fixes.push(commands.detach(cluster, tenantRole.arn, policy.arn));
    else if (left.length === 0) fixes.push(commands.deleteInline(cluster, tenantRole.arn, policy.name));
    else fixes.push(commands.putInline(cluster, tenantRole.arn, policy.name, policyDocument(left)));
  }
  if (more.length > 0) {
    const evidence = `${tenantRole.name} can do more than start sessions, without a name: ${more.join('; ')}`;
    yield findingOf(tested, 'TenantRoleDoesMore', 'warning', evidence, {
      summary: "give the session-broker role what the tenant's sessions need, then take it from the tenant role",
      commands: fixes,
    });
  }
  const [missing] = unread;
  if (missing !== undefined) throw new NotKnown(missing);
}

/** Whether an action on a resource is a part of starting the sessions of whatever tenants have this tenant role. */
type IsHop = (action: string, resource: string) => boolean;

function hopsOf({ expected, settings }: TenantCase): IsHop {
  const hops = settings.tenants.filter(({ tenantRole }) => tenantRole.arn === expected.tenantRole.arn);
  const roles = hops.map(({ roleArn }) => roleArn);
  const parameters = hops.flatMap((hop) => hop.parameters.map(({ arn }) => arn));
  return (action, resource) => {
    switch (action.toLowerCase()) {
      case 'sts:getcalleridentity':
        return true;
      case 'sts:assumerole':
      case 'sts:setsourceidentity':
      case 'sts:tagsession':
        return roles.includes(resource);
      case 'ssm:getparameter':
      case 'ssm:getparameters':
        return parameters.includes(resource);
      default:
        return false;
    }
  };
}

/** The actions beyond the hop that a policy allows, as it writes them. */
function furtherOf({ Statement: statements }: PolicyDocument, isHop: IsHop): readonly string[] {
  const found = statements
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Action, NotAction, Resource, NotResource }) => {
      if (Action === undefined) return [`all but ${listOf(NotAction).join(', ')}`];
      const resources = NotResource === undefined ? listOf(Resource) : ['*'];
      return listOf(Action).filter((action) => !resources.every((resource) => isHop(action, resource)));
    });
  return [...new Set(found)];
}

function isHopAlone(statement: Statement, isHop: IsHop): boolean {
  return statement.Effect === 'Deny' || furtherOf(policyDocument([statement]), isHop).length === 0;
}

/** Whether two patterns of actions have something in common, as far as can be told: in doubt they do. */
function overlap(one: string, other: string): boolean {
  if (one.startsWith('all but') || other.startsWith('all but')) return true;
  const [first, second] = [one.toLowerCase(), other.toLowerCase()];
  if (matchesPattern(patternOf(first, true), second) || matchesPattern(patternOf(second, true), first)) return true;
  const isPattern = (text: string): boolean => /[*?]/.test(text);
  return isPattern(first) && isPattern(second) && first.split(':')[0] === second.split(':')[0];
}

/** How many actions evidence names. */
const MOST = 5;

function namesOf(actions: readonly string[]): string {
  const more = actions.length > MOST ? ` and ${actions.length - MOST} more` : '';
  return `${actions.slice(0, MOST).join(', ')}${more}`;
}
