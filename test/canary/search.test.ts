import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DISPATCHER } from '../runtime/support/fake-aws.ts';
import { expectNoLeak } from './fixture.ts';

describe('the search finds', () => {
  const { sessionToken } = DISPATCHER;
  const part = sessionToken.slice(50, 90);

  test.each<[string, string]>([
    ['a piece of a secret', sessionToken.slice(40, 52)],
    ['one in a URL', encodeURIComponent(part)],
    ['one in JSON that is in JSON', part.replaceAll('/', '\\/')],
    ['one in Base64', Buffer.from(part).toString('base64')],
    ['one in Base64 behind something else', Buffer.from(`x${part}`).toString('base64')],
    ['one in Base64 for URLs', Buffer.from(`xy${part}`).toString('base64url')],
    ['one in hexadecimal digits', Buffer.from(part).toString('hex').toUpperCase()],
    ['one that is turned around', [...part].reverse().join('')],
  ])('%s', (_, text) => {
    expect(() => expectNoLeak([`before ${text} after`])).toThrow();
    expect(() => expectNoLeak([`before ${sessionToken.slice(40, 51)} after`])).not.toThrow();
  });

  test.each<[string, (error: Error) => unknown]>([
    ['in the message of an error', () => new Error(part)],
    ['in the cause of an error', (error) => Object.assign(error, { cause: new Error('x', { cause: part }) })],
    ['in a property of an error', (error) => Object.assign(error, { detail: { deep: [[{ part }]] } })],
    ['in a hidden property', (error) => Object.defineProperty(error, '$response', { value: { body: part } })],
    ['under a symbol', (error) => Object.assign(error, { [Symbol('x')]: part })],
    ['behind what is asked for', (error) => Object.defineProperty(error, 'x', { get: () => part, enumerable: true })],
    ['in a map', (error) => Object.assign(error, { map: new Map([['x', new Set([part])]]) })],
    ['in the stack', (error) => Object.assign(error, { stack: part })],
  ])('one %s', (_, leaking) => {
    expect(() => expectNoLeak([leaking(new Error('harmless'))])).toThrow();
  });
});

const TESTS = join(import.meta.dirname, '..');

test('every command is searched, or what it prints is compared as a whole', () => {
  const code = readFileSync(join(TESTS, '../lib/cli/main.ts'), 'utf8');
  const commands = [...code.matchAll(/^ {2}'?([a-z-]+)'?: async \(\) => \(await import/gm)].map(([, name]) => name);
  expect(commands).toContain('credentials');
  const searching = ['canary/commands.test.ts', 'canary/local-account.test.ts', 'cli/quickstart.test.ts'];
  const text = searching.map((name) => readFileSync(join(TESTS, name), 'utf8')).join('');
  expect(commands.filter((name) => !text.includes(`'${name}'`))).toEqual([]);
});

test('no snapshot of the tests holds a secret, since there is none', () => {
  const names = readdirSync(TESTS, { recursive: true, encoding: 'utf8' });
  expect(names.filter((name) => name.includes('__snapshots__') || name.endsWith('.snap'))).toEqual([]);
  const call = new RegExp(`\\.to(?:Match|Throw\\w*Matching)\\w*${'Snap'}shot\\(`);
  for (const name of names.filter((each) => each.endsWith('.ts'))) {
    expect(readFileSync(join(TESTS, name), 'utf8'), name).not.toMatch(call);
  }
});
