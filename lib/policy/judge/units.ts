import { SOURCE_IDENTITY_LENGTH, TAG_LENGTH } from '../../identity/limits.ts';
import type { AssumeRoleAttempt } from '../assume-role.ts';
import { NAME_SHAPE } from './caller-shapes.ts';
import { examplesOf, placesAround } from './examples.ts';
import {
  ALWAYS_PRESENT,
  IDENTITY_KEYS,
  SESSION_NAME_KEY,
  TAG_KEYS_KEY,
  TAG_PREFIX,
  TRANSITIVE_KEYS_KEY,
} from './keys.ts';
import type { Scene } from './scene.ts';
import { charactersOf, eitherCase, type Language, many, one, type Shape } from './shapes.ts';
import { subsetsOf } from './subsets.ts';
import { isIn } from './text-classes.ts';
import { tooMuch } from './too-much.ts';
import { type KeyValues, type Value, valuesOf } from './values.ts';
import { languageOf, variablesOf, wantedOf, wholeVariable } from './wanted.ts';

/** What a requester may choose of its call. */
export type Part = Partial<
  Pick<
    AssumeRoleAttempt,
    'sourceIdentity' | 'inheritedSourceIdentity' | 'roleSessionName' | 'tags' | 'transitiveTagKeys' | 'context'
  >
>;

/** One way to choose a part of a call. */
export interface Choice {
  readonly part: Part;
  /** How much a request grows by it: a thousand for each key, and then the less plain values. */
  readonly cost: number;
}

/** The part of a call that is chosen as one, by its keys. */
export interface Unit {
  readonly keys: readonly string[];
  readonly choices: readonly Choice[];
  /** Keys whose values are only examples where they are compared as numbers, dates or addresses. */
  readonly mixed: readonly string[];
}

const COST = 1000;

/** Choices that are looked at for one unit, at most. */
const MOST = 5000;

/** Examples of one key beyond its classes, at most: they are only a help. */
const MOST_EXAMPLES = 12;

/** The units of a call in which a requester chooses, of which every one stands for all others like it. */
export function unitsOf(scene: Scene): readonly Unit[] {
  const values = new Values(scene);
  const keys = [...scene.freeKeys.keys()];
  const single = keys.filter((key) => !IDENTITY_KEYS.includes(key) && key !== SESSION_NAME_KEY && !isTagging(key));
  const units = [
    identityUnit(scene, values),
    ...(keys.includes(SESSION_NAME_KEY) ? [sessionNameUnit(values)] : []),
    ...(keys.some(isTagging) ? [tagsUnit(scene, values)] : []),
    ...single.map((key) => singleUnit(key, scene, values)),
  ];
  return units.map((unit) => ({ ...unit, mixed: unit.keys.filter((key) => values.areMixed(key)) }));
}

/** No source identity, or each that STS takes: asked for, or inherited by a role session. */
function identityUnit(scene: Scene, values: Values): Omit<Unit, 'mixed'> {
  const names = values.of(IDENTITY_KEYS[0] ?? '').filter((value) => typeof value === 'string');
  const inherits = scene.known('aws:sourceidentity') === undefined;
  const choices = names.flatMap((name, index): Choice[] => [
    { part: { sourceIdentity: name }, cost: COST + index },
    ...(inherits ? [{ part: { inheritedSourceIdentity: name }, cost: COST + index + 0.5 }] : []),
  ]);
  return { keys: IDENTITY_KEYS, choices: [{ part: {}, cost: 0 }, ...choices] };
}

function sessionNameUnit(values: Values): Omit<Unit, 'mixed'> {
  const choices = values.of(SESSION_NAME_KEY).flatMap((value, index): Choice[] => {
    const isDefault = value === DEFAULT_SESSION_NAME;
    return typeof value === 'string' ? [{ part: { roleSessionName: value }, cost: isDefault ? 0 : COST + index }] : [];
  });
  return { keys: [SESSION_NAME_KEY], choices };
}

/** What a call is named that may have any name. */
export const DEFAULT_SESSION_NAME = 'session';

function singleUnit(key: string, scene: Scene, values: Values): Omit<Unit, 'mixed'> {
  const name = scene.freeKeys.get(key) ?? key;
  const present = values
    .of(key)
    .map((value, index): Choice => ({ part: { context: { [name]: value } }, cost: COST + index }));
  return { keys: [key], choices: ALWAYS_PRESENT.has(key) ? present : [{ part: {}, cost: 0 }, ...present] };
}

const TAG_KEY = charactersOf('tag key', /[\p{L}\p{Z}\p{N}_.:/=+@-]/u);
const TAG_KEY_SHAPE: Shape = [one(TAG_KEY), many(TAG_KEY)];

