import { type AssumeAction, contextOf } from '../assume-role.ts';
import { type Condition, conditionHolds } from '../conditions.ts';
import { type ContextValues, contextValues } from '../context.ts';
import { requesterContext } from '../requester.ts';
import type { Scene } from './scene.ts';
import { isIn } from './text-classes.ts';
import { tooMuch } from './too-much.ts';
import { type Choice, DEFAULT_SESSION_NAME, type Part, type Unit, unitsOf } from './units.ts';
import { type Known, languageOf, variablesOf, wantedOf } from './wanted.ts';

/** One way to choose the parts of a call that depend on each other. */
export interface Option extends Choice {
  /**
   * Whether conditions of which no example is enough are taken as met and as not met, as each suits the requester.
   * What cannot be had in this way cannot be had at all; what can be had only in this way is not known.
   */
  readonly isAssumed: boolean;
}

/** More than all that is known can cost. */
export const ASSUMED_COST = 1e9;

/** Options that are looked at for parts that depend on each other, at most. */
const MOST = 20_000;

/** What one requester can choose, in components that do not depend on each other, and which conditions that meets. */
export class Possibilities {
  /** Of each component, the cheapest option first. The first component is of the requester alone. */
  readonly components: readonly (readonly Option[])[];
  readonly #scene: Scene;
  readonly #componentOfKey = new Map<string, number>();
  readonly #unsettled: ReadonlyMap<Condition, ReadonlySet<string>>;
  readonly #mixed: ReadonlySet<string>;
  readonly #contexts = new Map<Option, Map<AssumeAction, ContextValues>>();
  readonly #held = new Map<Condition, Map<AssumeAction, Map<Option, boolean | undefined>>>();

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#unsettled = new Map(scene.conditions.map((condition) => [condition, scene.unsettledVariables(condition)]));
    const units = unitsOf(scene);
    this.#mixed = new Set(units.flatMap(({ mixed }) => mixed));
    const groups = joined(
      units,
      scene.conditions.map((condition) => this.#freeKeysOf(condition)),
    );
    const components = [[{ part: {}, cost: 0 }], ...groups.map(combined)];
    for (const [index, group] of groups.entries()) {
      for (const key of group.flatMap(({ keys }) => keys)) this.#componentOfKey.set(key, index + 1);
    }
    const doubtful = new Set(
      scene.conditions
        .filter((condition) => this.#isDoubtful(condition))
        .map((condition) => this.componentOf(condition)),
    );
    this.components = components.map((choices, index) => {
      const known = choices.map((choice): Option => ({ ...choice, isAssumed: false }));
      const assumed = choices.map(
        (choice): Option => ({ ...choice, cost: choice.cost + ASSUMED_COST, isAssumed: true }),
      );
      return (doubtful.has(index) ? [...known, ...assumed] : known).sort((a, b) => a.cost - b.cost);
    });
  }

  /** The component of a key that the requester chooses. */
  componentOfKey(key: string): number | undefined {
    return this.#componentOfKey.get(key);
  }

  /** The component on which it depends whether a condition holds. */
  componentOf(condition: Condition): number {
    const [key] = this.#freeKeysOf(condition);
    return (key === undefined ? undefined : this.#componentOfKey.get(key)) ?? 0;
  }

  /**
   * Whether a condition of a statement about an action holds.
   * @returns undefined where an option does not say
   */
  holds(condition: Condition, action: AssumeAction, option: Option): boolean | undefined {
    const byAction = getOrAdd(this.#held, condition, () => new Map<AssumeAction, Map<Option, boolean | undefined>>());
    const byOption = getOrAdd(byAction, action, () => new Map<Option, boolean | undefined>());
    return getOrAdd(byOption, option, () => this.#decide(condition, action, option));
  }

  #decide(condition: Condition, action: AssumeAction, option: Option): boolean | undefined {
    const byAction = getOrAdd(this.#contexts, option, () => new Map<AssumeAction, ContextValues>());
    const context = getOrAdd(byAction, action, () => this.#context(action, option.part));
    return option.isAssumed ? this.#assume(condition, context) : conditionHolds(condition, context);
  }

  #context(action: AssumeAction, part: Part): ContextValues {
    const { operation, representative } = this.#scene;
    const { requester } = representative;
    const attempt = { operation, requester, roleArn: '', roleSessionName: DEFAULT_SESSION_NAME, ...part };
    return contextValues(contextOf(action, attempt), requesterContext(requester));
  }

  /** Whether a condition holds whatever its unsettled variables are, or fails. */
  #assume(condition: Condition, context: ContextValues): boolean | undefined {
    const { operator, quantifier, matchers } = condition;
    const [given] = context.get(condition.key.toLowerCase()) ?? [];
    const unsettled = [...(this.#unsettled.get(condition) ?? [])].filter((key) => context.has(key));
    if (given === undefined || operator === 'Null') return conditionHolds(condition, context);
    if (this.#isMixed(condition)) return undefined;
    if (unsettled.length === 0) return conditionHolds(condition, context);
    if (quantifier !== undefined) return undefined;
    const known: Known = (key) => (unsettled.includes(key) ? undefined : this.#scene.known(key));
    const matches = wantedOf(condition).map((wanted, index): boolean | 'perhaps' | undefined => {
      const match = matchers[index]?.(given, context);
      const isOpen = match !== undefined && variablesOf(wanted).some(({ key }) => unsettled.includes(key));
      return isOpen ? isIn(languageOf(wanted, known), given) && 'perhaps' : match;
    });
    if (operator.negated ? matches.some((match) => match === true || match === undefined) : matches.includes(true)) {
      return !operator.negated;
    }
    return matches.includes('perhaps') ? undefined : operator.negated;
  }

  #isDoubtful(condition: Condition): boolean {
    return this.#isMixed(condition) || (this.#unsettled.get(condition)?.size ?? 0) > 0;
  }

  /** Whether a condition compares a number, a date or an address, and the values that are tried are only examples. */
  #isMixed(condition: Condition): boolean {
    const key = condition.key.toLowerCase();
    const isOrder = condition.operator !== 'Null' && wantedOf(condition).length === 0;
    return isOrder && (this.#mixed.has(key) || this.#scene.representative.open.has(key));
  }

  #freeKeysOf(condition: Condition): readonly string[] {
    const variables = wantedOf(condition).flatMap((wanted) => variablesOf(wanted).map(({ key }) => key));
    return [condition.key.toLowerCase(), ...variables].filter((key) => this.#scene.isFree(key));
  }
}

/** Units in groups: two keys that stand together, in one condition, belong to one. */
function joined(units: readonly Unit[], together: readonly (readonly string[])[]): readonly (readonly Unit[])[] {
  let groups: (readonly Unit[])[] = units.map((unit) => [unit]);
  for (const keys of together) {
    const isOf = (group: readonly Unit[]): boolean => group.some((unit) => unit.keys.some((key) => keys.includes(key)));
    const concerned = groups.filter(isOf);
    if (concerned.length > 1) groups = [...groups.filter((group) => !isOf(group)), concerned.flat()];
  }
  return groups;
}

/** All choices of several units at once. */
function combined(units: readonly Unit[]): readonly Choice[] {
  return units.reduce<readonly Choice[]>(
    (choices, unit) => {
      if (choices.length * unit.choices.length > MOST) throw tooMuch('values that depend on each other');
      return choices.flatMap(({ part, cost }) =>
        unit.choices.map((choice) => ({ part: merged(part, choice.part), cost: cost + choice.cost })),
      );
    },
    [{ part: {}, cost: 0 }],
  );
}

/** Two parts of one call. */
export function merged(part: Part, other: Part): Part {
  const context = { ...part.context, ...other.context };
  return { ...part, ...other, ...(Object.keys(context).length === 0 ? {} : { context }) };
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  if (!map.has(key)) map.set(key, make());
  return map.get(key) as Value;
}
