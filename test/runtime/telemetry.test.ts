import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Context, type ContextManager, context, metrics, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { SessionBrokerError } from '../../lib/errors.ts';
import { createSessionIdentity } from '../../lib/identity/index.ts';
import { type AssumeRoleFacts, telemetry, type WatchedSession } from '../../lib/runtime/telemetry.ts';
import { assumed, CANARIES, ISSUED, PARAMETER, REGION, ROLE_ARN, startFakeAws, stsError } from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';

isolateEnvironment();

const FACTS: AssumeRoleFacts = {
  identity: createSessionIdentity({ tenant: 'acme', session: 's1' }),
  roleArn: ROLE_ARN,
  region: REGION,
  isRenewal: false,
};
const CREDENTIALS = { expiration: new Date(0) };
const PARAMETER_FACTS = { tenant: 'acme', parameter: PARAMETER, region: REGION };
const REQUEST_ID = 'c6104cbe-af31-11e0-8154-cbc7ccf896c7';

/** Metrics at the moment that a test looks. */
class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** Hands a context on to what a function starts, as an SDK for Node does. */
class AsyncContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();
  active = () => this.#storage.getStore() ?? ROOT_CONTEXT;
  with: ContextManager['with'] = (active, run, self, ...args) =>
    this.#storage.run(active, () => run.call(self, ...args));
  bind: ContextManager['bind'] = (_, target) => target;
  enable = () => this;
  disable = () => this;
}

let exporter: InMemorySpanExporter;
let reader: ManualReader;

function registerMetrics(): ManualReader {
  reader = new ManualReader();
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  return reader;
}

function unregister(): void {
  for (const api of [trace, metrics, context]) api.disable();
}

beforeEach(() => {
  exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncContexts());
  registerMetrics();
});
afterEach(() => {
  vi.unstubAllGlobals();
  unregister();
});

/** What a span says, without its ids and times. */
const shown = ({ name, kind, attributes, status, events, links }: ReadableSpan) => ({
  name,
  kind,
  attributes,
  status,
  events,
  links,
});

/** Each metric's unit and its values by their attributes. */
async function collected(): Promise<Record<string, { unit: string; values: [object, unknown][] }>> {
  const { resourceMetrics, errors } = await reader.collect();
  expect(errors).toEqual([]);
  const found = resourceMetrics.scopeMetrics.flatMap((scope) => {
    expect(scope.scope.name).toBe('session-broker');
    return scope.metrics;
  });
  return Object.fromEntries(
    found.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      { unit: descriptor.unit, values: dataPoints.map(({ attributes, value }) => [attributes, value]) },
    ]),
  );
}

describe('without an SDK of the host', () => {
  test('a call is made at once and its own promise returned', async () => {
    unregister();
    const sent = Promise.resolve(CREDENTIALS);
    expect(telemetry.assumeRole(FACTS, () => sent)).toBe(sent);
    expect(telemetry.getParameter(PARAMETER_FACTS, () => sent)).toBe(sent);
  });

  test('a logger of the API alone is none', () => {
    unregister();
    vi.stubGlobal(Symbol.for('opentelemetry.js.api.1') as unknown as string, { version: '1.9.1', diag: {} });
    const sent = Promise.resolve(CREDENTIALS);
    expect(telemetry.assumeRole(FACTS, () => sent)).toBe(sent);
  });
});

describe('an assumption', () => {
  test('is a span with the name and the role, and is counted by tenant', async () => {
    expect(await telemetry.assumeRole(FACTS, async () => CREDENTIALS)).toBe(CREDENTIALS);
    expect(exporter.getFinishedSpans().map(shown)).toEqual([
      {
        name: 'session_broker.assumption',
        kind: 0,
        attributes: {
          'session_broker.tenant': 'acme',
          'session_broker.source_identity': 'agent.acme.s1',
          'session_broker.role_arn': ROLE_ARN,
          'cloud.region': REGION,
        },
        status: { code: 0 },
        events: [],
        links: [],
      },
    ]);
    expect(await collected()).toEqual({
      'session_broker.assumptions': { unit: '{assumption}', values: [[{ 'session_broker.tenant': 'acme' }, 1]] },
    });
  });

  test('stands between the span of its caller and the spans of the SDK', async () => {
    const tracer = trace.getTracer('test');
    await tracer.startActiveSpan('caller', async (caller) => {
      await telemetry.assumeRole(FACTS, async () => {
        tracer.startSpan('sdk').end();
        return CREDENTIALS;
      });
      caller.end();
    });
    const [sdk, ours, caller] = exporter.getFinishedSpans();
    expect([sdk?.name, ours?.name, caller?.name]).toEqual(['sdk', 'session_broker.assumption', 'caller']);
    expect(sdk?.parentSpanContext?.spanId).toBe(ours?.spanContext().spanId);
    expect(ours?.parentSpanContext?.spanId).toBe(caller?.spanContext().spanId);
  });
});

