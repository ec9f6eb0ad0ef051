/** What fails in the host's logger or telemetry is no fault of the session. */
export function quietly<Result>(report: () => Result): Result | undefined {
  try {
    return report();
  } catch {
    return undefined;
  }
}
