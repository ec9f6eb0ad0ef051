import { type Partition, type PolicyArn, parsePolicyArn, parseRoleArn, type RoleArn } from '../identity/index.ts';
import { MANAGED_POLICIES_PER_ROLE } from '../identity/limits.ts';
import { assertPrincipals, isForbiddenManagedPolicy } from '../policy/index.ts';
import type { TenantConfig } from './config.ts';
import { type FaultPath, fault, faultOf, type RuleFault } from './faults.ts';
import { checkRepeats } from './list-rules.ts';

/** What the rules on ARNs know of the cluster; undefined where that is at fault itself. */
export interface ArnFacts {
  readonly account?: string | undefined;
  readonly partition?: Partition | undefined;
  /** Name of the tenant's session-broker role. */
  readonly roleName?: string | undefined;
}

/** The role of an ARN, or undefined where the ARN is at fault. */
export function roleOf(arn: string): RoleArn | undefined {
  try {
    return parseRoleArn(arn);
  } catch {
    return undefined;
  }
}

function policyOf(arn: string): PolicyArn | undefined {
  try {
    return parsePolicyArn(arn);
  } catch {
    return undefined;
  }
}

/** What two ARNs of one role have in common: IAM takes names for the same that differ only by case. */
export function roleKey(arn: string): string {
  const role = roleOf(arn);
  return role === undefined ? arn : `${role.account}/${role.name.toLowerCase()}`;
}

/** The rules on the trusted caller. */
export function checkTenantRole(
  { tenantRole, callerPolicy }: Pick<TenantConfig, 'tenantRole' | 'callerPolicy'>,
  facts: ArnFacts,
): readonly RuleFault[] {
  const path = ['tenantRole'];
  const invalid = faultOf(path, tenantRole, () => assertPrincipals([tenantRole], facts.partition));
  if (invalid.length > 0) return invalid;
  const code = 'PrincipalNotAllowed';
  const { account } = parseRoleArn(tenantRole);
  if (isBrokerRole(tenantRole, facts)) {
    const rule = 'tenant role must not be the session-broker role itself';
    return [fault(path, tenantRole, rule, "give the tenant's IRSA role", { code })];
  }
  if (callerPolicy !== 'attach' || facts.account === undefined || account === facts.account) return [];
  const rule = `tenant role must be in the account of the cluster, ${facts.account}, under callerPolicy: attach, which would attach in the wrong account`;
  const fix = 'set callerPolicy: external and let the owner of the role make a policy with the same statements there';
  return [fault(path, tenantRole, rule, fix, { code })];
}

/** The rules on the roles that a session may go on to. */
export function checkChainTo(
  { tenantRole, chainTo }: Pick<TenantConfig, 'tenantRole' | 'chainTo'>,
  facts: ArnFacts,
): readonly RuleFault[] {
  return [
    ...chainTo.flatMap((arn, index) => {
      const path = ['chainTo', index];
      const invalid = faultOf(path, arn, () => parseRoleArn(arn));
      if (invalid.length > 0) return invalid;
      const { partition } = parseRoleArn(arn);
      if (facts.partition !== undefined && partition !== facts.partition) {
        const rule = `role of chainTo must be in the partition of the cluster, ${facts.partition}`;
        return [fault(path, arn, rule, 'remove it, no session reaches a role of another partition')];
      }
      if (isBrokerRole(arn, facts)) {
        return [fault(path, arn, 'role of chainTo must not be the session-broker role itself', 'remove it')];
      }
      if (roleKey(arn) === roleKey(tenantRole)) {
        const rule = 'role of chainTo must not be the tenant role: a session must not become its own caller';
        return [fault(path, arn, rule, 'remove it')];
      }
      return [];
    }),
    ...checkRepeats(['chainTo'], chainTo, 'role of chainTo', roleKey),
  ];
}

/** The rules on the managed policies of a session-broker role. */
export function checkManagedPolicies(arns: readonly string[], facts: ArnFacts): readonly RuleFault[] {
  const path = ['managedPolicies'];
  const faults = [
    ...arns.flatMap((arn, index) => {
      const found = checkPolicyArn([...path, index], arn, 'managed policy', facts);
      if (found.length > 0 || !isForbiddenManagedPolicy(arn)) return found;
      const rule = 'managed policy must not grant everything, IAM or STS, by which a session could leave its name';
      return [fault([...path, index], arn, rule, 'list policies that grant what is needed')];
    }),
    ...checkRepeats(path, arns, 'managed policy'),
  ];
  if (faults.length > 0 || arns.length <= MANAGED_POLICIES_PER_ROLE) return faults;
  const rule = `a role must have at most ${MANAGED_POLICIES_PER_ROLE} managed policies`;
  return [fault(path, arns.length, rule, 'join some of them')];
}

/** The rules on the ARN of a managed policy. */
export function checkPolicyArn(path: FaultPath, arn: string, noun: string, facts: ArnFacts): readonly RuleFault[] {
  const policy = policyOf(arn);
  if (policy === undefined) {
    const rule = `${noun} must be the ARN of a managed policy, arn:<partition>:iam::<account or "aws">:policy/<name>`;
    return [fault(path, arn, rule, 'copy it from the IAM console or from aws iam list-policies')];
  }
  const { partition, account } = policy;
  if (facts.partition !== undefined && partition !== facts.partition) {
    const rule = `${noun} must be in the partition of the cluster, ${facts.partition}`;
    return [fault(path, arn, rule, `write the ARN of the policy there, arn:${facts.partition}:...`)];
  }
  if (account !== 'aws' && facts.account !== undefined && account !== facts.account) {
    const rule = `${noun} must be one of AWS or of the account of the cluster, ${facts.account}`;
    return [fault(path, arn, rule, 'make the policy in that account')];
  }
  return [];
}

function isBrokerRole(arn: string, { account, roleName }: ArnFacts): boolean {
  if (account === undefined || roleName === undefined) return false;
  return roleKey(arn) === `${account}/${roleName.toLowerCase()}`;
}
