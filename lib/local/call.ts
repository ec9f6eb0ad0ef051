import type { Verdict } from '../policy/index.ts';
import type { EventResource } from './event.ts';
import type { EventHistory } from './event-history.ts';
import type { Quotas } from './quotas.ts';
import type { Caller, Credential, Store, WebIdentity } from './store.ts';
import type { WebIdentityIssuer } from './web-identity.ts';

/** How one IAM action of a call was decided. */
export interface DecisionStep {
  readonly action: string;
  /** ARN. */
  readonly resource: string;
  readonly verdict: Verdict;
}

/** Why a call was answered as it was: what AWS does not tell its callers. */
export interface Decision {
  /** As in the answer's header and the event. */
  readonly requestId: string;
  /** `sts:AssumeRole`, as the operation is called; what was asked of IAM is in `steps`. */
  readonly operation: string;
  readonly allowed: boolean;
  /** The code that was answered. */
  readonly errorCode?: string | undefined;
  /** One sentence for people. */
  readonly reason: string;
  /** Each IAM action that was decided, in order. */
  readonly steps: readonly DecisionStep[];
}

/** A call while it is being answered. */
export interface Call {
  readonly service: string;
  readonly operation: string;
  readonly region: string;
  readonly time: Date;
  readonly requestId: string;
  readonly userAgent: string;
  readonly sourceIpAddress: string;
  /** Absent: the operation takes unsigned calls. */
  readonly credential: Credential | undefined;
  /** Decisions so far. */
  readonly steps: DecisionStep[];
  /** What the event tells beside the answer: filled in once the caller is known to be allowed. */
  readonly record: {
    webIdentity?: WebIdentity;
    /** What the call handed out. */
    issued?: Credential;
    requestParameters?: Readonly<Record<string, unknown>>;
    responseElements?: Readonly<Record<string, unknown>>;
    resources?: readonly EventResource[];
    /** The account that an unsigned call is about, or the other one that a call reaches. */
    resourceAccount?: string;
  };
}

/** What operations work on. */
export interface Environment {
  readonly store: Store;
  readonly issuer: WebIdentityIssuer;
  readonly quotas: Quotas;
  readonly history: EventHistory;
}

/** The caller of an operation that takes signed calls only. */
export function callerOf(call: Call): Caller {
  if (call.credential === undefined) throw new TypeError(`${call.operation} takes signed calls only`);
  return call.credential.caller;
}
