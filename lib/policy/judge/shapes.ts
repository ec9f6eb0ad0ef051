/** A set of characters. Sets of one id are the same. */
export interface Characters {
  readonly id: string;
  readonly has: (code: number) => boolean;
  /** For a set of one, or of one letter in both cases: which. */
  readonly codes?: readonly number[];
}

/** A part of a shape: one character of a set, or any number of them. */
export interface Place {
  readonly characters: Characters;
  readonly repeats: boolean;
}

/** A text with gaps, place by place. Every comparison of texts that IAM knows comes down to one. */
export type Shape = readonly Place[];

/** The texts that have one of several shapes. */
export type Language = readonly Shape[];

export const ANYTHING: Characters = { id: 'any', has: () => true };

export function charactersOf(id: string, pattern: RegExp): Characters {
  return { id, has: (code) => pattern.test(String.fromCodePoint(code)) };
}

export function one(characters: Characters): Place {
  return { characters, repeats: false };
}

export function many(characters: Characters): Place {
  return { characters, repeats: true };
}

/** The shape of exactly this text. */
export function literal(text: string): Shape {
  return Array.from(text, (character) => one(only(character.codePointAt(0) ?? 0)));
}

/** A set of one character. */
export function only(code: number): Characters {
  const known = LONE.get(code);
  if (known !== undefined) return known;
  const made: Characters = { id: `=${code}`, has: (other) => other === code, codes: [code] };
  LONE.set(code, made);
  return made;
}

const LONE = new Map<number, Characters>();

/** A set of one letter in either case. */
export function eitherCase(code: number): Characters {
  const letter = String.fromCodePoint(code);
  const folded = letter.toLowerCase();
  const codes = [...new Set([code, ...codesOf(folded + letter.toUpperCase())])];
  return { id: `~${folded}`, has: (other) => String.fromCodePoint(other).toLowerCase() === folded, codes };
}

/** A shape whose gaps hold characters of a set alone. */
export function within(shape: Shape, characters: Characters): Shape {
  return shape.map((place) => ({
    repeats: place.repeats,
    characters: {
      ...place.characters,
      id: `${place.characters.id}&${characters.id}`,
      has: (code) => place.characters.has(code) && characters.has(code),
    },
  }));
}

/** Whether a shape fixes how its texts begin or how they end. */
export function isAnchored(shape: Shape): boolean {
  return [shape.at(0), shape.at(-1)].some((place) => place?.repeats === false && place.characters.codes !== undefined);
}

/** The same for the same languages. */
export function languageKey(language: Language): string {
  return language
    .map((shape) => shape.map(({ characters, repeats }) => characters.id + (repeats ? '*' : '')).join(' '))
    .join('|');
}

/** The characters of a text, also those that take two units of a JavaScript string. */
export function codesOf(text: string): readonly number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}
