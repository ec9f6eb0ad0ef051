/** `not exercised`: it says nothing, neither for nor against. */
export type Outcome = 'passed' | 'failed' | 'not exercised';

/** What AWS said as it refused a call. */
export interface Denial {
  /** AWS's error code. */
  readonly code: string;
  /** The action that its text names, such as `sts:AssumeRole`. */
  readonly action?: string | undefined;
  /** Its text, without what could be a secret. */
  readonly message: string;
}

/** What one step of the acceptance came to. */
export interface Step<Name extends string = string> {
  readonly step: Name;
  readonly outcome: Outcome;
  /** One sentence in printable ASCII. */
  readonly evidence: string;
  /** The refusal that it brought about. */
  readonly denial?: Denial | undefined;
}

/** The steps that are made with the dispatcher's and the session's credentials, in their order. */
export const CALL_STEPS = [
  'hop',
  'hop-without-caller-policy',
  'caller-identity',
  'refuse-no-identity',
  'refuse-other-tenant',
  'refuse-long-session',
  'refuse-other-session-name',
  'chain-keeps-name',
  'chain-refuses-other-name',
  'chain-same-name-again',
] as const;
export type CallStep = Step<(typeof CALL_STEPS)[number]>;

/** The steps that are read from CloudTrail. */
export const EVENT_STEPS = [
  'event-of-hop',
  'event-of-call',
  'event-of-chain',
  'event-of-refused-no-identity',
  'event-of-refused-other-tenant',
] as const;

/** An event that CloudTrail must show. Until it does, the step is not exercised. */
export interface EventStep extends Step<(typeof EVENT_STEPS)[number]> {
  readonly eventName: 'AssumeRole' | 'GetCallerIdentity';
  /** The id that AWS gave to the call. */
  readonly requestId: string;
  /** What the event of a refused call has as its `requestParameters`. */
  readonly request?: 'null' | 'without sourceIdentity' | 'with sourceIdentity' | undefined;
}
