import { type Scope, type ScopePatterns, scopePatterns } from '../identity/index.ts';
import { oneOrMany, type PolicyDocument, policyDocument, type Statement } from './document.ts';
import { assertPrincipals } from './principals.ts';
import { assertTrustPolicySize } from './size.ts';

/**
 * How the role session name stands to the source identity. `free`: the dispatcher chooses it. `bound`: it must
 * equal the source identity, by a policy variable that AWS does not document there; `session-broker verify`
 * settles it on a live account, so try it on the pilot first.
 */
export type RoleSessionName = 'free' | 'bound';

export interface TrustPolicyProps {
  /** Whose names the role admits. Its class must be `agent`: the internal pair comes with `systemPrincipals`. */
  readonly scope: Scope;
  /** ARNs of the roles that may assume under the scope's names. */
  readonly principals: readonly string[];
  /**
   * ARNs of the roles that may assume under the scope's names and, alone, under the tenant's internal ones.
   * @default none: no internal name is admitted
   */
  readonly systemPrincipals?: readonly string[] | undefined;
  /**
   * Keys of the session tags that callers may set, and no others.
   * @default none: session tags are refused
   */
  readonly sessionTagKeys?: readonly string[] | undefined;
  /** @default 'free' */
  readonly roleSessionName?: RoleSessionName | undefined;
}

/**
 * The trust policy of a session-broker role.
 *
 * The source identity is tested on both actions. On `sts:SetSourceIdentity` alone the test would pin the value
 * but not require one; on `sts:AssumeRole` alone a chained call could carry another name in. On the first hop only
 * `sts:SourceIdentity` is present, so `aws:SourceIdentity` would never match.
 *
 * @throws {SessionBrokerError} PrincipalNotAllowed, PolicyTooLarge
 * @see IAM User Guide, "Monitor and control actions taken with assumed roles"
 */
export function renderTrustPolicy(props: TrustPolicyProps): PolicyDocument {
  const { scope, principals, systemPrincipals = [], sessionTagKeys = [], roleSessionName = 'free' } = props;
  if (scope.trafficClass !== 'agent') throw new TypeError('scope must be of the class agent');
  if (scope.workflow !== undefined && systemPrincipals.length > 0) {
    throw new TypeError("systemPrincipals belong to the tenant's own role, not to a workflow's");
  }
  const everyone = [...principals, ...systemPrincipals];
  assertPrincipals(everyone);

  const statements: Statement[] = [...scopedPair('Agent', everyone, scopePatterns(scope), roleSessionName)];
  if (sessionTagKeys.length > 0) {
    statements.push({
      Sid: 'TagAgentSession',
      Effect: 'Allow',
      Principal: { AWS: oneOrMany(everyone) },
      Action: 'sts:TagSession',
      Condition: { 'ForAllValues:StringEquals': { 'aws:TagKeys': oneOrMany(sessionTagKeys) } },
    });
  }
  if (systemPrincipals.length > 0) {
    const internal = scopePatterns({ trafficClass: 'internal', tenant: scope.tenant });
    statements.push(...scopedPair('Internal', systemPrincipals, internal, roleSessionName));
  }
  const document = policyDocument(statements);
  assertTrustPolicySize(document);
  return document;
}

function scopedPair(
  trafficClass: 'Agent' | 'Internal',
  principals: readonly string[],
  { stringLike, stringNotLike }: ScopePatterns,
  roleSessionName: RoleSessionName,
): Statement[] {
  const inScope = {
    StringLike: { 'sts:SourceIdentity': stringLike },
    StringNotLike: { 'sts:SourceIdentity': stringNotLike },
  };
  const boundName = { StringEquals: { 'sts:RoleSessionName': '${sts:SourceIdentity}' } };
  return [
    {
      Sid: `AssumeAs${trafficClass}`,
      Effect: 'Allow',
      Principal: { AWS: oneOrMany(principals) },
      Action: 'sts:AssumeRole',
      Condition: roleSessionName === 'bound' ? { ...boundName, ...inScope } : inScope,
    },
    {
      Sid: `Set${trafficClass}Identity`,
      Effect: 'Allow',
      Principal: { AWS: oneOrMany(principals) },
      Action: 'sts:SetSourceIdentity',
      Condition: inScope,
    },
  ];
}
