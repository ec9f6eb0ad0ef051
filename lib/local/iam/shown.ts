import type { PolicyDocument } from '../../policy/index.ts';
import type { ManagedPolicy, PolicyVersion } from '../managed-policy.ts';
import type { Role, Store } from '../store.ts';
import { shownTrust } from '../trust-principals.ts';
import type { Answer } from './request.ts';

/** What all that shows a role has in common. */
export function identifiedRole(role: Role, store: Store): Answer {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: instant(role.createdAt),
    AssumeRolePolicyDocument: encoded(shownTrust(role.trust, store)),
  };
}

/** A role as the lists of IAM show it. */
export function listedRole(role: Role, store: Store): Answer {
  return {
    ...identifiedRole(role, store),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDurationSeconds,
  };
}

export function shownRole(role: Role, store: Store): Answer {
  const tags = shownTags(role.tags);
  return {
    ...listedRole(role, store),
    PermissionsBoundary: shownBoundary(role),
    Tags: tags.length === 0 ? undefined : tags,
  };
}

export function shownBoundary({ permissionsBoundary }: Role): Answer | undefined {
  return permissionsBoundary === undefined
    ? undefined
    : { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: permissionsBoundary };
}

export function shownAttachments({ attachedPolicies }: Role): readonly Answer[] {
  return [...attachedPolicies].map((arn) => ({
    PolicyName: arn.slice(arn.lastIndexOf('/') + 1),
    PolicyArn: arn,
  }));
}

/** A policy without what {@link shownPolicy} adds. */
export function listedPolicy(policy: ManagedPolicy, store: Store): Answer {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersion.id,
    AttachmentCount: store.rolesWith(policy).length,
    PermissionsBoundaryUsageCount: store.rolesWithin(policy).length,
    IsAttachable: true,
    CreateDate: instant(policy.createdAt),
    UpdateDate: instant(policy.updatedAt),
  };
}

export function shownPolicy(policy: ManagedPolicy, store: Store): Answer {
  return { ...listedPolicy(policy, store), Description: policy.description, Tags: shownTags(policy.tags) };
}

/** A version without its document. */
export function listedVersion(version: PolicyVersion, { defaultVersion }: ManagedPolicy): Answer {
  return {
    VersionId: version.id,
    IsDefaultVersion: version === defaultVersion,
    CreateDate: instant(version.createdAt),
  };
}

export function shownVersion(version: PolicyVersion, policy: ManagedPolicy): Answer {
  return { Document: encoded(version.document), ...listedVersion(version, policy) };
}

/** By key. */
export function shownTags(tags: Readonly<Record<string, string>>): readonly Answer[] {
  return Object.entries(tags)
    .map(([Key, Value]) => ({ Key, Value }))
    .sort((one, other) => (one.Key < other.Key ? -1 : 1));
}

/** IAM answers with policies in percent-encoding. */
export function encoded(document: PolicyDocument): string {
  return encodeURIComponent(JSON.stringify(document));
}

export function instant(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
