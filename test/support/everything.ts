import { inspect } from 'node:util';

const DEEP = { depth: Number.POSITIVE_INFINITY, maxStringLength: null, maxArrayLength: null } as const;

/** Everything that a log could show of a value, with what is hidden; of an error also its message, stack and causes. */
export function everything(value: unknown): string {
  const shown = [inspect(value, { ...DEEP, showHidden: true, getters: true }), jsonOf(value)];
  if (value instanceof Error) {
    const { message, stack, cause } = value;
    shown.push(String(value), message, stack ?? '', jsonOf(value, Object.getOwnPropertyNames(value)));
    if (cause !== undefined) shown.push(everything(cause));
  }
  return shown.join('\n');
}

function jsonOf(value: unknown, names?: string[]): string {
  try {
    return JSON.stringify(value, names) ?? '';
  } catch {
    return '';
  }
}
