import type { CloudTrailEvent } from './event.ts';
import type { EventLog } from './event-log.ts';

/** @see CloudTrail API Reference, LookupEvents */
const RETENTION_DAYS = 90;
const LOOKUPS_A_SECOND = 2;

/** CloudTrail's event history: what one account and Region have to tell, and how often one may ask. */
export class EventHistory {
  readonly #log: EventLog;
  readonly #delaySeconds: number;
  /** When the last lookups were, by account and Region. */
  readonly #lookups = new Map<string, readonly Date[]>();

  /** @param delaySeconds how long after a call its event shows */
  constructor(log: EventLog, delaySeconds: number) {
    this.#log = log;
    this.#delaySeconds = delaySeconds;
  }

  /** The events that show by now, newest first. */
  events(account: string, region: string, now: Date): readonly CloudTrailEvent[] {
    const oldest = new Date(now.getTime() - RETENTION_DAYS * 86_400_000);
    return this.#log
      .until(new Date(now.getTime() - this.#delaySeconds * 1000))
      .filter(
        ({ recipientAccountId, awsRegion, eventTime }) =>
          recipientAccountId === account && awsRegion === region && new Date(eventTime) >= oldest,
      )
      .toReversed();
  }

  /** Whether a lookup may be made now. One that may counts. */
  admit(account: string, region: string, now: Date): boolean {
    const key = `${account}/${region}`;
    const second = new Date(now.getTime() - 1000);
    const recent = (this.#lookups.get(key) ?? []).filter((at) => at > second);
    const isAdmitted = recent.length < LOOKUPS_A_SECOND;
    this.#lookups.set(key, isAdmitted ? [...recent, now] : recent);
    return isAdmitted;
  }
}
