import { onTestFinished, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseConfig } from '../../lib/config/parse.ts';
import type { Report } from '../../lib/doctor/examine.ts';
import type { Finding, FindingCode, Fix } from '../../lib/doctor/findings.ts';
import { type LocalAccount, type LocalAccountOptions, startLocalAccount } from '../../lib/local/index.ts';
import { fakeProcess, type Run, runIn } from '../cli/fake-shell.ts';
import { writeAssembly } from '../local/fixture.ts';
import { synthesize } from '../support/synthesize.ts';
import { type Answer, AwsCommands, parseAwsCommand, wordsOf } from './aws-command.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'us-west-2';
export const ROLE = 'hub-acme-session';
export const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/session-broker/${ROLE}`;
export const CALLER_POLICY_ARN = `arn:aws:iam::${ACCOUNT}:policy/session-broker/hub-acme-caller`;
export const TENANT_ROLE = 'hub-acme-tenant';
export const TENANT_ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/tenants/${TENANT_ROLE}`;
export const READER_ARN = `arn:aws:iam::${ACCOUNT}:role/data/reader`;
export const PARAMETER = '/eks-agent-platform/hub/session-broker/acme/session_role_arn';

/** Where doctor's files are, which is nowhere on the disk. */
const FOLDER = '/platform';
export const CONFIG_FILE = `${FOLDER}/tenants.yaml`;

/** One tenant that is opted in with most of what there is, and one that is not. */
export const HEALTHY = `
clusters:
  hub:
    account: "${ACCOUNT}"
    region: ${REGION}
    tenants:
      acme:
        attribution: true
        tenantRole: ${TENANT_ROLE_ARN}
        models: [amazon.nova-lite-v1:0]
        inferenceProfiles:
          us.anthropic.claude-sonnet-4-5-20250929-v1:0: [us-east-1, us-west-2]
        chainTo: ["${READER_ARN}"]
        eks: { kubernetesGroups: [agents] }
      globex:
        tenantRole: arn:aws:iam::${ACCOUNT}:role/tenants/hub-globex-tenant
`;

/** The trust that the owner of a chainTo role writes, from the documentation. */
const READER_TRUST = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'ChainUnderTheSameIdentity',
      Effect: 'Allow',
      Principal: { AWS: ROLE_ARN },
      Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
      Condition: {
        StringLike: { 'aws:SourceIdentity': 'agent.acme.?*' },
        StringNotLike: { 'aws:SourceIdentity': 'agent.acme.*.*' },
      },
    },
  ],
};

/** A platform team's accounts, its configuration and its service control policies. */
export class World {
  account!: LocalAccount;
  /** The configuration that doctor reads. */
  yaml: string;
  /** What doctor finds beside what is on the disk. */
  readonly #files = new Map<string, string>();
  /** What is done to the account beside the app, again after each deployment. */
  readonly #arrange: (world: World) => Promise<void>;
  #options: Partial<LocalAccountOptions>;
  #commands = new AwsCommands();
  environment: Record<string, string> = {};
  /** Stacks that CloudFormation does not delete. */
  #protected = new Set<string>();
  /** Policies that others attached to what they have. */
  #attachedByOthers = new Set<string>();
  /** How far the account's clock is ahead, in milliseconds. */
  aheadMs = 0;
  scp: unknown[] = [];

  private constructor(yaml: string, arrange: (world: World) => Promise<void>, options: Partial<LocalAccountOptions>) {
    this.yaml = yaml;
    this.#arrange = arrange;
    this.#options = options;
  }

  static async start(
    yaml: string = HEALTHY,
    arrange: (world: World) => Promise<void> = async () => {},
    options: Partial<LocalAccountOptions> = {},
  ): Promise<World> {
    const world = new World(yaml, arrange, options);
    await world.#deployAll();
    return world;
  }

