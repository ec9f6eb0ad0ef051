/**
 * Runs at the first call and shares the result with every later one. A failure is forgotten, so that the next
 * call tries again.
 */
export function once<Result>(run: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | undefined;
  return () => {
    result ??= run().catch((error: unknown) => {
      result = undefined;
      throw error;
    });
    return result;
  };
}
