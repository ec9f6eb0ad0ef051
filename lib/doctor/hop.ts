import {
  evaluate,
  evaluateAssumeRole,
  type PoliciesInForce,
  type Requester,
  requesterContext,
  type Verdict,
} from '../policy/index.ts';
import type { ExpectedTenant } from './expected.ts';
import { type PolicyFacts, type RoleFacts, valueOr } from './facts.ts';
import type { SessionTags } from './pod-identity.ts';
import {
  contextAt,
  knowsKeys,
  onRecord,
  principalTagPrefixes,
  someSourceIdentity,
  tagContext,
  taggingOf,
  tagPrefixes,
  trusting,
} from './requests.ts';

/** What a dispatcher asks of IAM to start a session. */
export type HopAction = 'ssm:GetParameter' | 'sts:AssumeRole' | 'sts:SetSourceIdentity' | 'sts:TagSession';

/** The requests by which the tenant role starts a session. */
export interface Hop {
  /** What the evaluator says of each. */
  readonly decide: (policies: PoliciesInForce) => ReadonlyMap<HopAction, Verdict>;
  /** Whether a condition key of theirs is known, be it that it is absent. */
  readonly isKnown: (key: string) => boolean;
}

export interface HopFacts {
  readonly expected: ExpectedTenant;
  readonly role: RoleFacts;
  readonly tenantRole: RoleFacts;
  /** Those of EKS Pod Identity. */
  readonly sessionTags: SessionTags;
  readonly now: Date;
}

/** How an SDK may call a session of the tenant role. */
const CALLER_SESSION = 'dispatcher';

export function hopOf({ expected, role, tenantRole, sessionTags, now }: HopFacts): Hop {
  const { cluster, roleArn, parameters, tenantRole: caller } = expected;
  const requester: Requester = {
    kind: 'role-session',
    roleArn: caller.arn,
    roleId: valueOr(tenantRole.id, undefined),
    sessionName: CALLER_SESSION,
  };
  const sourceIdentity = someSourceIdentity(expected);
  const context = { ...contextAt(now, expected), ...tagContext(['aws:PrincipalTag'], tenantRole) };
  const attempt = {
    requester,
    roleArn,
    roleSessionName: sourceIdentity,
    sourceIdentity,
    ...taggingOf(sessionTags),
    context: {
      ...context,
      ...tagContext(['aws:ResourceTag', 'iam:ResourceTag'], role),
      'aws:ResourceAccount': cluster.account,
    },
  };
  const [parameter] = parameters;
  // Parameters do not cross accounts: such a dispatcher is given the role's ARN.
  const isFound = parameter !== undefined && caller.account === cluster.account;
  const findRole = { requester, action: 'ssm:GetParameter', resource: parameter?.arn ?? '', context };
  return {
    decide: (policies) => {
      const { steps } = evaluateAssumeRole(attempt, policies);
      const verdicts = new Map(steps.map(({ action, verdict }) => [action as HopAction, verdict]));
      const { resource: _, ...own } = policies;
      if (isFound) verdicts.set('ssm:GetParameter', evaluate(findRole, own));
      return verdicts;
    },
    isKnown: knowsKeys({ ...requesterContext(requester), ...attempt.context }, [
      'sts:',
      ...principalTagPrefixes(tenantRole, sessionTags),
      ...tagPrefixes(['aws:ResourceTag', 'iam:ResourceTag'], role),
    ]),
  };
}

/** A trust policy that names the tenant role as ours does. */
export function openTrust({ tenantRole }: ExpectedTenant): PolicyFacts {
  return onRecord(trusting(tenantRole.arn));
}

/** A trust policy that leaves it to the tenant role's own policies. */
export function delegatingTrust({ tenantRole: { partition, account } }: ExpectedTenant): PolicyFacts {
  return onRecord(trusting(`arn:${partition}:iam::${account}:root`));
}
