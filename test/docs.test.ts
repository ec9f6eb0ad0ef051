import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', ...markdownIn('docs')].map((path) => ({
  path,
  text: readFileSync(join(ROOT, path), 'utf8'),
}));

/** What a page tells its reader to run, and what runs it: a test's file, or `.ci/run`. */
const RUN_BY: Readonly<Record<string, string>> = {
  'npm ci': '.ci/run',
  'npm run quickstart': '.ci/run',
  'npm test': '.ci/run',
  'npm run lint': '.ci/run',
  'npm run typecheck': '.ci/run',
  'session-broker exec --cluster hub --tenant acme -- aws sts get-caller-identity': 'test/cli/documentation.test.ts',
  'session-broker serve --cluster hub --tenant acme --session s1 --session s2 --json': 'test/cli/documentation.test.ts',
  'session-broker credentials --cluster hub --tenant acme --session s1 --format env': 'test/cli/documentation.test.ts',
  'out=$(session-broker credentials --cluster hub --tenant acme --session s1 --format env) || exit':
    'test/cli/documentation.test.ts',
  'eval "$out"': 'test/cli/documentation.test.ts',
  'session-broker env --cluster hub --tenant acme --session s1': 'test/cli/documentation.test.ts',
  'session-broker check-trust trust.json': 'test/cli/check-trust.test.ts',
  'session-broker check-trust --role hub-acme-session': 'test/cli/check-trust.test.ts',
  'aws iam get-role --role-name hub-acme-session | session-broker check-trust': 'test/emulators/check-trust.test.ts',
  'session-broker doctor': 'test/cli/doctor.test.ts',
  'session-broker doctor --from account.json': 'test/cli/doctor.test.ts',
  'session-broker doctor --from cdk.out --from account.json': 'test/cli/doctor.test.ts',
  'session-broker doctor --profile administrator': 'test/emulators/doctor.test.ts',
  'session-broker doctor --scp scp.json': 'test/cli/doctor.test.ts',
  'aws iam get-account-authorization-details > account.json': 'test/emulators/doctor.test.ts',
  'session-broker verify --cluster hub --tenant acme --reader-profile auditor': 'test/cli/verify-documentation.test.ts',
  'session-broker verify --cluster hub --tenant acme --output result.json': 'test/cli/verify-documentation.test.ts',
  'session-broker verify --resume result.json --reader-profile auditor': 'test/cli/verify-documentation.test.ts',
  'session-broker verify --reader-profile administrator': 'test/emulators/verify.test.ts',
};

describe('a page', () => {
  test.each(pages)('links to files that exist: $path', ({ path, text }) => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target.replace(/#.*$/, ''));
    for (const link of links.filter((target) => target !== '' && !/^https?:/.test(target))) {
      expect(existsSync(join(ROOT, dirname(path), link)), `${path} links to ${link}`).toBe(true);
    }
  });

  test.each(pages)('tells its reader to run only what something runs: $path', ({ text }) => {
    for (const command of commandsIn(text)) {
      const runner = RUN_BY[command];
      expect(runner, command).toBeDefined();
      expect(readFileSync(join(ROOT, runner ?? ''), 'utf8')).toContain(withoutFlags(command));
    }
  });
});

test('the README is a page long', () => {
  const readme = pages.find(({ path }) => path === 'README.md');
  expect(readme?.text.split('\n').length).toBeLessThanOrEqual(90);
});

function markdownIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => join(folder, path));
}

/** The commands of a page's shell blocks, one by one. */
function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(/^```(?:sh|bash|console)\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) =>
    block
      .replaceAll('\\\n', ' ')
      .split(/\n|&&/)
      .map((line) => line.trim().replace(/\s+/g, ' '))
      .filter((line) => line !== '' && !line.startsWith('#')),
  );
}

/** `npm run` may be quiet where it runs. */
function withoutFlags(command: string): string {
  return command.replace('npm run ', '');
}
