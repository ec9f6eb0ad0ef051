import type { AssumeOperation } from '../assume-role.ts';
import type { Condition } from '../conditions.ts';
import { REQUESTER_KEYS, requesterContext } from '../requester.ts';
import { IDENTITY_KEYS, issuerOf } from './keys.ts';
import type { Representative } from './requesters.ts';
import { isAnchored, type Language, languageKey } from './shapes.ts';
import { defaultLanguagesOf, languageOf, variablesOf, type Wanted, wantedOf, wholeVariable } from './wanted.ts';
import type { Work } from './work.ts';

/** Keys that are compared with each other and of which each can have another value, at most. */
const MOST_LINKED = 3;

/**
 * One requester who calls one operation, and the conditions that it may meet: which keys it can choose, and what their
 * values are compared with. Keys are in lower case.
 */
export class Scene {
  readonly operation: AssumeOperation;
  readonly representative: Representative;
  readonly conditions: readonly Condition[];
  readonly work: Work;
  /** The keys that conditions are about or refer to and that have no value yet, each as the policy writes it. */
  readonly freeKeys: ReadonlyMap<string, string>;
  readonly #ofRequester: ReadonlyMap<string, string>;
  /** Keys that conditions compare with another one, by a policy variable. */
  readonly #compared: ReadonlySet<string>;
  /** Keys that must be told apart together, since conditions compare them with each other. */
  readonly #linked = new Map<string, Set<string>>();

  constructor(
    operation: AssumeOperation,
    representative: Representative,
    conditions: readonly Condition[],
    work: Work,
  ) {
    this.work = work;
    this.operation = operation;
    this.representative = representative;
    this.conditions = conditions;
    this.#ofRequester = new Map(
      Object.entries(requesterContext(representative.requester)).map(([key, value]) => [
        key.toLowerCase(),
        String(value),
      ]),
    );
    const written = conditions.flatMap((condition) => [
      condition.key,
      ...wantedOf(condition).flatMap((wanted) => variablesOf(wanted).map(({ key }) => asWritten(key, wanted))),
    ]);
    const free = written.filter((key) => this.known(key.toLowerCase()) === undefined);
    this.freeKeys = new Map(free.map((key) => [key.toLowerCase(), key]));
    this.#compared = new Set(
      conditions.flatMap((condition) => {
        const variables = wantedOf(condition).flatMap((wanted) => variablesOf(wanted).map(({ key }) => key));
        return variables.length === 0 ? [] : [condition.key.toLowerCase(), ...variables];
      }),
    );
    this.#link(IDENTITY_KEYS[0] ?? '', IDENTITY_KEYS[1] ?? '');
    for (const condition of conditions) {
      for (const wanted of wantedOf(condition)) {
        const variable = wholeVariable(wanted);
        if (variable !== undefined && this.isFree(variable) && this.isFree(condition.key)) {
          this.#link(condition.key.toLowerCase(), variable);
        }
      }
    }
  }

  /** A key's value, null where it can have none, undefined where the requester chooses. */
  known(key: string): string | null | undefined {
    if (REQUESTER_KEYS.has(key)) return this.#ofRequester.get(key) ?? null;
    return this.#canHave(key) ? undefined : null;
  }

  isFree(key: string): boolean {
    return this.freeKeys.has(key.toLowerCase());
  }

  /** The keys whose values are compared with the same, the key itself included. */
  linkedWith(key: string): ReadonlySet<string> {
    return this.#linked.get(key) ?? new Set([key]);
  }

  /** How many values of a key must differ, so that each key that it is compared with can have another one. */
  copiesOf(key: string): number {
    return Math.min(Math.max(this.#linkedCount(key), this.#compared.has(key) ? 2 : 1), MOST_LINKED);
  }

  /** The conditions on a key. */
  conditionsOn(key: string): readonly Condition[] {
    return this.conditions.filter((condition) => condition.key.toLowerCase() === key);
  }

  /** What the texts of a key, and of those that are linked with it, are compared with, condition by condition. */
  languagesOf(key: string): readonly Language[] {
    const conditions = [...this.linkedWith(key)].flatMap((linked) => this.conditionsOn(linked));
    const languages = conditions.flatMap((condition) => {
      const shapes = wantedOf(condition).flatMap((wanted) => this.languageOf(wanted));
      const defaults = wantedOf(condition).flatMap((wanted) => defaultLanguagesOf(wanted, (name) => this.known(name)));
      // By themselves where it matters which one it is, and together where that would only multiply.
      const [apart, together] = IDENTITY_KEYS.includes(key)
        ? [shapes.filter(isAnchored), shapes.filter((shape) => !isAnchored(shape))]
        : [[], shapes];
      return [...defaults, ...apart.map((shape): Language => [shape]), ...(together.length === 0 ? [] : [together])];
    });
    return [...new Map(languages.map((language) => [languageKey(language), language])).values()];
  }

  /** The texts that a value of the policy matches. */
  languageOf(wanted: Wanted): Language {
    return languageOf(wanted, (key) => this.known(key));
  }

  /** The variables of a condition whose values are not known, or are only examples. */
  unsettledVariables(condition: Condition): ReadonlySet<string> {
    const { open } = this.representative;
    return new Set(
      wantedOf(condition).flatMap((wanted) =>
        variablesOf(wanted).flatMap(({ key }) => {
          if (!this.isFree(key) && !open.has(key)) return [];
          return this.#isSettledBy(condition, wanted, key) ? [] : [key];
        }),
      ),
    );
  }

  /** Whether the values that are tried stand for all, though the variable has one of many values. */
  #isSettledBy(condition: Condition, wanted: Wanted, variable: string): boolean {
    if (!this.isFree(condition.key)) return false;
    const key = condition.key.toLowerCase();
    // A value is compared with itself: what comes of it is the same for every value.
    if (variable === key || (IDENTITY_KEYS.includes(variable) && IDENTITY_KEYS.includes(key))) return true;
    if (this.#linkedCount(key) > MOST_LINKED) return false;
    const isAlone = [...this.linkedWith(key)].every((linked) => linked === key || IDENTITY_KEYS.includes(linked));
    if (wholeVariable(wanted) !== undefined) return isAlone || this.isFree(variable);
    // One example of a requester's name is as good as another where nothing else is asked of the text around it.
    const others = [...this.linkedWith(key)].flatMap((linked) => this.conditionsOn(linked)).flatMap(wantedOf);
    return !this.isFree(variable) && others.every(({ text }) => text === wanted.text);
  }

  /** The two keys of the source identity never differ, so they count as one. */
  #linkedCount(key: string): number {
    return [...this.linkedWith(key)].filter((other) => other !== 'aws:sourceidentity').length;
  }

  #canHave(key: string): boolean {
    const { requester } = this.representative;
    // Only role sessions have a source identity, and only a signed call inherits it.
    if (key === 'aws:sourceidentity') return this.operation === 'AssumeRole' && requester.kind === 'role-session';
    const issuer = issuerOf(key);
    if (requester.kind !== 'federated' || issuer === undefined) return true;
    const provider = requester.provider.toLowerCase();
    return provider === issuer || provider.endsWith(`-provider/${issuer}`);
  }

  #link(key: string, other: string): void {
    const together = new Set([...this.linkedWith(key), ...this.linkedWith(other)]);
    for (const member of together) this.#linked.set(member, together);
  }
}

/** A variable's key in the letters of the policy. */
function asWritten(key: string, { text }: Wanted): string {
  const start = text.toLowerCase().indexOf(key);
  return start < 0 ? key : text.slice(start, start + key.length);
}
