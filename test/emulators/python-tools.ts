import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BIN = fileURLToPath(new URL('../../.venv/bin/', import.meta.url));
const AWS = `${BIN}aws`;
export const PYTHON = `${BIN}python`;
const CFN_LINT = `${BIN}cfn-lint`;
const MINISTACK = `${BIN}ministack`;
const CALLS = fileURLToPath(new URL('boto3_calls.py', import.meta.url));

/** Whether the AWS CLI, boto3, cfn-lint and MiniStack are there. Where they are required, they must be. */
export const hasPythonTools: boolean = [AWS, PYTHON, CFN_LINT, MINISTACK].every((file) => existsSync(file));

if (!hasPythonTools) {
  const how = 'the AWS CLI, boto3, cfn-lint and MiniStack are not all installed; run npm run emulators:install';
  if (process.env['REQUIRE_EMULATORS'] === '1') throw new Error(`REQUIRE_EMULATORS is set and ${how}`);
  console.warn(`SKIPPED: ${how}`);
}

/** Nothing of this machine beside the environment. */
export function isolated(environment: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', AWS_MAX_ATTEMPTS: '1', ...environment };
}

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the AWS CLI. */
export async function aws(environment: Readonly<Record<string, string>>, ...parameters: string[]): Promise<Finished> {
  return run(AWS, ['--output', 'json', ...parameters], environment);
}

/** Runs a program. */
export async function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Finished> {
  return promisify(execFile)(program, [...args], { env: isolated(environment) }).then(
    ({ stdout, stderr }) => ({ exitCode: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      exitCode: error.code,
      stdout: error.stdout,
      stderr: error.stderr,
    }),
  );
}

/** What the AWS CLI printed, once it has succeeded. */
export function printed({ exitCode, stdout, stderr }: Finished): Record<string, unknown> {
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

export interface Boto3Call {
  readonly service: string;
  /** In boto3's spelling: `assume_role`. */
  readonly operation?: string;
  /** Instead of an operation, one of boto3's waiters: `stack_create_complete`. */
  readonly waiter?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface Boto3Answer {
  readonly answer?: Record<string, unknown>;
  readonly error?: { readonly code: string; readonly message: string; readonly status: number };
}

/** Makes calls with boto3, in order, in one process. */
export async function boto3(
  environment: Readonly<Record<string, string>>,
  calls: readonly Boto3Call[],
): Promise<readonly Boto3Answer[]> {
  const { stdout } = await promisify(execFile)(PYTHON, [CALLS, JSON.stringify(calls)], { env: isolated(environment) });
  return JSON.parse(stdout);
}

/**
 * Makes calls that must all succeed.
 * @throws {Error} what the first refusal says
 */
export async function answersOf(
  environment: Readonly<Record<string, string>>,
  calls: readonly Boto3Call[],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const answers = await boto3(environment, calls);
  return answers.map(({ answer = {}, error }, index) => {
    if (error !== undefined) throw new Error(`${calls[index]?.operation}: ${error.message}`);
    return answer;
  });
}

/** What a Python program printed, which is JSON. */
export async function python(environment: Readonly<Record<string, string>>, program: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(PYTHON, [program], { env: isolated(environment) });
  return JSON.parse(stdout);
}

/** The variables of credentials as the STS answer has them. */
export function environmentOf(
  environment: Readonly<Record<string, string>>,
  credentials: unknown,
): Record<string, string> {
  const { AccessKeyId, SecretAccessKey, SessionToken } = credentials as Record<string, string>;
  return {
    ...environment,
    AWS_ACCESS_KEY_ID: AccessKeyId ?? '',
    AWS_SECRET_ACCESS_KEY: SecretAccessKey ?? '',
    AWS_SESSION_TOKEN: SessionToken ?? '',
  };
}

/** What cfn-lint says of a template. */
export interface Finding {
  readonly file: string;
  readonly rule: string;
  readonly message: string;
}

/** All that cfn-lint finds in templates for a Region: errors, warnings and information, no rule left out. */
export async function cfnLint(region: string, templates: readonly string[]): Promise<readonly Finding[]> {
  const args = ['--format', 'json', '--include-checks', 'I', '--regions', region, '--template', ...templates];
  const { stdout } = await run(CFN_LINT, args, {});
  const findings = JSON.parse(stdout) as readonly {
    readonly Filename: string;
    readonly Rule: { readonly Id: string };
    readonly Message: string;
  }[];
  return findings.map(({ Filename, Rule, Message }) => ({ file: Filename, rule: Rule.Id, message: Message }));
}
