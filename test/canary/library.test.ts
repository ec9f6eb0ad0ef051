import { context, metrics, trace } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startCredentialsEndpoint } from '../../lib/runtime/index.ts';
import { exchange, requestOf } from '../runtime/delivery/wire.ts';
import { brokerAgainst } from '../runtime/support/broker.ts';
import { CANARIES, ISSUED } from '../runtime/support/fake-aws.ts';
import { providerAgainst } from '../runtime/support/provider.ts';
import { filesBelow, watchProcess } from '../support/watched-process.ts';
import { expectNoLeak, isGood, machineAndAws, SITUATIONS, TIMES } from './fixture.ts';

const { aws, machine, begin } = machineAndAws();

/** Gives up soon what stalls. */
const IMPATIENT = { requestHandler: { requestTimeout: 30, socketTimeout: 30, throwOnRequestTimeout: true } };

/** Metrics at the moment that a test looks. */
class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** An OpenTelemetry SDK of the host, and all that it exports. */
function watchTelemetry(): () => Promise<readonly unknown[]> {
  const exporter = new InMemorySpanExporter();
  const reader = new ManualReader();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  onTestFinished(() => {
    for (const api of [trace, metrics, context]) api.disable();
  });
  return async () => [exporter.getFinishedSpans(), (await reader.collect()).resourceMetrics];
}

describe.each(SITUATIONS)('in the library, with $name,', (situation) => {
  test('nothing that is said, thrown, logged or measured holds a secret', async () => {
    const said = watchProcess();
    const measured = watchTelemetry();
    const warnings: string[] = [];
    const logger = { warn: (message: string) => void warnings.push(message) };
    const options = { ...TIMES, logger, clientConfig: IMPATIENT };
    const thrown: unknown[] = [];
    const keep = (error: unknown): void => void thrown.push(error);

    const provide = providerAgainst(aws(), options);
    const session = brokerAgainst(aws(), options).session({ session: 's2' });
    const isHeld = !isGood(situation) && (await session.credentials()) !== undefined;
    await begin(situation);
    await provide().catch(keep);
    await session.credentials({ forceRefresh: true }).catch(keep);
    session.close(); // it would try again at once, and again

    await using endpoint = await startCredentialsEndpoint({ log: (line) => void warnings.push(line) });
    const { token } = endpoint.serve({
      sourceIdentity: 'agent.acme.s1',
      credentials: provide,
      current: () => undefined,
    });
    const { host: Host } = new URL(endpoint.url);
    const strangers = await Promise.all([
      exchange(endpoint.url, requestOf('/credentials/agent.acme.s1', { Host })),
      exchange(endpoint.url, requestOf('/credentials/agent.acme.s1', { Host, Authorization: `${token.slice(0, 5)}x` })),
      exchange(endpoint.url, requestOf('/health', { Host })),
      exchange(endpoint.url, 'GET\r\n\r\n', { ends: true }),
    ]);
    const mine = await exchange(endpoint.url, requestOf('/credentials/agent.acme.s1', { Host, Authorization: token }));

    if (isGood(situation)) expect(mine.body).toContain(ISSUED.secretAccessKey);
    else expectNoLeak([mine]);
    expect(thrown.length > 0).toBe(isHeld);
    expectNoLeak(
      [provide, session, endpoint, thrown, warnings, strangers, said(), await measured()],
      [...CANARIES, token],
    );
    expect(filesBelow(machine()).size).toBe(0);
  });
});
