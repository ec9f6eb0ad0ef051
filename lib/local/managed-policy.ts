import type { PolicyDocument } from '../policy/index.ts';

export interface PolicyVersion {
  /** `v1`, `v2`, ...: none is given twice. */
  readonly id: string;
  readonly document: PolicyDocument;
  readonly createdAt: Date;
}

export interface ManagedPolicyProps {
  readonly arn: string;
  readonly account: string;
  readonly path: string;
  readonly name: string;
  /** `ANPA...` */
  readonly id: string;
  readonly document: PolicyDocument;
  readonly createdAt: Date;
  readonly description?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/**
 * A customer managed policy: its versions, of which one is in force.
 * @see IAM User Guide, "Versioning IAM policies"
 */
export class ManagedPolicy {
  readonly arn: string;
  readonly account: string;
  readonly path: string;
  readonly name: string;
  readonly id: string;
  readonly createdAt: Date;
  readonly description: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  #versions: readonly PolicyVersion[] = [];
  #defaultVersion: PolicyVersion;
  #count = 0;
  #updatedAt: Date;

  constructor({ document, description, tags = {}, ...props }: ManagedPolicyProps) {
    this.arn = props.arn;
    this.account = props.account;
    this.path = props.path;
    this.name = props.name;
    this.id = props.id;
    this.createdAt = props.createdAt;
    this.description = description;
    this.tags = tags;
    this.#updatedAt = props.createdAt;
    this.#defaultVersion = this.addVersion(document, props.createdAt);
  }

  /** Oldest first, never none. */
  get versions(): readonly PolicyVersion[] {
    return this.#versions;
  }

  /** The version in force. */
  get defaultVersion(): PolicyVersion {
    return this.#defaultVersion;
  }

  set defaultVersion(version: PolicyVersion) {
    if (!this.#versions.includes(version)) throw new TypeError(`${version.id} is no version of ${this.arn}`);
    this.#defaultVersion = version;
  }

  /** The document in force. */
  get document(): PolicyDocument {
    return this.#defaultVersion.document;
  }

  /** When the newest version was made. */
  get updatedAt(): Date {
    return this.#updatedAt;
  }

  findVersion(id: string): PolicyVersion | undefined {
    return this.#versions.find((version) => version.id === id);
  }

  /** Adds a version, which is not in force yet. */
  addVersion(document: PolicyDocument, createdAt: Date): PolicyVersion {
    this.#count += 1;
    const version = { id: `v${this.#count}`, document, createdAt };
    this.#versions = [...this.#versions, version];
    this.#updatedAt = createdAt;
    return version;
  }

  removeVersion(version: PolicyVersion): void {
    if (version === this.#defaultVersion) throw new TypeError(`${version.id} of ${this.arn} is in force`);
    this.#versions = this.#versions.filter((other) => other !== version);
  }
}