test('a renewal is a trace of its own and is counted by tenant', async () => {
  await trace.getTracer('test').startActiveSpan('caller', async () => {
    await telemetry.assumeRole({ ...FACTS, isRenewal: true }, async () => CREDENTIALS);
  });
  const [span] = exporter.getFinishedSpans();
  expect(span?.name).toBe('session_broker.renewal');
  expect(span?.parentSpanContext).toBeUndefined();
  expect(await collected()).toEqual({
    'session_broker.renewals': { unit: '{renewal}', values: [[{ 'session_broker.tenant': 'acme' }, 1]] },
  });
});

test("the read of a tenant's parameter is a span", async () => {
  expect(await telemetry.getParameter(PARAMETER_FACTS, async () => 'role')).toBe('role');
  expect(exporter.getFinishedSpans().map(({ name, attributes }) => ({ name, attributes }))).toEqual([
    {
      name: 'session_broker.parameter_read',
      attributes: {
        'session_broker.tenant': 'acme',
        'session_broker.parameter': PARAMETER,
        'cloud.region': REGION,
      },
    },
  ]);
  expect(await collected()).toEqual({});
});

describe('a failure', () => {
  const refusal = new SessionBrokerError('AssumeRoleDenied', 'sts:AssumeRole was denied', {
    detail: { status: 403, requestId: REQUEST_ID },
  });

  test('is passed on, with its code on the span, and counted by code', async () => {
    const fails = telemetry.assumeRole(FACTS, () => Promise.reject(refusal));
    await expect(fails).rejects.toBe(refusal);
    const [span] = exporter.getFinishedSpans();
    expect(span?.status).toEqual({ code: 2, message: 'sts:AssumeRole was denied' });
    expect(span?.attributes).toEqual({
      'session_broker.tenant': 'acme',
      'session_broker.source_identity': 'agent.acme.s1',
      'session_broker.role_arn': ROLE_ARN,
      'cloud.region': REGION,
      'error.type': 'AssumeRoleDenied',
      'http.response.status_code': 403,
      'aws.request_id': REQUEST_ID,
    });
    expect(await collected()).toEqual({
      'session_broker.refusals': {
        unit: '{refusal}',
        values: [
          [
            {
              'session_broker.tenant': 'acme',
              'session_broker.operation': 'assumption',
              'error.type': 'AssumeRoleDenied',
            },
            1,
          ],
        ],
      },
    });
  });

  test.each([
    ['renewal', () => telemetry.assumeRole({ ...FACTS, isRenewal: true }, () => Promise.reject(refusal))],
    ['parameter_read', () => telemetry.getParameter(PARAMETER_FACTS, () => Promise.reject(refusal))],
  ])('of the operation %s is counted as one of it', async (operation, run) => {
    await expect(run()).rejects.toBe(refusal);
    const { 'session_broker.refusals': refusals, ...others } = await collected();
    expect(refusals?.values).toEqual([
      [expect.objectContaining({ 'session_broker.operation': operation, 'error.type': 'AssumeRoleDenied' }), 1],
    ]);
    expect(others).toEqual({});
  });

  test('without a code says nothing of its own, not even when it is thrown at once', async () => {
    const fault = new Error(ISSUED.secretAccessKey);
    const send = vi.fn(() => {
      throw fault;
    });
    await expect(telemetry.assumeRole(FACTS, send)).rejects.toBe(fault);
    expect(send).toHaveBeenCalledTimes(1);
    const [span] = exporter.getFinishedSpans();
    expect(span?.status).toEqual({ code: 2 });
    expect(span?.events).toEqual([]);
    expect(span?.attributes).toMatchObject({ 'error.type': '_OTHER' });
  });

  test('shows no request id of another form than that of AWS', async () => {
    const detail = { status: 'no', requestId: ISSUED.secretAccessKey };
    const fails = telemetry.assumeRole(FACTS, () =>
      Promise.reject(new SessionBrokerError('ResponseInvalid', 'what', { detail })),
    );
    await expect(fails).rejects.toThrow('what');
    const attributes = Object.keys(exporter.getFinishedSpans()[0]?.attributes ?? {});
    expect(attributes).toContain('error.type');
    expect(attributes).not.toContain('aws.request_id');
    expect(attributes).not.toContain('http.response.status_code');
  });
});

