import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type SessionRequest, sessionKey } from '../../../lib/runtime/delivery/session-key.ts';
import { temporaryFolder } from './fixture.ts';

const REQUEST: SessionRequest = { tenant: 'acme', cluster: 'hub', session: 's1' };
const ENVIRONMENT = {
  HOME: '/home/dispatcher',
  AWS_REGION: 'us-west-2',
  AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/hub-acme-tenant',
  PATH: '/usr/bin',
};
const KEY = sessionKey(REQUEST, ENVIRONMENT);

describe('the key of a session', () => {
  test.each<[string, Partial<SessionRequest>]>([
    ['tenant', { tenant: 'acme-2' }],
    ['session', { session: 's2' }],
    ['workflow', { workflow: 'billing' }],
    ['cluster', { cluster: 'hub-2' }],
    ['parameter prefix', { parameterPrefix: '/platform' }],
    ['role', { roleArn: 'arn:aws:iam::111122223333:role/other' }],
    ['Region', { region: 'eu-west-1' }],
    ['session policy', { policy: '{}' }],
    ['managed session policy', { policyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] }],
  ])('is another for another %s', (_, part) => {
    expect(sessionKey({ ...REQUEST, ...part }, ENVIRONMENT)).not.toBe(KEY);
  });

  test.each([
    'HOME',
    'AWS_PROFILE',
    'AWS_ACCESS_KEY_ID',
    'AWS_ROLE_ARN',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_CONFIG_FILE',
    'AWS_ENDPOINT_URL_STS',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    'AWS_REGION',
    'SESSION_BROKER_PARAMETER_PREFIX',
    'FAB_SESSION_ROLE_ARN',
  ])('is another where a dispatcher has another %s', (name) => {
    expect(sessionKey(REQUEST, { ...ENVIRONMENT, [name]: 'other' })).not.toBe(KEY);
  });

  test.each([
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SECRET_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_SECURITY_TOKEN',
    'AWS_BEARER_TOKEN_BEDROCK',
    'AWS_CONTAINER_AUTHORIZATION_TOKEN',
    'PATH',
    'PWD',
  ])('does not hold %s', (name) => {
    expect(sessionKey(REQUEST, { ...ENVIRONMENT, [name]: 'canary' })).toBe(KEY);
  });

  test.each<[string, SessionRequest, Readonly<Record<string, string>>]>([
    ['tenant and cluster', { session: 's1' }, { SESSION_BROKER_TENANT: 'acme', SESSION_BROKER_CLUSTER: 'hub' }],
    ['an option before a variable', REQUEST, { SESSION_BROKER_TENANT: 'other', SESSION_BROKER_CLUSTER: 'other' }],
    ['the Region', { ...REQUEST, region: 'us-west-2' }, { AWS_REGION: 'eu-west-1' }],
    ['an empty variable, which counts as not set', REQUEST, { SESSION_BROKER_PARAMETER_PREFIX: '' }],
  ])('is the same from options and from variables: %s', (_, request, variables) => {
    expect(sessionKey(request, { ...ENVIRONMENT, ...variables })).toBe(KEY);
  });

  test('does not depend on what is not used beside the ARN of a role', () => {
    const roleArn = 'arn:aws:iam::111122223333:role/hub-acme-session';
    const key = sessionKey({ ...REQUEST, roleArn }, ENVIRONMENT);
    expect(sessionKey({ session: 's1', tenant: 'acme', roleArn, cluster: 'other' }, ENVIRONMENT)).toBe(key);
    expect(
      sessionKey(REQUEST, { ...ENVIRONMENT, FAB_SESSION_ROLE_ARN: roleArn, SESSION_BROKER_CLUSTER: 'other' }),
    ).toBe(key);
  });

  test('does not depend on the order of variables or of managed policies', () => {
    const reversed = Object.fromEntries(Object.entries(ENVIRONMENT).reverse());
    expect(sessionKey({ ...REQUEST, policyArns: ['b', 'a'] }, reversed)).toBe(
      sessionKey({ ...REQUEST, policyArns: ['a', 'b'] }, ENVIRONMENT),
    );
  });

  describe('where profiles are in files', () => {
    /** The home folder of a dispatcher. */
    function homeFolder(): string {
      const home = temporaryFolder();
      mkdirSync(join(home, '.aws'));
      return home;
    }

    test.each([
      ['.aws/config', {}],
      ['.aws/credentials', {}],
      ['other', { AWS_CONFIG_FILE: '~/other' }],
      ['other', { AWS_SHARED_CREDENTIALS_FILE: '~/other' }],
    ])('is another once %s is made, written or replaced: %j', (place, variables) => {
      const HOME = homeFolder();
      const file = join(HOME, place);
      const write = (text: string, seconds: number, to = file) => {
        writeFileSync(to, text);
        utimesSync(to, seconds, seconds);
      };
      const keys: string[] = [];
      const look = () => keys.push(sessionKey(REQUEST, { ...ENVIRONMENT, HOME, ...variables }));
      look();
      write('one', 1);
      look();
      write('longer', 1);
      look();
      write('longer', 2);
      look();
      write('longer', 2, `${file}.new`);
      renameSync(`${file}.new`, file);
      look();
      expect(new Set(keys).size).toBe(5);
      look();
      expect(keys[5]).toBe(keys[4]);
    });

    test("is that of the user's own home folder where none is named", () => {
      const home = homeFolder();
      vi.stubEnv('HOME', home);
      onTestFinished(() => void vi.unstubAllEnvs());
      const key = sessionKey(REQUEST, {});
      writeFileSync(join(home, '.aws', 'config'), '');
      expect(sessionKey(REQUEST, {})).not.toBe(key);
    });

    test('is the same whatever happens to what is no file', () => {
      const folder = homeFolder();
      const environment = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: folder };
      const key = sessionKey(REQUEST, environment);
      utimesSync(folder, 1, 1);
      expect(sessionKey(REQUEST, environment)).toBe(key);
      expect(key).toContain('"profiles":[null,null]');
    });
  });

  test.each([
    'AWS_CONFIG_FILE',
    'AWS_SHARED_CREDENTIALS_FILE',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  ])('holds the path in %s from wherever it is named', (name) => {
    const key = sessionKey(REQUEST, { ...ENVIRONMENT, [name]: 'file' });
    expect(key).toBe(sessionKey(REQUEST, { ...ENVIRONMENT, [name]: resolve('file') }));
    expect(sessionKey(REQUEST, { ...ENVIRONMENT, [name]: '' })).not.toContain(resolve(''));
  });

  test('is one line, whatever it is made of', () => {
    expect(sessionKey({ ...REQUEST, policy: '{\n}' }, { AWS_PROFILE: 'a\nb' })).not.toContain('\n');
  });
});
