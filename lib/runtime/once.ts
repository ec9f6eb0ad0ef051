/** What runs at the first call and shares its result with every later one. */
export interface Once<Result> {
  (): Promise<Result>;
  /** The result, if there is one by now. */
  readonly made: () => Result | undefined;
}

/** A failure is forgotten, so that the next call tries again. */
export function once<Result>(run: () => Promise<Result>): Once<Result> {
  let pending: Promise<Result> | undefined;
  let made: Result | undefined;
  const remember = async (): Promise<Result> => {
    try {
      made = await run();
      return made;
    } catch (error) {
      pending = undefined;
      throw error;
    }
  };
  return Object.assign(() => (pending ??= remember()), { made: () => made });
}
