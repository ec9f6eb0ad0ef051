import type { Attributes, Span } from '@opentelemetry/api';
import { SessionBrokerError } from '../errors.ts';
import { formatSourceIdentity, type SessionIdentity } from '../identity/index.ts';
import {
  INSTRUMENTATION,
  type Instruments,
  instrumentsOf,
  isRegistered,
  loadOpenTelemetry,
  type OpenTelemetry,
} from './open-telemetry.ts';
import { quietly } from './quietly.ts';
import { type WatchedSessions, watchSessions } from './watched-sessions.ts';

export type { WatchedSession, WatchedSessions } from './watched-sessions.ts';

/** What is said of a session's call of STS. */
export interface AssumeRoleFacts {
  readonly identity: SessionIdentity;
  readonly roleArn: string;
  readonly region: string;
  /** Whether the session has had credentials before. */
  readonly isRenewal: boolean;
}

/** What is said of the read of a tenant's parameter. */
export interface GetParameterFacts {
  readonly tenant: string;
  readonly parameter: string;
  readonly region: string;
}

/**
 * Spans and metrics of the runtime. Without an OpenTelemetry SDK of the host they cost the look at one global, and
 * what goes wrong in one never reaches a session.
 */
export interface Telemetry {
  /** Runs one assumption or renewal, its checks and retries included, and passes on how it ends. */
  assumeRole<Credentials>(facts: AssumeRoleFacts, send: () => Promise<Credentials>): Promise<Credentials>;
  /** Runs the read of a tenant's parameter, its checks included, and passes on how it ends. */
  getParameter<Result>(facts: GetParameterFacts, send: () => Promise<Result>): Promise<Result>;
  /**
   * Reports the number and the time to expiry of a broker's sessions, those that join or leave later included.
   * @param sessions the broker's own collection, which is held weakly: one made for this call is soon gone
   * @param now milliseconds since the epoch
   * @returns what ends it
   */
  watch(sessions: WatchedSessions, now: () => number): () => void;
}

/** The telemetry of this process. */
export const telemetry: Telemetry = {
  assumeRole: ({ identity, roleArn, region, isRenewal }, send) =>
    observe(
      isRenewal ? 'renewal' : 'assumption',
      identity.tenant,
      () => ({
        'session_broker.source_identity': formatSourceIdentity(identity),
        'session_broker.role_arn': roleArn,
        'cloud.region': region,
      }),
      send,
    ),
  getParameter: ({ tenant, parameter, region }, send) =>
    observe('parameter_read', tenant, () => ({ 'session_broker.parameter': parameter, 'cloud.region': region }), send),
  watch: watchSessions,
};

/** As spans and the metric of refusals name it. */
type Operation = 'assumption' | 'renewal' | 'parameter_read';

/** The metric of successes, for the operations that have one. */
const SUCCESSES: Readonly<Record<Operation, keyof Instruments | undefined>> = {
  assumption: 'assumptions',
  renewal: 'renewals',
  parameter_read: undefined,
};

function observe<Result>(
  operation: Operation,
  tenant: string,
  describe: () => Attributes,
  send: () => Promise<Result>,
): Promise<Result> {
  return isRegistered() ? observeWith(loadOpenTelemetry(), operation, tenant, describe, send) : send();
}

async function observeWith<Result>(
  loading: Promise<OpenTelemetry | undefined>,
  operation: Operation,
  tenant: string,
  describe: () => Attributes,
  send: () => Promise<Result>,
): Promise<Result> {
  const api = await loading;
  if (api === undefined) return send();
  const labels = { 'session_broker.tenant': tenant };
  const span = quietly(() =>
    api.trace.getTracer(INSTRUMENTATION).startSpan(`session_broker.${operation}`, {
      // A renewal serves every caller, and begins in the context of one that may have ended long ago.
      root: operation === 'renewal',
      attributes: { ...labels, ...describe() },
    }),
  );
  try {
    const result = await runWithin(api, span, send);
    const success = SUCCESSES[operation];
    if (success !== undefined) quietly(() => instrumentsOf(api)[success].add(1, labels));
    return result;
  } catch (error) {
    const type = error instanceof SessionBrokerError ? error.code : '_OTHER';
    quietly(() => span && describeFailure(api, span, type, error));
    quietly(() =>
      instrumentsOf(api).refusals.add(1, { ...labels, 'session_broker.operation': operation, 'error.type': type }),
    );
    throw error;
  } finally {
    quietly(() => span?.end());
  }
}

/** Runs once, under the span where the host's telemetry can do that. */
function runWithin<Result>(
  { context, trace }: OpenTelemetry,
  span: Span | undefined,
  send: () => Promise<Result>,
): Promise<Result> {
  let sent: Promise<Result> | undefined;
  const run = (): Promise<Result> => {
    sent ??= (async () => send())();
    return sent;
  };
  if (span !== undefined) quietly(() => context.with(trace.setSpan(context.active(), span), run));
  return run();
}

/** A request id of STS or Systems Manager; what else an answer may hold in its place is not passed on. */
const REQUEST_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The messages of this package's errors hold no secret; those of others may. */
function describeFailure({ SpanStatusCode }: OpenTelemetry, span: Span, type: string, error: unknown): void {
  span.setAttribute('error.type', type);
  if (!(error instanceof SessionBrokerError)) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    return;
  }
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  const { status, requestId } = error.detail;
  if (typeof status === 'number') span.setAttribute('http.response.status_code', status);
  if (typeof requestId === 'string' && REQUEST_ID.test(requestId)) span.setAttribute('aws.request_id', requestId);
}
