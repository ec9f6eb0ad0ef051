import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentEnvironment } from '../../../lib/runtime/delivery/agent-environment.ts';
import { SEED } from '../../support/seed.ts';
import { hostileText } from './fixture.ts';

const SOURCE = {
  uri: 'http://127.0.0.1:4321/credentials/agent.acme.s1',
  tokenFile: '/run/session-broker/token',
  region: 'us-west-2',
};

/** What the endpoint is, and what takes the place of the files in the home directory. */
const SET = {
  AWS_CONTAINER_CREDENTIALS_FULL_URI: SOURCE.uri,
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: SOURCE.tokenFile,
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_CREDENTIAL_PROFILES_FILE: '/dev/null',
  BOTO_CONFIG: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_REGION: 'us-west-2',
  AWS_DEFAULT_REGION: 'us-west-2',
};

const REMOVED = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_SECURITY_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
  'AWS_ACCOUNT_ID',
  'AWS_CREDENTIAL_SCOPE',
  'AWS_ACCESS_KEY',
  'AWS_SECRET_KEY',
  'AMAZON_ACCESS_KEY_ID',
  'AMAZON_SECRET_ACCESS_KEY',
  'AMAZON_SESSION_TOKEN',
  'AWS_CREDENTIAL_FILE',
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_BEARER_TOKEN_BEDROCK',
  'AWS_BEARER_TOKEN_BEDROCK_MANTLE',
  'AWS_BEARER_TOKEN_CODECATALYST',
];

/** What has nothing to do with credentials, some of it by a hair. */
const KEPT = {
  PATH: '/usr/bin',
  HOME: '/home/agent',
  EMPTY: '',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
  AWS_MAX_ATTEMPTS: '3',
  AWS_BEARER: 'x',
  CLAUDE_CODE_USE_BEDROCK: '1',
  aws_profile: 'lower case is another name',
  JAVA_TOOL_OPTIONS: '-Xmx2g  -Daws.region=us-west-2',
};

describe("an agent's environment", () => {
  test.each(REMOVED)('has no %s', (name) => {
    expect(agentEnvironment({ [name]: 'elsewhere' }, SOURCE)).toEqual(SET);
  });

  test.each(Object.keys(SET))('has our own %s, whatever the parent has', (name) => {
    expect(agentEnvironment({ [name]: 'elsewhere' }, SOURCE)).toEqual(SET);
  });

  test("is otherwise the parent's, which stays as it is", () => {
    const parent = Object.freeze({ ...KEPT, UNSET: undefined, AWS_PROFILE: 'elsewhere' });
    expect(agentEnvironment(parent, SOURCE)).toEqual({ ...KEPT, ...SET });
  });

  test.each([
    ['-Daws.accessKeyId=A -Xmx2g -Daws.secretAccessKey=B -Daws.sessionToken=C', '-Xmx2g'],
    ['-Daws.secretKey=B', ''],
    ['-Daws.profile=elsewhere -Da=b', '-Da=b'],
    ['"-Daws.profile=else where" -Da="b c"', '-Da="b c"'],
    ['-Daws."profile"=elsewhere', ''],
    ["-Dx='y z' -Daws.configFile='/a b' -ea", "-Dx='y z' -ea"],
    ['-Daws.sharedCredentialsFile=/a -Daws.webIdentityTokenFile=/b -Daws.roleArn=c', ''],
    ['-Daws.containerCredentialsFullUri=http://127.0.0.1:1 -Daws.containerAuthorizationToken=x', ''],
    ['-Daws.disableEc2Metadata=false', ''],
  ])('takes credentials from what Java reads as arguments: %s', (given, left) => {
    for (const name of ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS']) {
      expect(agentEnvironment({ [name]: given }, SOURCE)).toEqual({ ...SET, [name]: left });
    }
  });

  test('holds of any parent only what it keeps or sets itself', () => {
    const name = fc.oneof(
      fc.constantFrom(...REMOVED, ...Object.keys(SET), ...Object.keys(KEPT)),
      fc.string().map((text) => `AWS_BEARER_TOKEN_${text}`),
      hostileText,
    );
    fc.assert(
      fc.property(fc.dictionary(name, hostileText, { maxKeys: 20 }), (parent) => {
        const kept = Object.entries(parent).filter(
          ([given]) => !REMOVED.includes(given) && !given.startsWith('AWS_BEARER_TOKEN_'),
        );
        expect(agentEnvironment(parent, SOURCE)).toEqual({ ...Object.fromEntries(kept), ...SET });
      }),
      { seed: SEED, numRuns: 50 },
    );
  });
});
