import { join, relative } from 'node:path';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
  type STSClientConfig,
  STSServiceException,
} from '@aws-sdk/client-sts';
import type { ClusterConfig, TenantConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { quote, SessionBrokerError } from '../errors.ts';
import { brokerNames, createSessionIdentity, formatSourceIdentity } from '../identity/index.ts';
import { type CloudTrailEvent, type LocalAccount, startLocalAccount } from '../local/index.ts';
import { fromSessionBroker } from '../runtime/index.ts';
import type { Shell } from './command.ts';
import { isInstalled, packageFile } from './package.ts';
import { synthesize } from './synthesize.ts';

/** What a reader of CloudTrail sees of one call. */
export interface SeenCall {
  readonly eventName: string;
  /** Where in the event the identity stands. */
  readonly field: string;
  readonly sourceIdentity: string;
}

/** A request that AWS's rules refuse. */
export interface Refusal {
  /** What was tried. */
  readonly tried: string;
  /** The source identity that was asked for; null for none. */
  readonly sourceIdentity: string | null;
  /** The code that the client got. */
  readonly code: string;
  /** Why, as the local account knows and AWS does not tell. */
  readonly reason: string;
}

/** Everything that the quick start showed. */
export interface Demonstration {
  readonly config: string;
  readonly cdkVersion: string;
  /** Everything that was synthesized. */
  readonly stacks: readonly string[];
  readonly session: {
    readonly tenant: string;
    readonly dispatcherRole: string;
    readonly sessionBrokerRole: string;
    readonly sourceIdentity: string;
    readonly seen: readonly SeenCall[];
  };
  readonly chain: { readonly role: string; readonly seen: readonly SeenCall[] };
  readonly refusals: readonly Refusal[];
  readonly notOptedIn: {
    readonly tenant: string;
    /** The code of the runtime's error when a session is asked for. */
    readonly code: string;
    /** The parameter that does not exist. */
    readonly absentParameter: string;
  };
  readonly next: readonly string[];
}

/**
 * Does the main job against a local account of the example.
 * @param session session id
 * @throws {SessionBrokerError} QuickstartFailed when anything happens otherwise than it should
 */
export async function demonstrate(session: string, shell: Shell): Promise<Demonstration> {
  const file = packageFile('tenants.example.yaml');
  const { config } = loadConfig({ given: file, readFile: shell.readFile });
  const [cluster] = config.clusters;
  const pilot = cluster?.tenants.find(({ optIn }) => optIn === 'in');
  const bystander = cluster?.tenants.find(({ optIn }) => optIn === 'never');
  const [chainRole] = pilot?.chainTo ?? [];
  if (!cluster || !pilot || !bystander || !chainRole) {
    throw failed(`${quote(file)} must have a pilot tenant with a chainTo role and a tenant that is not opted in`);
  }

  shell.note('synthesizing tenants.example.yaml with the CDK ...');
  await using assembly = await synthesize(file, shell);
  await using account = await startLocalAccount({ assembly: assembly.folder, config });
  const stage = { account, cluster, session };
  expectStacks(assembly.stacks, cluster, pilot);

  const { credentials, ...named } = await startSession(stage, pilot);
  const chain = await goOn(stage, chainRole, credentials, named.sourceIdentity);
  const refusals = await tryOtherNames(stage, pilot, named.sessionBrokerRole, { chainRole, credentials });
  return {
    config: 'tenants.example.yaml',
    cdkVersion: assembly.cdkVersion,
    stacks: assembly.stacks,
    session: named,
    chain,
    refusals,
    notOptedIn: await tryWithoutOptIn(stage, bystander),
    next: nextSteps(`SessionBroker-${cluster.name}-${pilot.name}`),
  };
}

/** What to run with a real account, from where this package stands. */
function nextSteps(stack: string): readonly string[] {
  const place = isInstalled() ? relative('.', packageFile()) : '';
  const app = isInstalled() ? ` --app 'node ${join(place, 'dist', 'bin', 'app.js')}'` : '';
  return [
    `cp ${join(place, 'tenants.example.yaml')} tenants.yaml   # your account, Region and tenant role`,
    'npx cdk bootstrap aws://ACCOUNT/REGION   # once',
    `npx cdk deploy${app} '${stack}'`,
    "npx session-broker local   # this local account, for your dispatcher's tests",
  ];
}

interface Stage {
  readonly account: LocalAccount;
  readonly cluster: ClusterConfig;
  readonly session: string;
}

type Credentials = NonNullable<STSClientConfig['credentials']>;

/** The runtime's part: the dispatcher assumes the session-broker role under the session's name. */
async function startSession(stage: Stage, tenant: TenantConfig) {
  const { account, cluster, session } = stage;
  const credentials = sessionProvider(stage, tenant);
  const sourceIdentity = formatSourceIdentity(createSessionIdentity({ tenant: tenant.name, session }));
  const client = stsClient(account, cluster, credentials);
  await client.send(new GetCallerIdentityCommand({}));
  const seen = [
    seenIn(
      account,
      'AssumeRole',
      'requestParameters.sourceIdentity',
      ({ requestParameters }) => requestParameters?.['sourceIdentity'],
    ),
    seenIn(account, 'GetCallerIdentity', 'userIdentity.sessionContext.sourceIdentity', callerIdentity),
  ];
  expectIdentity(sourceIdentity, seen);
  return {
    credentials,
    tenant: tenant.name,
    dispatcherRole: tenant.tenantRole,
    sessionBrokerRole: String(lastEvent(account, 'AssumeRole')?.requestParameters?.['roleArn']),
    sourceIdentity,
    seen,
  };
}

/** The session goes on to another role without a word about its name. */
async function goOn({ account, cluster, session }: Stage, role: string, credentials: Credentials, expected: string) {
  const chained = await stsClient(account, cluster, credentials).send(
    new AssumeRoleCommand({ RoleArn: role, RoleSessionName: session }),
  );
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = chained.Credentials ?? {};
  const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
  await stsClient(account, cluster, keys).send(new GetCallerIdentityCommand({}));
  const seen = [seenIn(account, 'GetCallerIdentity', 'userIdentity.sessionContext.sourceIdentity', callerIdentity)];
  expectIdentity(expected, seen);
  return { role, seen };
}

/** Raw calls, past the runtime, which would refuse before it sends: AWS's rules decide. */
async function tryOtherNames(
  stage: Stage,
  tenant: TenantConfig,
  sessionBrokerRole: string,
  chain: { readonly chainRole: string; readonly credentials: Credentials },
): Promise<readonly Refusal[]> {
  const { account, cluster, session } = stage;
  const dispatcher = account.dispatcherCredentials(cluster.name, tenant.name);
  const attempts = [
    { tried: 'no source identity', name: undefined, role: sessionBrokerRole, as: dispatcher },
    { tried: "another tenant's name", name: `agent.globex.${session}`, role: sessionBrokerRole, as: dispatcher },
    { tried: 'a prefix sibling', name: `agent.${tenant.name}-2.${session}`, role: sessionBrokerRole, as: dispatcher },
    {
      tried: 'another name in the chained call, to a role whose trust admits any',
      name: `agent.${tenant.name}.somebody-else`,
      role: chain.chainRole,
      as: chain.credentials,
    },
  ];
  const refusals: Refusal[] = [];
  for (const { tried, name, role, as } of attempts) {
    const input: AssumeRoleCommandInput = { RoleArn: role, RoleSessionName: session };
    if (name !== undefined) input.SourceIdentity = name;
    const code = await refusalCode(stsClient(account, cluster, as), input, tried);
    const reason = account.decisions().at(-1)?.reason ?? '';
    refusals.push({ tried, sourceIdentity: name ?? null, code, reason });
  }
  return refusals;
}

async function refusalCode(client: STSClient, input: AssumeRoleCommandInput, tried: string): Promise<string> {
  try {
    await client.send(new AssumeRoleCommand(input));
  } catch (error) {
    if (error instanceof STSServiceException && error.name === 'AccessDenied') return error.name;
    throw error;
  }
  throw failed(`${tried} must be refused, and was let in`);
}

/** A tenant that is not opted in has no parameter, and no right to ask for one. */
async function tryWithoutOptIn(stage: Stage, tenant: TenantConfig) {
  const { account, cluster } = stage;
  const absentParameter = brokerNames({
    cluster: cluster.name,
    tenant: tenant.name,
    parameterPrefix: cluster.parameterPrefix,
  }).parameters.sessionRoleArn;
  await expectAbsent(account, cluster, absentParameter);
  try {
    await sessionProvider(stage, tenant)();
  } catch (error) {
    if (error instanceof SessionBrokerError) return { tenant: tenant.name, code: error.code, absentParameter };
    throw error;
  }
  throw failed(`tenant ${quote(tenant.name)} is not opted in and must have nothing, and got a session`);
}

/** Asks as the account's administrator, who may see everything. */
async function expectAbsent(account: LocalAccount, cluster: ClusterConfig, parameter: string): Promise<void> {
  const credentials = account.administratorCredentials(cluster.account);
  const client = new SSMClient({ endpoint: account.endpoint, region: cluster.region, credentials });
  try {
    await client.send(new GetParameterCommand({ Name: parameter }));
  } catch (error) {
    if (error instanceof ParameterNotFound) return;
    throw error;
  }
  throw failed(`parameter ${quote(parameter)} must not exist`);
}

function expectStacks(stacks: readonly string[], cluster: ClusterConfig, pilot: TenantConfig): void {
  const { stackName } = brokerNames({ cluster: cluster.name, tenant: pilot.name });
  if (stacks.length !== 1 || stacks[0] !== stackName) {
    throw failed(`the only stack must be ${quote(stackName)}: synthesized were ${quote(stacks)}`);
  }
}

function sessionProvider({ account, cluster, session }: Stage, tenant: TenantConfig) {
  return fromSessionBroker({
    cluster: cluster.name,
    tenant: tenant.name,
    session,
    parameterPrefix: cluster.parameterPrefix,
    region: cluster.region,
    credentials: account.dispatcherCredentials(cluster.name, tenant.name),
    endpoint: account.endpoint,
  });
}

function stsClient({ endpoint }: LocalAccount, { region }: ClusterConfig, credentials: Credentials): STSClient {
  return new STSClient({ endpoint, region, credentials });
}

function seenIn(
  account: LocalAccount,
  eventName: string,
  field: string,
  read: (event: CloudTrailEvent) => unknown,
): SeenCall {
  const event = lastEvent(account, eventName);
  const value = event === undefined ? undefined : read(event);
  return { eventName, field, sourceIdentity: typeof value === 'string' ? value : '' };
}

function lastEvent(account: LocalAccount, eventName: string): CloudTrailEvent | undefined {
  return account.events().findLast((event) => event.eventName === eventName);
}

function callerIdentity({ userIdentity }: CloudTrailEvent): unknown {
  return userIdentity.sessionContext?.sourceIdentity;
}

function expectIdentity(expected: string, seen: readonly SeenCall[]): void {
  for (const { eventName, field, sourceIdentity } of seen) {
    if (sourceIdentity !== expected) {
      throw failed(`${field} of ${eventName} must be ${quote(expected)}: it is ${quote(sourceIdentity)}`);
    }
  }
}

function failed(reason: string): SessionBrokerError {
  return new SessionBrokerError(
    'QuickstartFailed',
    `quick start: ${reason}; please report it with the output of --json`,
  );
}
