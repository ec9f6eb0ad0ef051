import { quote, SessionBrokerError } from '../errors.ts';
import { parseRoleArn } from '../identity/index.ts';
import { judgeTrust, type PolicyDocument, parseForeignPolicy, parseUniqueJson } from '../policy/index.ts';
import { openAccount } from '../sdk/account.ts';
import { renderJudgement } from './check-trust-text.ts';
import { type Command, parseArguments, type Shell } from './command.ts';
import { unlessStopped } from './stopped.ts';
import { saying } from './waiting.ts';

export interface CheckTrustInput {
  /** Path of a file, or `-` for standard input. Absent: `role`, else standard input. */
  readonly file?: string | undefined;
  /** Name or ARN of a role that IAM is asked for. */
  readonly role?: string | undefined;
  readonly profile?: string | undefined;
  readonly region?: string | undefined;
  readonly json: boolean;
}

export const checkTrust: Command<CheckTrustInput> = {
  name: 'check-trust',
  summary: "says whether any role's trust policy requires a source identity, and which ones it admits",
  help: `Judges a role's trust policy: whether a source identity is required, whether its value is pinned to patterns of the
policy, on which ways in; and where not, shows the smallest request that gets in without one or under a foreign one.
Takes the policy itself or what aws iam get-role prints, from a file or standard input, or asks IAM.

Usage: session-broker check-trust [FILE | -] [options]
       session-broker check-trust --role NAME_OR_ARN [options]

Options:
  --role NAME_OR_ARN   read the trust policy of this role from IAM (iam:GetRole)
  --profile NAME       the profile whose credentials ask IAM (default: the SDK's own chain)
  --region REGION      a Region of the role's partition (default: AWS_REGION, else the one of the profile)
  --json               print one JSON document instead

Exits with 0 if a source identity is required and pinned on every way in, with 1 if not, and with 2 if the policy
cannot be judged. A role that nobody can assume has no way in, and exits with 0.

Example: session-broker check-trust trust.json
`,
  parse: parseCheckTrust,
  run: runCheckTrust,
};

function parseCheckTrust(args: readonly string[]): CheckTrustInput {
  const { values, positionals } = parseArguments(
    'check-trust',
    args,
    {
      role: { type: 'string' },
      profile: { type: 'string' },
      region: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
    1,
  );
  const [file] = positionals;
  if (file !== undefined && values.role !== undefined) throw usage('a file and --role cannot be judged at once');
  if (values.role === undefined && (values.profile ?? values.region) !== undefined) {
    throw usage('--profile and --region are for --role');
  }
  return { file, ...values };
}

async function runCheckTrust(input: CheckTrustInput, shell: Shell): Promise<number> {
  const { document, roleArn, source } = await readTrust(input, shell);
  const judgement = judgeTrust(document, { roleArn: roleArn ?? someRole(document) });
  shell.write(
    input.json
      ? `${JSON.stringify({ role: roleArn ?? null, ...judgement })}\n`
      : renderJudgement(judgement, roleArn ?? source, shell.colour),
  );
  return judgement.required && judgement.pinned ? 0 : 1;
}

/** A trust policy, and whose it is where that is known. */
interface ReadTrust {
  readonly document: PolicyDocument;
  readonly roleArn?: string | undefined;
  /** How people call where it comes from. */
  readonly source: string;
}

async function readTrust(input: CheckTrustInput, shell: Shell): Promise<ReadTrust> {
  if (input.role !== undefined) return readRole(input.role, input, shell);
  const { file = '-' } = input;
  if (file !== '-') return { ...parseTrust(readFile(file, shell)), source: file };
  if (input.file === undefined && shell.isTerminal('stdin')) {
    throw usage('trust policy must be given: name a file or a role (--role), or send it to standard input');
  }
  const text = await unlessStopped(shell.stop, shell.readInput());
  return { ...parseTrust(text), source: 'standard input' };
}

function readFile(path: string, { readFile: read }: Shell): string {
  let cause: unknown;
  try {
    const text = read(path);
    if (text !== undefined) return text;
  } catch (error) {
    cause = error;
  }
  throw new SessionBrokerError(
    'PolicyUnreadable',
    `trust policy file must be readable: ${quote(path)} is not; correct the path, or send the policy to standard input`,
    { cause },
  );
}

const POLICY = 'trust policy';

/** The policy itself, or an answer of IAM that holds it: `aws iam get-role` with or without `--query Role`. */
function parseTrust(text: string): Pick<ReadTrust, 'document' | 'roleArn'> {
  const given = text.trim();
  const value = given.startsWith('%') ? given : parseUniqueJson(given, POLICY);
  const role = propertyOf(value, 'Role') ?? value;
  const policy = propertyOf(role, 'AssumeRolePolicyDocument');
  const arn = propertyOf(role, 'Arn');
  return {
    document: parseForeignPolicy(policy ?? value, POLICY),
    roleArn: policy === undefined || typeof arn !== 'string' ? undefined : arn,
  };
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** @param role its name, or its ARN with the path */
async function readRole(role: string, { profile, region }: CheckTrustInput, shell: Shell): Promise<ReadTrust> {
  const isArn = role.startsWith('arn:');
  const name = isArn ? parseRoleArn(role).name : role;
  const account = openAccount({ profile, region, signal: shell.stop });
  try {
    const question = { action: 'iam:GetRole', resource: role };
    const asking = account.iam(question, (iam, { GetRoleCommand }, options) =>
      iam.send(new GetRoleCommand({ RoleName: name }), options),
    );
    const { Role: found } = await saying('waiting for IAM ...', unlessStopped(shell.stop, asking), shell);
    const { Arn: roleArn = '', AssumeRolePolicyDocument: policy } = found ?? {};
    if (isArn && roleArn !== role) {
      throw new SessionBrokerError(
        'EntityNotFound',
        `${quote(role)} must exist: in the account that was asked a role of that name is ${quote(roleArn)}; correct the ARN, or ask with credentials of its account (--profile or AWS_PROFILE)`,
      );
    }
    return { document: parseForeignPolicy(policy, POLICY), roleArn, source: role };
  } finally {
    account.close();
  }
}

/** Stands for the role of a policy that does not say whose it is, in the partition of the ARNs in it. */
function someRole(document: PolicyDocument): string {
  const [, partition = 'aws'] = /arn:(aws(?:-us-gov|-cn)?):/.exec(JSON.stringify(document)) ?? [];
  return `arn:${partition}:iam::123456789012:role/this-role`;
}

function usage(fault: string): SessionBrokerError {
  return new SessionBrokerError('UsageInvalid', `${fault}; see session-broker check-trust --help`);
}
