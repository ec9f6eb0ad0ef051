/** A broker with many sessions: what they cost, and whether each has live credentials at every moment. */
import { setTimeout as pause } from 'node:timers/promises';
import type * as runtime from '../lib/runtime/index.ts';
import { compiled, givenArguments, say } from './processes.ts';
import { type ClockSettings, scaledClock } from './scaled-clock.ts';

export interface Kept {
  /** Moments at which a session had no credentials with more than 15 minutes left. */
  readonly lost: number;
  readonly leastMinutesLeft: number;
  readonly bytesPerSession: number;
  readonly residentBytesPerSession: number;
  readonly startMs: number;
  readonly processorSeconds: number;
}

/** Looks at every session, so many times over the whole. */
const LOOKS = 60;

const given = givenArguments<{
  readonly clock: Required<ClockSettings>;
  readonly sessions: number;
  readonly seconds: number;
  readonly endpoint: string;
}>();
const { scale } = given.clock;
const now = scaledClock(given.clock);

const { SessionBroker } = await compiled<typeof runtime>('lib/runtime/index.js');
const broker = new SessionBroker({
  tenant: 'acme',
  region: 'us-west-2',
  endpoint: given.endpoint,
  credentials: { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' },
  now,
  schedule: (run, milliseconds) => {
    const timer = setTimeout(run, milliseconds / scale);
    timer.unref();
    return () => clearTimeout(timer);
  },
});
const start = (name: string) =>
  broker.session({
    session: name,
    roleArn: 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session',
  });

await start('first').credentials(); // what all share is there before it counts
const before = memory();
const begin = performance.now();
const sessions = Array.from({ length: given.sessions }, (_, index) => start(`s${index}`));
await Promise.all(sessions.map((session) => session.credentials()));
const startMs = performance.now() - begin;
const after = memory();

let lost = 0;
let least = Number.POSITIVE_INFINITY;
const processor = process.cpuUsage();
for (let look = 0; look < LOOKS; look++) {
  await pause((given.seconds / LOOKS) * 1000);
  for (const session of sessions) {
    const held = session.current();
    if (held === undefined) lost += 1;
    else least = Math.min(least, held.expiration.getTime() - now());
  }
}
const { user, system } = process.cpuUsage(processor);

say({
  lost,
  leastMinutesLeft: least / 60_000,
  bytesPerSession: Math.round((after.heap - before.heap) / given.sessions),
  residentBytesPerSession: Math.round((after.resident - before.resident) / given.sessions),
  startMs,
  processorSeconds: (user + system) / 1e6,
} satisfies Kept);
broker.close();

function memory(): { readonly heap: number; readonly resident: number } {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}
