import type { Load } from './endpoint-load.ts';
import { type Effort, milliseconds, type Outcome, ratio } from './outcome.ts';
import { startHelper } from './processes.ts';
import { inTurn, median, medianRatio } from './statistics.ts';

const CONNECTIONS = 64;

/** The credentials endpoint under load, and a bare server with the same answer. Server and load have a process each. */
export async function measureEndpoint({ isQuick }: Effort): Promise<readonly Outcome[]> {
  await using ours = startHelper('endpoint-server.ts', { kind: 'ours' });
  const served = await ours.next();
  await using bare = startHelper('endpoint-server.ts', { kind: 'bare', body: served['body'] });
  const targets = { ours: served, bare: { ...(await bare.next()), token: served['token'] } };

  const samples = await inTurn(['ours', 'bare'] as const, isQuick ? 1 : 7, async (name) => {
    const load = { ...targets[name], connections: CONNECTIONS, seconds: isQuick ? 0.3 : 3 };
    await using generator = startHelper('endpoint-load.ts', load);
    return (await generator.next()) as unknown as Load;
  });
  const of = (name: keyof typeof samples, field: keyof Load): readonly number[] =>
    samples[name].map((sample) => sample[field]);
  const shown = (name: keyof typeof samples): string =>
    `${median(of(name, 'perSecond')).toFixed(0)} requests/s, p99 ${milliseconds(median(of(name, 'p99Ms')))}`;
  return [
    {
      measure: `endpoint, requests a second at ${CONNECTIONS} connections`,
      against: 'a bare node:http server with the same body',
      ours: shown('ours'),
      theirs: shown('bare'),
      figure: ratio(medianRatio(of('ours', 'perSecond'), of('bare', 'perSecond'))),
      aim: { atLeast: 0.7 },
      numbers: {
        'p99, the bare server through ours': medianRatio(of('bare', 'p99Ms'), of('ours', 'p99Ms')).toFixed(2),
      },
    },
  ];
}
