import { SessionBrokerError } from '../../errors.ts';
import { scopePatterns, scopePrefix } from '../../identity/index.ts';
import { judgeTrust, listOf, type PolicyDocument, type Statement, type TrustJudgement } from '../../policy/index.ts';
import { isSamePolicy } from '../../policy/same-policy.ts';
import type { Draft } from '../amendments.ts';
import { differenceOf } from '../difference.ts';
import { type ExpectedTenant, taggingTrust } from '../expected.ts';
import { known, need, type PodIdentityFacts } from '../facts.ts';
import { assertDecided, judgeTrustSide } from '../hop-sides.ts';
import { understood } from '../judge.ts';
import { podIdentityTags } from '../pod-identity.ts';
import { brokerRole, callerRole, findingOf, type TenantCase } from '../tenant-case.ts';

/** Whether the trust policy is the configuration's, and names the roles that are there. */
export function* checkTrust(tested: TenantCase): Iterable<Draft> {
  const { expected, settings } = tested;
  const { cluster, names, role, roleArn, tenantRole } = expected;
  const deployed = need(brokerRole(tested).trust);
  const ids = principalsIn(deployed).filter((principal) => ROLE_ID.test(principal));
  const repaired = ids.length === 0 ? deployed : withPrincipal(deployed, ids, tenantRole.arn);
  const restore = {
    summary: 'save the trust policy again: a deploy would see no change',
    commands: [settings.commands.saveTrust(cluster, roleArn, role.trust)],
  };
  if (ids.length > 0) {
    const isLost = !principalsIn(deployed).includes(tenantRole.arn);
    const why = isLost ? `: ${tenantRole.name} was made again, and that is another role to IAM` : '';
    const evidence = `the trust policy of ${names.roleName} names ${ids.join(' and ')}, which stands for a role that was deleted${why}`;
    yield findingOf(tested, 'TrustNamesDeletedRole', 'error', evidence, restore);
  }
  if (isSamePolicy(repaired, taggingTrust(expected))) return;
  const difference = differenceOf(repaired, role.trust);
  if (difference === undefined) return;
  const harm = harmOf(tested, repaired);
  const evidence = `the trust policy of ${names.roleName} is not as configured: ${difference}; ${harm ?? 'it admits no one but the tenant role, under its own names'}`;
  yield findingOf(tested, 'TrustDrifted', harm === undefined ? 'warning' : 'error', evidence, restore);
}

/** Whether the trust policy lets in a caller that brings the session tags of EKS Pod Identity. */
export function* checkPodIdentity(tested: TenantCase): Iterable<Draft> {
  const { expected, facts, settings } = tested;
  const { cluster, roleArn, tenantRole } = expected;
  const associations = need(podIdentityTags(facts.podIdentities, callerRole(tested)));
  if (associations === undefined) return;
  const judged = judgeTrustSide(tested, need(brokerRole(tested).trust));
  if (judged.get('sts:TagSession')?.decision === 'denied') {
    const trust = taggingTrust(expected);
    const statement = trust.Statement.find(({ Action }) => Action === 'sts:TagSession');
    const evidence = `${tenantRole.name} is assumed through EKS Pod Identity, whose session tags pass on to every session that it starts, and the trust policy of ${expected.names.roleName} does not allow sts:TagSession`;
    yield findingOf(tested, 'PodIdentityNeedsTagSession', 'error', evidence, {
      summary:
        associations.length === 0
          ? 'allow the tags in the trust policy; or switch them off for the association, and then this is not needed'
          : 'switch the tags off for the association, unless something needs them: then allow them in the trust policy',
      statements: statement === undefined ? [] : [{ policy: `the trust policy of ${roleArn}`, statement }],
      commands:
        associations.length === 0
          ? [settings.commands.saveTrust(cluster, roleArn, trust)]
          : associations.map((association) => untagged(tested, association)),
    });
  }
  // Where EKS is the only way in, that is enough to say it, and not enough to be sure.
  need(facts.podIdentities);
  assertDecided(judged);
}

function untagged({ expected: { cluster }, settings }: TenantCase, { associationId }: PodIdentityFacts): string {
  const words = ['--cluster-name', cluster.eksClusterName, '--association-id', associationId, '--disable-session-tags'];
  return settings.commands.aws(cluster, 'eks', 'update-pod-identity-association', ...words);
}

/** A role's unique id, which IAM shows in place of an ARN where the role is gone. */
const ROLE_ID = /^AROA[A-Z0-9]{12,}$/;

/** The AWS principals that a trust policy names. */
function principalsIn(document: unknown): readonly string[] {
  const found = new Set<string>();
  mapPrincipals(document, (principal) => {
    found.add(principal);
    return principal;
  });
  return [...found];
}

function withPrincipal(document: unknown, ids: readonly string[], arn: string): unknown {
  return mapPrincipals(document, (principal) => (ids.includes(principal) ? arn : principal));
}

/** A trust policy, whatever it holds, with its AWS principals replaced. */
function mapPrincipals(document: unknown, replace: (principal: string) => string): unknown {
  const { Statement: statements } = (document ?? {}) as Partial<PolicyDocument>;
  if (statements === undefined) return document;
  return {
    ...(document as object),
    Statement: listOf(statements).map((statement: Statement) => {
      const principal = statement?.Principal;
      if (typeof principal !== 'object' || principal === null || principal['AWS'] === undefined) return statement;
      const AWS = [
        ...new Set(listOf(principal['AWS']).map((given) => (typeof given === 'string' ? replace(given) : given))),
      ];
      return { ...statement, Principal: { ...principal, AWS } };
    }),
  };
}

/** What is wrong with a trust policy that is not the configuration's; undefined where it is only narrower or longer. */
function harmOf(tested: TenantCase, deployed: unknown): string | undefined {
  const { expected } = tested;
  const judged = judgeTrustSide(tested, deployed);
  const refused = [...judged].find(([, judgement]) => judgement.decision === 'denied');
  if (refused !== undefined) {
    const [action, judgement] = refused;
    return `it refuses the tenant role ${action}${judgement.decision === 'denied' ? `: ${judgement.verdict.reason}` : ''}`;
  }
  const document = understood({ name: 'trust policy', document: known(deployed) });
  if ('unknown' in document) return `whom it admits is not known: ${document.unknown.missing}`;
  try {
    return wideningOf(judgeTrust(document.value, { roleArn: expected.roleArn }), expected);
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    return `whom it admits is not known: ${error.message}`;
  }
}

/** Whom a trust policy admits that it should not, or under what. */
function wideningOf({ ways }: TrustJudgement, expected: ExpectedTenant): string | undefined {
  const { stringLike, stringNotLike } = scopePatterns(expected.scope);
  const start = `${scopePrefix(expected.scope)}.`;
  for (const { principal, required, pinned, patterns, exceptions } of ways) {
    if (principal !== expected.tenantRole.arn) return `it admits ${principal}`;
    if (!required) return `it admits ${principal} without a source identity`;
    const isOwn = patterns.every(({ operator, value }) => {
      if (operator !== 'StringLike' || !/[*?]/.test(value)) return isName(value, start);
      return value === stringLike && exceptions.some((exception) => exception.value === stringNotLike);
    });
    if (!pinned || !isOwn) {
      const admitted = pinned ? patterns.map(({ value }) => value).join(', ') : 'any name';
      return `it admits ${principal} under ${admitted}`;
    }
  }
  return undefined;
}

/** Whether a text is one name of the tenant. */
function isName(text: string, start: string): boolean {
  return text.startsWith(start) && text.length > start.length && !text.slice(start.length).includes('.');
}
