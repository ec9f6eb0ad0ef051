/** The value in the middle, or the mean of the two that are. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which a part of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * part;
  const [below, above] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
  return below + (above - below) * (place % 1);
}

/** The median of the ratios of samples that were taken one after the other. */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

/**
 * Takes a sample of each contender a round, one after the other and every other round in reverse, so that a slow
 * moment of the machine hits all alike.
 * @param rounds that count; one before them fills caches
 */
export async function inTurn<Name extends string, Sample>(
  names: readonly Name[],
  rounds: number,
  sample: (name: Name) => Sample | Promise<Sample>,
): Promise<Readonly<Record<Name, readonly Sample[]>>> {
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, Sample[]>;
  for (let round = -1; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const taken = await sample(name);
      if (round >= 0) samples[name].push(taken);
    }
  }
  return samples;
}
