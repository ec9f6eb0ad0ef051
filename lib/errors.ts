/**
 * What a caller may do about an error, by code. A code is a public contract: its name and row never change
 * meaning.
 *
 * `retryable`: the same call may succeed later without a change. `exitCode`: what a command exits with:
 * 2 bad input, 3 not deployed, 4 refused by AWS, 5 out of reach for now, 126 and 127 as shells say
 * that a command cannot be started, 1 anything else.
 */
export const ERRORS = {
  // The one string (lib/identity).
  IdentityColonForm: { retryable: false, exitCode: 2 },
  IdentityClass: { retryable: false, exitCode: 2 },
  IdentitySegments: { retryable: false, exitCode: 2 },
  IdentityTooLong: { retryable: false, exitCode: 2 },
  IdentityWildcard: { retryable: false, exitCode: 2 },
  IdentityPolicyVariable: { retryable: false, exitCode: 2 },
  IdentityLineBreak: { retryable: false, exitCode: 2 },
  IdentityNonAscii: { retryable: false, exitCode: 2 },
  SegmentDot: { retryable: false, exitCode: 2 },
  TenantEmpty: { retryable: false, exitCode: 2 },
  TenantUpperCase: { retryable: false, exitCode: 2 },
  TenantInvalid: { retryable: false, exitCode: 2 },
  WorkflowEmpty: { retryable: false, exitCode: 2 },
  WorkflowUpperCase: { retryable: false, exitCode: 2 },
  WorkflowInvalid: { retryable: false, exitCode: 2 },
  SessionEmpty: { retryable: false, exitCode: 2 },
  SessionInvalid: { retryable: false, exitCode: 2 },
  ClusterEmpty: { retryable: false, exitCode: 2 },
  ClusterUpperCase: { retryable: false, exitCode: 2 },
  ClusterInvalid: { retryable: false, exitCode: 2 },
  NameTooLong: { retryable: false, exitCode: 2 },
  ParameterPrefixInvalid: { retryable: false, exitCode: 2 },
  IamPathInvalid: { retryable: false, exitCode: 2 },
  RoleArnInvalid: { retryable: false, exitCode: 2 },
  RegionInvalid: { retryable: false, exitCode: 2 },
  // Policies (lib/policy).
  PrincipalNotAllowed: { retryable: false, exitCode: 2 },
  PolicyTooLarge: { retryable: false, exitCode: 2 },
  PolicyNotUnderstood: { retryable: false, exitCode: 2 },
  PolicyUnreadable: { retryable: false, exitCode: 2 },
  // The configuration and what is made of it (lib/config, lib/constructs).
  ConfigUnreadable: { retryable: false, exitCode: 2 },
  ConfigInvalid: { retryable: false, exitCode: 2 },
  TemplateRefused: { retryable: false, exitCode: 2 },
  AssemblyUnreadable: { retryable: false, exitCode: 2 },
  SynthesisFailed: { retryable: false, exitCode: 1 },
  // The runtime (lib/runtime).
  RoleUnresolved: { retryable: false, exitCode: 2 },
  RegionUnresolved: { retryable: false, exitCode: 2 },
  DurationOutOfRange: { retryable: false, exitCode: 2 },
  SessionPolicyInvalid: { retryable: false, exitCode: 2 },
  SessionPolicyTooLarge: { retryable: false, exitCode: 2 },
  PolicyArnInvalid: { retryable: false, exitCode: 2 },
  EndpointInvalid: { retryable: false, exitCode: 2 },
  EndpointInsecure: { retryable: false, exitCode: 2 },
  ParameterNotFound: { retryable: false, exitCode: 3 },
  ParameterInvalid: { retryable: false, exitCode: 3 },
  ParameterAccessDenied: { retryable: false, exitCode: 4 },
  DispatcherCredentialsMissing: { retryable: false, exitCode: 4 },
  DispatcherCredentialsRejected: { retryable: false, exitCode: 4 },
  AssumeRoleDenied: { retryable: false, exitCode: 4 },
  SetSourceIdentityDenied: { retryable: false, exitCode: 4 },
  SourceIdentityMismatch: { retryable: false, exitCode: 4 },
  RequestRejected: { retryable: false, exitCode: 4 },
  RegionDisabled: { retryable: false, exitCode: 4 },
  ClockSkew: { retryable: false, exitCode: 4 },
  Throttled: { retryable: true, exitCode: 5 },
  Unavailable: { retryable: true, exitCode: 5 },
  ResponseInvalid: { retryable: true, exitCode: 5 },
  SessionClosed: { retryable: false, exitCode: 1 },
  // An account as somebody with credentials of their own asks about it (lib/sdk).
  AccessDenied: { retryable: false, exitCode: 4 },
  EntityNotFound: { retryable: false, exitCode: 3 },
  CredentialsMissing: { retryable: false, exitCode: 4 },
  CredentialsRejected: { retryable: false, exitCode: 4 },
  // What doctor reads from files (lib/doctor).
  InputUnreadable: { retryable: false, exitCode: 2 },
  // The acceptance (lib/verify).
  ResultInvalid: { retryable: false, exitCode: 2 },
  ResultUnwritable: { retryable: false, exitCode: 2 },
  ReaderAccountMismatch: { retryable: false, exitCode: 2 },
  // Commands and the local account (lib/cli, lib/local).
  UsageInvalid: { retryable: false, exitCode: 2 },
  OutputUnwritable: { retryable: false, exitCode: 1 },
  ListenFailed: { retryable: false, exitCode: 5 },
  LogUnwritable: { retryable: false, exitCode: 2 },
  TokenFileUnwritable: { retryable: false, exitCode: 2 },
  CredentialProcessLoop: { retryable: false, exitCode: 2 },
  CommandNotExecutable: { retryable: false, exitCode: 126 },
  CommandNotFound: { retryable: false, exitCode: 127 },
  QuickstartFailed: { retryable: false, exitCode: 1 },
} as const satisfies Record<string, { retryable: boolean; exitCode: number }>;

