import { describe, expect, test } from 'vitest';
import { type SessionRequest, sessionKey } from '../../../lib/runtime/delivery/session-key.ts';

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

  test('is one line, whatever it is made of', () => {
    expect(sessionKey({ ...REQUEST, policy: '{\n}' }, { AWS_PROFILE: 'a\nb' })).not.toContain('\n');
  });
});
