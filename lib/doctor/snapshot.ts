import { parseRoleArn } from '../identity/index.ts';
import {
  type AccessEntryFacts,
  type AccountSummary,
  derive,
  type EksClusterFacts,
  type Known,
  known,
  type ManagedPolicyFacts,
  type Place,
  type PodIdentityFacts,
  type PolicyFacts,
  type Reader,
  type RoleFacts,
  type TaggedRole,
  unknown,
} from './facts.ts';
import { BROKER_ROLE_ENDING, DETAILS, nameOf, type RoleHead } from './given.ts';

/** A role as files have it: its managed policies by their ARNs. */
export type StoredRole = RoleHead & {
  readonly inlinePolicies: Known<readonly PolicyFacts[]>;
  readonly attachedArns: Known<readonly string[]>;
};

/** Facts from files. What several have counts as in the one that was given first. */
export class Snapshot implements Reader {
  /** By account and, as IAM compares them, name in lower case. */
  readonly #roles = new Map<string, StoredRole>();
  /** By ARN; of some, no more than the ARN is known. */
  readonly #policies = new Map<string, ManagedPolicyFacts>();
  /** By the role's key, ARNs that are attached from elsewhere. */
  readonly #attachments = new Map<string, Set<string>>();
  readonly #inlinePolicies = new Map<string, PolicyFacts[]>();
  /** Accounts of which all roles, and all managed policies, are here. */
  readonly #wholeRoles = new Set<string>();
  readonly #wholePolicies = new Set<string>();
  readonly #parameters = new Map<string, string>();
  readonly #missingParameters = new Set<string>();
  /** Accounts and Regions of which all parameters are here, or an empty text for all. */
  readonly #wholeParameters = new Set<string>();
  readonly #clusters = new Map<string, EksClusterFacts>();
  /** The names that a list of clusters has. The list does not say of which account and Region it is. */
  #clusterNames: Set<string> | undefined;
  readonly #accessEntries = new Map<string, AccessEntryFacts>();
  /** The ARNs that a list of access entries has. The list does not say of which cluster it is. */
  #entryArns: Set<string> | undefined;
  readonly #associationIds = new Map<string, Set<string>>();
  readonly #associations = new Map<string, PodIdentityFacts>();
  /** Whether a list of associations was empty. It does not say of which cluster it is. */
  #hasNoAssociations = false;
  readonly #regions = new Map<string, boolean>();
  #summary: AccountSummary | undefined;

  addRole(role: StoredRole): void {
    const key = roleKey(role.arn);
    const first = this.#roles.get(key);
    this.#roles.set(key, first === undefined ? role : mergedRole(first, role));
  }

  addPolicy(policy: ManagedPolicyFacts): void {
    const first = this.#policies.get(policy.arn);
    if (first === undefined || 'unknown' in first.document) this.#policies.set(policy.arn, policy);
  }

