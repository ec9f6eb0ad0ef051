/** Where a random run begins. A failure of a property prints it; SESSION_BROKER_SEED repeats it. */
export const SEED = Number(process.env['SESSION_BROKER_SEED'] ?? Date.now() % 2 ** 31);

/** How many times as long random runs are: SESSION_BROKER_RUNS. */
const FACTOR = Number(process.env['SESSION_BROKER_RUNS'] ?? 1);

/** How many cases a random run tries, where it is not asked for more. */
export function runs(cases: number): number {
  return cases * FACTOR;
}
