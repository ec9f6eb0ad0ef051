import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXAMPLES } from './dispatcher.ts';

const names = readdirSync(EXAMPLES);

test('the examples are those that tests run', () => {
  expect(names.sort()).toEqual(['claude-code', 'kubernetes', 'python', 'typescript']);
});

test.each(names)('the README of an example leads to files that exist, its own among them: %s', (name) => {
  const readme = readFileSync(join(EXAMPLES, name, 'README.md'), 'utf8');
  for (const [, target = ''] of readme.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (!target.startsWith('https:')) expect(existsSync(join(EXAMPLES, name, target)), target).toBe(true);
  }
  for (const file of readdirSync(join(EXAMPLES, name))) {
    if (file !== 'README.md') expect(readme).toContain(file);
  }
});
