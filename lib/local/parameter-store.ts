/** A value that a parameter has or had. */
export interface ParameterVersion {
  /** 1, 2, ... */
  readonly number: number;
  readonly value: string;
  readonly tier: ParameterTier;
  readonly description: string | undefined;
  readonly modifiedAt: Date;
  /** ARN of who wrote it. */
  readonly modifiedBy: string;
}

export type ParameterTier = 'Standard' | 'Advanced';

export interface Parameter {
  readonly arn: string;
  readonly name: string;
  readonly type: string;
  readonly current: ParameterVersion;
  /** Oldest first, the current one last. */
  readonly history: readonly ParameterVersion[];
}

/** How many versions of a parameter are kept. */
const KEPT_VERSIONS = 100;

/** The parameters of all accounts and Regions. It decides nothing. */
export class ParameterStore {
  /** By account, Region and name. */
  readonly #parameters = new Map<string, Parameter>();

  find(account: string, region: string, name: string): Parameter | undefined {
    return this.#parameters.get(keyOf(account, region, name));
  }

  /** The parameters below a path, by name. */
  below(account: string, region: string, path: string): readonly Parameter[] {
    const start = keyOf(account, region, path.endsWith('/') ? path : `${path}/`);
    return [...this.#parameters]
      .filter(([key]) => key.startsWith(start))
      .map(([, parameter]) => parameter)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Makes a parameter, or the next version of the one that there is. */
  write(
    account: string,
    region: string,
    { arn, name, type }: Pick<Parameter, 'arn' | 'name' | 'type'>,
    version: Omit<ParameterVersion, 'number'>,
  ): Parameter {
    const history = this.find(account, region, name)?.history ?? [];
    const current = { ...version, number: (history.at(-1)?.number ?? 0) + 1 };
    const parameter = { arn, name, type, current, history: [...history, current].slice(-KEPT_VERSIONS) };
    this.#parameters.set(keyOf(account, region, name), parameter);
    return parameter;
  }

  remove(account: string, region: string, name: string): void {
    this.#parameters.delete(keyOf(account, region, name));
  }
}

function keyOf(account: string, region: string, name: string): string {
  return `${account}/${region} ${name}`;
}
