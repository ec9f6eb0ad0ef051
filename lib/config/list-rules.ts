import { type FaultPath, fault, type RuleFault } from './faults.ts';

/** The faults of values that stand twice in a list, where they are the same once folded. */
export function checkRepeats(
  path: FaultPath,
  values: readonly string[],
  noun: string,
  fold: (value: string) => string = (value) => value,
): readonly RuleFault[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    const key = fold(value);
    const isRepeated = seen.has(key);
    seen.add(key);
    return isRepeated ? [fault([...path, index], value, `${noun} must be listed once`, 'remove one')] : [];
  });
}
