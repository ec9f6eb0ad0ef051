/**
 * Whether two policy documents are the same to IAM, as far as their form goes: the order of statements, of lists and of
 * keys does not count, nor whether a lone value stands in a list. What merely comes to the same, such as another
 * pattern, is not the same.
 * @param one parsed JSON, whatever it holds
 */
export function isSamePolicy(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    const items = [...new Set(value.map(canonical))].sort();
    return items.length === 1 ? (items[0] ?? '') : `[${items.join()}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? '';
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${entries
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
    .sort()
    .join()}}`;
}
