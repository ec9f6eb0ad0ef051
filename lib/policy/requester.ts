import { accountOf, splitArn } from './arn-segments.ts';

/** Who makes a request. */
export type Requester =
  | {
      readonly kind: 'role-session';
      /** The role's ARN with its path. */
      readonly roleArn: string;
      /** The role's unique id, `AROA...`, where known: a stored trust policy names roles by it. */
      readonly roleId?: string | undefined;
      readonly sessionName: string;
    }
  | { readonly kind: 'user'; readonly userArn: string; readonly userId?: string | undefined }
  | { readonly kind: 'root'; readonly account: string; readonly partition: string }
  /** A caller of AssumeRoleWithWebIdentity or AssumeRoleWithSAML: the provider's ARN. */
  | { readonly kind: 'federated'; readonly provider: string }
  | { readonly kind: 'service'; readonly service: string };

/** Condition keys and their values, as IAM has them while it decides. Keys compare without regard to case. */
export type RequestContext = Readonly<Record<string, string | readonly string[]>>;

/**
 * The condition keys that follow from who makes the request. A caller of AssumeRoleWithWebIdentity or
 * AssumeRoleWithSAML signs nothing, so it has none.
 * @see IAM User Guide, "AWS global condition context keys", properties of the principal
 */
export function requesterContext(requester: Requester): RequestContext {
  switch (requester.kind) {
    case 'role-session':
      return {
        'aws:PrincipalArn': requester.roleArn,
        'aws:PrincipalAccount': accountOf(requester.roleArn),
        'aws:PrincipalType': 'AssumedRole',
        'aws:PrincipalIsAWSService': 'false',
        ...(requester.roleId === undefined ? {} : { 'aws:userid': `${requester.roleId}:${requester.sessionName}` }),
      };
    case 'user':
      return {
        'aws:PrincipalArn': requester.userArn,
        'aws:PrincipalAccount': accountOf(requester.userArn),
        'aws:PrincipalType': 'User',
        'aws:PrincipalIsAWSService': 'false',
        'aws:username': nameOf(requester.userArn),
        ...(requester.userId === undefined ? {} : { 'aws:userid': requester.userId }),
      };
    case 'root':
      return {
        'aws:PrincipalArn': requesterName(requester),
        'aws:PrincipalAccount': requester.account,
        'aws:PrincipalType': 'Account',
        'aws:PrincipalIsAWSService': 'false',
        'aws:userid': requester.account,
      };
    case 'federated':
      return {};
    case 'service':
      return { 'aws:PrincipalIsAWSService': 'true', 'aws:PrincipalServiceName': requester.service };
  }
}

/** All keys that {@link requesterContext} can give, in lower case: nobody else sets them. */
export const REQUESTER_KEYS: ReadonlySet<string> = new Set([
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalisawsservice',
  'aws:principalservicename',
  'aws:principaltype',
  'aws:userid',
  'aws:username',
]);

/** The account and partition of a requester that has one. */
export function requesterAccount(requester: Requester): { account: string; partition: string } | undefined {
  switch (requester.kind) {
    case 'role-session':
      return accountAndPartition(requester.roleArn);
    case 'user':
      return accountAndPartition(requester.userArn);
    case 'root':
      return { account: requester.account, partition: requester.partition };
    default:
      return undefined;
  }
}

/** The requester as a reason names it. */
export function requesterName(requester: Requester): string {
  switch (requester.kind) {
    case 'role-session':
      return `${requester.roleArn} (session ${requester.sessionName})`;
    case 'user':
      return requester.userArn;
    case 'root':
      return `arn:${requester.partition}:iam::${requester.account}:root`;
    case 'federated':
      return requester.provider;
    case 'service':
      return requester.service;
  }
}

/** `assumed-role/<this>`: the role's name without its path, and the session's. */
export function sessionResource(requester: Requester & { readonly kind: 'role-session' }): string {
  return `${nameOf(requester.roleArn)}/${requester.sessionName}`;
}

function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

function accountAndPartition(arn: string): { account: string; partition: string } | undefined {
  const [, partition, , , account] = splitArn(arn) ?? [];
  return partition === undefined || account === undefined ? undefined : { account, partition };
}
