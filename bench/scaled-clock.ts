/** A clock that runs faster than the machine's. */
export interface ClockSettings {
  /** Milliseconds since the epoch at which both say the same. */
  readonly origin?: number;
  /** How many of its seconds pass in one of the machine's. */
  readonly scale?: number;
}

/** The time by such a clock, in milliseconds since the epoch. */
export function scaledClock({ origin = 0, scale = 1 }: ClockSettings): () => number {
  return () => origin + (Date.now() - origin) * scale;
}
