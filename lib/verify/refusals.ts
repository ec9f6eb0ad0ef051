import { createSessionIdentity, formatSourceIdentity, SESSION_DURATION_SECONDS } from '../identity/index.ts';
import { type Attempt, attemptAssumeRole, judgeRefusal } from './attempt.ts';
import type { Hop } from './hop.ts';
import type { CallStep } from './step.ts';

/** A step and the id of the call that it made. */
export interface Refused {
  readonly step: CallStep;
  readonly requestId: string | undefined;
}

/** The hop as it was admitted, but without a source identity. */
export async function refuseNoIdentityStep({ dispatcher, role, sourceIdentity }: Hop): Promise<Refused> {
  const attempt = await attemptAssumeRole(dispatcher, { RoleArn: role.arn, RoleSessionName: sourceIdentity });
  return refused(attempt, {
    step: 'refuse-no-identity',
    asked: 'a session without a source identity',
    code: 'AccessDenied',
    remedy: CORRECT_TRUST,
  });
}

const CORRECT_TRUST = "deploy the tenant's stack again, which restores the role's trust policy";

/** The hop as it was admitted, but under the name of a tenant whose own name begins with this one's. */
export async function refuseOtherTenantStep({ dispatcher, role, identity }: Hop): Promise<Refused> {
  const { tenant, workflow } = identity;
  const other = formatSourceIdentity(createSessionIdentity({ tenant: `${tenant}-x`, workflow, session: 'verify' }));
  const attempt = await attemptAssumeRole(dispatcher, {
    RoleArn: role.arn,
    RoleSessionName: other,
    SourceIdentity: other,
  });
  return refused(attempt, {
    step: 'refuse-other-tenant',
    asked: `a session under the name ${other} of another tenant`,
    code: 'AccessDenied',
    remedy: CORRECT_TRUST,
  });
}

/** Seconds: one more than role chaining allows. */
const TOO_LONG = SESSION_DURATION_SECONDS.max + 1;

/** The hop as it was admitted, but for longer than role chaining allows. */
export async function refuseLongSessionStep({ dispatcher, role, sourceIdentity }: Hop): Promise<Refused> {
  const attempt = await attemptAssumeRole(dispatcher, {
    RoleArn: role.arn,
    RoleSessionName: sourceIdentity,
    SourceIdentity: sourceIdentity,
    DurationSeconds: TOO_LONG,
  });
  return refused(attempt, {
    step: 'refuse-long-session',
    asked: `a session of ${TOO_LONG} seconds`,
    code: 'ValidationError',
    remedy: `run the dispatcher as the tenant role, whose sessions chain, and deploy the tenant's stack again, which sets the role's maximum to ${SESSION_DURATION_SECONDS.max} seconds`,
  });
}

/** The hop as it was admitted, but under a role session name that is not the source identity. */
export async function refuseOtherSessionNameStep({ dispatcher, role, sourceIdentity }: Hop): Promise<Refused> {
  const attempt = await attemptAssumeRole(dispatcher, {
    RoleArn: role.arn,
    RoleSessionName: 'session-broker-verify',
    SourceIdentity: sourceIdentity,
  });
  return refused(attempt, {
    step: 'refuse-other-session-name',
    asked: 'a session whose role session name is not its source identity',
    code: 'AccessDenied',
    remedy: `${CORRECT_TRUST}, or set roleSessionName to free`,
  });
}

function refused(attempt: Attempt, forbidden: Parameters<typeof judgeRefusal>[1]): Refused {
  return { step: judgeRefusal(attempt, forbidden), requestId: attempt.requestId };
}
