import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOCTOR_EXIT_CODES } from '../../lib/cli/doctor.ts';
import { SESSION_OPTIONS } from '../../lib/cli/session-options.ts';
import { ERRORS } from '../../lib/errors.ts';
import { temporaryFolder } from '../local/fixture.ts';
import { fakeProcess, run, runIn, startIn } from './fake-shell.ts';
import { fakeAwsForDispatcher } from './session-fixture.ts';

fakeAwsForDispatcher();

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'commands.md'), 'utf8');

/** What the page tells its reader to run. */
const COMMANDS = [
  'session-broker exec --cluster hub --tenant acme -- aws sts get-caller-identity',
  'session-broker serve --cluster hub --tenant acme --session s1 --session s2 --json',
  'session-broker credentials --cluster hub --tenant acme --session s1 --format env',
  'session-broker env --cluster hub --tenant acme --session s1',
];

function argumentsOf(command: string): readonly [string, ...string[]] {
  const [, name = '', ...rest] = command.split(' ');
  return [name, ...rest];
}

describe('docs/commands.md', () => {
  test.each(COMMANDS)('shows a command that works: %s', async (command) => {
    const spawn = () => ({ kill: () => {}, ended: Promise.resolve({ exitCode: 0 }) });
    const args = argumentsOf(command);
    if (args[0] === 'serve') {
      expect(JSON.parse((await startIn(fakeProcess(), ...args)).first).sessions).toHaveLength(2);
    } else {
      expect((await runIn(fakeProcess({ spawn }), ...args)).exitCode).toBe(0);
    }
    expect(page).toContain(`\n${command}\n`);
  });

  describe('shows a script that evaluates credentials', () => {
    const SCRIPT = `out=$(session-broker credentials --cluster hub --tenant acme --session s1 --format env) || exit
eval "$out"
`;

    /** What the script's next line prints where the command does what is given, and the script's exit code. */
    function outcome(command: string, options: string) {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'session-broker'), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
      const { status, stdout } = spawnSync('sh', [options, `${SCRIPT}echo "as $AWS_ACCESS_KEY_ID"`], {
        encoding: 'utf8',
        env: { PATH: `${folder}:${process.env['PATH']}`, AWS_ACCESS_KEY_ID: 'dispatcher' },
      });
      return { status, stdout };
    }

    test.each(['-c', '-ec'])('and goes on as the session, or not at all: sh %s', async (options) => {
      expect(page).toContain(`\`\`\`sh\n${SCRIPT}\`\`\`\n`);
      expect(outcome('echo export AWS_ACCESS_KEY_ID=session', options)).toEqual({ status: 0, stdout: 'as session\n' });
      expect(outcome('exit 4', options)).toEqual({ status: 4, stdout: '' });
      expect((await run('credentials', '--help')).stdout).toContain('--format env) || exit; eval "$out"');
    });
  });

  test.each(['exec', 'serve', 'credentials', 'env'])('shows in --help a command that works: %s', async (name) => {
    const [, example = ''] = /^Example: (.*)$/m.exec((await run(name, '--help')).stdout) ?? [];
    const spawn = () => ({ kill: () => {}, ended: Promise.resolve({ exitCode: 0 }) });
    const fake = fakeProcess({ spawn });
    fake.raise('SIGTERM');
    const { stderr } = await runIn(fake, ...argumentsOf(example));
    expect(stderr).not.toContain('UsageInvalid');
  });

  test('names every option of a session, in the help texts too', async () => {
    const { stdout } = await run('credentials', '--help');
    for (const name of Object.keys(SESSION_OPTIONS)) {
      expect(page).toContain(`\`--${name}\``);
      expect(stdout).toContain(`--${name} `);
    }
  });

  test('explains every exit code of an error, and names codes that exist', () => {
    const [, table = ''] = page.split('## Exit codes');
    const explained = [...table.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, codes = '']) =>
      codes.split(', ').map(Number),
    );
    const codes = [...Object.values(ERRORS).map(({ exitCode }) => exitCode), ...Object.values(DOCTOR_EXIT_CODES)];
    expect(new Set(codes)).toEqual(new Set(explained.filter((code) => code !== 130)));
    for (const [, code = ''] of table.matchAll(/`([A-Z][a-z]+[A-Z]\w+)`/g)) expect(Object.keys(ERRORS)).toContain(code);
  });
});
