/** One row of the table. */
export interface Outcome {
  readonly measure: string;
  readonly against: string;
  /** Ours and theirs as the table shows them, with their units. */
  readonly ours: string;
  readonly theirs: string;
  /** What the aim is about. */
  readonly figure?: { readonly name: string; readonly value: number };
  readonly aim?: { readonly atMost: number } | { readonly atLeast: number };
  /** Why nothing was measured. */
  readonly skipped?: string;
  /** Further numbers, named with their units. */
  readonly numbers?: Readonly<Record<string, number | string>>;
}

/** How much is measured: enough for figures, or just enough to see that it runs. */
export interface Effort {
  readonly isQuick: boolean;
}

export function isMet({ figure, aim }: Outcome): boolean | undefined {
  if (figure === undefined || aim === undefined) return undefined;
  return 'atMost' in aim ? figure.value <= aim.atMost : figure.value >= aim.atLeast;
}

export function ratio(value: number): Outcome['figure'] & {} {
  return { name: 'ratio', value };
}

export function printOutcome(outcome: Outcome): void {
  const { measure, against, ours, theirs, figure, aim, skipped, numbers = {} } = outcome;
  console.log(`\n${measure}\n  against ${against}`);
  if (skipped !== undefined) {
    console.log(`  SKIPPED: ${skipped}`);
    return;
  }
  console.log(`  ours ${ours}, theirs ${theirs}`);
  if (figure !== undefined) {
    const { name, value } = figure;
    const met = isMet(outcome);
    const judged = met === undefined || aim === undefined ? '' : `, aim ${limit(aim)}: ${met ? 'met' : 'NOT MET'}`;
    console.log(`  ${name} ${Number.isInteger(value) ? value : value.toFixed(2)}${judged}`);
  }
  for (const [name, value] of Object.entries(numbers)) console.log(`  ${name}: ${value}`);
}

function limit(aim: NonNullable<Outcome['aim']>): string {
  return 'atMost' in aim ? `at most ${aim.atMost}` : `at least ${aim.atLeast}`;
}

export function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}
