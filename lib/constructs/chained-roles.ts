import { SessionBrokerError } from '../errors.ts';
import { parseRoleArn } from '../identity/index.ts';
import { judgeTrust, parsePolicyDocument } from '../policy/index.ts';
import type { FinishedApp } from './finished-app.ts';

/** Whether a role requires a source identity on each way in; undefined where that is not known. */
export type RequiresIdentity = (roleArn: string) => boolean | undefined;

/**
 * What the finished templates say of the roles that sessions go on to. Not known of a role that is not in the app, and
 * of one whose trust policy cannot be judged before it is deployed. Each role is judged once, however many tenants go
 * on to it.
 */
export function identityRequirements(app: FinishedApp): RequiresIdentity {
  const known = new Map<string, boolean | undefined>();
  return (roleArn) => {
    if (!known.has(roleArn)) known.set(roleArn, requiresIdentity(roleArn, app));
    return known.get(roleArn);
  };
}

function requiresIdentity(roleArn: string, { roles, values }: FinishedApp): boolean | undefined {
  const { account, name } = parseRoleArn(roleArn);
  const role = roles.get(account, name).find(({ template, logicalId }) => values.arn(template, logicalId) === roleArn);
  if (role === undefined || role.template.isTransformed) return undefined;
  const document = values.resolve(role.template, role.resource.Properties?.['AssumeRolePolicyDocument']);
  try {
    return judgeTrust(parsePolicyDocument(document, 'trust policy'), { roleArn }).required;
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    return undefined;
  }
}
