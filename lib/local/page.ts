import type { AwsFault } from './aws-fault.ts';

/** A page of a list. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The token of the next page; absent: this is the last one. */
  readonly next: string | undefined;
}

/**
 * A page of a list that is read by tokens.
 * @param token of the page, from the one before; absent: the first
 * @throws {AwsFault} `invalidToken`
 */
export function pageOf<Item>(
  all: readonly Item[],
  token: string | undefined,
  count: number,
  invalidToken: AwsFault,
): Page<Item> {
  if (token !== undefined && !/^\d{1,9}$/.test(token)) throw invalidToken;
  const start = Number(token ?? 0);
  const end = start + count;
  return { items: all.slice(start, end), next: end < all.length ? String(end) : undefined };
}
