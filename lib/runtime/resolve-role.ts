import type { GetParameterCommandOutput } from '@aws-sdk/client-ssm';
import { type ErrorCode, quote, SessionBrokerError } from '../errors.ts';
import { type BrokerNames, type Partition, parseRoleArn, type RoleArn, type Tenant } from '../identity/index.ts';
import type { Clients } from './clients.ts';
import { telemetry } from './telemetry.ts';

/** Where the session-broker role's ARN comes from: it was given, or the tenant's parameter holds it. */
export type RoleSource = { readonly given: RoleArn } | PublishedRole;

/** A role whose ARN is in a parameter. */
interface PublishedRole {
  readonly published: BrokerNames;
  readonly cluster: string;
  readonly tenant: Tenant;
  readonly workflow?: string | undefined;
}

/**
 * The session-broker role of a tenant.
 * @throws {SessionBrokerError} RoleArnInvalid for a given ARN of another partition than the Region's;
 * ParameterInvalid, ParameterNotFound, ParameterAccessDenied and what else a call can end in
 */
export async function resolveRole(source: RoleSource, clients: Clients): Promise<RoleArn> {
  if ('given' in source) {
    checkPartition('RoleArnInvalid', 'role ARN', source.given, clients);
    return source.given;
  }
  const { published, tenant } = source;
  const parameter = published.parameters.sessionRoleArn;
  return telemetry.getParameter({ tenant, parameter, region: clients.region }, () => readRole(source, clients));
}

async function readRole({ published, ...whose }: PublishedRole, clients: Clients): Promise<RoleArn> {
  const { roleName } = published;
  const name = published.parameters.sessionRoleArn;
  const { value, parameterAccount } = await clients.getParameter({ parameter: name, ...whose }, (answer) =>
    readParameter(answer, name),
  );
  const subject = `parameter ${quote(name)}`;
  const role = parsePublished(subject, value);
  checkPartition('ParameterInvalid', subject, role, clients);
  if (role.account !== parameterAccount) {
    throw invalid(subject, `must hold a role of its own account ${parameterAccount}`, value);
  }
  if (role.name !== roleName) {
    throw invalid(
      subject,
      `must hold the role named ${quote(roleName)}, another is another tenant's or not ours`,
      value,
    );
  }
  return role;
}

/** A parameter's value, and the account that the parameter is in: twelve digits. */
function readParameter({ Parameter }: GetParameterCommandOutput, name: string) {
  const { ARN, Value } = Parameter ?? {};
  const [, , service, , parameterAccount] = ARN?.split(':') ?? [];
  if (service === 'ssm' && parameterAccount && Value !== undefined) return { value: Value, parameterAccount };
  throw new SessionBrokerError(
    'ResponseInvalid',
    `Systems Manager answered without the ARN or the value of parameter ${quote(name)}; check the endpoint and any proxy on the way to it`,
    { detail: { parameter: name } },
  );
}

function parsePublished(subject: string, value: string): RoleArn {
  try {
    return parseRoleArn(value);
  } catch (cause) {
    throw invalid(subject, 'must hold the exact ARN of an IAM role', value, cause);
  }
}

function checkPartition(code: ErrorCode, subject: string, role: RoleArn, at: { region: string; partition: Partition }) {
  if (role.partition === at.partition) return;
  throw new SessionBrokerError(
    code,
    `${subject} must name a role in the partition ${at.partition} of the Region ${at.region}: ${quote(role.arn)}; correct the Region or the role`,
  );
}

function invalid(subject: string, rule: string, value: string, cause?: unknown): SessionBrokerError {
  return new SessionBrokerError(
    'ParameterInvalid',
    `${subject} ${rule}: ${quote(value)}; deploy the tenant's stack again, which writes it`,
    { cause },
  );
}
