import { isSamePolicy } from '../../policy/same-policy.ts';
import type { Draft } from '../amendments.ts';
import { need } from '../facts.ts';
import { brokerRole, findingOf, type TenantCase } from '../tenant-case.ts';

/** Whether sessions can enter the EKS cluster, where they should. */
export function* checkEksCluster(tested: TenantCase): Iterable<Draft> {
  const { expected, facts, settings } = tested;
  const { accessEntry: entry, cluster } = expected;
  if (entry === undefined) return;
  const found = need(facts.eksCluster);
  if (found === undefined) {
    const evidence = `the EKS cluster ${entry.clusterName} is not in ${cluster.region} of account ${cluster.account}`;
    yield findingOf(tested, 'EksClusterMissing', 'error', evidence, {
      summary: `write its own name down as clusters.${cluster.name}.eks.clusterName, and deploy`,
      commands: [settings.commands.aws(cluster, 'eks', 'list-clusters')],
    });
    return;
  }
  if (found.authenticationMode.includes('API')) return;
  const { commands } = settings;
  const words = ['--name', entry.clusterName, '--access-config', 'authenticationMode=API_AND_CONFIG_MAP'];
  const evidence = `the EKS cluster ${entry.clusterName} has the authentication mode ${found.authenticationMode}, which knows no access entries`;
  yield findingOf(tested, 'AccessEntriesOff', 'error', evidence, {
    summary: 'let the cluster have access entries beside its ConfigMap, which cannot be undone, and make the one',
    commands: [
      commands.aws(cluster, 'eks', 'update-cluster-config', ...words),
      commands.aws(cluster, 'eks', 'wait', 'cluster-active', '--name', entry.clusterName),
      createEntry(tested, entry),
    ],
  });
}

/** Whether the access entry is there, as configured, and this role's. */
export function* checkAccessEntry(tested: TenantCase): Iterable<Draft> {
  const { expected, facts } = tested;
  const { accessEntry: wanted, roleArn, names } = expected;
  if (wanted === undefined) return;
  const { kubernetesGroups } = wanted;
  const create = createEntry(tested, wanted);
  const recreate = [entryCommand(tested, wanted, 'delete-access-entry'), create];
  // Without such a mode, or such a cluster, there is no entry to ask about.
  const found = need(facts.eksCluster)?.authenticationMode.includes('API') ? need(facts.accessEntry) : null;
  if (found === null) return;
  if (found === undefined) {
    const evidence = `the EKS cluster ${wanted.clusterName} has no access entry of ${roleArn}`;
    yield findingOf(tested, 'AccessEntryMissing', 'error', evidence, {
      summary: 'make it again: a deploy would see no change',
      commands: [create],
    });
    return;
  }
  const hasOwnName = !/\{\{SessionName(?:Raw)?\}\}$/.test(found.userName);
  if (found.type !== 'STANDARD' || hasOwnName) {
    const evidence = `the access entry of ${names.roleName} has the type ${found.type} and the user name ${found.userName}, in which Kubernetes must see the role session name`;
    yield findingOf(tested, 'AccessEntryDrifted', 'error', evidence, {
      summary: 'make it again: a deploy would see no change',
      commands: recreate,
    });
    return;
  }
  if (!isSamePolicy(found.kubernetesGroups, kubernetesGroups)) {
    const evidence = `the access entry of ${names.roleName} has the groups ${JSON.stringify(found.kubernetesGroups)}, and should have ${JSON.stringify(kubernetesGroups)}`;
    yield findingOf(tested, 'AccessEntryDrifted', 'warning', evidence, {
      summary: 'set its groups again: a deploy would see no change',
      commands: [entryCommand(tested, wanted, 'update-access-entry', '--kubernetes-groups', ...groupWords(wanted))],
    });
  }
  const entryTime = need(found.createdAt);
  const roleTime = need(brokerRole(tested).createdAt);
  if (entryTime < roleTime) {
    const evidence = `the access entry of ${names.roleName} is from ${entryTime.toISOString()}, and the role from ${roleTime.toISOString()}: it is of the role that had the name before`;
    yield findingOf(tested, 'AccessEntryOfDeletedRole', 'error', evidence, {
      summary: 'make it again, for the role that is there now: a deploy would see no change',
      commands: recreate,
    });
  }
}

type AccessEntry = NonNullable<TenantCase['expected']['accessEntry']>;

function createEntry(tested: TenantCase, entry: AccessEntry): string {
  const groups = entry.kubernetesGroups.length === 0 ? [] : ['--kubernetes-groups', ...groupWords(entry)];
  return entryCommand(tested, entry, 'create-access-entry', '--type', 'STANDARD', ...groups);
}

/** The AWS CLI takes an empty list as JSON alone. */
function groupWords({ kubernetesGroups }: AccessEntry): readonly string[] {
  return kubernetesGroups.length === 0 ? ['[]'] : kubernetesGroups;
}

function entryCommand(
  { expected, settings }: TenantCase,
  { clusterName }: AccessEntry,
  operation: string,
  ...words: readonly string[]
): string {
  const named = ['--cluster-name', clusterName, '--principal-arn', expected.roleArn];
  return settings.commands.aws(expected.cluster, 'eks', operation, ...named, ...words);
}
