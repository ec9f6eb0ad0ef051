/**
 * The known word that was most likely meant: the nearest one by edits, if no more than a third of it differs.
 * Case, "-" and "_" do not count as differences.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const given = folded(word);
  if (given.length > 64) return undefined;
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const most = Math.max(1, Math.floor(candidate.length / 3));
    const wanted = folded(candidate);
    // Each character more or less is an edit by itself.
    if (Math.abs(given.length - wanted.length) > most) continue;
    const distance = edits(given, wanted, most);
    if (distance < least && distance <= most) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

function folded(word: string): string {
  return word.toLowerCase().replace(/[-_]/g, '');
}

/**
 * How many insertions, deletions, replacements and swaps of neighbours lead from one word to another (optimal string
 * alignment), infinitely many for more than `most`.
 */
function edits(from: string, to: string, most: number): number {
  const letters = [...to];
  const given = [...from];
  let beforePrevious: readonly number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [row, left] of given.entries()) {
    const current = [row + 1];
    for (const [column, right] of letters.entries()) {
      const replaced = (previous[column] ?? 0) + (left === right ? 0 : 1);
      const areSwapped = left === letters[column - 1] && given[row - 1] === right;
      const swapped = areSwapped ? (beforePrevious[column - 1] ?? 0) + 1 : replaced;
      current.push(Math.min(replaced, swapped, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    if (Math.min(...current) > most) return Number.POSITIVE_INFINITY;
    beforePrevious = previous;
    previous = current;
  }
  return previous.at(-1) ?? from.length;
}
