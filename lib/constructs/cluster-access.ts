import type { CfnAccessEntry } from 'aws-cdk-lib/aws-eks';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { eks } from './cdk.ts';

/**
 * The access entry by which a role's sessions enter an EKS cluster. It has no user name of its own, so Kubernetes
 * sees EKS's default, which ends in the role session name.
 * @see Amazon EKS User Guide, "Create access entries"
 */
export function createAccessEntry(
  scope: Construct,
  role: IRole,
  clusterName: string,
  kubernetesGroups: readonly string[],
): CfnAccessEntry {
  return new (eks().CfnAccessEntry)(scope, 'AccessEntry', {
    clusterName,
    principalArn: role.roleArn,
    type: 'STANDARD',
    ...(kubernetesGroups.length > 0 && { kubernetesGroups: [...kubernetesGroups] }),
  });
}
