import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { expectedTenant } from '../../lib/doctor/expected.ts';
import { TemplateValues } from '../../lib/template/values.ts';
import { EVERYTHING } from '../support/configurations.ts';
import { synthesize } from '../support/synthesize.ts';
import { HEALTHY } from './world.ts';

const EXAMPLE = readFileSync(new URL('../../tenants.example.yaml', import.meta.url), 'utf8');
const CHINA = HEALTHY.replaceAll('arn:aws:', 'arn:aws-cn:')
  .replace('us-west-2', 'cn-north-1')
  .replace(/ {8}inferenceProfiles:\n.*\n/, '');

const tenants = Object.entries({ EVERYTHING, EXAMPLE, HEALTHY, CHINA }).flatMap(([name, yaml]) =>
  parseConfig(yaml, 'tenants.yaml').clusters.flatMap((cluster) =>
    cluster.tenants
      .filter(({ optIn }) => optIn === 'in')
      .map((tenant) => ({ name: `${tenant.name} of ${name}`, yaml, cluster, tenant })),
  ),
);

/** A stack's resources of a type, with the values of their intrinsic functions. */
function resourcesOf(yaml: string, stackName: string, region: string, partition: string) {
  const { Resources = {} } = synthesize(yaml).get(stackName) ?? {};
  const template = {
    path: stackName,
    template: { Resources },
    isTransformed: false,
    account: '111122223333',
    region,
    partition,
  };
  const values = new TemplateValues([template]);
  const resources = Object.values(Resources).map(({ Type, Properties }) => ({
    type: Type,
    properties: values.resolve(template, Properties) as Record<string, never>,
  }));
  return (type: string) => resources.filter((resource) => resource.type === type).map(({ properties }) => properties);
}

describe('what is expected of a tenant', () => {
  test.each(tenants)('is what CDK synthesizes, document for document: $name', ({ yaml, cluster, tenant }) => {
    const { role, callerPolicy, parameters, accessEntry, roleArn, names, tenantRole } = expectedTenant(cluster, tenant);
    const resources = resourcesOf(yaml, names.stackName, cluster.region, cluster.partition);

    const [made = {}, ...others] = resources('AWS::IAM::Role');
    expect(others).toEqual([]);
    const { RoleName: name, Path: path } = made;
    expect(`arn:${cluster.partition}:iam::${cluster.account}:role${path}${name}`).toBe(roleArn);
    expect({
      trust: made['AssumeRolePolicyDocument'],
      inlinePolicies: Object.fromEntries(
        (made['Policies'] as unknown as { PolicyName: string; PolicyDocument: unknown }[]).map((policy) => [
          policy.PolicyName,
          policy.PolicyDocument,
        ]),
      ),
      managedPolicies: made['ManagedPolicyArns'] ?? [],
      permissionsBoundary: made['PermissionsBoundary'],
      maxSessionDurationSeconds: made['MaxSessionDuration'],
    }).toEqual(role);

    expect(
      resources('AWS::IAM::ManagedPolicy').map(({ ManagedPolicyName, Path, PolicyDocument, Roles }) => ({
        name: ManagedPolicyName,
        arn: `arn:${cluster.partition}:iam::${cluster.account}:policy${Path}${ManagedPolicyName}`,
        document: PolicyDocument,
        roles: Roles,
      })),
    ).toEqual([
      {
        name: callerPolicy.name,
        arn: callerPolicy.arn,
        document: callerPolicy.document,
        roles: callerPolicy.isAttached ? [tenantRole.name] : undefined,
      },
    ]);
    expect(resources('AWS::SSM::Parameter').map(({ Name, Value }) => ({ name: Name, value: Value }))).toEqual(
      parameters.map((parameter) => ({ name: parameter.name, value: parameter.value })),
    );
    expect(
      resources('AWS::EKS::AccessEntry').map(({ ClusterName, KubernetesGroups, PrincipalArn }) => ({
        clusterName: ClusterName,
        kubernetesGroups: KubernetesGroups ?? [],
        principal: PrincipalArn,
      })),
    ).toEqual(accessEntry === undefined ? [] : [{ ...accessEntry, principal: roleArn }]);
  });

  test('is asked of more than one partition, and with every option', () => {
    expect(new Set(tenants.map(({ cluster }) => cluster.partition))).toEqual(new Set(['aws', 'aws-cn']));
    expect(tenants.map(({ tenant }) => tenant.callerPolicy)).toContain('external');
    expect(tenants.map(({ tenant }) => tenant.roleSessionName)).toContain('bound');
  });
});
