import { createSessionIdentity, formatSourceIdentity, type SourceIdentity } from '../identity/index.ts';
import {
  type AssumeRoleAttempt,
  type NamedPolicy,
  policyDocument,
  type RequestContext,
  type Requester,
} from '../policy/index.ts';
import { type ExpectedTenant, type NamedTenant, POD_IDENTITY_TAGS } from './expected.ts';
import { known, type PolicyFacts, type RoleFacts, valueOr } from './facts.ts';
import type { SessionTags } from './pod-identity.ts';

/** Any session id: no policy can tell one from another. */
const SESSION = 'doctor';

/** The name of a session of a tenant. */
export function someSourceIdentity({ tenant }: NamedTenant): SourceIdentity {
  return formatSourceIdentity(createSessionIdentity({ tenant: tenant.name, session: SESSION }));
}

/** A session of a tenant, as it goes on to make requests. */
export function sessionOf(expected: ExpectedTenant, role: RoleFacts): Requester & { readonly kind: 'role-session' } {
  const sessionName = someSourceIdentity(expected);
  return { kind: 'role-session', roleArn: expected.roleArn, roleId: valueOr(role.id, undefined), sessionName };
}

/** The condition keys that any request of a session has. */
export function contextAt(now: Date, { cluster }: NamedTenant): RequestContext {
  return {
    'aws:CurrentTime': now.toISOString(),
    'aws:EpochTime': String(Math.floor(now.getTime() / 1000)),
    'aws:TokenIssueTime': now.toISOString(),
    'aws:RequestedRegion': cluster.region,
    'aws:SecureTransport': 'true',
    'aws:ViaAWSService': 'false',
  };
}

/** The tags of a role as condition keys. */
export function tagContext(prefixes: readonly string[], { tags }: RoleFacts): RequestContext {
  return Object.fromEntries(
    Object.entries(valueOr(tags, {})).flatMap(([key, value]) =>
      prefixes.map((prefix) => [`${prefix}/${key}`, value] as const),
    ),
  );
}

/** The same prefixes where the tags are all known, so that keys of other tags are known to be absent. */
export function tagPrefixes(prefixes: readonly string[], { tags }: RoleFacts): readonly string[] {
  return 'value' in tags ? prefixes.map((prefix) => `${prefix}/`.toLowerCase()) : [];
}

/** Those of a session's own tags and of the tags that a request of it brings. */
export function principalTagPrefixes(role: RoleFacts, sessionTags: SessionTags): readonly string[] {
  return sessionTags === 'none' ? [...tagPrefixes(['aws:PrincipalTag'], role), 'aws:requesttag/'] : [];
}

/** The values are the pod's, and never known here. */
const SOME_TAGS = Object.fromEntries(POD_IDENTITY_TAGS.map((key) => [key, 'any']));

/** The session tags that go with a request to STS. */
export function taggingOf(sessionTags: SessionTags): Pick<AssumeRoleAttempt, 'tags' | 'transitiveTagKeys'> {
  return sessionTags === 'some' ? { tags: SOME_TAGS, transitiveTagKeys: POD_IDENTITY_TAGS } : {};
}

/** Keys that a request of a session, made by itself and not by a service, never has, or that are given where it has. */
const SETTLED = new Set([
  'aws:calledvia',
  'aws:calledviafirst',
  'aws:calledvialast',
  'aws:principalservicename',
  'aws:principalservicenameslist',
  'aws:sourceaccount',
  'aws:sourcearn',
  'aws:sourceidentity',
  'aws:tagkeys',
  'aws:username',
]);

/**
 * Whether a condition key is known: it is given, or requests of this kind do not have it.
 * @param prefixes of keys that are absent where they are not given, in lower case
 */
export function knowsKeys(given: RequestContext, prefixes: readonly string[]): (key: string) => boolean {
  const names = new Set(Object.keys(given).map((key) => key.toLowerCase()));
  return (key) => {
    const name = key.toLowerCase();
    return names.has(name) || SETTLED.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
  };
}

const ALL_ELSE = 'all else';

/** A side that stands in nobody's way, so that the others are judged by themselves. */
export const OPEN: PolicyFacts = onRecord({
  name: ALL_ELSE,
  document: policyDocument([{ Effect: 'Allow', Action: '*', Resource: '*' }]),
});

/** A trust policy that lets somebody in, whatever is asked of STS. */
export function trusting(arn: string): NamedPolicy {
  return { name: ALL_ELSE, document: policyDocument([{ Effect: 'Allow', Principal: { AWS: arn }, Action: 'sts:*' }]) };
}

/** The same on record. */
export function onRecord({ name, document }: NamedPolicy): PolicyFacts {
  return { name, document: known(document) };
}
