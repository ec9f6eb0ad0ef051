/** What runs at the first call and shares its result with every later one. */
export interface Once<Result> {
  (): Promise<Result>;
  /** The result, if there is one by now. */
  readonly made: () => Result | undefined;
  /** Lets the next call run again, unless another result has taken the place of this one. */
  readonly forget: (result: Result) => void;
}

/** A failure is forgotten, so that the next call tries again. */
export function once<Result>(run: () => Promise<Result>): Once<Result> {
  let pending: Promise<Result> | undefined;
  let made: Result | undefined;
  const remember = async (): Promise<Result> => {
    try {
      const result = await Promise.resolve().then(run);
      made = result;
      return result;
    } catch (error) {
      pending = undefined;
      throw error;
    }
  };
  return Object.assign(() => (pending ??= remember()), {
    made: () => made,
    forget: (result: Result) => {
      if (result !== made) return;
      made = undefined;
      pending = undefined;
    },
  });
}
