import { SessionBrokerError } from '../errors.ts';
import type { Account } from '../sdk/account.ts';
import type { CallStep, Denial } from './step.ts';

/** What is sent to STS, parameter for parameter. */
export interface AssumeRoleInput {
  readonly RoleArn: string;
  readonly RoleSessionName: string;
  readonly SourceIdentity?: string | undefined;
  /** Seconds. */
  readonly DurationSeconds?: number | undefined;
}

/** What became of a call that is made to see what becomes of it. */
export interface Attempt {
  /** Absent: STS gave a session. */
  readonly denial?: Denial | undefined;
  /** The source identity that STS answered with. */
  readonly sourceIdentity?: string | undefined;
  readonly requestId?: string | undefined;
}

/**
 * Calls AssumeRole and looks at the answer. Credentials in it are dropped at once: whatever they are worth, nothing
 * that is tried here may use them.
 * @throws {SessionBrokerError} what a call ends in that AWS neither admits nor refuses, see `Account`
 */
export async function attemptAssumeRole(account: Account, input: AssumeRoleInput): Promise<Attempt> {
  try {
    const { SourceIdentity, $metadata } = await account.sts(
      { action: 'sts:AssumeRole', resource: input.RoleArn },
      (sts, { AssumeRoleCommand }, options) => sts.send(new AssumeRoleCommand(input), options),
    );
    return { sourceIdentity: SourceIdentity, requestId: $metadata.requestId };
  } catch (error) {
    return refusalOf(error);
  }
}

/** AWS has decided against the call; with other codes it has not decided at all. */
const REFUSALS = ['AccessDenied', 'RequestRejected'];

function refusalOf(error: unknown): Attempt {
  if (!(error instanceof SessionBrokerError) || !REFUSALS.includes(error.code)) throw error;
  const { awsCode, requestId } = error.detail as { readonly awsCode: string; readonly requestId?: string };
  const { message } = error.cause as Error;
  const [, action] = /not authorized to perform: (sts:[A-Za-z]+)/.exec(message) ?? [];
  return { denial: { code: awsCode, action, message }, requestId };
}

/** A refusal as evidence tells it. */
export function describeDenial({ code, action, message }: Denial): string {
  return `${code}${action === undefined ? '' : `, which names ${action}`}: ${JSON.stringify(message)}`;
}

/** What has to be refused, and how it is told. */
export interface Forbidden {
  readonly step: CallStep['step'];
  /** What was asked for: `a session without a source identity`. */
  readonly asked: string;
  /** The code that refuses it. Absent: any. */
  readonly code?: string | undefined;
  /** What to do if it is admitted. */
  readonly remedy: string;
}

/** The step of an attempt that AWS must refuse, for the right reason. */
export function judgeRefusal({ denial }: Attempt, { step, asked, code, remedy }: Forbidden): CallStep {
  if (denial === undefined) {
    return {
      step,
      outcome: 'failed',
      evidence: `ADMITTED: STS gave ${asked}, whose credentials were thrown away at once; ${remedy}`,
    };
  }
  const isRight = code === undefined || denial.code === code;
  return {
    step,
    outcome: isRight ? 'passed' : 'failed',
    evidence: `STS refused ${asked} with ${describeDenial(denial)}${isRight ? '' : `; it must refuse it with ${code}`}`,
    denial,
  };
}
