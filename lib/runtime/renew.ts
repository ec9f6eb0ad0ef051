import { SessionBrokerError } from '../errors.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Credentials with less left are not handed out while STS answers: Python's SDK refreshes at 15 minutes. */
const SAFE_LIFE = 15 * MINUTE;

/** Renewal begins when the larger of half the life and this remains. */
const LEAST_LEAD = 16 * MINUTE;

/** Renewal begins earlier by up to this part of the life, so that sessions started together do not renew together. */
const JITTER = 0.1;

/** After a renewal the next begins no sooner: by a clock that is ahead, every new session looks old. */
const LEAST_PAUSE = MINUTE;

/** New credentials that expire sooner are of no use: they would end before the next renewal may begin. */
export const LEAST_LIFE = LEAST_PAUSE;

/** The pause after a failed renewal doubles from the first of these to the last. */
const BACKOFF = { first: 2 * SECOND, last: MINUTE };

/** The codes by which AWS refuses the identity itself: asking again before the credentials expire is useless. */
const REFUSALS: readonly string[] = ['AssumeRoleDenied', 'SetSourceIdentityDenied', 'SourceIdentityMismatch'];

/** A clock and a source of chance, so that tests need neither wait nor hope. */
export interface RenewalSchedule {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** At least 0, less than 1. */
  readonly random: () => number;
  /** Milliseconds from the request for which credentials live at most, whatever the clock makes of their expiration. */
  readonly longestLife: number;
}

export interface Expiring {
  readonly expiration: Date;
}

/** What the SDK's clients pass to a credential provider. */
export interface RenewalRequest {
  /** Obtain new credentials whatever is left of the old, and fail if there are none. */
  readonly forceRefresh?: boolean | undefined;
}

/**
 * A provider that obtains credentials at the first call and renews them on later ones:
 *
 * - More than 15 minutes left: what is held is returned at once; from the time of renewal on, a renewal runs
 *   behind it.
 * - 15 minutes or less: the renewal is waited for. If it fails, what is held is returned as long as it lives, and
 *   a later call tries again, after a pause that grows; a refusal of the identity is not tried again before expiry.
 * - Expired: the renewal's error. What has expired is never returned.
 *
 * Any number of callers share one renewal.
 *
 * The clock may be wrong. Behind, it would see credentials live on after they died: they expire by the life that
 * was asked for, counted from the request. Ahead, they expire as early as it says, since the SDK's clients on the
 * same machine see them so, and renewals keep a minute apart.
 */
export function renewing<Credentials extends Expiring>(
  obtain: () => Promise<Credentials>,
  { now, random, longestLife }: RenewalSchedule,
): (request?: RenewalRequest) => Promise<Credentials> {
  let held: { readonly credentials: Credentials; readonly expires: number; readonly renewFrom: number } | undefined;
  let renewal: Promise<Credentials> | undefined;
  let failures = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  const accept = (credentials: Credentials, requested: number): Credentials => {
    const expires = Math.min(credentials.expiration.getTime(), requested + longestLife);
    const life = expires - requested;
    const due = expires - Math.max(life / 2, LEAST_LEAD) - random() * JITTER * life;
    held = { credentials, expires, renewFrom: Math.max(due, now() + LEAST_PAUSE) };
    failures = 0;
    pausedUntil = Number.NEGATIVE_INFINITY;
    return credentials;
  };

  const pause = (error: unknown): never => {
    const length = Math.min(BACKOFF.first * 2 ** failures, BACKOFF.last);
    failures += 1;
    pausedUntil = isRefusal(error) && held !== undefined ? held.expires : now() + length * (1 - random() / 2);
    throw error;
  };

  const renew = (): Promise<Credentials> => {
    const requested = now();
    renewal ??= obtain()
      .then((credentials) => accept(credentials, requested), pause)
      .finally(() => {
        renewal = undefined;
      });
    return renewal;
  };

  return async (request) => {
    const time = now();
    if (held === undefined || time >= held.expires || request?.forceRefresh === true) return renew();
    if (time < held.renewFrom || time < pausedUntil) return held.credentials;
    const { credentials, expires } = held;
    const attempt = renew();
    if (expires - time > SAFE_LIFE) {
      attempt.catch(() => {}); // the next call sees the pause that the failure left
      return credentials;
    }
    try {
      return await attempt;
    } catch (error) {
      if (now() < expires) return credentials;
      throw error;
    }
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof SessionBrokerError && REFUSALS.includes(error.code);
}
