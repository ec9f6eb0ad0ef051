import { type ErrorCode, SessionBrokerError } from '../errors.ts';
import { keepingAlive, type Timing, within } from './timing.ts';

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

/** So long after a renewal began, callers wait for it no longer while what is held lives. */
const PATIENCE = 5 * SECOND;

/** The pause after a failed renewal doubles from the first of these to the last. */
const BACKOFF = { first: 2 * SECOND, last: MINUTE };

/** For a time between these, by chance, a failure without live credentials is the answer to further callers. */
const REMEMBERED = { least: SECOND, most: 5 * SECOND };

/** For this long what was looked at is not looked at again: the clock that nobody sets costs as much as a call. */
const LOOK = SECOND;

/** The codes by which AWS refuses what every renewal repeats: asking again before the credentials expire is useless. */
const REFUSALS: readonly ErrorCode[] = [
  'AssumeRoleDenied',
  'SetSourceIdentityDenied',
  'SourceIdentityMismatch',
  'RequestRejected',
  'RegionDisabled',
  'SessionPolicyInvalid',
  'SessionPolicyTooLarge',
];

/** What is put right on the dispatcher's machine while its sessions go on. */
const MENDED: readonly ErrorCode[] = ['ClockSkew', 'DispatcherCredentialsMissing', 'DispatcherCredentialsRejected'];

export interface Expiring {
  readonly expiration: Date;
}

/** What the SDK's clients pass to a credential provider. */
export interface RenewalRequest {
  /** Obtain new credentials whatever is left of the old, and fail if there are none. */
  readonly forceRefresh?: boolean | undefined;
}

export interface RenewalSettings<Credentials> {
  /** @param isRenewal whether there were credentials before */
  readonly obtain: (signal: AbortSignal, isRenewal: boolean) => Promise<Credentials>;
  readonly timing: Timing;
  /** Milliseconds from the request for which credentials live at most, whatever the clock makes of their expiration. */
  readonly longestLife: number;
  /**
   * Whether a timer renews, from the first call on, and a failure without live credentials is remembered for
   * seconds. Without it, renewals begin on calls alone.
   */
  readonly isTimed: boolean;
}

/** Credentials with the times of their life, in milliseconds. */
interface Held<Credentials> {
  readonly credentials: Credentials;
  /** The same for every caller, so that a call costs nothing. */
  readonly answer: Promise<Credentials>;
  /** When they were asked for, by both clocks. */
  readonly requestedAt: number;
  readonly requestedElapsed: number;
  readonly life: number;
  readonly renewAge: number;
}

/**
 * Credentials that are obtained at the first call and then renewed, by a timer or on later calls:
 *
 * - More than 15 minutes left: what is held is returned at once; from the time of renewal on, a renewal runs
 *   behind it.
 * - 15 minutes or less: the renewal is waited for, until 5 seconds after it began. If it fails or takes longer, what
 *   is held is returned as long as it lives. It is tried again after a pause that grows; what AWS refuses is not
 *   tried again before expiry.
 * - Expired: the renewal's error. What has expired is never returned. The timer tries again what may pass by
 *   itself or is put right on this machine; anything else waits for a caller.
 *
 * Any number of callers share one renewal.
 *
 * The time of day may be wrong, and it may be set. Age is what either clock says, the larger, so that a clock that
 * is set back prolongs no life. A clock that is behind would see credentials live on after they died: they expire
 * by the life that was asked for. By one that is ahead they expire as early as it says, since the SDK's clients on
 * the same machine see them so, and renewals keep a minute apart.
 */
export class Renewal<Credentials extends Expiring> {
  readonly #settings: RenewalSettings<Credentials>;
  readonly #now: () => number;
  #held: Held<Credentials> | undefined;
  /** What is held is current, and due for no renewal, from the first of these times of day to the second. */
  #freshFrom = 0;
  #freshUntil = 0;
  #running: Promise<Credentials> | undefined;
  /** The renewal that runs, or what is held if it takes too long: the same for every caller. */
  #inTime: Promise<Credentials> | undefined;
  #startedAt = Number.NEGATIVE_INFINITY;
  #abort: AbortController | undefined;
  #failures = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #failure: unknown;
  #isFailureFresh = Number.NEGATIVE_INFINITY;
  #cancelTimer: (() => void) | undefined;
  #closed: SessionBrokerError | undefined;

  constructor(settings: RenewalSettings<Credentials>) {
    this.#settings = settings;
    this.#now = settings.timing.now;
  }

  /** A credential provider's call. */
  provide(request?: RenewalRequest): Promise<Credentials> {
    const isForced = request?.forceRefresh === true;
    return this.#held !== undefined && this.#isFresh() && !isForced ? this.#held.answer : this.#ask(isForced);
  }

  /** What is held, with more than 15 minutes left. */
  current(): Credentials | undefined {
    const held = this.#held;
    if (held === undefined) return undefined;
    return this.#isFresh() || held.life - this.#look(held) > SAFE_LIFE ? held.credentials : undefined;
  }

  /** When what is held expires, in milliseconds since the epoch. */
  get expires(): number | undefined {
    return this.#held && this.#held.requestedAt + this.#held.life;
  }

