import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fakeProcess, run, runIn } from './fake-shell.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'tenants.example.yaml');
const COMMANDS = ['quickstart', 'local', 'exec', 'credentials', 'serve', 'env', 'verify', 'doctor', 'check-trust'];

describe('the command line', () => {
  test('lists its commands, with an example', async () => {
    const { exitCode, stdout, stderr } = await run('--help');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Usage: session-broker <command> [options]');
    expect(stdout).toContain('Example: session-broker quickstart');
    expect([...stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, command]) => command)).toEqual(COMMANDS);
  });

  test.each([['help'], ['-h'], ['help', '--help'], ['--help', 'help']])('says the same for %s', async (...args) => {
    expect(await run(...args)).toEqual(await run('--help'));
  });

  test.each([['help'], ['--help'], ['-h']])('explains a command that follows %s', async (help) => {
    expect(await run(help, 'exec')).toEqual(await run('exec', '--help'));
  });

  test('fails without a command', async () => {
    expect(await run()).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: command must be one of ${COMMANDS.join(', ')}: none is given; see session-broker --help [UsageInvalid]\n`,
    });
  });

  test('tells its version', async () => {
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each(COMMANDS)('explains %s, with an example', async (command) => {
    const { exitCode, stdout } = await run(command, '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Usage: session-broker ${command}`);
    expect(stdout).toContain(`Example: session-broker ${command}`);
    expect(stdout).toContain('--json');
  });

  test.each([
    [['constructor'], '"constructor"'],
    [['toString'], '"toString"'],
    [[''], '""'],
    [['lcoal'], '"lcoal", the nearest is local'],
    [['credential', '--help'], '"credential", the nearest is credentials'],
    [['help', 'serv'], '"serv", the nearest is serve'],
  ])('fails for a command that does not exist: %j', async (args, given) => {
    expect(await run(...args)).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `error: command must be one of ${COMMANDS.join(', ')}: ${given}; see session-broker --help [UsageInvalid]\n`,
    });
  });

  test.each([
    [
      ['quickstart', '--jsno'],
      "error: unknown option '--jsno', the nearest is --json; see session-broker quickstart --help [UsageInvalid]\n",
    ],
    [
      ['local', '--hlep'],
      "error: unknown option '--hlep', the nearest is --help; see session-broker local --help [UsageInvalid]\n",
    ],
    [['local', '--verbose'], "error: unknown option '--verbose'; see session-broker local --help [UsageInvalid]\n"],
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
      'error: option \'--port\' must have a value: "-1" looks like an option; write --port=VALUE if it is the value; see session-broker local --help [UsageInvalid]\n',
    ],
    [
      ['local', '--port=-1'],
      'error: port must be a number from 0 to 65535: "-1"; leave it out for any free one [UsageInvalid]\n',
    ],
    [
      ['local', '--log', 'a', '--log', 'b'],
      "error: option '--log' is given twice; see session-broker local --help [UsageInvalid]\n",
    ],
  ])('fails for arguments that it does not take: %j', async (args, stderr) => {
    const ended = await run(...args);
    expect(ended.stderr).toBe(stderr);
    expect([ended.exitCode, ended.stdout]).toEqual([2, '']);
  });

  test('fails where there is no configuration, and says what it looked for', async () => {
    const { exitCode, stderr } = await runIn(fakeProcess({ readFile: () => undefined }), 'local');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('"tenants.yaml", "tenants.example.yaml"');
    expect(stderr).toContain('[ConfigUnreadable]');
  });

  test('fails for an assembly that does not exist, and names it', async () => {
    const { exitCode, stdout, stderr } = await run('local', '--assembly', 'nowhere', '--config', EXAMPLE);
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
