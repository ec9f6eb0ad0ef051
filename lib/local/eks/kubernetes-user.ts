import type { Cluster } from '../cluster-store.ts';
import type { Caller } from '../store.ts';

/** Who an IAM principal is in Kubernetes. */
export interface KubernetesUser {
  readonly userName: string;
  readonly groups: readonly string[];
}

/**
 * Who a caller is in a cluster, by the access entry of its role or user.
 * @see Amazon EKS User Guide, "Create access entries"; aws-iam-authenticator, user name templates
 */
export function kubernetesUserOf(caller: Caller, cluster: Cluster): KubernetesUser | undefined {
  const principal = caller.kind === 'user' ? caller : caller.role;
  const entry = cluster.accessEntries.get(principal.arn);
  if (entry === undefined || entry.principalId !== principal.id) return undefined;
  const sessionName = caller.kind === 'user' ? '' : caller.sessionName;
  const userName = entry.userName
    .replaceAll('{{SessionName}}', () => sessionName.replaceAll('@', '-'))
    .replaceAll('{{SessionNameRaw}}', () => sessionName);
  return { userName, groups: entry.kubernetesGroups };
}
