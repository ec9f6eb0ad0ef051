import type { ClusterConfig, TenantConfig } from '../config/config.ts';
import { permissionsOf } from '../config/rules.ts';
import {
  type BrokerNames,
  brokerArns,
  brokerNames,
  parseRoleArn,
  type RoleArn,
  type Scope,
  SESSION_DURATION_SECONDS,
  scopePatterns,
} from '../identity/index.ts';
import { type PolicyDocument, renderCallerPolicy, renderTrustPolicy } from '../policy/index.ts';
import { renderInlinePolicies } from '../policy/permissions.ts';

/** A tenant of a configuration, and what it is called in AWS. */
export interface NamedTenant {
  readonly cluster: ClusterConfig;
  readonly tenant: TenantConfig;
  readonly names: BrokerNames;
  /** The session-broker role's. */
  readonly roleArn: string;
}

/** What a configuration says that an opted-in tenant's deployment is, document for document. */
export interface ExpectedTenant extends NamedTenant {
  /** Whose names the role admits. */
  readonly scope: Scope;
  /** The trusted caller. */
  readonly tenantRole: RoleArn;
  readonly role: {
    readonly trust: PolicyDocument;
    /** By name. */
    readonly inlinePolicies: Readonly<Record<string, PolicyDocument>>;
    /** ARNs. */
    readonly managedPolicies: readonly string[];
    /** ARN. */
    readonly permissionsBoundary: string | undefined;
    readonly maxSessionDurationSeconds: number;
  };
  readonly callerPolicy: {
    readonly arn: string;
    readonly name: string;
    readonly document: PolicyDocument;
    /** Whether the stack attaches it to the tenant role, and not its owner. */
    readonly isAttached: boolean;
  };
  /** The parameters, the role's ARN first. */
  readonly parameters: readonly ExpectedParameter[];
  /** The access entry by which sessions enter the EKS cluster, where there is one. */
  readonly accessEntry: { readonly clusterName: string; readonly kubernetesGroups: readonly string[] } | undefined;
}

export interface ExpectedParameter {
  readonly name: string;
  readonly arn: string;
  readonly value: string;
}

/**
 * The keys of the session tags that EKS Pod Identity sets, all transitive.
 * @see Amazon EKS User Guide, "Grant Pods access to AWS resources based on tags"
 */
export const POD_IDENTITY_TAGS = [
  'eks-cluster-arn',
  'eks-cluster-name',
  'kubernetes-namespace',
  'kubernetes-pod-name',
  'kubernetes-pod-uid',
  'kubernetes-service-account',
] as const;

/** A tenant's trust policy for a caller that brings the session tags of EKS Pod Identity. */
export function taggingTrust({ tenant }: ExpectedTenant): PolicyDocument {
  return renderTrust(tenant, POD_IDENTITY_TAGS);
}

/** What a tenant is called, opted in or not. */
export function namedTenant(cluster: ClusterConfig, tenant: TenantConfig): NamedTenant {
  const { name, parameterPrefix } = cluster;
  const names = brokerNames({ cluster: name, tenant: tenant.name, parameterPrefix });
  return { cluster, tenant, names, roleArn: brokerArns({ ...cluster, names }).roleArn };
}

/** What the constructs make of a tenant that is opted in. */
export function expectedTenant(cluster: ClusterConfig, tenant: TenantConfig): ExpectedTenant {
  const named = namedTenant(cluster, tenant);
  const { names, roleArn } = named;
  const scope: Scope = { trafficClass: 'agent', tenant: tenant.name };
  const { callerPolicyArn, parameterArns } = brokerArns({ ...cluster, names });
  const parameter = (name: string, index: number, value: string): ExpectedParameter => ({
    name,
    arn: parameterArns[index] ?? '',
    value,
  });
  return {
    ...named,
    scope,
    tenantRole: parseRoleArn(tenant.tenantRole),
    role: {
      trust: renderTrust(tenant),
      inlinePolicies: renderInlinePolicies(permissionsOf(cluster, tenant)),
      managedPolicies: tenant.managedPolicies,
      permissionsBoundary: cluster.permissionsBoundary,
      maxSessionDurationSeconds: SESSION_DURATION_SECONDS.max,
    },
    callerPolicy: {
      arn: callerPolicyArn,
      name: names.callerPolicyName,
      document: renderCallerPolicy([{ roleArn, parameterArns }]),
      isAttached: tenant.callerPolicy === 'attach',
    },
    parameters: [
      parameter(names.parameters.sessionRoleArn, 0, roleArn),
      parameter(names.parameters.sourceIdentityPattern, 1, scopePatterns(scope).stringLike),
    ],
    accessEntry: tenant.eks && {
      clusterName: cluster.eksClusterName,
      kubernetesGroups: tenant.eks.kubernetesGroups,
    },
  };
}

function renderTrust(
  { name, tenantRole, roleSessionName }: TenantConfig,
  sessionTagKeys: readonly string[] = [],
): PolicyDocument {
  const scope: Scope = { trafficClass: 'agent', tenant: name };
  return renderTrustPolicy({ scope, principals: [tenantRole], roleSessionName, sessionTagKeys });
}
