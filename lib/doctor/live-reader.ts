import { SessionBrokerError } from '../errors.ts';
import { parseRoleArn } from '../identity/index.ts';
import type { Account } from '../sdk/account.ts';
import { type Calls, callsOf, failureOf, type Limit } from './calls.ts';
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
  type Unknown,
  unknown,
  valueOr,
} from './facts.ts';
import {
  BROKER_ROLE_ENDING,
  type GivenVersion,
  isOfAws,
  nameOf,
  type RoleHead,
  readAccessEntry,
  readCluster,
  readDocument,
  readPodIdentity,
  readRole,
  spareVersionOf,
} from './given.ts';

/** Who asks, and where it was asked. */
export interface CallerIdentity {
  readonly account: string;
  readonly arn: string;
  readonly region: string;
}

/** Asks STS in a Region. */
export type IdentityIn = (region: string) => Promise<CallerIdentity | SessionBrokerError>;

/** STS says either of a Region that is not enabled, as the credentials came to be. */
export function meansRegion({ code }: SessionBrokerError): boolean {
  return code === 'RegionDisabled' || code === 'CredentialsRejected';
}

export interface LiveReaderProps {
  readonly caller: CallerIdentity;
  readonly accountIn: (region: string) => Account;
  readonly identityIn: IdentityIn;
  readonly limit: Limit;
}

/** Reads an account by its APIs. */
export class LiveReader implements Reader {
  readonly #props: LiveReaderProps;
  readonly #answers = new Map<string, unknown>();

  constructor(props: LiveReaderProps) {
    this.#props = props;
  }

