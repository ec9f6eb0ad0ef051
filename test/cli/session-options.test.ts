import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../local/fixture.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { run } from './fake-shell.ts';

isolateEnvironment();

const ACME = ['--cluster', 'hub', '--tenant', 'acme'];

describe('a command for a session fails before any call, in one line,', () => {
  test.each<[string, readonly string[], number, string]>([
    [
      'without a session id',
      ['credentials', ...ACME],
      2,
      'session must be given, one id for the whole life of an agent\'s session: make one with --session "$(uuidgen)" and keep it; see session-broker credentials --help [UsageInvalid]',
    ],
    [
      'without a session id',
      ['serve', ...ACME],
      2,
      'session must be given, one id for the whole life of an agent\'s session: make one with --session "$(uuidgen)" and keep it; see session-broker serve --help [UsageInvalid]',
    ],
    [
      'without a session id',
      ['env', ...ACME],
      2,
      'session must be given, one id for the whole life of an agent\'s session: make one with --session "$(uuidgen)" and keep it; see session-broker env --help [UsageInvalid]',
    ],
    [
      'for a session id with a dot',
      ['env', ...ACME, '--session', 'a.b'],
      2,
      'session id must not contain a dot, which separates the segments of a source identity: "a.b"; use "-" instead [SegmentDot]',
    ],
    [
      'for two session ids where there is one session',
      ['credentials', ...ACME, '--session', 'a', '--session', 'b'],
      2,
      "option '--session' is given twice; see session-broker credentials --help [UsageInvalid]",
    ],
    [
      'for a session that is served twice',
      ['serve', ...ACME, '--session', 'a', '--session', 'b', '--session', 'A'],
      2,
      'session must be given once, and differ from every other in more than upper and lower case: "A"; leave one out [UsageInvalid]',
    ],
    [
      'for a port that is none',
      ['serve', ...ACME, '--session', 'a', '--port', 'http'],
      2,
      'port must be a number from 0 to 65535: "http"; leave it out for any free one [UsageInvalid]',
    ],
    [
      'for a format that does not exist',
      ['credentials', ...ACME, '--session', 'a', '--format', 'xml'],
      2,
      'format must be one of process, claude, env, json: "xml"; see session-broker credentials --help [UsageInvalid]',
    ],
    [
      'for two formats',
      ['credentials', ...ACME, '--session', 'a', '--format', 'env', '--json'],
      2,
      '--json must not stand beside --format env, it asks for another format; leave one of the two out [UsageInvalid]',
    ],
    [
      'for a program without the "--" before it',
      ['exec', ...ACME, 'aws', 's3', 'ls'],
      2,
      'command must stand after "--": session-broker exec --tenant NAME -- COMMAND; see session-broker exec --help [UsageInvalid]',
    ],
    [
      'for no program after "--"',
      ['exec', ...ACME, '--'],
      2,
      'command must stand after "--": session-broker exec --tenant NAME -- COMMAND; see session-broker exec --help [UsageInvalid]',
    ],
    [
      'for an argument before "--"',
      ['exec', ...ACME, 'aws', '--', 's3', 'ls'],
      2,
      "unexpected argument 'aws'; see session-broker exec --help [UsageInvalid]",
    ],
    [
      'for a scope that variables cannot carry',
      ['env', ...ACME, '--session', 'a', '--policy', 'p.json'],
      2,
      "unknown option '--policy'; see session-broker env --help [UsageInvalid]",
    ],
    [
      'for a policy file that is not there',
      ['credentials', ...ACME, '--session', 'a', '--policy', '/nowhere/p.json'],
      2,
      'policy file must be readable: "/nowhere/p.json" is not; correct it or its path, or leave --policy out for all that the role may do [SessionPolicyInvalid]',
    ],
    [
      'for a policy file that is a folder',
      ['exec', ...ACME, '--policy', '/', '--', 'true'],
      2,
      'policy file must be readable: "/" is not; correct it or its path, or leave --policy out for all that the role may do [SessionPolicyInvalid]',
    ],
  ])('%s: %j', async (_, args, exitCode, message) => {
    expect(await run(...args)).toEqual({ exitCode, stdout: '', stderr: `error: ${message}\n` });
  });

  test.each(['credentials', 'serve'])('for a policy file that is no policy: %s', async (command) => {
    const policy = join(temporaryFolder(), 'policy.json');
    writeFileSync(policy, '{"Version": ');
    const { exitCode, stdout, stderr } = await run(command, ...ACME, '--session', 'a', '--policy', policy);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      `error: policy file must hold a policy as JSON: "${policy}" does not; correct it or its path, or leave --policy out for all that the role may do [SessionPolicyInvalid]\n`,
    );
  });

  test('for a policy that STS would refuse', async () => {
    const policy = join(temporaryFolder(), 'policy.json');
    writeFileSync(policy, '{"Version": "2012-10-17"}');
    const { exitCode, stdout, stderr } = await run('credentials', ...ACME, '--session', 'a', '--policy', policy);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: session policy, statement 1: [^\n]* \[SessionPolicyInvalid\]\n$/);
  });

  test('for a cluster and a tenant that nobody named', async () => {
    const { exitCode, stdout, stderr } = await run('credentials', '--session', 'a');
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: .*cluster and tenant missing.*\[RoleUnresolved\]\n$/);
  });
});
