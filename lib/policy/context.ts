import { listOf } from './document.ts';

/** A request's condition keys in lower case, each with at least one value. */
export type ContextValues = ReadonlyMap<string, readonly string[]>;

/**
 * Keys that name a request's facts; where two sources have the same key, the later one counts. A key without a
 * value is an absent key.
 */
export function contextValues(
  ...sources: readonly Readonly<Record<string, string | readonly string[]>>[]
): ContextValues {
  const values = new Map<string, readonly string[]>();
  for (const source of sources) {
    for (const [key, value] of Object.entries(source)) {
      const list = listOf(value);
      if (list.length > 0) values.set(key.toLowerCase(), list);
      else values.delete(key.toLowerCase());
    }
  }
  return values;
}
