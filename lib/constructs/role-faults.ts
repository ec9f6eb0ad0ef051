import { isDeepStrictEqual } from 'node:util';
import { quote } from '../errors.ts';
import { Stack } from './cdk.ts';
import type { FinishedApp, JudgedRole, PlacedResource, PlacedRole } from './finished-app.ts';
import { policyFaults } from './policy-faults.ts';
import { trustFaults } from './trust-faults.ts';

/** Who has a caller, by cluster and caller: the path of a role. */
export type CallerOwners = Map<string, string>;

/**
 * What is wrong with a session-broker role as it stands in the finished templates.
 * @param placed undefined where its template has no such role
 * @param owners of the callers of the roles that were judged before, to which this one's are added
 * @returns rule, what was found and what to do, one text for each fault
 */
export function roleFaults(
  role: JudgedRole,
  placed: PlacedRole | undefined,
  { values, roles }: FinishedApp,
  owners: CallerOwners,
): readonly string[] {
  if (placed === undefined) {
    return ['role must stand in its template as a resource of type AWS::IAM::Role; restore it'];
  }
  const { template, resource, properties, roleArn, roleName, account } = placed;
  if (template.isTransformed) {
    return [
      'template must have no Transform or Fn::Transform, which would change it once more; move the role to another stack',
    ];
  }
  const stack = Stack.of(role.construct);
  const resolved = (arn: string): unknown => values.resolve(template, stack.resolve(arn));
  const callers = role.callerArns().map(resolved);
  const callerArns = callers.filter((arn) => typeof arn === 'string');
  if (callerArns.length < callers.length) {
    return callers
      .filter((arn) => typeof arn !== 'string')
      .map((arn) => `caller must be known before it is deployed: ${quote(arn)}; give the ARN of its role as text`);
  }
  const boundary = properties['PermissionsBoundary'];
  const faults: string[] = [];
  if (resource.Condition !== undefined) {
    faults.push(
      `role must have no Condition, by which another could stand in its place: ${quote(resource.Condition)}; remove it`,
    );
  }
  for (const other of roles.get(account, roleName)) {
    if (other.resource === resource) continue;
    faults.push(
      `role name must be that of one role in an account: ${placeOf(other)} is called ${quote(roleName)} too; rename it`,
    );
  }
  const { permissionsBoundaryArn } = role;
  if (permissionsBoundaryArn !== undefined && !isDeepStrictEqual(boundary, resolved(permissionsBoundaryArn))) {
    faults.push(`permissions boundary must be the one that was given: ${quote(boundary)}; restore it`);
  }
  return [
    ...faults,
    ...sharedCallerFaults(role, callerArns, owners),
    ...trustFaults({ document: properties['AssumeRolePolicyDocument'], roleArn, callerArns, scope: role.scope }),
    ...policyFaults(placed, placed.reaching.policies),
  ];
}

/** As in a configuration, callers count by account and name without regard to case, in one cluster. */
function sharedCallerFaults(
  { construct, cluster }: JudgedRole,
  callerArns: readonly string[],
  owners: CallerOwners,
): readonly string[] {
  const { path } = construct.node;
  return callerArns.flatMap((arn) => {
    const [, , , , account, resource = ''] = arn.split(':');
    const name = resource.slice(resource.lastIndexOf('/') + 1).toLowerCase();
    const key = `${Stack.of(construct).account}/${cluster} ${account}/${name}`;
    const owner = owners.get(key) ?? path;
    owners.set(key, owner);
    if (owner === path) return [];
    return [
      `caller must be that of one tenant, and ${owner} has it too, so either could take the other's names: ${quote(arn)}; give each tenant a role of its own`,
    ];
  });
}

function placeOf({ logicalId, template: { path } }: PlacedResource): string {
  return `AWS::IAM::Role ${logicalId} of ${path}`;
}
