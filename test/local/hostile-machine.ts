import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONFLICTING_VARIABLES, type LocalAccount } from '../../lib/local/index.ts';
import { temporaryFolder } from './fixture.ts';

/** Where a client that is led astray ends up: nothing listens there. */
const ELSEWHERE = 'http://127.0.0.1:9';

/** What a developer's machine may have set: another account, by every way that clients look for one. */
export function hostileMachine(): Readonly<Record<string, string>> {
  const home = temporaryFolder();
  mkdirSync(join(home, '.aws'));
  writeFileSync(
    join(home, '.aws', 'credentials'),
    '[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = elsewhere\n',
  );
  writeFileSync(
    join(home, '.aws', 'config'),
    `[default]\nregion = eu-west-1\nendpoint_url = ${ELSEWHERE}\n[profile elsewhere]\nregion = eu-west-1\n`,
  );
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    USERPROFILE: home,
    AWS_CONFIG_FILE: join(home, '.aws', 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(home, '.aws', 'credentials'),
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL: ELSEWHERE,
    AWS_ENDPOINT_URL_STS: ELSEWHERE,
    AWS_ENDPOINT_URL_SSM: ELSEWHERE,
    AWS_ENDPOINT_URL_IAM: ELSEWHERE,
    AWS_ENDPOINT_URL_EKS: ELSEWHERE,
    AWS_ENDPOINT_URL_CLOUDTRAIL: ELSEWHERE,
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: ELSEWHERE,
    AWS_PROFILE: 'elsewhere',
    AWS_DEFAULT_PROFILE: 'elsewhere',
    AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'elsewhere',
    AWS_SESSION_TOKEN: 'elsewhere',
    AWS_SECURITY_TOKEN: 'elsewhere',
    AWS_CREDENTIAL_EXPIRATION: '2020-01-01T00:00:00Z',
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
  };
}

/** Such a machine once someone has followed the documentation: unset what conflicts, then set the environment. */
export function onHostileMachine(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const left = Object.entries(hostileMachine()).filter(
    ([name]) => !CONFLICTING_VARIABLES.some((conflicting) => conflicting === name),
  );
  return { ...Object.fromEntries(left), ...environment };
}

/** Each kind of environment that an account gives, for acme or its account. */
export function environmentsOf(account: LocalAccount): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const tokenFile = join(temporaryFolder(), 'token');
  writeFileSync(tokenFile, account.mintWebIdentityToken('hub', 'acme'));
  return {
    dispatcher: account.dispatcherEnvironment('hub', 'acme'),
    'web identity': account.webIdentityEnvironment('hub', 'acme', tokenFile),
    administrator: account.administratorEnvironment('111122223333'),
  };
}
