/**
 * Things of IAM by account and name. IAM takes names for the same that differ only by case, and whatever the path. An
 * account or a name that is known only at deploy may turn out to be any.
 */
export class NamedInAccounts<Value> {
  readonly #byName = new Map<string | undefined, { readonly account: string | undefined; readonly value: Value }[]>();

  add(account: string | undefined, name: string | undefined, value: Value): void {
    const key = name?.toLowerCase();
    const known = this.#byName.get(key);
    if (known === undefined) this.#byName.set(key, [{ account, value }]);
    else known.push({ account, value });
  }

  /** Those that are, or may turn out to be, of this account and name. */
  get(account: string, name: string): readonly Value[] {
    return [...(this.#byName.get(name.toLowerCase()) ?? []), ...(this.#byName.get(undefined) ?? [])]
      .filter((entry) => entry.account === undefined || entry.account === account)
      .map(({ value }) => value);
  }
}
