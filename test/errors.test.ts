import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { ERRORS, quote, SessionBrokerError } from '../lib/errors.ts';

describe('a session-broker error', () => {
  test('carries its code, what it means for a caller, its facts and its cause', () => {
    const cause = new Error('from STS');
    const error = new SessionBrokerError('Throttled', 'message', { cause, detail: { attempts: 3 } });
    expect(error).toMatchObject({
      name: 'SessionBrokerError',
      message: 'message',
      code: 'Throttled',
      retryable: true,
      exitCode: 5,
      detail: { attempts: 3 },
      cause,
    });
    expect(inspect(error)).toContain('SessionBrokerError: message');
  });

  test('has no cause and no facts unless they are given', () => {
    const error = new SessionBrokerError('UsageInvalid', 'message');
    expect('cause' in error).toBe(false);
    expect(error.detail).toEqual({});
  });

  test('never lets a provider chain go on to other credentials', () => {
    expect('tryNextLink' in new SessionBrokerError('DispatcherCredentialsMissing', 'message')).toBe(false);
  });

  test('has an exit code other than success', () => {
    for (const { exitCode } of Object.values(ERRORS)) expect([1, 2, 3, 4, 5, 126, 127]).toContain(exitCode);
  });

  test('about a command that cannot be started has the exit code that shells give it', () => {
    expect(ERRORS.CommandNotExecutable.exitCode).toBe(126);
    expect(ERRORS.CommandNotFound.exitCode).toBe(127);
    const shells = Object.entries(ERRORS).filter(([, { exitCode }]) => exitCode > 5);
    expect(shells.map(([code]) => code)).toEqual(['CommandNotExecutable', 'CommandNotFound']);
  });
});

describe('a quoted value', () => {
  test.each([
    ['plain', '"plain"'],
    ['a "quote" and a \n', '"a \\"quote\\" and a \\n"'],
    ['\u0430cme\u200b\u007f', '"\\u0430cme\\u200b\\u007f"'],
    ['\ud83d\ude00', '"\\ud83d\\ude00"'],
    [5, '5'],
    [undefined, 'undefined'],
    [{ a: ['\u00e9'] }, '{"a":["\\u00e9"]}'],
    ['x'.repeat(101), `"${'x'.repeat(100)}"... (101 characters)`],
  ])('shows what cannot be seen and is never long: %j', (value, shown) => {
    expect(quote(value)).toBe(shown);
  });

  test('is named by its kind where it has no JSON', () => {
    let nested: unknown = [];
    for (let depth = 0; depth < 100_000; depth += 1) nested = [nested];
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect([nested, circular, 5n].map(quote)).toEqual(['[object Array]', '[object Object]', '[object BigInt]']);
  });
});