/** Every code that a {@link SessionBrokerError} can carry. */
export type ErrorCode = keyof typeof ERRORS;

export interface SessionBrokerErrorOptions {
  /** The error that was translated into this one. */
  readonly cause?: unknown;
  /** Facts about the error for programs, named as in the message. Never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class of this package.
 *
 * It does not extend the SDK's `CredentialsProviderError`: that class lets a provider chain fall through to
 * other credentials, and a session without its name must not start.
 */
export class SessionBrokerError extends Error {
  override readonly name = 'SessionBrokerError';
  /** Stable name of the fault. */
  readonly code: ErrorCode;
  /** Facts about the error for programs, named as in the message. */
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: SessionBrokerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail ?? {};
  }

  /** Whether the same call may succeed later without a change. */
  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  /** The exit code of a command that ends with this error. */
  get exitCode(): number {
    return ERRORS[this.code].exitCode;
  }
}

/** Longest value that a message repeats, in characters. */
const QUOTED_LENGTH = 100;

/** Of a whole document: enough to know it again, and too little for a secret. */
const BEGINNING_LENGTH = 11;

/**
 * A value as a message shows it: JSON, with everything outside printable ASCII escaped so that a look-alike
 * letter or a control character is visible, and cut after {@link QUOTED_LENGTH} characters.
 */
export function quote(value: unknown): string {
  return quoteUpTo(QUOTED_LENGTH, value);
}

/**
 * The beginning of a document that is not what it should be, as {@link quote} shows a value. In its place somebody may
 * have given a file of credentials.
 */
export function quoteBeginning(value: unknown): string {
  return quoteUpTo(BEGINNING_LENGTH, value);
}

function quoteUpTo(length: number, value: unknown): string {
  const text = typeof value === 'string' ? value : textOf(value);
  const shown = text.slice(0, length);
  const quoted = typeof value === 'string' ? JSON.stringify(shown) : shown;
  const escaped = printable(quoted);
  return text.length > length ? `${escaped}... (${text.length} characters)` : escaped;
}

/** JSON, or the kind of a value that has none: one that is nested too deeply, or that stands in itself. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** A text with everything outside printable ASCII escaped, as {@link quote} does: a terminal acts on some of it. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
