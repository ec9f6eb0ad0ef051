import { type Language, languageKey } from './shapes.ts';
import { type ClassesOptions, textClasses } from './text-classes.ts';
import { tooMuch } from './too-much.ts';

/** Options that all searches in one policy look at, at most: seconds. */
const MOST_OPTIONS = 3_000_000;

/** The work on one policy: what is done once and asked for often, and how much it has been. */
export class Work {
  #options = 0;
  readonly #classes = new Map<string, readonly string[]>();

  /** @throws {SessionBrokerError} PolicyNotUnderstood when it has been too much */
  lookAt(options: number): void {
    this.#options += options;
    if (this.#options > MOST_OPTIONS) throw tooMuch('alternatives');
  }

  /** As {@link textClasses}. */
  textClasses(domain: Language, languages: readonly Language[], options: ClassesOptions = {}): readonly string[] {
    const key = JSON.stringify([domain, ...languages].map(languageKey)) + JSON.stringify(options);
    const classes = this.#classes.get(key) ?? textClasses(domain, languages, options);
    this.#classes.set(key, classes);
    return classes;
  }
}
