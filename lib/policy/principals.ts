import { quote, SessionBrokerError } from '../errors.ts';
import { type Partition, parseRoleArn } from '../identity/index.ts';

/**
 * The rules on who may be named in a session-broker role's trust policy: IAM roles by their exact ARN, in the
 * cluster's partition, each once.
 *
 * A second mention would let two parties share names, and then a name would no longer say who acted.
 * @param arns at least one
 * @param partition the cluster's
 * @throws {SessionBrokerError} RoleArnInvalid, PrincipalNotAllowed
 */
export function assertPrincipals(arns: readonly string[], partition?: Partition): void {
  if (arns.length === 0) {
    throw new SessionBrokerError(
      'PrincipalNotAllowed',
      'trust policy must name at least one role; give the tenant role',
    );
  }
  const seen = new Set<string>();
  for (const arn of arns) {
    const role = parseRoleArn(arn);
    if (partition !== undefined && role.partition !== partition) {
      throw new SessionBrokerError(
        'PrincipalNotAllowed',
        `principal must be in the cluster's partition ${partition}: ${quote(arn)} is in ${role.partition}; roles of another partition cannot assume it`,
      );
    }
    // IAM role names are unique without regard to case (CreateRole, RoleName).
    const identity = `${role.account}/${role.name.toLowerCase()}`;
    if (seen.has(identity)) {
      throw new SessionBrokerError(
        'PrincipalNotAllowed',
        `principal must appear once in a trust policy: ${quote(arn)} is named twice and would share its names; remove one`,
      );
    }
    seen.add(identity);
  }
}
