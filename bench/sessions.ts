import type { Kept } from './many-sessions.ts';
import type { Effort, Outcome } from './outcome.ts';
import { startHelper } from './processes.ts';
import type { ClockSettings } from './scaled-clock.ts';
import { startSts } from './sts.ts';

/** Many sessions kept alive by one broker, on a clock that runs faster: an hour passes in a minute. */
export async function measureSessions({ isQuick }: Effort): Promise<readonly Outcome[]> {
  const [sessions, seconds, scale] = isQuick ? [100, 3, 60] : [10_000, 60, 60];
  const clock: Required<ClockSettings> = { origin: Date.now(), scale };
  await using sts = await startSts(clock);
  const given = { clock, sessions, seconds, endpoint: sts.endpoint };
  await using keeper = startHelper('many-sessions.ts', given, ['--expose-gc']);
  const kept = (await keeper.next()) as unknown as Kept;
  const calls = (await sts.calls())['AssumeRole'] ?? 0;
  const share = kept.processorSeconds / seconds;
  return [
    {
      measure: `${sessions} sessions kept alive over ${seconds} s on a clock at ${scale} times the speed (${((seconds * scale) / 60).toFixed(0)} minutes)`,
      against: 'no renewal lost',
      ours: `${kept.lost} lost`,
      theirs: '0',
      figure: { name: 'lost', value: kept.lost },
      aim: { atMost: 0 },
      numbers: {
        'memory per session, bytes of heap': kept.bytesPerSession,
        'the same with buffers and code, bytes of resident memory': kept.residentBytesPerSession,
        'first credentials of all after, ms': Math.round(kept.startMs),
        'calls of STS': calls,
        'renewals a session': (calls / sessions - 1).toFixed(2),
        'least life left that was seen, minutes': kept.leastMinutesLeft.toFixed(1),
        'share of a core at this speed': share.toFixed(3),
        'share of a core at the speed of time': (share / scale).toFixed(4),
      },
    },
  ];
}
