import { type ErrorCode, SessionBrokerError } from '../errors.ts';
import { pause, type Timing } from './timing.ts';

/** How a kind of failure is tried again. A wait is at least half of a limit that doubles, the rest is chance. */
interface RetryRule {
  /** @default as many as the time of all waits allows */
  readonly attempts?: number;
  /** Milliseconds. */
  readonly firstWait: number;
  /** Milliseconds. */
  readonly longestWait: number;
}

/** The waits of one call take no longer together, in milliseconds. Waiting for its turn does not count. */
const LONGEST_RETRY = 30_000;

const THROTTLED: RetryRule = { firstWait: 500, longestWait: 8000 };
const TRANSIENT: RetryRule = { attempts: 3, firstWait: 200, longestWait: 1000 };
/** The next attempt signs with what the refusal led to: the time in the answer, or credentials asked for anew. */
const SIGNATURE: RetryRule = { attempts: 2, firstWait: 0, longestWait: 0 };

const RULES: Readonly<Partial<Record<ErrorCode, RetryRule>>> = {
  Throttled: THROTTLED,
  Unavailable: TRANSIENT,
  ResponseInvalid: TRANSIENT,
  ClockSkew: SIGNATURE,
  DispatcherCredentialsRejected: SIGNATURE,
};

/** Makes one call of AWS, and makes it again where that may help. */
export type Retry = <Result>(attempt: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

/** The one place that tries a call again, by the code of its error. */
export function createRetry(timing: Timing): Retry {
  return async (attempt, signal) => {
    let waited = 0;
    const failures = new Map<RetryRule, number>();
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        const rule = error instanceof SessionBrokerError ? RULES[error.code] : undefined;
        if (rule === undefined) throw error;
        const count = (failures.get(rule) ?? 0) + 1;
        failures.set(rule, count);
        const limit = Math.min(rule.firstWait * 2 ** (count - 1), rule.longestWait);
        const wait = (limit * (1 + timing.random())) / 2;
        waited += wait;
        if (count === rule.attempts || waited > LONGEST_RETRY) throw error;
        await pause(wait, timing, signal);
      }
    }
  };
}

/** Leaves retries to the SDK's own client. */
export const retryNever: Retry = (attempt) => attempt();
