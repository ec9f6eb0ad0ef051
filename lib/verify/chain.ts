import { quote } from '../errors.ts';
import { createSessionIdentity, formatSourceIdentity, type RoleArn } from '../identity/index.ts';
import type { Account } from '../sdk/account.ts';
import { type Attempt, attemptAssumeRole, describeDenial, judgeRefusal } from './attempt.ts';
import type { Hop } from './hop.ts';
import type { CallStep } from './step.ts';

/** What becomes of a session's name in a role that it goes on to. */
export interface Chained {
  readonly steps: readonly CallStep[];
  /** Of the call that went on, if it was admitted. */
  readonly requestId?: string | undefined;
}

/**
 * Goes on from the session to another role: without a source identity, as sessions do, under another one and under
 * the same again.
 * @param session STS as the session asks it
 */
export async function chainSteps(
  { identity, sourceIdentity }: Pick<Hop, 'identity' | 'sourceIdentity'>,
  session: Account,
  { arn }: RoleArn,
): Promise<Chained> {
  const go = (SourceIdentity?: string): Promise<Attempt> =>
    attemptAssumeRole(session, { RoleArn: arn, RoleSessionName: sourceIdentity, SourceIdentity });
  const plain = await go();
  const keeps = keepsName(plain, arn, sourceIdentity);
  if (plain.denial !== undefined) return { steps: [keeps] };

  const { tenant, workflow } = identity;
  const other = formatSourceIdentity(createSessionIdentity({ tenant, workflow, session: 'verify-other' }));
  const refuses = judgeRefusal(await go(other), {
    step: 'chain-refuses-other-name',
    asked: `a session of ${arn} that changes its name to ${other}`,
    remedy: 'AWS documents that a source identity cannot be changed: check the endpoint, and report it',
  });
  return {
    steps: [keeps, refuses, sameAgain(await go(sourceIdentity), arn, sourceIdentity)],
    requestId: plain.requestId,
  };
}

function keepsName({ denial, sourceIdentity: kept }: Attempt, arn: string, name: string): CallStep {
  const step = 'chain-keeps-name';
  if (denial !== undefined) {
    return {
      step,
      outcome: 'failed',
      evidence: `STS refused to go on to ${arn} with ${describeDenial(denial)}; have its trust policy allow sts:AssumeRole and sts:SetSourceIdentity to the session-broker role`,
      denial,
    };
  }
  if (kept === undefined) {
    return {
      step,
      outcome: 'not exercised',
      evidence: `STS gave a session of ${arn} and did not say under which source identity; the events of that session in CloudTrail do`,
    };
  }
  return kept === name
    ? { step, outcome: 'passed', evidence: `STS gave a session of ${arn} that is still ${name}` }
    : { step, outcome: 'failed', evidence: `STS gave a session of ${arn} as ${quote(kept)}, it must still be ${name}` };
}

function sameAgain({ denial, sourceIdentity: kept }: Attempt, arn: string, name: string): CallStep {
  const step = 'chain-same-name-again';
  if (denial !== undefined) {
    return { step, outcome: 'passed', evidence: `STS refused it for ${arn} with ${describeDenial(denial)}`, denial };
  }
  return kept === name
    ? { step, outcome: 'passed', evidence: `STS gave a session of ${arn} as ${name}` }
    : {
        step,
        outcome: 'failed',
        evidence: `STS gave a session of ${arn} that must be ${name}, and is ${kept === undefined ? 'nobody' : quote(kept)}`,
      };
}
