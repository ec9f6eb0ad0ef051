import { type NamePattern, type NamePatterns, namePattern } from './name-patterns.ts';
import type { Admitted, Named, Outcome } from './outcomes.ts';

/** What the source identities that get in on one way have in common. */
export interface Pinning {
  /** All that get in. */
  readonly admitted: readonly Admitted[];
  /** Those among them that no pattern fixes. */
  readonly strangers: readonly Admitted[];
  readonly patterns: readonly NamePattern[];
  readonly exceptions: readonly NamePattern[];
}

export function pinningOf(outcomes: readonly Outcome[]): Pinning {
  const names = outcomes.flatMap((outcome) => outcome.names);
  const inside = names.filter(({ admitted }) => admitted !== undefined);
  const known = new Map(outcomes.flatMap(({ patterns }) => [...patterns]));
  const cover = coverOf(inside, known);
  const exceptions = [...known.keys()].filter(
    (key) =>
      !inside.some(({ patterns }) => patterns.has(key)) &&
      names.some(({ patterns }) => patterns.has(key) && cover.some((other) => patterns.has(other))),
  );
  const shown = (keys: readonly string[]): readonly NamePattern[] =>
    keys.flatMap((key) => known.get(key) ?? []).map(namePattern);
  return {
    admitted: admittedOf(inside),
    strangers: admittedOf(inside.filter(({ patterns }) => patterns.size === 0)),
    patterns: shown(cover),
    exceptions: shown(exceptions),
  };
}

function admittedOf(names: readonly Named[]): readonly Admitted[] {
  return names.flatMap(({ admitted }) => admitted ?? []);
}

/** As few patterns as every name matches one of: the widest ones are left out first. */
function coverOf(names: readonly Named[], known: NamePatterns): readonly string[] {
  let cover = [...known.keys()].filter((key) => names.some(({ patterns }) => patterns.has(key)));
  const isCovered = (keys: readonly string[]): boolean =>
    names.every(({ patterns }) => patterns.size === 0 || keys.some((key) => patterns.has(key)));
  const width = (key: string): number => names.filter(({ patterns }) => patterns.has(key)).length;
  for (const key of [...cover].sort((a, b) => width(b) - width(a))) {
    const without = cover.filter((other) => other !== key);
    if (isCovered(without)) cover = without;
  }
  return cover;
}
