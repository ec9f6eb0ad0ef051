import { listOf, type Statement } from '../policy/index.ts';
import { matchesPattern, patternOf } from '../policy/pattern.ts';
import { derive, type Known, known, type PodIdentityFacts, type RoleFacts, valueOr } from './facts.ts';
import { understood } from './judge.ts';

/** What EKS Pod Identity is called as a service. */
const POD_IDENTITY = 'pods.eks.amazonaws.com';

/** Whether EKS Pod Identity may start a role's sessions: by itself, or from another role, of which it keeps the tags. */
export function admitsPodIdentity(role: RoleFacts): Known<boolean> {
  return derive(trustStatements(role), (statements) =>
    statements.some((statement) => servicesOf(statement).includes(POD_IDENTITY) || allowsTags(statement)),
  );
}

/**
 * The associations by which sessions of the tenant role bring session tags; undefined where none does. An empty list
 * says that they must, although the associations are not known.
 */
export function podIdentityTags(
  podIdentities: Known<readonly PodIdentityFacts[]>,
  tenantRole: RoleFacts,
): Known<readonly PodIdentityFacts[] | undefined> {
  const admits = admitsPodIdentity(tenantRole);
  if ('unknown' in admits || !admits.value) return derive(admits, () => undefined);
  if ('unknown' in podIdentities) {
    // Where there is no other way in, the associations need not be known.
    const isOnlyWay = derive(trustStatements(tenantRole), (statements) =>
      statements.every((statement) => statement.Effect === 'Deny' || servicesOf(statement).includes(POD_IDENTITY)),
    );
    return valueOr(isOnlyWay, false) ? known([]) : podIdentities;
  }
  const tagging = podIdentities.value.filter(
    ({ roleArn, disableSessionTags }) => roleArn === tenantRole.arn && !disableSessionTags,
  );
  return known(tagging.length > 0 ? tagging : undefined);
}

/** Whether sessions bring session tags. */
export type SessionTags = 'none' | 'some' | 'unknown';

/** Whether sessions of the tenant role bring session tags, which pass on to all sessions that they start. */
export function sessionTagsOf(podIdentities: Known<readonly PodIdentityFacts[]>, tenantRole: RoleFacts): SessionTags {
  const tagging = podIdentityTags(podIdentities, tenantRole);
  if ('unknown' in tagging) return 'unknown';
  return tagging.value === undefined ? 'none' : 'some';
}

function trustStatements({ arn, trust }: RoleFacts): Known<readonly Statement[]> {
  return derive(understood({ name: `the trust policy of ${arn}`, document: trust }), ({ Statement }) => Statement);
}

function allowsTags({ Effect, Action, NotAction }: Statement): boolean {
  const isMeant = (pattern: string): boolean =>
    matchesPattern(patternOf(pattern.toLowerCase(), true), 'sts:tagsession');
  return Effect === 'Allow' && (Action === undefined ? !listOf(NotAction).some(isMeant) : listOf(Action).some(isMeant));
}

function servicesOf({ Principal: principal }: Statement): readonly string[] {
  return typeof principal === 'object' ? listOf(principal['Service']) : [];
}
