import { type Helper, startHelper } from './processes.ts';
import type { ClockSettings } from './scaled-clock.ts';

/** A scripted STS in a process of its own. */
export interface Sts extends AsyncDisposable {
  readonly endpoint: string;
  /** Calls by action since the start or the last time this was asked. */
  readonly calls: () => Promise<Readonly<Record<string, number>>>;
}

export async function startSts(clock: ClockSettings = {}): Promise<Sts> {
  const helper: Helper = startHelper('scripted-sts.ts', clock);
  const { endpoint } = (await helper.next()) as { endpoint: string };
  return {
    endpoint,
    calls: async () => (await fetch(endpoint)).json() as Promise<Record<string, number>>,
    [Symbol.asyncDispose]: () => helper[Symbol.asyncDispose](),
  };
}
