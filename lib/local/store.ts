import { randomBytes } from 'node:crypto';
import { formatSessionArn } from '../identity/arn.ts';
import type { Partition } from '../identity/index.ts';
import type { PolicyDocument } from '../policy/index.ts';
import { ClusterStore } from './cluster-store.ts';
import { ManagedPolicy, type ManagedPolicyProps } from './managed-policy.ts';
import { ParameterStore } from './parameter-store.ts';

/** An IAM role. */
export interface Role {
  readonly arn: string;
  readonly partition: Partition;
  readonly account: string;
  readonly path: string;
  readonly name: string;
  /** `AROA...`: another one after the role is deleted and created again. */
  readonly id: string;
  readonly createdAt: Date;
  /** As stored: role principals by unique id. */
  trust: PolicyDocument;
  description: string | undefined;
  maxSessionDurationSeconds: number;
  /** ARN. */
  permissionsBoundary: string | undefined;
  tags: Readonly<Record<string, string>>;
  /** By name. */
  readonly inlinePolicies: Map<string, PolicyDocument>;
  /** ARNs. */
  readonly attachedPolicies: Set<string>;
}

/** An IAM user; the only ones are the administrators, who may do everything. */
export interface User {
  readonly kind: 'user';
  readonly arn: string;
  readonly partition: Partition;
  readonly account: string;
  readonly name: string;
  /** `AIDA...` */
  readonly id: string;
  readonly createdAt: Date;
}

/** The web identity behind a session. */
export interface WebIdentity {
  /** ARN of the identity provider. */
  readonly provider: string;
  /** The issuer without `https://`, which condition keys begin with. */
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

/** A session of a role. */
export interface RoleSession {
  readonly kind: 'role-session';
  readonly role: Role;
  readonly sessionName: string;
  readonly issuedAt: Date;
  readonly sourceIdentity: string | undefined;
  readonly sessionPolicies: readonly SessionPolicy[];
  readonly tags: Readonly<Record<string, string>>;
  /** Of these tags, the ones that pass on to chained sessions. */
  readonly transitiveTagKeys: readonly string[];
  /** Absent: the session was assumed with other credentials. */
  readonly webIdentity: WebIdentity | undefined;
}

export interface SessionPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

export type Caller = User | RoleSession;

export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Absent: long-lived. */
  readonly sessionToken: string | undefined;
  /** Absent: never. */
  readonly expiresAt: Date | undefined;
  readonly caller: Caller;
}

export interface RoleProps {
  readonly partition: Partition;
  readonly account: string;
  readonly path: string;
  readonly name: string;
  /** As stored: role principals by unique id. */
  readonly trust: PolicyDocument;
  readonly createdAt: Date;
  readonly description?: string | undefined;
  readonly maxSessionDurationSeconds?: number | undefined;
  readonly permissionsBoundary?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** What IAM gives a role that does not say. */
export const MAX_SESSION_DURATION_SECONDS = 3600;

/** What the accounts hold. It decides nothing. */
export class Store {
  /** By account and, as IAM compares them, name in lower case. */
  readonly #roles = new Map<string, Role>();
  readonly #policies = new Map<string, ManagedPolicy>();
  readonly #credentials = new Map<string, Credential>();
  readonly #administrators = new Map<string, Credential>();
  readonly parameters = new ParameterStore();
  readonly clusters = new ClusterStore();