  /** Ends it: nothing is handed out any more, and every waiting and later call fails with the reason. */
  close(reason: SessionBrokerError): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#held = undefined;
    this.#stopTimer();
    this.#abort?.abort(reason);
  }

  #isFresh(): boolean {
    const time = this.#now();
    return time >= this.#freshFrom && time < this.#freshUntil;
  }

  /** The age of what is held, remembered while it makes no difference. */
  #look(held: Held<Credentials>): number {
    const age = this.#ageOf(held);
    this.#freshFrom = this.#now();
    this.#freshUntil = this.#freshFrom + Math.min(LOOK, held.renewAge - age, held.life - SAFE_LIFE - age);
    return age;
  }

  #ageOf({ requestedAt, requestedElapsed }: Held<Credentials>): number {
    return Math.max(this.#now() - requestedAt, this.#settings.timing.elapsed() - requestedElapsed);
  }

  #ask(isForced: boolean): Promise<Credentials> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const held = this.#held;
    const age = held === undefined ? 0 : this.#look(held);
    const time = this.#settings.timing.elapsed();
    if (held === undefined || age >= held.life || isForced) {
      return time < this.#isFailureFresh && !isForced ? Promise.reject(this.#failure) : keepingAlive(this.#renew());
    }
    if (age < held.renewAge || time < this.#pausedUntil) return held.answer;
    const renewal = this.#renew();
    if (held.life - age <= SAFE_LIFE) {
      this.#inTime ??= keepingAlive(this.#renewedInTime(held, renewal));
      return this.#inTime;
    }
    renewal.catch(() => {}); // the next call sees the pause that the failure left
    return held.answer;
  }

  async #renewedInTime(held: Held<Credentials>, renewal: Promise<Credentials>): Promise<Credentials> {
    const { timing } = this.#settings;
    const left = Math.max(0, this.#startedAt + PATIENCE - timing.elapsed());
    try {
      return await within(left, timing, this.#abort?.signal, () => renewal);
    } catch {
      return this.#closed === undefined && this.#ageOf(held) < held.life ? held.credentials : renewal;
    }
  }

  #renew(): Promise<Credentials> {
    this.#running ??= this.#obtain().finally(() => {
      this.#running = undefined;
      this.#inTime = undefined;
      this.#abort = undefined;
    });
    return this.#running;
  }

  #obtain(): Promise<Credentials> {
    const { timing, obtain } = this.#settings;
    const requestedAt = timing.now();
    const requestedElapsed = timing.elapsed();
    this.#startedAt = requestedElapsed;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#stopTimer();
    return new Promise<Credentials>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      obtain(signal, this.#held !== undefined).then(resolve, reject);
    }).then(
      (credentials) => this.#accept(credentials, requestedAt, requestedElapsed),
      (error: unknown) => this.#fail(error),
    );
  }

  #accept(credentials: Credentials, requestedAt: number, requestedElapsed: number): Credentials {
    if (this.#closed !== undefined) throw this.#closed;
    const { timing, longestLife } = this.#settings;
    const life = Math.min(credentials.expiration.getTime() - requestedAt, longestLife);
    const due = life - Math.max(life / 2, LEAST_LEAD) - timing.random() * JITTER * life;
    const age = Math.max(timing.now() - requestedAt, timing.elapsed() - requestedElapsed);
    const renewAge = Math.max(due, age + LEAST_PAUSE);
    const answer = Promise.resolve(credentials);
    this.#held = { credentials, answer, requestedAt, requestedElapsed, life, renewAge };
    this.#freshUntil = 0; // look at these
    this.#failures = 0;
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
    this.#failure = undefined;
    this.#isFailureFresh = Number.NEGATIVE_INFINITY;
    this.#startTimer(renewAge - age);
    return credentials;
  }

  #fail(error: unknown): never {
    if (this.#closed !== undefined) throw this.#closed;
    const { timing, isTimed } = this.#settings;
    const time = timing.elapsed();
    const length = Math.min(BACKOFF.first * 2 ** this.#failures, BACKOFF.last) * (1 - timing.random() / 2);
    const held = this.#held;
    const isUseless = held !== undefined && this.#ageOf(held) < held.life && isOneOf(REFUSALS, error);
    // By the time of day it may be expired, and live again when the clock is set right.
    const mayLive = held !== undefined && time - held.requestedElapsed < held.life;
    this.#failures += 1;
    this.#pausedUntil = isUseless ? Number.POSITIVE_INFINITY : time + length;
    if (isTimed) {
      this.#failure = error;
      this.#isFailureFresh = time + REMEMBERED.least + timing.random() * (REMEMBERED.most - REMEMBERED.least);
      if (!isUseless && (mayLive || isRetryable(error) || isOneOf(MENDED, error))) this.#startTimer(length);
    }
    throw error;
  }

  #startTimer(milliseconds: number): void {
    const { timing, isTimed } = this.#settings;
    if (!isTimed) return;
    this.#cancelTimer = timing.schedule(() => {
      this.#cancelTimer = undefined;
      this.#renew().catch(() => {}); // it has left the next timer, or waits for a caller
    }, milliseconds);
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}

function isOneOf(codes: readonly ErrorCode[], error: unknown): boolean {
  return error instanceof SessionBrokerError && codes.includes(error.code);
}

function isRetryable(error: unknown): boolean {
  return error instanceof SessionBrokerError && error.retryable;
}
