import { SessionBrokerError } from '../errors.ts';
import { createPace } from '../runtime/pace.ts';
import { pause, type Timing } from '../runtime/timing.ts';
import { judgeEvents } from './events.ts';
import type { EventWindow } from './exercise.ts';
import type { Reader } from './reader.ts';
import type { EventStep } from './step.ts';

const SECOND = 1000;

/** Milliseconds until events that did not appear are given up. CloudTrail takes about five minutes, and promises none. */
export const LIMIT = 20 * 60 * SECOND;

/** Milliseconds between looks: each pause is longer than the one before. */
const PAUSE = { first: 5 * SECOND, growth: 1.5, longest: 60 * SECOND } as const;

/** Calls of LookupEvents a second, of all callers in an account and a Region. */
const LOOKUPS_PER_SECOND = 2;

/** What is looked for, and how. */
export interface Watch {
  /** The session's name. */
  readonly sourceIdentity: string;
  readonly window: EventWindow;
  readonly reader: Pick<Reader, 'lookUp'>;
  readonly timing: Timing;
  readonly signal: AbortSignal;
  /** Takes the steps whenever events have been seen. */
  readonly seen: (steps: readonly EventStep[]) => void;
  /** Takes a line on how far it is, after each look. */
  readonly tell: (line: string) => void;
}

/**
 * Looks for events until all are there or the time is up. EventName is looked up within the seconds of the calls:
 * the one attribute that finds an event whatever it shows of its caller and its request.
 * @returns the steps; those whose events did not appear are not exercised
 * @throws {SessionBrokerError} what keeps CloudTrail from being read now and later
 * @throws the signal's reason
 */
export async function watchEvents(expected: readonly EventStep[], watch: Watch): Promise<readonly EventStep[]> {
  const { sourceIdentity, window, reader, timing, signal, seen, tell } = watch;
  const pace = createPace({ callsPerSecond: LOOKUPS_PER_SECOND, callsAtOnce: 1 }, timing);
  const begin = timing.elapsed();
  const left = (): number => begin + LIMIT - timing.elapsed();
  let steps = expected;

  const look = async (eventName: EventStep['eventName']): Promise<void> => {
    let next: string | undefined;
    do {
      const from = next;
      const page = await pace(() => reader.lookUp(eventName, window, from), signal, 'other');
      const judged = steps.map((step) => (isPending(step) ? judgeEvents(step, page.events, sourceIdentity) : step));
      const isNew = judged.some((step, index) => step !== steps[index]);
      steps = judged;
      if (isNew) seen(steps);
      next = page.next;
    } while (next !== undefined && left() > 0 && steps.some((step) => isPending(step) && step.eventName === eventName));
  };

  for (let length: number = PAUSE.first; steps.some(isPending) && left() > 0; length *= PAUSE.growth) {
    await pause(Math.min(length, PAUSE.longest, left()), timing, signal);
    const names = new Set(steps.filter(isPending).map(({ eventName }) => eventName));
    let trouble = '';
    try {
      for (const name of names) await look(name);
    } catch (error) {
      if (!(error instanceof SessionBrokerError) || !error.retryable) throw error;
      trouble = `; ${error.message}`;
    }
    const there = steps.filter((step) => !isPending(step)).length;
    tell(
      `CloudTrail shows ${there} of ${steps.length} events after ${clock(LIMIT - left())} of ${LIMIT_TEXT}${trouble}`,
    );
  }
  return steps.map((step) => (isPending(step) ? { ...step, evidence: `did not appear within ${LIMIT_TEXT}` } : step));
}

/** Whether its event is still to be seen. */
export function isPending({ outcome }: EventStep): boolean {
  return outcome === 'not exercised';
}

/** `2:05`, of minutes and seconds. */
function clock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / SECOND);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

const LIMIT_TEXT = `${LIMIT / 60 / SECOND} minutes`;
