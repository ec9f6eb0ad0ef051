import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellCommand, shellWord } from '../lib/shell-word.ts';

const WORDS = [
  'plain',
  '--option=value',
  '/eks-agent-platform/hub',
  'arn:aws:iam::111122223333:role/session-broker/hub-acme-session',
  '',
  `it's $HOME`,
  '$(id) `id` "quoted" \\',
  'two words\nand a line',
  '*?[a]{b,c}~!#&|;<>',
  '~',
  '{"Version":"2012-10-17"}',
];

test('a shell word is quoted, and a quote in it too', () => {
  expect(shellWord(`it's $HOME`)).toBe(`'it'\\''s $HOME'`);
});

test('a shell command quotes the words that need it, and no others', () => {
  expect(shellCommand(['aws', 'iam', 'get-role', '--role-name', `it's`])).toBe(
    `aws iam get-role --role-name 'it'\\''s'`,
  );
});

test('a shell reads back the words of a command', () => {
  const { stdout } = spawnSync('sh', ['-c', shellCommand(['printf', '%s\\0', ...WORDS])], { encoding: 'utf8' });
  expect(stdout.split('\0').slice(0, -1)).toEqual(WORDS);
});