  roles(account: string): readonly Role[] {
    return [...this.#roles.values()].filter((role) => role.account === account);
  }

  findRole(account: string, name: string): Role | undefined {
    return this.#roles.get(roleKey(account, name));
  }

  findRoleByArn(arn: string): Role | undefined {
    return [...this.#roles.values()].find((role) => role.arn === arn);
  }

  findRoleById(id: string): Role | undefined {
    return [...this.#roles.values()].find((role) => role.id === id);
  }

  /** The caller sees to it that the name is free. */
  addRole(props: RoleProps): Role {
    const { partition, account, path, name } = props;
    const role: Role = {
      arn: `arn:${partition}:iam::${account}:role${path}${name}`,
      partition,
      account,
      path,
      name,
      id: `AROA${randomBase32(17)}`,
      createdAt: props.createdAt,
      trust: props.trust,
      description: props.description,
      maxSessionDurationSeconds: props.maxSessionDurationSeconds ?? MAX_SESSION_DURATION_SECONDS,
      permissionsBoundary: props.permissionsBoundary,
      tags: props.tags ?? {},
      inlinePolicies: new Map(),
      attachedPolicies: new Set(),
    };
    this.#roles.set(roleKey(account, name), role);
    return role;
  }

  removeRole(role: Role): void {
    this.#roles.delete(roleKey(role.account, role.name));
  }

  findPolicy(arn: string): ManagedPolicy | undefined {
    return this.#policies.get(arn);
  }

  policies(account: string): readonly ManagedPolicy[] {
    return [...this.#policies.values()].filter((policy) => policy.account === account);
  }

  /** The caller sees to it that the name is free. */
  addPolicy(props: Omit<ManagedPolicyProps, 'arn' | 'id'> & { readonly partition: Partition }): ManagedPolicy {
    const arn = `arn:${props.partition}:iam::${props.account}:policy${props.path}${props.name}`;
    const policy = new ManagedPolicy({ ...props, arn, id: `ANPA${randomBase32(17)}` });
    this.#policies.set(arn, policy);
    return policy;
  }

  removePolicy({ arn }: ManagedPolicy): void {
    this.#policies.delete(arn);
  }

  /** The roles that have a policy attached. */
  rolesWith({ arn, account }: Pick<ManagedPolicy, 'arn' | 'account'>): readonly Role[] {
    return this.roles(account).filter(({ attachedPolicies }) => attachedPolicies.has(arn));
  }

  /** The roles whose permissions boundary a policy is. */
  rolesWithin({ arn, account }: Pick<ManagedPolicy, 'arn' | 'account'>): readonly Role[] {
    return this.roles(account).filter(({ permissionsBoundary }) => permissionsBoundary === arn);
  }

  /** The credential of an access key id, while its caller exists. */
  findCredential(accessKeyId: string): Credential | undefined {
    const credential = this.#credentials.get(accessKeyId);
    if (credential?.caller.kind !== 'role-session') return credential;
    const { role } = credential.caller;
    return this.findRole(role.account, role.name) === role ? credential : undefined;
  }

  /** New credentials for a session. */
  issue(caller: RoleSession, expiresAt: Date): Credential & { readonly expiresAt: Date } {
    const credential = {
      ...randomKeys('ASIA'),
      sessionToken: randomBytes(192).toString('base64'),
      expiresAt,
      caller,
    };
    this.#credentials.set(credential.accessKeyId, credential);
    return credential;
  }

  /** The long-lived credential of an account's user `administrator`. */
  administrator(account: string, partition: Partition, now: Date): Credential {
    const known = this.#administrators.get(account);
    if (known !== undefined) return known;
    const name = 'administrator';
    const arn = `arn:${partition}:iam::${account}:user/${name}`;
    const id = `AIDA${randomBase32(17)}`;
    const caller: User = { kind: 'user', arn, partition, account, name, id, createdAt: now };
    const credential = { ...randomKeys('AKIA'), sessionToken: undefined, expiresAt: undefined, caller };
    this.#administrators.set(account, credential);
    this.#credentials.set(credential.accessKeyId, credential);
    return credential;
  }

  users(account: string): readonly User[] {
    return [...this.#administrators.values()]
      .map(({ caller }) => caller)
      .filter((caller): caller is User => caller.kind === 'user' && caller.account === account);
  }

  findUser(arn: string): User | undefined {
    return this.users(arn.split(':')[4] ?? '').find((user) => user.arn === arn);
  }
}

/** The account that a caller belongs to, and its partition. */
export function placeOf(caller: Caller): Pick<Role, 'account' | 'partition'> {
  return caller.kind === 'user' ? caller : caller.role;
}

/** The account that a caller belongs to. */
export function accountOf(caller: Caller): string {
  return placeOf(caller).account;
}

/** The ARN that STS and CloudTrail show for a caller. */
export function arnOf(caller: Caller): string {
  return caller.kind === 'user' ? caller.arn : formatSessionArn(caller.role, caller.sessionName);
}

/** The unique id that STS and CloudTrail show for a caller. */
export function idOf(caller: Caller): string {
  return caller.kind === 'user' ? caller.id : `${caller.role.id}:${caller.sessionName}`;
}

function roleKey(account: string, name: string): string {
  return `${account}/${name.toLowerCase()}`;
}

function randomKeys(prefix: 'AKIA' | 'ASIA'): Pick<Credential, 'accessKeyId' | 'secretAccessKey'> {
  return { accessKeyId: `${prefix}${randomBase32(16)}`, secretAccessKey: randomBytes(30).toString('base64') };
}

function randomBase32(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join('');
}