  /**
   * Attaches a policy from elsewhere, unless the role was given before.
   * @param roleName of a role in the policy's account
   */
  addAttachment(account: string, roleName: string, policyArn: string): void {
    const key = `${account}/${roleName.toLowerCase()}`;
    if (this.#roles.has(key)) return;
    this.#attachments.set(key, (this.#attachments.get(key) ?? new Set()).add(policyArn));
  }

  /**
   * Gives a role an inline policy that stands by itself, unless the role was given before.
   * @param roleName of a role in the account
   */
  addInlinePolicy(account: string, roleName: string, policy: PolicyFacts): void {
    const key = `${account}/${roleName.toLowerCase()}`;
    if (this.#roles.has(key)) return;
    this.#inlinePolicies.set(key, [...(this.#inlinePolicies.get(key) ?? []), policy]);
  }

  addWholeAccount(account: string, hasPolicies: boolean): void {
    this.#wholeRoles.add(account);
    if (hasPolicies) this.#wholePolicies.add(account);
  }

  addParameter(place: Place, name: string, value: string): void {
    const key = placed(place, name);
    if (!this.#parameters.has(key)) this.#parameters.set(key, value);
  }

  addMissingParameter(name: string): void {
    this.#missingParameters.add(name);
  }

  /** @param place absent: of wherever it is asked about */
  addWholeParameters(place: Place | undefined): void {
    this.#wholeParameters.add(place === undefined ? '' : placed(place));
  }

  addCluster(place: Place, name: string, cluster: EksClusterFacts): void {
    addFirst(this.#clusters, placed(place, name), cluster);
  }

  addClusterNames(names: readonly string[]): void {
    this.#clusterNames = new Set([...(this.#clusterNames ?? []), ...names]);
  }

  addAccessEntry(place: Place, clusterName: string, roleArn: string, entry: AccessEntryFacts): void {
    addFirst(this.#accessEntries, placed(place, clusterName, roleArn), entry);
  }

  addAccessEntryArns(arns: readonly string[]): void {
    this.#entryArns = new Set([...(this.#entryArns ?? []), ...arns]);
  }

  addAssociationIds(place: Place, clusterName: string, ids: readonly string[]): void {
    const key = placed(place, clusterName);
    this.#associationIds.set(key, new Set([...(this.#associationIds.get(key) ?? []), ...ids]));
  }

  addNoAssociations(): void {
    this.#hasNoAssociations = true;
  }

  addAssociation(association: PodIdentityFacts): void {
    addFirst(this.#associations, association.associationId, association);
  }

  addRegion(region: string, isEnabled: boolean): void {
    addFirst(this.#regions, region, isEnabled);
  }

  addSummary(summary: AccountSummary): void {
    this.#summary ??= summary;
  }

  async role(arn: string): Promise<Known<RoleFacts | undefined>> {
    const { account, name } = parseRoleArn(arn);
    const found = this.#roles.get(roleKey(arn));
    if (found !== undefined) return known(this.#withPolicies(found));
    if (this.#wholeRoles.has(account)) return known(undefined);
    return unknown(`the role ${name} is in none of --from; add ${DETAILS} in account ${account}`);
  }

  async managedPolicy(arn: string): Promise<Known<ManagedPolicyFacts | undefined>> {
    const found = this.#policies.get(arn);
    if (found !== undefined) return known(found);
    const [, , , , account = ''] = arn.split(':');
    return this.#wholePolicies.has(account) ? known(undefined) : this.#absent(arn);
  }

  async brokerRoles(account: string, path: string): Promise<Known<readonly TaggedRole[]>> {
    if (!this.#wholeRoles.has(account)) {
      return unknown(`the roles of account ${account} are in none of --from; add ${DETAILS} there`);
    }
    return known(
      [...this.#roles.values()].filter(
        ({ arn }) => arn.includes(`::${account}:role${path}`) && arn.endsWith(BROKER_ROLE_ENDING),
      ),
    );
  }

  async parameter(place: Place, name: string): Promise<Known<string | undefined>> {
    const value = this.#parameters.get(placed(place, name));
    if (value !== undefined) return known(value);
    const isWhole = this.#wholeParameters.has('') || this.#wholeParameters.has(placed(place));
    if (isWhole || this.#missingParameters.has(name)) return known(undefined);
    return unknown(
      `the parameters of ${place.region} are in none of --from; add the output of aws ssm get-parameters-by-path --recursive there`,
    );
  }

  async summary(account: string): Promise<Known<AccountSummary>> {
    if (this.#summary !== undefined) return known(this.#summary);
    return unknown(`the quotas are in none of --from; add the output of aws iam get-account-summary in ${account}`);
  }

  async eksCluster(place: Place, name: string): Promise<Known<EksClusterFacts | undefined>> {
    const found = this.#clusters.get(placed(place, name));
    if (found !== undefined) return known(found);
    if (this.#clusterNames !== undefined && !this.#clusterNames.has(name)) return known(undefined);
    return unknown(`the EKS cluster ${name} is in none of --from; add the output of aws eks describe-cluster`);
  }

  async accessEntry(place: Place, clusterName: string, roleArn: string): Promise<Known<AccessEntryFacts | undefined>> {
    const found = this.#accessEntries.get(placed(place, clusterName, roleArn));
    if (found !== undefined) return known(found);
    if (this.#entryArns !== undefined && !this.#entryArns.has(roleArn)) return known(undefined);
    return unknown(
      `the access entry of ${nameOf(roleArn)} is in none of --from; add the output of aws eks describe-access-entry, or of aws eks list-access-entries if it has none`,
    );
  }

  async podIdentities(place: Place, clusterName: string): Promise<Known<readonly PodIdentityFacts[]>> {
    const ids = this.#associationIds.get(placed(place, clusterName));
    if (ids === undefined) {
      if (this.#hasNoAssociations) return known([]);
      return unknown(
        `the Pod Identity associations of ${clusterName} are in none of --from; add the output of aws eks list-pod-identity-associations, and for each of aws eks describe-pod-identity-association`,
      );
    }
    const found = [...ids].map((id) => this.#associations.get(id));
    if (found.every((association) => association !== undefined)) return known(found);
    return unknown(
      `not all Pod Identity associations of ${clusterName} are described; add aws eks describe-pod-identity-association for each`,
    );
  }

  async isRegionEnabled({ region }: Place): Promise<Known<boolean>> {
    const isEnabled = this.#regions.get(region);
    if (isEnabled !== undefined) return known(isEnabled);
    return unknown(
      `whether ${region} is enabled is in none of --from; add the output of aws account get-region-opt-status --region-name ${region}`,
    );
  }

  #withPolicies({ boundaryArn, attachedArns, ...role }: StoredRole): RoleFacts {
    const further = [...(this.#attachments.get(roleKey(role.arn)) ?? [])];
    const inline = this.#inlinePolicies.get(roleKey(role.arn)) ?? [];
    const policyOf = (arn: string): ManagedPolicyFacts =>
      this.#policies.get(arn) ?? {
        name: nameOf(arn),
        arn,
        document: this.#absent(arn),
        spareVersion: this.#absent(arn),
      };
    return {
      ...role,
      inlinePolicies: derive(role.inlinePolicies, (own) => [
        ...own,
        ...inline.filter(({ name }) => own.every((other) => other.name !== name)),
      ]),
      attachedPolicies:
        'unknown' in attachedArns
          ? attachedArns
          : known([...new Set([...attachedArns.value, ...further])].map(policyOf)),
      permissionsBoundary:
        'unknown' in boundaryArn
          ? boundaryArn
          : known(boundaryArn.value === undefined ? undefined : policyOf(boundaryArn.value)),
    };
  }

  #absent(arn: string) {
    return unknown(`the policy ${arn} is in none of --from; add ${DETAILS} without a filter`);
  }
}

function addFirst<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  if (!map.has(key)) map.set(key, value);
}

/** Each fact of the first, unless only the second knows it. */
function mergedRole(first: StoredRole, second: StoredRole): StoredRole {
  const better = <Value>(one: Known<Value>, other: Known<Value>): Known<Value> => ('value' in one ? one : other);
  return {
    arn: first.arn,
    id: better(first.id, second.id),
    createdAt: better(first.createdAt, second.createdAt),
    maxSessionDurationSeconds: better(first.maxSessionDurationSeconds, second.maxSessionDurationSeconds),
    trust: better(first.trust, second.trust),
    boundaryArn: better(first.boundaryArn, second.boundaryArn),
    tags: better(first.tags, second.tags),
    inlinePolicies: better(first.inlinePolicies, second.inlinePolicies),
    attachedArns: better(first.attachedArns, second.attachedArns),
  };
}

function roleKey(arn: string): string {
  const [, , , , account] = arn.split(':');
  return `${account}/${nameOf(arn).toLowerCase()}`;
}

function placed({ account, region }: Place, ...names: readonly string[]): string {
  return [account, region, ...names].join(' ');
}
