import { appendFileSync, closeSync, openSync } from 'node:fs';
import { quote, SessionBrokerError } from '../errors.ts';
import type { CloudTrailEvent } from './event.ts';

/** Where events go: memory, and a file of JSON lines if there is one. */
export class EventLog {
  readonly #entries: { readonly event: CloudTrailEvent; readonly at: Date }[] = [];
  readonly #path: string | undefined;
  #file: number | undefined;

  /**
   * @param path of the file to append to
   * @throws {SessionBrokerError} LogUnwritable
   */
  constructor(path: string | undefined) {
    this.#path = path;
    if (path === undefined) return;
    try {
      this.#file = openSync(path, 'a', 0o600);
    } catch (cause) {
      throw new SessionBrokerError(
        'LogUnwritable',
        `log must be a file that can be written: ${quote(path)}; give another path`,
        { cause },
      );
    }
  }

  get events(): readonly CloudTrailEvent[] {
    return this.#entries.map(({ event }) => event);
  }

  /** The events of calls until an instant, oldest first. */
  until(instant: Date): readonly CloudTrailEvent[] {
    return this.#entries.filter(({ at }) => at <= instant).map(({ event }) => event);
  }

  /**
   * @param at when the call was made
   * @throws {SessionBrokerError} LogUnwritable: nothing is recorded, in memory neither
   */
  append(events: readonly CloudTrailEvent[], at: Date): void {
    if (this.#file !== undefined) {
      try {
        appendFileSync(this.#file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      } catch (cause) {
        throw new SessionBrokerError(
          'LogUnwritable',
          `log must stay writable: ${quote(this.#path)} is not, ${(cause as Error).message}; make room or give another path`,
          { cause },
        );
      }
    }
    this.#entries.push(...events.map((event) => ({ event, at })));
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
