import type { Option } from './possibilities.ts';
import type { Work } from './work.ts';

/** What must be true of the option that is chosen in one component. */
export interface Requirement {
  readonly component: number;
  readonly isMet: (option: Option) => boolean;
}

/** What a request must meet: all the requirements of one of several alternatives. */
export type Demand = readonly (readonly Requirement[])[];

/** What is chosen in each component. */
export interface Solution {
  readonly options: readonly Option[];
  readonly cost: number;
}

/**
 * The cheapest choice that meets all demands, found by trying the alternatives one after the other. A branch ends
 * where a component has no option left, or none that would be cheaper than what is found already.
 * @param components the options of each, the cheapest first
 * @returns undefined if nothing meets the demands
 * @throws {SessionBrokerError} PolicyNotUnderstood if it takes too long
 */
export function cheapest(
  components: readonly (readonly Option[])[],
  demands: readonly Demand[],
  work: Work,
): Solution | undefined {
  const ordered = [...demands].sort((a, b) => a.length - b.length);
  let best: Solution | undefined;
  const visit = (remaining: readonly (readonly Option[])[], depth: number): void => {
    work.lookAt(remaining.length);
    const firsts = remaining.flatMap(([first]) => first ?? []);
    if (firsts.length < remaining.length) return;
    const cost = firsts.reduce((sum, option) => sum + option.cost, 0);
    if (best !== undefined && cost >= best.cost) return;
    const demand = ordered[depth];
    if (demand === undefined) {
      best = { options: firsts, cost };
      return;
    }
    for (const requirements of demand) visit(restricted(remaining, requirements, work), depth + 1);
  };
  visit(components, 0);
  return best;
}

function restricted(
  components: readonly (readonly Option[])[],
  requirements: readonly Requirement[],
  work: Work,
): readonly (readonly Option[])[] {
  const narrowed = [...components];
  for (const { component, isMet } of requirements) {
    const options = narrowed[component] ?? [];
    work.lookAt(options.length);
    narrowed[component] = options.filter(isMet);
  }
  return narrowed;
}