  /** Starts the accounts anew with what the configuration synthesizes to. */
  async #deployAll(): Promise<void> {
    const config = parseConfig(this.yaml, 'tenants.yaml');
    const templates = Object.fromEntries(synthesize(config)) as never;
    await this.account?.close();
    const region = config.clusters[0]?.region ?? REGION;
    this.#protected = new Set(
      config.clusters.some((cluster) => cluster.terminationProtection) ? Object.keys(templates) : [],
    );
    const external = config.clusters.flatMap(({ tenants }) => tenants.filter((one) => one.callerPolicy === 'external'));
    this.#attachedByOthers = new Set(external.map(({ name }) => `SessionBroker-hub-${name}`));
    const assembly = writeAssembly(templates, `aws://${ACCOUNT}/${region}`);
    this.account = await startLocalAccount({
      assembly,
      config,
      clock: () => new Date(Date.now() + this.aheadMs),
      ...this.#options,
    });
    const { account } = this;
    const commands = new AwsCommands();
    this.#commands = commands;
    onTestFinished(() => {
      commands[Symbol.dispose]();
      return account.close();
    });
    for (const [name, value] of Object.entries(account.administratorEnvironment(ACCOUNT))) vi.stubEnv(name, value);
    // As every account has, and by which an export of it is known to be whole.
    await this.createPolicy('unrelated', { Effect: 'Allow', Action: 's3:ListBucket', Resource: '*' });
    if (this.yaml.includes(READER_ARN)) await this.trustReader();
    await this.#arrange(this);
  }

  async trustReader(): Promise<void> {
    const document = JSON.stringify(READER_TRUST);
    await this.aws('iam', 'update-assume-role-policy', '--role-name', 'reader', '--policy-document', document);
  }

  /** Runs a command of the AWS CLI as the administrator. */
  aws(...words: readonly string[]): Promise<Answer> {
    return this.#commands.run(parseAwsCommand(words), REGION);
  }

  /** Runs a command of the AWS CLI for a service of the account; by a shell and the CLI itself where a test has them. */
  runAws: (command: string) => Promise<unknown> = async (command) => {
    // What changes an account in this process has changed it.
    if (!command.startsWith('aws eks wait ')) await this.aws(...wordsOf(command).slice(1));
  };

  /** Puts a file where doctor finds it, and nobody else: files on the disk take longer than all else. @returns its path */
  write(name: string, content: unknown): string {
    const path = `${FOLDER}/${name}`;
    this.#files.set(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  /** What is in such a file. */
  contentOf(path: string): string {
    return this.#files.get(path) ?? '';
  }

  /** Runs doctor, as a person would. */
  async doctor(...args: readonly string[]): Promise<Run> {
    this.write('tenants.yaml', this.yaml);
    const scp = this.scp.flatMap((document, index) => ['--scp', this.write(`scp-${index}.json`, document)]);
    const fake = fakeProcess({ environment: this.environment });
    const readFile = (path: string): string | undefined => this.#files.get(path) ?? fake.shell.readFile(path);
    return runIn({ ...fake, shell: { ...fake.shell, readFile } }, 'doctor', '--config', CONFIG_FILE, ...scp, ...args);
  }

  /** What the AWS CLI prints of the whole account, in files. */
  async dump(): Promise<readonly string[]> {
    const outputs: Answer[] = [
      decoded(await this.aws('iam', 'get-account-authorization-details')),
      decoded(await this.aws('iam', 'list-roles')),
      await this.aws('iam', 'get-account-summary'),
      { clusters: ['hub'] },
    ];
    const regions = [...new Set([REGION, parseConfig(this.yaml, 'tenants.yaml').clusters[0]?.region ?? REGION])];
    for (const region of regions) {
      const words = ['--path', '/eks-agent-platform', '--recursive', '--region', region];
      outputs.push(await this.aws('ssm', 'get-parameters-by-path', ...words));
      outputs.push({ RegionName: region, RegionOptStatus: 'ENABLED_BY_DEFAULT' });
    }
    const region = regions.at(-1) ?? REGION;
    const cluster = await this.aws('eks', 'describe-cluster', '--name', 'hub', '--region', region).catch(
      () => undefined,
    );
    if (cluster !== undefined) outputs.push(cluster, ...(await this.#dumpCluster(region)));
    return outputs.map((output, index) => this.write(`output-${index}.json`, output));
  }

  async #dumpCluster(region: string): Promise<readonly Answer[]> {
    const hub = ['--cluster-name', 'hub', '--region', region];
    const entries = await this.aws('eks', 'list-access-entries', ...hub).catch(() => ({ accessEntries: [] }));
    const outputs: Answer[] = [entries];
    for (const principal of entries['accessEntries'] as string[]) {
      outputs.push(await this.aws('eks', 'describe-access-entry', ...hub, '--principal-arn', principal));
    }
    const associations = await this.aws('eks', 'list-pod-identity-associations', ...hub);
    outputs.push(associations);
    for (const { associationId: id = '' } of associations['associations'] as { associationId?: string }[]) {
      outputs.push(await this.aws('eks', 'describe-pod-identity-association', ...hub, '--association-id', id));
    }
    return outputs;
  }

  /** Doctor's findings from what the AWS CLI printed, which asks for less than doctor itself does. */
  async offline(): Promise<readonly Finding[]> {
    const files = await this.dump();
    return this.findings(...files.flatMap((file) => ['--from', file]));
  }

  async report(...args: readonly string[]): Promise<Report> {
    const { stdout, stderr } = await this.doctor('--json', ...args);
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Report;
  }

  /** What is found beyond the notes that a healthy deployment has too. */
  async findings(...args: readonly string[]): Promise<readonly Finding[]> {
    return (await this.report(...args)).findings.filter(({ severity }) => severity !== 'note');
  }

  /** Does what the fixes of findings say, each command once. */
  async applyAll(findings: readonly Finding[]): Promise<void> {
    const done = new Set<string>();
    for (const { fix } of findings) {
      const isDone = fix.commands.length > 0 && fix.commands.every((command) => done.has(command));
      if (!isDone) await this.apply(fix);
      for (const command of fix.commands) done.add(command);
    }
  }

  /** Does what a fix says, to the letter. */
  async apply({ configuration, statements, commands }: Fix): Promise<void> {
    if (configuration !== undefined) this.configure(configuration.path, configuration.value);
    if (commands.length === 0) {
      for (const change of statements) {
        const index = /scp-(\d+)\.json$/.exec(change.policy)?.[1];
        if (index === undefined) throw new Error(`nothing says how to change ${change.policy}`);
        const { Statement: old } = this.scp[Number(index)] as { Statement: unknown[] };
        const Statement =
          change.index === undefined ? [...old, change.statement] : old.with(change.index, change.statement);
        this.scp[Number(index)] = { Version: '2012-10-17', Statement };
      }
    }
    for (const command of commands) await this.#run(command);
  }

  /** Does what the fix of one finding says. */
  async fix(code: FindingCode): Promise<void> {
    const finding = (await this.findings()).find((found) => found.code === code);
    if (finding === undefined) throw new Error(`nothing was found as ${code}`);
    await this.apply(finding.fix);
  }

  configure(path: string, value: unknown): void {
    const config = parse(this.yaml) as Record<string, unknown>;
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const parent = keys.reduce((object, key) => object[key] as Record<string, unknown>, config);
    parent[last] = value;
    this.yaml = stringify(config);
  }

  async #run(command: string): Promise<void> {
    const [program, ...words] = wordsOf(command);
    if (program === 'unset') {
      for (const name of words) delete this.environment[name];
      return;
    }
    if (program === 'npx') return this.#cdk(words);
    if (program !== 'aws') throw new Error(`no command of a fix: ${command}`);
    const { service, operation, options } = parseAwsCommand(words);
    const option = (name: string): string => options[name]?.[0] ?? '';
    switch (`${service} ${operation}`) {
      case 'cloudformation delete-stack':
        return this.undeploy(option('stack-name'), option('region'));
      case 'cloudformation update-termination-protection':
        this.#protected.delete(option('stack-name'));
        return;
      case 'cloudformation wait':
      case 'eks list-clusters': // for people, and not modelled
        return;
      case 'service-quotas request-service-quota-increase':
        this.#options = {
          ...this.#options,
          quotas: { [quotaName(option('quota-code'))]: Number(option('desired-value')) },
        };
        return this.#deployAll();
      default:
        await this.runAws(command);
    }
  }

  /** What `cdk deploy` does: the stack of an opted-out tenant is deleted, any other is as it was synthesized. */
  async #cdk([cdk, deploy, stack = '', flag, config]: readonly string[]): Promise<void> {
    if (cdk !== 'cdk' || deploy !== 'deploy') throw new Error(`no deployment: ${cdk} ${deploy}`);
    if (flag !== '-c' || config !== `config=${CONFIG_FILE}`) throw new Error('no configuration');
    const template = synthesize(this.yaml).get(stack);
    if (template === undefined) throw new Error(`no stack ${stack}`);
    if (template.Resources === undefined) await this.undeploy(stack);
    else await this.#deployAll();
  }

  /** Deletes what a stack made, as far as it is still there, and where CloudFormation would. */
  async undeploy(stackName: string, region = REGION): Promise<void> {
    if (this.#protected.has(stackName)) throw new Error(`TerminationProtection is enabled on ${stackName}`);
    if (this.#attachedByOthers.has(stackName)) {
      const { PolicyRoles: roles } = (await unlessMissing(
        this.aws('iam', 'list-entities-for-policy', '--policy-arn', callerPolicyArn(stackName)),
      )) ?? { PolicyRoles: [] };
      if ((roles as unknown[]).length > 0) throw new Error('Cannot delete a policy attached to entities.');
    }
    const stem = stackName.replace(/^SessionBroker-/, '');
    const [, cluster, tenant] = /^([^-]+)-(.+)$/.exec(stem) ?? [];
    await this.deleteRole(`${stem}-session`);
    await this.deletePolicy(callerPolicyArn(stackName));
    for (const last of ['session_role_arn', 'source_identity_pattern']) {
      const name = `/eks-agent-platform/${cluster}/session-broker/${tenant}/${last}`;
      await unlessMissing(this.aws('ssm', 'delete-parameter', '--name', name, '--region', region));
    }
  }

  /** Deletes a role and all that hangs on it, as the console does. */
  async deleteRole(name: string): Promise<void> {
    const role = ['--role-name', name];
    const inline = await unlessMissing(this.aws('iam', 'list-role-policies', ...role));
    if (inline === undefined) return;
    for (const policy of inline['PolicyNames'] as string[]) {
      await this.aws('iam', 'delete-role-policy', ...role, '--policy-name', policy);
    }
    const { AttachedPolicies: attached } = await this.aws('iam', 'list-attached-role-policies', ...role);
    for (const { PolicyArn: arn } of attached as { PolicyArn: string }[]) {
      await this.aws('iam', 'detach-role-policy', ...role, '--policy-arn', arn);
    }
    await this.aws('iam', 'delete-role', ...role);
  }

  /** Deletes a role and makes it again, with all that hung on it: to IAM that is another one. */
  async recreateRole(name: string): Promise<void> {
    const named = ['--role-name', name];
    const { Role: role } = await this.aws('iam', 'get-role', ...named);
    const { Path: path, AssumeRolePolicyDocument: trust, MaxSessionDuration: seconds } = role as Record<string, string>;
    const { PolicyNames: names } = await this.aws('iam', 'list-role-policies', ...named);
    const inline = await Promise.all(
      (names as string[]).map((policy) => this.aws('iam', 'get-role-policy', ...named, '--policy-name', policy)),
    );
    const { AttachedPolicies: attached } = await this.aws('iam', 'list-attached-role-policies', ...named);
    await this.deleteRole(name);
    const session = ['--max-session-duration', String(seconds)];
    const policy = ['--assume-role-policy-document', decodeURIComponent(trust ?? '')];
    await this.aws('iam', 'create-role', ...named, '--path', path ?? '/', ...policy, ...session);
    for (const { PolicyName, PolicyDocument } of inline as Record<string, string>[]) {
      const document = ['--policy-document', decodeURIComponent(PolicyDocument ?? '')];
      await this.aws('iam', 'put-role-policy', ...named, '--policy-name', PolicyName ?? '', ...document);
    }
    for (const { PolicyArn } of attached as Record<string, string>[]) {
      await this.aws('iam', 'attach-role-policy', ...named, '--policy-arn', PolicyArn ?? '');
    }
  }

  /** Makes a managed policy. */
  async createPolicy(name: string, ...statements: readonly object[]): Promise<string> {
    const document = JSON.stringify({ Version: '2012-10-17', Statement: statements });
    await this.aws('iam', 'create-policy', '--policy-name', name, '--policy-document', document);
    return `arn:aws:iam::${ACCOUNT}:policy/${name}`;
  }

  /** Deletes a managed policy and detaches it before. */
  async deletePolicy(arn: string): Promise<void> {
    const policy = ['--policy-arn', arn];
    const entities = await unlessMissing(this.aws('iam', 'list-entities-for-policy', ...policy));
    if (entities === undefined) return;
    for (const { RoleName: name } of entities['PolicyRoles'] as { RoleName: string }[]) {
      await this.aws('iam', 'detach-role-policy', '--role-name', name, ...policy);
    }
    const { Versions: versions } = await this.aws('iam', 'list-policy-versions', ...policy);
    for (const { VersionId: id, IsDefaultVersion: isDefault } of versions as {
      VersionId: string;
      IsDefaultVersion: boolean;
    }[]) {
      if (!isDefault) await this.aws('iam', 'delete-policy-version', ...policy, '--version-id', id);
    }
    await this.aws('iam', 'delete-policy', ...policy);
  }
}

async function unlessMissing(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && /NoSuchEntity|ParameterNotFound/.test(error.name)) return undefined;
    throw error;
  }
}

function callerPolicyArn(stackName: string): string {
  return `arn:aws:iam::${ACCOUNT}:policy/session-broker/${stackName.replace(/^SessionBroker-/, '')}-caller`;
}

function quotaName(code: string): string {
  const name = QUOTA_NAMES[code];
  if (name === undefined) throw new Error(`no quota has the code ${code}`);
  return name;
}

const QUOTA_NAMES: Readonly<Record<string, string>> = {
  'L-FE177D64': 'RolesQuota',
  'L-E95E4862': 'PoliciesQuota',
  'L-0DA4ABF3': 'AttachedPoliciesPerRoleQuota',
  'L-C07B4B0D': 'AssumeRolePolicySizeQuota',
};

/** As the AWS CLI prints an answer of IAM: policies as objects. */
function decoded(answer: Answer): Answer {
  return JSON.parse(JSON.stringify(answer), (key, value) =>
    /Document$/.test(key) && typeof value === 'string' ? JSON.parse(decodeURIComponent(value)) : value,
  ) as Answer;
}