describe('the time to expiry', () => {
  const session = (tenant: string, expires?: number): WatchedSession => ({ identity: { tenant }, expires });
  const acme = { 'session_broker.tenant': 'acme' };
  const globex = { 'session_broker.tenant': 'globex' };
  const observed = async () => {
    await telemetry.assumeRole(FACTS, async () => CREDENTIALS);
    const { 'session_broker.sessions': sessions, 'session_broker.time_to_expiry': time } = await collected();
    return { sessions, time };
  };

  test("is that of a tenant's session that expires first, whichever broker holds it", async () => {
    const first = new Set([session('acme', 91_000), session('acme', 61_500), session('globex', 31_000)]);
    const second = new Map([
      ['a', session('acme', 51_000)],
      ['b', session('globex')],
      ['c', session('acme', 99_000)],
    ]);
    const stops = [telemetry.watch(first, () => 1000), telemetry.watch(second, () => 11_000)];
    expect(await observed()).toEqual({
      sessions: {
        unit: '{session}',
        values: [
          [acme, 4],
          [globex, 1],
        ],
      },
      time: {
        unit: 's',
        values: [
          [acme, 40],
          [globex, 30],
        ],
      },
    });
    for (const stop of stops) stop();
  });

  test('follows sessions that join, are renewed and leave', async () => {
    const renewed = { identity: { tenant: 'acme' }, expires: 5000 };
    const sessions = new Set<WatchedSession>([session('acme')]);
    const stop = telemetry.watch(sessions, () => 0);
    expect(await observed()).toEqual({});
    sessions.add(renewed);
    expect((await observed()).time?.values).toEqual([[acme, 5]]);
    renewed.expires = 9000;
    expect((await observed()).time?.values).toEqual([[acme, 9]]);
    sessions.delete(renewed);
    expect((await observed()).sessions?.values).toEqual([[acme, 0]]);
    stop();
  });

  test('ends with the watch', async () => {
    const sessions = new Set([session('acme', 5000)]);
    telemetry.watch(sessions, () => 0)();
    expect(await observed()).toEqual({});
    expect(sessions.size).toBe(1);
  });

  test('of what has expired is 0', async () => {
    const sessions = new Set([session('acme', 5000)]);
    const stop = telemetry.watch(sessions, () => 6000);
    expect((await observed()).time?.values).toEqual([[acme, 0]]);
    stop();
  });

  test('keeps no sessions alive that nobody else holds', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    let kept: WeakRef<object> | undefined;
    const abandon = (): void => {
      const sessions = new Set([session('acme', 5000)]);
      kept = new WeakRef(sessions);
      telemetry.watch(sessions, () => 0);
    };
    abandon();
    expect(kept?.deref()).toBeDefined();
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(kept?.deref()).toBeUndefined();
    expect(await observed()).toEqual({});
  });
});

describe('metrics reach an SDK', () => {
  test('that is registered after the one for spans, and after another', async () => {
    metrics.disable();
    await telemetry.assumeRole(FACTS, async () => CREDENTIALS);
    registerMetrics();
    await telemetry.assumeRole(FACTS, async () => CREDENTIALS);
    expect((await collected())['session_broker.assumptions']?.values).toEqual([[expect.anything(), 1]]);
    metrics.disable();
    registerMetrics();
    await telemetry.assumeRole(FACTS, async () => CREDENTIALS);
    expect((await collected())['session_broker.assumptions']?.values).toEqual([[expect.anything(), 1]]);
  });

  test('without one for spans', async () => {
    trace.disable();
    await telemetry.assumeRole(FACTS, async () => CREDENTIALS);
    expect((await collected())['session_broker.assumptions']?.values).toEqual([[expect.anything(), 1]]);
  });
});

