import type { CloudTrailEvent } from './event.ts';
import { isObject } from './json-input.ts';

/** A resource as LookupEvents lists it. */
export interface LookedUpResource {
  readonly ResourceType: string;
  readonly ResourceName: string;
}

/**
 * The resources of an event: those of STS and IAM. A role that was assumed is there by its ARN, and the session by
 * its unique id, its name and its ARN.
 */
export function resourcesOf(event: CloudTrailEvent): readonly LookedUpResource[] {
  const { requestParameters, responseElements, resources = [] } = event;
  const { roleName, policyArn } = requestParameters ?? {};
  const { credentials, assumedRoleUser } = responseElements ?? {};
  return [
    ...named('AWS::IAM::AccessKey', isObject(credentials) ? [credentials['accessKeyId']] : []),
    ...named('AWS::STS::AssumedRole', isObject(assumedRoleUser) ? sessionNames(assumedRoleUser) : []),
    ...resources.map(({ type, ARN }) => ({ ResourceType: type, ResourceName: ARN })),
    ...named('AWS::IAM::Role', [roleName]),
    ...named('AWS::IAM::Policy', [policyArn]),
  ];
}

/** Whom LookupEvents names: a user, or a role's session by its name. */
export function userNameOf({ userIdentity }: CloudTrailEvent): string | undefined {
  const { type, principalId, userName } = userIdentity;
  return type === 'AssumedRole' ? principalId?.slice(principalId.indexOf(':') + 1) : userName;
}

function sessionNames({ assumedRoleId, arn }: Readonly<Record<string, unknown>>): readonly unknown[] {
  return [assumedRoleId, typeof arn === 'string' ? arn.slice(arn.lastIndexOf('/') + 1) : undefined, arn];
}

function named(ResourceType: string, names: readonly unknown[]): readonly LookedUpResource[] {
  return names
    .filter((name): name is string => typeof name === 'string')
    .map((ResourceName) => ({ ResourceType, ResourceName }));
}
