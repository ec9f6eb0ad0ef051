import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Shell } from '../../lib/cli/command.ts';
import { main } from '../../lib/cli/main.ts';

const EXAMPLE = readFileSync(join(import.meta.dirname, '..', '..', 'tenants.example.yaml'), 'utf8');

interface Run {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line with a shell that finds one file, the example. */
async function run(...args: readonly string[]): Promise<Run> {
  let stdout = '';
  let stderr = '';
  const shell: Shell = {
    write: (text) => {
      stdout += text;
    },
    note: (line) => {
      stderr += `${line}\n`;
    },
    colour: false,
    readFile: (path) => (path === 'example' ? EXAMPLE : undefined),
    environment: {},
    node: [process.execPath],
    stop: new AbortController().signal,
  };
  const exitCode = await main(args, shell);
  return { exitCode, stdout, stderr };
}

describe('the command line', () => {
  test('lists its commands, with an example', async () => {
    const { exitCode, stdout, stderr } = await run('--help');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Usage: session-broker <command> [options]');
    expect(stdout).toContain('Example: session-broker quickstart');
    for (const command of ['quickstart', 'local']) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  test('says the same without a command, and fails', async () => {
    expect(await run()).toEqual({ ...(await run('--help')), exitCode: 2 });
  });

  test('tells its version', async () => {
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each(['quickstart', 'local'])('explains %s, with an example', async (command) => {
    const { exitCode, stdout } = await run(command, '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: session-broker ${command}`);
    expect(stdout).toContain(`Example: session-broker ${command}`);
    expect(stdout).toContain('--json');
  });

  test.each(['constructor', 'toString', 'lcoal', ''])(
    'fails for a command that does not exist: %j',
    async (command) => {
      expect(await run(command)).toEqual({
        exitCode: 2,
        stdout: '',
        stderr: `error: command must be one of quickstart, local: ${JSON.stringify(command)}; see session-broker --help [UsageInvalid]\n`,
      });
    },
  );

  test.each([
    [['quickstart', '--jsno'], "error: unknown option '--jsno'; see session-broker quickstart --help [UsageInvalid]\n"],
    [
      ['local', '--log'],
      "error: option '--log <value>' argument missing; see session-broker local --help [UsageInvalid]\n",
    ],
    [['local', 'cdk.out'], "error: unexpected argument 'cdk.out'; see session-broker local --help [UsageInvalid]\n"],
    [
      ['local', '--port', '65536'],
      'error: port must be a number from 0 to 65535: "65536"; leave it out for any free one [UsageInvalid]\n',
    ],
    [
      ['local', '--port', '-1'],
      "error: option '--port' argument is ambiguous; see session-broker local --help [UsageInvalid]\n",
    ],
  ])('fails for arguments that it does not take: %j', async (args, stderr) => {
    const ended = await run(...args);
    expect(ended.stderr).toBe(stderr);
    expect([ended.exitCode, ended.stdout]).toEqual([2, '']);
  });

  test('fails where there is no configuration, and says what it looked for', async () => {
    const { exitCode, stderr } = await run('local');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('"tenants.yaml", "tenants.example.yaml"');
    expect(stderr).toContain('[ConfigUnreadable]');
  });

  test('fails for an assembly that does not exist, and names it', async () => {
    const { exitCode, stdout, stderr } = await run('local', '--assembly', 'nowhere', '--config', 'example');
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'error: cloud assembly nowhere/manifest.json: the file must be readable; make the assembly with cdk synth and give its folder [AssemblyUnreadable]\n',
    );
  });

  test('fails for a configuration that does not exist', async () => {
    const { exitCode, stdout, stderr } = await run('local', '--config', 'nowhere.yaml');
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'error: configuration file must exist: "nowhere.yaml"; correct the path, or leave it out to read tenants.yaml [ConfigUnreadable]\n',
    );
  });
});
