import type { Counter, Meter, MeterProvider } from '@opentelemetry/api';
import { remainingByTenant } from './watched-sessions.ts';

export type OpenTelemetry = typeof import('@opentelemetry/api');

/** The name of our tracer and of our meter. */
export const INSTRUMENTATION = 'session-broker';

/** Where the API keeps what is registered, in every 1.x and for every copy of the package in a process. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

/** Whether the host has registered an SDK, for spans or for metrics. */
export function isRegistered(): boolean {
  const registry = (globalThis as { readonly [REGISTRY]?: { readonly trace?: unknown; readonly metrics?: unknown } })[
    REGISTRY
  ];
  return registry?.trace !== undefined || registry?.metrics !== undefined;
}

let api: Promise<OpenTelemetry | undefined> | undefined;

/** The API, loaded at the first call; undefined if this package does not find it. */
export function loadOpenTelemetry(): Promise<OpenTelemetry | undefined> {
  api ??= import('@opentelemetry/api').catch(() => undefined);
  return api;
}

export interface Instruments {
  readonly assumptions: Counter;
  readonly renewals: Counter;
  readonly refusals: Counter;
}

let opened: { readonly provider: MeterProvider; readonly instruments: Instruments } | undefined;

/** The instruments of the registered SDK. The API has no stand-in for a meter that is registered later. */
export function instrumentsOf({ metrics }: OpenTelemetry): Instruments {
  const provider = metrics.getMeterProvider();
  if (opened?.provider !== provider) {
    opened = { provider, instruments: createInstruments(provider.getMeter(INSTRUMENTATION)) };
  }
  return opened.instruments;
}

function createInstruments(meter: Meter): Instruments {
  observeSessions(meter);
  return {
    assumptions: meter.createCounter('session_broker.assumptions', {
      description: 'Sessions that obtained their first credentials.',
      unit: '{assumption}',
    }),
    renewals: meter.createCounter('session_broker.renewals', {
      description: 'Renewals of credentials that succeeded.',
      unit: '{renewal}',
    }),
    refusals: meter.createCounter('session_broker.refusals', {
      description: 'Assumptions, renewals and reads of a parameter that failed.',
      unit: '{refusal}',
    }),
  };
}

/** The metrics of the sessions that are watched: worked out whenever the SDK collects them. */
function observeSessions(meter: Meter): void {
  const sessions = meter.createObservableUpDownCounter('session_broker.sessions', {
    description: 'Sessions that hold credentials.',
    unit: '{session}',
  });
  const timeToExpiry = meter.createObservableGauge('session_broker.time_to_expiry', {
    description: "Time until the first of a tenant's sessions expires; 0 once it has.",
    unit: 's',
  });
  // A tenant whose last session has ended is reported with none: the SDK repeats the last value that it has seen.
  const tenants = new Set<string>();
  meter.addBatchObservableCallback(
    (result) => {
      const found = remainingByTenant();
      for (const tenant of found.keys()) tenants.add(tenant);
      for (const tenant of tenants) {
        const labels = { 'session_broker.tenant': tenant };
        const remaining = found.get(tenant);
        result.observe(sessions, remaining?.count ?? 0, labels);
        if (remaining !== undefined) result.observe(timeToExpiry, remaining.seconds, labels);
      }
    },
    [sessions, timeToExpiry],
  );
}
