import { authorize } from '../authorize.ts';
import { type Call, callerOf, type Environment } from '../call.ts';
import { Constraints } from '../constraints.ts';
import type { ManagedPolicy } from '../managed-policy.ts';
import type { QueryParameters } from '../query.ts';
import { placeOf, type Role, type Store, type User } from '../store.ts';
import { listPage, PAGE_PARAMETERS } from './pages.ts';
import type { Answer } from './request.ts';
import {
  encoded,
  identifiedRole,
  instant,
  listedPolicy,
  shownAttachments,
  shownBoundary,
  shownTags,
  shownVersion,
} from './shown.ts';

/** Quotas of what is not modelled, as an account has them. */
const OTHER_QUOTAS = { GroupsQuota: 300, PolicyVersionsInUseQuota: 10_000, UsersQuota: 5000 } as const;

/** What there is, and how much there may be. */
export function getAccountSummary(call: Call, parameters: QueryParameters, { store, quotas }: Environment): Answer {
  parameters.assertOnly('iam:GetAccountSummary', []);
  const { account } = placeOf(callerOf(call));
  authorize(call, store, 'iam:GetAccountSummary', '*');
  const policies = store.policies(account);
  const summary = {
    ...OTHER_QUOTAS,
    ...quotas,
    Groups: 0,
    Policies: policies.length,
    PolicyVersionsInUse: policies.reduce((sum, { versions }) => sum + versions.length, 0),
    Roles: store.roles(account).length,
    Users: store.users(account).length,
  };
  return { SummaryMap: new Map(Object.entries(summary).sort()) };
}

type Entity =
  | { readonly type: 'User'; readonly user: User }
  | { readonly type: 'Role'; readonly role: Role }
  | { readonly type: 'LocalManagedPolicy'; readonly policy: ManagedPolicy };

/** Everything, a page at a time; the policies of AWS, which are not here, are left out. */
export function getAccountAuthorizationDetails(
  call: Call,
  parameters: QueryParameters,
  { store }: Environment,
): Answer {
  parameters.assertOnly('iam:GetAccountAuthorizationDetails', ['Filter.member.N', ...PAGE_PARAMETERS]);
  const filter = parameters.list('Filter');
  const constraints = new Constraints();
  for (const [index, type] of filter.entries()) {
    constraints.text(`filter.${index + 1}.member`, type, {
      values: ['User', 'Role', 'Group', 'LocalManagedPolicy', 'AWSManagedPolicy'],
    });
  }
  constraints.assert();
  const { account } = placeOf(callerOf(call));
  authorize(call, store, 'iam:GetAccountAuthorizationDetails', '*');
  call.record.requestParameters = filter.length === 0 ? {} : { filter };
  const entities: readonly Entity[] = [
    ...store.users(account).map((user) => ({ type: 'User', user }) as const),
    ...store.roles(account).map((role) => ({ type: 'Role', role }) as const),
    ...store.policies(account).map((policy) => ({ type: 'LocalManagedPolicy', policy }) as const),
  ];
  const { items, rest } = listPage(
    parameters,
    entities.filter(({ type }) => filter.length === 0 || filter.includes(type)),
  );
  return {
    UserDetailList: items.flatMap((entity) => (entity.type === 'User' ? [userDetail(entity.user)] : [])),
    GroupDetailList: [],
    RoleDetailList: items.flatMap((entity) => (entity.type === 'Role' ? [roleDetail(entity.role, store)] : [])),
    Policies: items.flatMap((entity) =>
      entity.type === 'LocalManagedPolicy' ? [policyDetail(entity.policy, store)] : [],
    ),
    ...rest,
  };
}

function userDetail({ arn, name, id, partition, createdAt }: User): Answer {
  return {
    Path: '/',
    UserName: name,
    UserId: id,
    Arn: arn,
    CreateDate: instant(createdAt),
    UserPolicyList: [],
    GroupList: [],
    AttachedManagedPolicies: [
      { PolicyName: 'AdministratorAccess', PolicyArn: `arn:${partition}:iam::aws:policy/AdministratorAccess` },
    ],
    Tags: [],
  };
}

function roleDetail(role: Role, store: Store): Answer {
  return {
    ...identifiedRole(role, store),
    InstanceProfileList: [],
    RolePolicyList: [...role.inlinePolicies].map(([name, document]) => ({
      PolicyName: name,
      PolicyDocument: encoded(document),
    })),
    AttachedManagedPolicies: shownAttachments(role),
    PermissionsBoundary: shownBoundary(role),
    Tags: shownTags(role.tags),
    RoleLastUsed: {},
  };
}

function policyDetail(policy: ManagedPolicy, store: Store): Answer {
  return {
    ...listedPolicy(policy, store),
    PolicyVersionList: policy.versions.toReversed().map((version) => shownVersion(version, policy)),
  };
}
