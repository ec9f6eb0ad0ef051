import { ANYTHING, type Characters, codesOf, type Language } from './shapes.ts';
import { tooMuch } from './too-much.ts';

/** Whether a text is in the language. */
export function isIn(language: Language, text: string): boolean {
  const codes = codesOf(text);
  const groups = [...new Set(codes)];
  let state: State = begin(compile(language, groups, 0));
  for (const code of codes) state = advance(state, groups.indexOf(code));
  return state.some(isMember);
}

export interface ClassesOptions {
  /** Texts that stand for their classes where they can, before shorter ones. */
  readonly preferred?: readonly string[];
  /** Characters of a text, at most. */
  readonly maxLength?: number;
}

/** States that are looked at, at most: a policy that asks for more is no policy that somebody wrote. */
const MOST_STATES = 10_000;

/**
 * Texts that stand for all texts of a domain: one for each combination of languages that a text can be in, the
 * shortest where none is preferred. No two texts of one class can be told apart by the languages, so what holds of
 * the texts returned holds of every text.
 *
 * All languages are followed at once, character by character, from the empty text on.
 * @throws {SessionBrokerError} PolicyNotUnderstood where there are too many
 */
export function textClasses(
  domain: Language,
  languages: readonly Language[],
  { preferred = [], maxLength = Number.POSITIVE_INFINITY }: ClassesOptions = {},
): readonly string[] {
  const all = [domain, ...languages];
  const lone = loneText(domain);
  if (lone !== undefined) return [lone];
  const groups = characterGroups(all, preferred);
  const classes = new Map<string, string>();
  const meet = (state: State, text: string): void => {
    const [domainIndex, ...memberships] = state.flatMap((follower) =>
      isMember(follower) ? follower.language.index : [],
    );
    const signature = memberships.join();
    if (domainIndex === 0 && !classes.has(signature)) classes.set(signature, text);
  };
  const start: State = all.flatMap((language, index) => begin(compile(language, groups.codes, index)));

  for (const text of preferred) {
    if (text.length > maxLength) continue;
    let state: State = start;
    for (const code of codesOf(text)) state = advance(state, groups.codes.indexOf(code));
    meet(state, text);
  }

  if (languages.length === 0 && classes.size > 0) return [...classes.values()];

  const seen = new Set([keyOf(start)]);
  let front = [{ state: start, text: '' }];
  for (let length = 0; front.length > 0; length++) {
    const next: typeof front = [];
    for (const { state, text } of front) {
      meet(state, text);
      if (length === maxLength) continue;
      for (const group of groupsAt(state, groups)) {
        const reached = advance(state, group);
        if (reached.length === 0) continue;
        const key = keyOf(reached);
        if (seen.has(key)) continue;
        seen.add(key);
        if (seen.size > MOST_STATES) throw tooMuch('patterns on one key');
        next.push({ state: reached, text: text + String.fromCodePoint(groups.codes[group] ?? 0) });
      }
    }
    front = next;
  }
  return [...classes.values()];
}

/** The text of a language that has no other. */
function loneText([shape, ...others]: Language): string | undefined {
  if (shape === undefined || others.length > 0) return undefined;
  const codes = shape.map(({ characters, repeats }) =>
    repeats || characters.codes?.length !== 1 ? undefined : characters.codes[0],
  );
  return codes.includes(undefined) ? undefined : String.fromCodePoint(...codes.map(Number));
}

/** Readable ones first: the first of a group stands for it. */
const ALPHABET = codesOf(
  `xabcdefghijklmnopqrstuvwyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-._@=,+/:!"#$%&'()*;<>?[\\]^\`{|}~ `,
);

/** The characters that are tried: by their places in `codes`. */
interface Groups {
  readonly codes: readonly number[];
  /** Those that stand for all that no place asks for by itself: tried everywhere. The others only where one does. */
  readonly everywhere: readonly number[];
}

/** The characters that places ask for by themselves, and of all others one for each combination of sets. */
function characterGroups(languages: readonly Language[], preferred: readonly string[]): Groups {
  const sets = new Map<string, Characters>();
  for (const language of languages) {
    for (const shape of language) for (const { characters } of shape) sets.set(characters.id, characters);
  }
  const alone = new Set(preferred.flatMap(codesOf));
  const wide: Characters[] = [];
  for (const set of sets.values()) {
    if (set.codes === undefined) wide.push(set);
    else for (const code of set.codes) alone.add(code);
  }
  const others = new Map<string, number>();
  for (const [index, membership] of membershipsIn(wide).entries()) {
    const code = ALPHABET[index] ?? 0;
    if (!alone.has(code) && !others.has(membership)) others.set(membership, code);
  }
  // Where every character of a combination is asked for somewhere, each stands for itself everywhere.
  const unrepresented = [...alone].filter((code) => !others.has(membership(code, wide)));
  const codes = [...others.values(), ...unrepresented, ...[...alone].filter((code) => !unrepresented.includes(code))];
  return { codes, everywhere: codes.slice(0, others.size + unrepresented.length).map((_, index) => index) };
}

