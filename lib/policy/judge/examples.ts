import { type Characters, one, type Shape } from './shapes.ts';
import { isIn } from './text-classes.ts';
import { type Known, shapeOf, type Wanted } from './wanted.ts';

/** Stands where a variable stands. */
const GAP: Characters = { id: 'gap', has: () => false };

/** Middles of one text that are looked at, at most. */
const MOST_MIDDLES = 20;

/** What stands before and after the one variable of a value. */
export interface Around {
  /** What the variable may be so that the value matches the text. */
  readonly middlesOf: (text: string) => readonly string[];
}

/** @returns undefined where nothing can match, or the variable stands there twice */
export function placesAround(wanted: Wanted, variable: string, known: Known): Around | undefined {
  const shape = shapeOf(wanted, (key) => (key === variable ? [one(GAP)] : known(key)));
  if (shape === undefined) return undefined;
  const [at = -1, ...more] = shape.flatMap(({ characters }, index) => (characters === GAP ? [index] : []));
  if (at < 0 || more.length > 0) return undefined;
  const before = shape.slice(0, at);
  const after = shape.slice(at + 1);
  return {
    middlesOf: (text) => {
      const cuts = Array.from({ length: text.length + 1 }, (_, cut) => cut);
      const starts = cuts.filter((cut) => isIn([before], text.slice(0, cut)));
      const ends = cuts.filter((cut) => isIn([after], text.slice(cut)));
      const middles = starts.flatMap((start) => ends.flatMap((end) => (start < end ? [text.slice(start, end)] : [])));
      return middles.slice(0, MOST_MIDDLES);
    },
  };
}

/** Texts that have a shape: with nothing in its gaps, and with one character in each. */
export function examplesOf(shape: Shape): readonly string[] {
  const filled = (gap: string): string =>
    shape
      .map(({ characters, repeats }) => {
        const [code] = characters.codes ?? [];
        return repeats ? gap : code === undefined ? 'x' : String.fromCodePoint(code);
      })
      .join('');
  return [filled(''), filled('x')];
}