  role(arn: string): Promise<Known<RoleFacts | undefined>> {
    return this.#once(`role ${arn}`, async () => {
      const found = await this.#head(arn);
      if ('unknown' in found || found.value === undefined) return found as Known<undefined>;
      const { boundaryArn, ...head } = found.value;
      const [inlinePolicies, attachedPolicies, permissionsBoundary] = await Promise.all([
        this.#inlinePolicies(nameOf(arn)),
        this.#attachedPolicies(nameOf(arn)),
        this.#boundary(boundaryArn),
      ]);
      return known({ ...head, inlinePolicies, attachedPolicies, permissionsBoundary });
    });
  }

  managedPolicy(arn: string): Promise<Known<ManagedPolicyFacts | undefined>> {
    return this.#once(`policy ${arn}`, async () => {
      const version = await this.#iam('GetPolicy', arn, async (client, { GetPolicyCommand }, options) => {
        const { Policy } = await client.send(new GetPolicyCommand({ PolicyArn: arn }), options);
        return Policy?.DefaultVersionId;
      });
      if ('unknown' in version) return version;
      const { value: VersionId } = version;
      if (VersionId === undefined) return known(undefined);
      const [text, spareVersion] = await Promise.all([
        this.#iam('GetPolicyVersion', arn, async (client, { GetPolicyVersionCommand }, options) => {
          const command = new GetPolicyVersionCommand({ PolicyArn: arn, VersionId });
          return (await client.send(command, options)).PolicyVersion?.Document;
        }),
        this.#spareVersion(arn),
      ]);
      return known({ name: nameOf(arn), arn, document: documentOf(text, arn), spareVersion });
    });
  }

  brokerRoles(account: string, path: string): Promise<Known<readonly TaggedRole[]>> {
    return this.#once(`roles ${path}`, async () => {
      if (account !== this.#props.caller.account) return this.#elsewhere(`the roles below ${path}`, account);
      const arns = await this.#iam('ListRoles', path, async (client, { paginateListRoles }, options) => {
        const found: string[] = [];
        for await (const { Roles = [] } of paginateListRoles({ client }, { PathPrefix: path }, options)) {
          found.push(...Roles.flatMap(({ Arn }) => (Arn?.endsWith(BROKER_ROLE_ENDING) ? [Arn] : [])));
        }
        return found;
      });
      if ('unknown' in arns) return arns;
      return known(
        await Promise.all(
          (arns.value ?? []).map(async (arn): Promise<TaggedRole> => {
            const head = await this.#head(arn);
            // Gone since it was listed.
            return { arn, tags: 'unknown' in head ? head : (head.value?.tags ?? known({})) };
          }),
        ),
      );
    });
  }

  parameter(place: Place, name: string): Promise<Known<string | undefined>> {
    return this.#regionally(place, `parameter ${name}`, ({ ssm }) =>
      ssm('GetParameter', name, async (client, { GetParameterCommand }, options) => {
        const { Parameter } = await client.send(new GetParameterCommand({ Name: name }), options);
        return Parameter?.Value;
      }),
    );
  }

  summary(): Promise<Known<AccountSummary>> {
    return this.#once('summary', async () => {
      const summary = await this.#iam(
        'GetAccountSummary',
        '*',
        async (client, { GetAccountSummaryCommand }, options) => {
          return (await client.send(new GetAccountSummaryCommand({}), options)).SummaryMap as
            | AccountSummary
            | undefined;
        },
      );
      return derive(summary, (map) => map ?? {});
    });
  }

  eksCluster(place: Place, name: string): Promise<Known<EksClusterFacts | undefined>> {
    return this.#regionally(place, `cluster ${name}`, ({ eks }) =>
      eks('DescribeCluster', name, async (client, { DescribeClusterCommand }, options) => {
        const { cluster } = await client.send(new DescribeClusterCommand({ name }), options);
        return cluster && readCluster(cluster);
      }),
    );
  }

  accessEntry(place: Place, clusterName: string, roleArn: string): Promise<Known<AccessEntryFacts | undefined>> {
    return this.#regionally(place, `access entry ${clusterName} ${roleArn}`, ({ eks }) =>
      eks(
        'DescribeAccessEntry',
        `${clusterName}, ${roleArn}`,
        async (client, { DescribeAccessEntryCommand }, options) => {
          const command = new DescribeAccessEntryCommand({ clusterName, principalArn: roleArn });
          const { accessEntry } = await client.send(command, options);
          return accessEntry && readAccessEntry(accessEntry);
        },
      ),
    );
  }

  podIdentities(place: Place, clusterName: string): Promise<Known<readonly PodIdentityFacts[]>> {
    return this.#regionally(place, `associations ${clusterName}`, async ({ eks }) => {
      const ids = await eks(
        'ListPodIdentityAssociations',
        clusterName,
        async (client, { paginateListPodIdentityAssociations }, options) => {
          const found: string[] = [];
          const pages = paginateListPodIdentityAssociations({ client }, { clusterName }, options);
          for await (const { associations = [] } of pages) {
            found.push(...associations.flatMap(({ associationId = [] }) => associationId));
          }
          return found;
        },
      );
      if ('unknown' in ids) return ids;
      // The list does not say which roles they are of.
      const associations: PodIdentityFacts[] = [];
      for (const fact of await Promise.all(
        (ids.value ?? []).map((associationId) =>
          eks(
            'DescribePodIdentityAssociation',
            `${clusterName}, ${associationId}`,
            async (client, { DescribePodIdentityAssociationCommand }, options) => {
              const command = new DescribePodIdentityAssociationCommand({ clusterName, associationId });
              const { association } = await client.send(command, options);
              return association && readPodIdentity(association);
            },
          ),
        ),
      )) {
        if ('unknown' in fact) return fact;
        if (fact.value !== undefined) associations.push(fact.value);
      }
      return known(associations);
    });
  }

  isRegionEnabled({ region }: Place): Promise<Known<boolean>> {
    return this.#once(`region ${region}`, async () => {
      const answer = await this.#props.identityIn(region);
      if (!(answer instanceof SessionBrokerError)) return known(true);
      if (meansRegion(answer)) return known(false);
      return { unknown: failureOf(answer, { action: 'sts:GetCallerIdentity', resource: region }) };
    });
  }

  #head(arn: string): Promise<Known<RoleHead | undefined>> {
    return this.#once(`role head ${arn}`, async () => {
      const { account, name } = parseRoleArn(arn);
      if (account !== this.#props.caller.account) return this.#elsewhere(`the role ${name}`, account);
      return this.#iam('GetRole', name, async (client, { GetRoleCommand }, options) => {
        const { Role } = await client.send(new GetRoleCommand({ RoleName: name }), options);
        return Role && readRole(Role, true);
      });
    });
  }

  async #inlinePolicies(roleName: string): Promise<Known<readonly PolicyFacts[]>> {
    const names = await this.#iam(
      'ListRolePolicies',
      roleName,
      async (client, { paginateListRolePolicies }, options) => {
        const found: string[] = [];
        const pages = paginateListRolePolicies({ client }, { RoleName: roleName }, options);
        for await (const { PolicyNames = [] } of pages) found.push(...PolicyNames);
        return found;
      },
    );
    if ('unknown' in names) return names;
    return known(
      await Promise.all(
        (names.value ?? []).map(async (name): Promise<PolicyFacts> => {
          const text = await this.#iam('GetRolePolicy', roleName, async (client, { GetRolePolicyCommand }, options) => {
            const command = new GetRolePolicyCommand({ RoleName: roleName, PolicyName: name });
            return (await client.send(command, options)).PolicyDocument;
          });
          return { name, document: documentOf(text, `${name} of ${roleName}`) };
        }),
      ),
    );
  }

  async #attachedPolicies(roleName: string): Promise<Known<readonly ManagedPolicyFacts[]>> {
    const arns = await this.#iam(
      'ListAttachedRolePolicies',
      roleName,
      async (client, { paginateListAttachedRolePolicies }, options) => {
        const found: string[] = [];
        const pages = paginateListAttachedRolePolicies({ client }, { RoleName: roleName }, options);
        for await (const { AttachedPolicies = [] } of pages) {
          found.push(...AttachedPolicies.flatMap(({ PolicyArn = [] }) => PolicyArn));
        }
        return found;
      },
    );
    if ('unknown' in arns) return arns;
    return known(await Promise.all((arns.value ?? []).map((arn) => this.#attached(arn))));
  }

  async #spareVersion(arn: string): Promise<Known<string | undefined>> {
    if (isOfAws(arn)) return known(undefined);
    const versions = await this.#iam(
      'ListPolicyVersions',
      arn,
      async (client, { paginateListPolicyVersions }, options) => {
        const found: GivenVersion[] = [];
        const pages = paginateListPolicyVersions({ client }, { PolicyArn: arn }, options);
        for await (const { Versions = [] } of pages) found.push(...Versions);
        return found;
      },
    );
    return derive(versions, (all) => spareVersionOf(all ?? []));
  }

  async #boundary(arn: Known<string | undefined>): Promise<Known<ManagedPolicyFacts | undefined>> {
    if ('unknown' in arn) return arn;
    return known(arn.value === undefined ? undefined : await this.#attached(arn.value));
  }

  /** A policy that is attached, of which the ARN is known in any case. */
  async #attached(arn: string): Promise<ManagedPolicyFacts> {
    const policy = await this.managedPolicy(arn);
    const document = 'unknown' in policy ? policy : unknown(`the policy ${arn} was not found`);
    return valueOr(policy, undefined) ?? { name: nameOf(arn), arn, document, spareVersion: known(undefined) };
  }

  #elsewhere(what: string, account: string): { readonly unknown: Unknown } {
    return unknown(
      `${what} is in account ${account}, and the credentials are of ${this.#props.caller.account}; ask its owner for the output of aws iam get-account-authorization-details, and give that by --from`,
    );
  }

  /** IAM answers the same in every Region. */
  get #iam(): Calls['iam'] {
    return this.#in(this.#props.caller.region).iam;
  }

  #in(region: string): Calls {
    const { accountIn, limit } = this.#props;
    return this.#once(`calls ${region}`, () => callsOf(accountIn(region), limit));
  }

  /**
   * Asks a Region, unless it is known not to be enabled: there AWS rejects whatever credentials there are, as if they
   * were none.
   */
  #regionally<Value>(place: Place, key: string, ask: (calls: Calls) => Promise<Known<Value>>): Promise<Known<Value>> {
    const { region } = place;
    return this.#once(`${region} ${key}`, async () => {
      const isEnabled = valueOr(await this.isRegionEnabled(place), true);
      return isEnabled ? ask(this.#in(region)) : unknown(`${region} is not enabled`);
    });
  }

  /** Nothing is read twice. */
  #once<Answer>(key: string, ask: () => Answer): Answer {
    if (!this.#answers.has(key)) this.#answers.set(key, ask());
    return this.#answers.get(key) as Answer;
  }
}

function documentOf(text: Known<string | undefined>, name: string): Known<unknown> {
  return 'unknown' in text ? text : readDocument(text.value, name);
}
