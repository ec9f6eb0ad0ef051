/** Where a random run begins. A failure of a property prints it; SESSION_BROKER_SEED repeats it. */
export const SEED = Number(process.env['SESSION_BROKER_SEED'] ?? Date.now() % 2 ** 31);