/** By character of the alphabet: in which sets it is. Few combinations of sets occur, and each again and again. */
function membershipsIn(sets: readonly Characters[]): readonly string[] {
  const key = sets.map(({ id }) => id).join(' ');
  const known = memberships.get(key) ?? ALPHABET.map((code) => membership(code, sets));
  memberships.set(key, known);
  return known;
}

const memberships = new Map<string, readonly string[]>();

function membership(code: number, sets: readonly Characters[]): string {
  return sets.map(({ has }) => Number(has(code))).join('');
}

/** A language to be followed. Its shapes stand one after the other, each with a place after its last one. */
interface Compiled {
  readonly index: number;
  readonly starts: readonly number[];
  /** By place: the groups of characters that it takes. */
  readonly takes: readonly (readonly boolean[])[];
  /** By place: the groups that it asks for by themselves. */
  readonly asksFor: readonly (readonly number[])[];
  readonly repeats: readonly boolean[];
  readonly ends: readonly boolean[];
  /** By place: whether it takes anything any number of times and is the last one: whoever comes there stays. */
  readonly isSure: readonly boolean[];
}

function compile(language: Language, groups: readonly number[], index: number): Compiled {
  const bySet = new Map<string, readonly boolean[]>();
  const takenBy = ({ id, has }: Characters): readonly boolean[] => {
    const taken = bySet.get(id) ?? groups.map(has);
    bySet.set(id, taken);
    return taken;
  };
  const compiled = {
    index,
    starts: [] as number[],
    takes: [] as (readonly boolean[])[],
    asksFor: [] as (readonly number[])[],
    repeats: [] as boolean[],
    ends: [] as boolean[],
    isSure: [] as boolean[],
  };
  for (const shape of language) {
    compiled.starts.push(compiled.takes.length);
    for (const [at, { characters, repeats }] of shape.entries()) {
      compiled.takes.push(takenBy(characters));
      compiled.asksFor.push((characters.codes ?? []).map((code) => groups.indexOf(code)));
      compiled.repeats.push(repeats);
      compiled.ends.push(false);
      compiled.isSure.push(repeats && at === shape.length - 1 && characters.id === ANYTHING.id);
    }
    compiled.takes.push([]);
    compiled.asksFor.push([]);
    compiled.repeats.push(false);
    compiled.ends.push(true);
    compiled.isSure.push(false);
  }
  return compiled;
}

/** How far a text has come in one language. */
interface Follower {
  readonly language: Compiled;
  /** The places that the next character may be for. Absent where the text is in the language, whatever follows. */
  readonly places: readonly number[] | undefined;
}

/** The languages that a text is in or can still come to be in, in order. */
type State = readonly Follower[];

function begin(language: Compiled): State {
  const places: number[] = [];
  for (const place of language.starts) reach(language, place, places);
  return settled(language, places);
}

/** @returns an empty state when the first language, the domain, can be reached no more */
function advance(state: State, group: number): State {
  const next: Follower[] = [];
  for (const follower of state) {
    const { language, places } = follower;
    if (places === undefined) {
      next.push(follower);
      continue;
    }
    const reached: number[] = [];
    for (const place of places) {
      if (language.takes[place]?.[group]) reach(language, language.repeats[place] ? place : place + 1, reached);
    }
    const [further] = settled(language, reached);
    if (further !== undefined) next.push(further);
    else if (language.index === 0) return [];
  }
  return next;
}

/** The characters that may make a difference next. */
function groupsAt(state: State, { everywhere }: Groups): Iterable<number> {
  const groups = new Set(everywhere);
  for (const { language, places = [] } of state) {
    for (const place of places) for (const group of language.asksFor[place] ?? []) groups.add(group);
  }
  return groups;
}

/** Adds a place, and those after it as long as what repeats may be left out. */
function reach({ repeats }: Compiled, place: number, places: number[]): void {
  for (let next = place; !places.includes(next); next++) {
    places.push(next);
    if (!repeats[next]) break;
  }
}

function settled(language: Compiled, places: readonly number[]): State {
  if (places.length === 0) return [];
  return [{ language, places: places.some((place) => language.isSure[place]) ? undefined : places }];
}

function isMember({ language, places }: Follower): boolean {
  return places === undefined || places.some((place) => language.ends[place]);
}

function keyOf(state: State): string {
  let key = '';
  for (const { language, places } of state) key += `${language.index}:${places?.join() ?? '!'};`;
  return key;
}