/** No session tags, or sets of them: those that conditions name, in each spelling that they tell apart, and others. */
function tagsUnit(scene: Scene, values: Values): Omit<Unit, 'mixed'> {
  const free = [...scene.freeKeys];
  const named = free
    .filter(([key]) => key.startsWith(TAG_PREFIX))
    .map(([key, written]) => ({ key, name: written.slice(TAG_PREFIX.length) }));
  const listing = [TAG_KEYS_KEY, TRANSITIVE_KEYS_KEY].flatMap((key) => scene.conditionsOn(key));
  const spellings = named.map(
    ({ name }): Language => [Array.from(name, (unit) => one(eitherCase(unit.codePointAt(0) ?? 0)))],
  );
  const listed = listing.map(
    (condition): Language => wantedOf(condition).flatMap((wanted) => scene.languageOf(wanted)),
  );
  const tagKeys = scene.work.textClasses([TAG_KEY_SHAPE], [...spellings, ...listed], {
    preferred: [...named.map(({ name }) => name), 'any'],
    maxLength: TAG_LENGTH.key,
  });
  const choices: Choice[] = [];
  for (const keys of subsetsOf(tagKeys, named.length + Math.max(1, listing.length))) {
    if (new Set(keys.map((key) => key.toLowerCase())).size < keys.length) continue; // tag keys differ by more than case
    for (const tags of taggings(keys, (key) => valuesOfTag(key, named, values))) {
      for (const transitive of listing.length === 0 ? [[]] : subsetsOf(keys, keys.length)) {
        const cost = keys.length * COST * 2 + transitive.length * COST + choices.length;
        const transitiveTagKeys = transitive.length === 0 ? {} : { transitiveTagKeys: transitive };
        choices.push(keys.length === 0 ? { part: {}, cost: 0 } : { part: { tags, ...transitiveTagKeys }, cost });
        if (choices.length > MOST) throw tooMuch('session tags');
      }
    }
  }
  return {
    keys: [...new Set([...free.map(([key]) => key).filter(isTagging), TAG_KEYS_KEY, TRANSITIVE_KEYS_KEY])],
    choices,
  };
}

function isTagging(key: string): boolean {
  return key.startsWith(TAG_PREFIX) || key === TAG_KEYS_KEY || key === TRANSITIVE_KEYS_KEY;
}

function valuesOfTag(
  tagKey: string,
  named: readonly { key: string; name: string }[],
  values: Values,
): readonly string[] {
  const key = TAG_PREFIX + tagKey.toLowerCase();
  if (!named.some((other) => other.key === key)) return ['any'];
  return values.of(key).filter((value) => typeof value === 'string');
}

function taggings(
  [key, ...others]: readonly string[],
  valuesOfKey: (key: string) => readonly string[],
): readonly Readonly<Record<string, string>>[] {
  if (key === undefined) return [{}];
  return taggings(others, valuesOfKey).flatMap((rest) => valuesOfKey(key).map((value) => ({ [key]: value, ...rest })));
}

/** The values of each key, with examples that follow from how keys are compared with each other. */
class Values {
  readonly #scene: Scene;
  readonly #known = new Map<string, KeyValues>();
  readonly #examples = new Map<string, Set<string>>();

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#exemplify();
  }

  of(key: string): readonly Value[] {
    // Keys that are compared with each other have the same values, as far as they can.
    const others = [...this.#scene.linkedWith(key)].filter((linked) => linked !== key);
    const linked = others.flatMap((other) => this.#classesOf(other).values);
    const more = [...linked, ...(this.#examples.get(key) ?? [])].filter((value) => canHave(key, value));
    return [...new Set([...this.#classesOf(key).values, ...more])];
  }

  areMixed(key: string): boolean {
    return this.#classesOf(key).isMixed;
  }

  #classesOf(key: string): KeyValues {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const linked = this.#scene.linkedWith(key);
    const made = valuesOf(
      key,
      [...linked].flatMap((other) => this.#scene.conditionsOn(other)),
      this.#scene.languagesOf(key),
      this.#scene.work,
      {
        isName: isName(key),
        copies: this.#scene.copiesOf(key),
        maxLength: isName(key) ? SOURCE_IDENTITY_LENGTH.max : Number.POSITIVE_INFINITY,
        preferred: key === SESSION_NAME_KEY ? DEFAULT_SESSION_NAME : IDENTITY_KEYS.includes(key) ? 'anybody' : 'any',
      },
    );
    this.#known.set(key, made);
    return made;
  }

  /**
   * For a value with a variable and more in it, such as `agent.${aws:PrincipalTag/tenant}.*`: what the variable may be
   * so that the text around it fits a value of the key, and texts that fit for each value of the variable.
   */
  #exemplify(): void {
    for (const condition of this.#scene.conditions) {
      for (const wanted of wantedOf(condition)) {
        const free = variablesOf(wanted).filter(({ key }) => this.#scene.isFree(key));
        const [variable, ...more] = free;
        if (variable === undefined || more.length > 0) continue;
        if (wholeVariable(wanted) !== undefined && this.#scene.isFree(condition.key)) continue; // linked
        const key = condition.key.toLowerCase();
        const given = this.#scene.known(key) ?? undefined;
        const texts =
          given !== undefined
            ? [given]
            : this.#scene.isFree(key)
              ? this.of(key).filter((value) => typeof value === 'string')
              : [];
        const around = placesAround(wanted, variable.key, (name) => this.#scene.known(name));
        if (around === undefined) continue;
        for (const text of texts) this.#add(variable.key, around.middlesOf(text));
        if (given !== undefined) continue;
        for (const value of this.of(variable.key)) {
          if (typeof value !== 'string') continue;
          const language = languageOf(wanted, (name) => (name === variable.key ? value : this.#scene.known(name)));
          this.#add(key, language.flatMap(examplesOf));
        }
      }
    }
  }

  #add(key: string, examples: readonly string[]): void {
    const known = this.#examples.get(key) ?? new Set();
    for (const example of examples) if (known.size < MOST_EXAMPLES) known.add(example);
    this.#examples.set(key, known);
  }
}

/** Whether STS takes only names for a key. */
function isName(key: string): boolean {
  return IDENTITY_KEYS.includes(key) || key === SESSION_NAME_KEY;
}

function canHave(key: string, value: Value): boolean {
  if (!isName(key)) return true;
  return typeof value === 'string' && value.length <= SOURCE_IDENTITY_LENGTH.max && isIn([NAME_SHAPE], value);
}
