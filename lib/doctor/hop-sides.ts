import { scopePatterns } from '../identity/index.ts';
import type { PolicyKind, Statement, Verdict } from '../policy/index.ts';
import { type Known, known, NotKnown, need, type PolicyFacts } from './facts.ts';
import type { Severity } from './findings.ts';
import type { HopAction } from './hop.ts';
import { type Judgement, judge, understood } from './judge.ts';
import { type SessionTags, sessionTagsOf } from './pod-identity.ts';
import { type Repair, withoutDenials, withStatements } from './repair.ts';
import { OPEN } from './requests.ts';
import { brokerRole, hopOfCase, type TenantCase } from './tenant-case.ts';

/** The actions whose requests say a source identity. */
const NAMED: readonly string[] = ['sts:AssumeRole', 'sts:SetSourceIdentity'];

/** How one side judges the hop. */
export type Judged = ReadonlyMap<HopAction, Judgement>;

/** How a trust policy of the session-broker role judges the hop. */
export function judgeTrustSide(tested: TenantCase, trust: unknown): Judged {
  const hop = hopOfCase(tested);
  const resource = { name: 'trust policy', document: known(trust) };
  return judge(hop.decide, { identity: [OPEN], resource }, hop.isKnown);
}

/** Whether sessions of the session-broker role have session tags, which the tenant role's pass on. */
export function inheritedTags(tested: TenantCase): SessionTags {
  const { tenantRole, podIdentities } = tested.facts;
  const { trust } = brokerRole(tested);
  if ('unknown' in tenantRole || 'unknown' in trust) return 'unknown';
  if (tenantRole.value === undefined) return 'none';
  const tags = sessionTagsOf(podIdentities, tenantRole.value);
  if (tags !== 'some') return tags;
  // Sessions whose tags are not let in do not start, which is told by itself.
  return judgeTrustSide(tested, trust.value).get('sts:TagSession')?.decision === 'allowed' ? 'some' : 'none';
}

/** Requests of the hop that a side refuses in one way. */
export interface Refusal {
  readonly actions: readonly HopAction[];
  /** Of the first. */
  readonly verdict: Verdict;
}

/** The requests that a policy denies in so many words. */
export function denialBy(judged: Judged, policyName: string): Refusal | undefined {
  return refusal(judged, ({ decidedBy }) => decidedBy?.policy === policyName);
}

/** The requests that nothing of a kind allows. */
export function omissionOf(judged: Judged, kind: PolicyKind): Refusal | undefined {
  return refusal(judged, ({ missing }) => missing === kind);
}

function refusal(judged: Judged, isMeant: (verdict: Verdict) => boolean): Refusal | undefined {
  const refused = [...judged].flatMap(([action, judgement]) =>
    judgement.decision === 'denied' && isMeant(judgement.verdict) ? [{ action, verdict: judgement.verdict }] : [],
  );
  const [first] = refused;
  return first && { actions: refused.map(({ action }) => action), verdict: first.verdict };
}

/**
 * Ends a check whose side could not be judged in full.
 * @throws {NotKnown}
 */
export function assertDecided(judged: Judged): void {
  for (const judgement of judged.values()) {
    if (judgement.decision === 'undecided') throw new NotKnown(judgement.unknown);
  }
}

/** Without the parameter the dispatcher can still be given the role's ARN. */
export function severityOf({ actions }: Refusal): Severity {
  return actions.every((action) => action === 'ssm:GetParameter') ? 'warning' : 'error';
}

/** `NoRoles of the permissions boundary "edge" denies sts:AssumeRole on ..., and sts:SetSourceIdentity` */
export function evidenceOf({ actions, verdict }: Refusal): string {
  const [, ...others] = actions;
  return others.length === 0 ? verdict.reason : `${verdict.reason}; the same goes for ${others.join(' and ')}`;
}

/**
 * Amends a policy of one side: narrows its denials and adds statements until that side lets the hop pass.
 * @param label how a fix calls the policy
 * @param judgeWith judges the side with another document in the policy's place
 * @param kind of the side, where a statement in this policy can give what is missing
 * @returns undefined where a denial cannot be narrowed
 * @throws {NotKnown}
 */
export function amendSide(
  { expected, settings }: TenantCase,
  label: string,
  policy: PolicyFacts,
  judgeWith: (document: Known<unknown>) => Judged,
  kind?: PolicyKind,
): Repair | undefined {
  const resources = resourcesOf(expected);
  return settings.amendments.amend(label, need(understood(policy)), (document) => {
    const narrowed = withoutDenials(
      label,
      document,
      (candidate) =>
        [...judgeWith(known(candidate))].flatMap(([action, judgement]) => {
          const decider = judgement.decision === 'denied' ? judgement.verdict.decidedBy : undefined;
          return decider?.policy === policy.name ? [{ index: decider.index, action, resource: resources(action) }] : [];
        }),
      {
        operator: 'StringNotLike',
        key: 'sts:SourceIdentity',
        values: [scopePatterns(expected.scope).stringLike],
        isOf: (action) => NAMED.includes(action),
      },
    );
    if (narrowed === undefined || kind === undefined) return narrowed;
    const left = omissionOf(judgeWith(known(narrowed.document)), kind)?.actions ?? [];
    const whole = withStatements(label, narrowed.document, grantsOf(expected, left));
    return { document: whole.document, changes: [...narrowed.changes, ...whole.changes] };
  });
}

/** The statements of the caller's policy that allow some of the hop's actions. */
export function grantsOf(
  { callerPolicy }: TenantCase['expected'],
  actions: readonly HopAction[],
): readonly Statement[] {
  return callerPolicy.document.Statement.flatMap((statement) => {
    const service = [statement.Action].flat()[0]?.split(':')[0];
    const needed = actions.filter((action) => action.startsWith(`${service}:`));
    if (needed.length === 0) return [];
    // The tags of EKS Pod Identity need one action more.
    const all = [...new Set([...[statement.Action ?? []].flat(), ...needed])];
    return [all.length === 1 ? statement : { ...statement, Action: all }];
  });
}

function resourcesOf({ roleArn, parameters }: TenantCase['expected']): (action: HopAction) => string {
  return (action) => (action === 'ssm:GetParameter' ? (parameters[0]?.arn ?? '') : roleArn);
}