describe('a session does not notice an SDK', () => {
  const broken = (): never => {
    throw new Error('broken');
  };
  const processor = { onStart: () => {}, onEnd: () => {}, forceFlush: async () => {}, shutdown: async () => {} };
  const span = (parts: object) => () => ({ setAttribute: () => {}, setStatus: () => {}, end: () => {}, ...parts });

  test.each<[string, () => void]>([
    ['whose spans cannot be started', () => registerSpans({ ...processor, onStart: broken })],
    ['whose spans cannot be ended', () => registerSpans({ ...processor, onEnd: broken })],
    ['without a tracer', () => registerTracer(broken)],
    ['whose spans cannot be described', () => registerTracer(() => ({ startSpan: span({ setAttribute: broken }) }))],
    ['whose spans have no status', () => registerTracer(() => ({ startSpan: span({ setStatus: broken }) }))],
    ['without contexts', () => registerContexts({ active: broken })],
    ['that runs nothing', () => registerContexts({ with: () => undefined as never })],
    ['that fails before it runs what it is given', () => registerContexts({ with: broken })],
    [
      'that fails after it has run what it was given',
      () =>
        registerContexts({
          with: ((_: Context, run: () => unknown) => {
            run();
            return broken();
          }) as ContextManager['with'],
        }),
    ],
    ['without a meter', () => registerMeter(broken)],
    ['whose counters cannot count', () => registerMeter(() => meterWith({ add: broken }))],
  ])('%s', async (_, register) => {
    register();
    const send = vi.fn(async () => CREDENTIALS);
    expect(await telemetry.assumeRole(FACTS, send)).toBe(CREDENTIALS);
    expect(send).toHaveBeenCalledTimes(1);
    const error = new SessionBrokerError('Throttled', 'too many');
    const refuse = vi.fn(() => Promise.reject(error));
    await expect(telemetry.assumeRole(FACTS, refuse)).rejects.toBe(error);
    expect(refuse).toHaveBeenCalledTimes(1);
  });

  test('whose exporter never ends', async () => {
    registerSpans(new SimpleSpanProcessor({ export: () => {}, shutdown: async () => {} }));
    expect(await telemetry.assumeRole(FACTS, async () => CREDENTIALS)).toBe(CREDENTIALS);
  });

  test('whose API this package does not find', async () => {
    vi.resetModules();
    vi.doMock('@opentelemetry/api', broken);
    try {
      const { telemetry: alone } = await import('../../lib/runtime/telemetry.ts');
      expect(await alone.assumeRole(FACTS, async () => CREDENTIALS)).toBe(CREDENTIALS);
      expect(await alone.getParameter(PARAMETER_FACTS, async () => 'role')).toBe('role');
      expect(exporter.getFinishedSpans()).toEqual([]);
    } finally {
      vi.doUnmock('@opentelemetry/api');
    }
  });

  function registerSpans(spanProcessor: typeof processor | SimpleSpanProcessor): void {
    trace.disable();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [spanProcessor] }));
  }

  function registerTracer(getTracer: () => object): void {
    trace.disable();
    trace.setGlobalTracerProvider({ getTracer: getTracer as never });
  }

  function registerContexts(parts: Partial<ContextManager>): void {
    context.disable();
    context.setGlobalContextManager(Object.assign(new AsyncContexts(), parts));
  }

  function registerMeter(getMeter: () => object): void {
    metrics.disable();
    metrics.setGlobalMeterProvider({ getMeter: getMeter as never });
  }

  function meterWith(counter: object): object {
    const nothing = () => {};
    return {
      createObservableGauge: nothing,
      createObservableUpDownCounter: nothing,
      addBatchObservableCallback: nothing,
      createCounter: () => counter,
    };
  }
});

test('nothing that is exported holds a secret', async () => {
  const aws = await startFakeAws();
  const repeated = `bad ${CANARIES.join(' ')} end`;
  const provide = providerAgainst(aws);
  try {
    await provide();
    await provide({ forceRefresh: true });
    for (const answer of [
      stsError(403, 'AccessDenied', repeated),
      stsError(400, repeated, repeated),
      { status: 502, type: 'text/html', body: repeated, headers: { 'x-amzn-requestid': ISSUED.secretAccessKey } },
      (request: Parameters<typeof assumed>[0]) => assumed(request, Date.now, { sourceIdentity: 'agent.x.y' }),
    ]) {
      aws.on('AssumeRole', answer);
      await expect(providerAgainst(aws)()).rejects.toThrow();
    }
  } finally {
    await aws.close();
  }
  const spans = exporter.getFinishedSpans();
  const exported = inspect([spans, (await reader.collect()).resourceMetrics], {
    depth: Number.POSITIVE_INFINITY,
    maxStringLength: Number.POSITIVE_INFINITY,
    maxArrayLength: Number.POSITIVE_INFINITY,
  });
  expect(spans.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['session_broker.assumption', 'session_broker.renewal', 'session_broker.parameter_read']),
  );
  expect(exported).toContain('error.type');
  for (const secret of CANARIES) {
    expect(exported).not.toContain(secret);
    expect(exported).not.toContain(secret.slice(0, 30));
  }
});

test('docs/telemetry.md names all that is reported, with its unit, and nothing else', () => {
  const root = join(import.meta.dirname, '..', '..');
  const page = readFileSync(join(root, 'docs', 'telemetry.md'), 'utf8');
  const source = ['telemetry', 'open-telemetry', 'watched-sessions']
    .map((name) => readFileSync(join(root, 'lib', 'runtime', `${name}.ts`), 'utf8'))
    .join('\n');
  const namesIn = (text: string, pattern: RegExp) =>
    [...new Set(Array.from(text.matchAll(pattern), ([, name]) => name))].sort();
  const spans = ['session_broker.assumption', 'session_broker.renewal', 'session_broker.parameter_read'];
  expect(namesIn(page, /`(session_broker\.\w+)`/g)).toEqual(
    [...namesIn(source, /'(session_broker\.\w+)'/g), ...spans].sort(),
  );
  for (const [, name, unit] of source.matchAll(/'(session_broker\.\w+)', \{\s+description: .*\s+unit: '(.*)'/g)) {
    expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\| [a-z -]+ \\| \`${unit}\` \\|`, 'm'));
  }
});
