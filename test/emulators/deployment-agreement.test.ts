import { IAMClient, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { startLocalAccount } from '../../lib/local/index.ts';
import { ACCOUNT, type Deployed, deployedTenants, describeAgreement, REGION, VECTORS } from '../support/agreement.ts';
import { createRole, startDeployments, succeeded } from './deployments.ts';
import { hasPythonTools } from './python-tools.ts';

describe.skipIf(!hasPythonTools)('as the CDK CLI has deployed it and boto3 reads it back', () => {
  let deployed: Deployed;

  beforeAll(async () => {
    const deployments = await startDeployments(ACCOUNT, REGION);
    try {
      succeeded(await deployments.cdk(VECTORS, ['bootstrap', `aws://${ACCOUNT}/${REGION}`]));
      await deployments.call(...deployedTenants.map(({ tenantRole }) => createRole(tenantRole)));
      succeeded(
        await deployments.cdk(VECTORS, ['deploy', '--all', '--require-approval', 'never', '--concurrency', '8']),
      );
      const { roles } = await deployments.read();
      const account = await startLocalAccount({
        assembly: deployments.assembly,
        config: parseConfig(JSON.stringify(VECTORS), 'tenants.yaml'),
      });
      deployed = { account, trust: new Map(Object.entries(roles).map(([roleArn, { trust }]) => [roleArn, trust])) };
      await saveTrust(deployed);
    } finally {
      await deployments.close();
    }
  }, 120_000);
  afterAll(() => deployed?.account.close());

  describeAgreement(() => deployed);
});

/** Saves the trust policies of the deployed roles in the local account. */
async function saveTrust({ account, trust }: Deployed): Promise<void> {
  const credentials = account.administratorCredentials(ACCOUNT);
  const client = new IAMClient({ region: REGION, endpoint: account.endpoint, credentials });
  for (const { roleArn, roleName } of deployedTenants) {
    const PolicyDocument = JSON.stringify(trust.get(roleArn));
    await client.send(new UpdateAssumeRolePolicyCommand({ RoleName: roleName, PolicyDocument }));
  }
  client.destroy();
}
