import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CREDENTIALS_FORMATS, formatCredentials, formatTime } from '../../../lib/runtime/delivery/formats.ts';
import { SEED } from '../../support/seed.ts';
import { CREDENTIALS, hostileText } from './fixture.ts';

const RUNS = { seed: SEED, numRuns: 100 };

const credentials = fc.record({
  accessKeyId: hostileText,
  secretAccessKey: hostileText,
  sessionToken: hostileText,
  expiration: fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
  accountId: hostileText,
});

describe('credentials as text', () => {
  test('are what a credential_process prints: Version the number 1, Expiration always', () => {
    expect(formatCredentials('process', CREDENTIALS)).toBe(
      `{"Version":1,"AccessKeyId":"${CREDENTIALS.accessKeyId}","SecretAccessKey":"${CREDENTIALS.secretAccessKey}","SessionToken":"${CREDENTIALS.sessionToken}","Expiration":"2026-11-22T13:00:00Z","AccountId":"111122223333"}\n`,
    );
  });

  test('are what awsCredentialExport of Claude Code prints', () => {
    expect(formatCredentials('claude', CREDENTIALS)).toBe(
      `{"Credentials":{"AccessKeyId":"${CREDENTIALS.accessKeyId}","SecretAccessKey":"${CREDENTIALS.secretAccessKey}","SessionToken":"${CREDENTIALS.sessionToken}","Expiration":"2026-11-22T13:00:00Z"}}\n`,
    );
  });

  test('are the object of the SDK for JavaScript', () => {
    expect(formatCredentials('json', CREDENTIALS)).toBe(
      `{"accessKeyId":"${CREDENTIALS.accessKeyId}","secretAccessKey":"${CREDENTIALS.secretAccessKey}","sessionToken":"${CREDENTIALS.sessionToken}","expiration":"2026-11-22T13:00:00Z","accountId":"111122223333"}\n`,
    );
  });

  test('are exports for a shell, after what would come before them or mix with them is unset', () => {
    expect(formatCredentials('env', CREDENTIALS)).toBe(
      [
        'unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SECURITY_TOKEN AWS_CREDENTIAL_SCOPE AWS_ACCESS_KEY AWS_SECRET_KEY AMAZON_ACCESS_KEY_ID AMAZON_SECRET_ACCESS_KEY AMAZON_SESSION_TOKEN AWS_CREDENTIAL_FILE AWS_BEARER_TOKEN_BEDROCK',
        `export AWS_ACCESS_KEY_ID='${CREDENTIALS.accessKeyId}'`,
        `export AWS_SECRET_ACCESS_KEY='${CREDENTIALS.secretAccessKey}'`,
        `export AWS_SESSION_TOKEN='${CREDENTIALS.sessionToken}'`,
        "export AWS_CREDENTIAL_EXPIRATION='2026-11-22T13:00:00Z'",
        "export AWS_ACCOUNT_ID='111122223333'",
        '',
      ].join('\n'),
    );
  });

  test('name every format there is', () => {
    expect(CREDENTIALS_FORMATS).toEqual(['process', 'claude', 'env', 'json']);
  });

  test('come back exactly from every JSON format, on one line, whatever they hold', () => {
    fc.assert(
      fc.property(credentials, (given) => {
        const [fromProcess, fromClaude, fromJson] = (['process', 'claude', 'json'] as const).map((format) => {
          const text = formatCredentials(format, given);
          expect(text.indexOf('\n')).toBe(text.length - 1);
          return JSON.parse(text);
        });
        const Expiration = formatTime(given.expiration);
        const members = {
          AccessKeyId: given.accessKeyId,
          SecretAccessKey: given.secretAccessKey,
          SessionToken: given.sessionToken,
          Expiration,
        };
        expect(fromProcess).toEqual({ Version: 1, ...members, AccountId: given.accountId });
        expect(fromClaude).toEqual({ Credentials: members });
        expect(fromJson).toEqual({ ...given, expiration: Expiration });
      }),
      RUNS,
    );
  });

  test('come back exactly from a shell, which has no other credentials afterwards, whatever they hold', () => {
    const given = fc.sample(credentials, RUNS);
    const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_ACCOUNT_ID', 'OTHERS'];
    const script = `for text; do
      eval "$text"
      OTHERS=$AWS_PROFILE$AWS_DEFAULT_PROFILE$AWS_SECURITY_TOKEN$AWS_BEARER_TOKEN_BEDROCK
      printf '%s\\000' ${names.map((name) => `"$${name}"`).join(' ')}
    done`;
    const texts = given.map((one) => formatCredentials('env', one));
    const env = { AWS_PROFILE: 'elsewhere', AWS_SECURITY_TOKEN: 'elsewhere', AWS_BEARER_TOKEN_BEDROCK: 'elsewhere' };
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', ...texts], { env, encoding: 'utf8' });

    expect(stdout.split('\0').slice(0, -1)).toEqual(
      given.flatMap((one) => [one.accessKeyId, one.secretAccessKey, one.sessionToken, one.accountId, '']),
    );
  });
});

describe('the time at which credentials expire', () => {
  test('is RFC 3339 in UTC and whole seconds', () => {
    expect(formatTime(new Date('2026-11-22T13:00:00.000Z'))).toBe('2026-11-22T13:00:00Z');
  });

  test('is never later than it is, and by less than a second earlier', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31T23:59:59Z') }), (time) => {
        const text = formatTime(time);
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        const lost = time.getTime() - new Date(text).getTime();
        expect(lost).toBeGreaterThanOrEqual(0);
        expect(lost).toBeLessThan(1000);
      }),
      RUNS,
    );
  });
});
