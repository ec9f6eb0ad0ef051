import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { LocalAccount } from '../../lib/local/index.ts';
import { temporaryFolder } from '../local/fixture.ts';
import { commandLine } from '../support/session-broker.ts';
import { PYTHON } from './python-tools.ts';

/** The profile whose `credential_process` is session-broker. */
export const AGENT_PROFILE = 'agent';

/** The same, where that process alone is told of the web identity and not of the profile. */
export const SEALED_PROFILE = 'sealed';

/** Keys that no account knows. */
const DECOY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

/** Where nothing listens. */
const ELSEWHERE = 'http://127.0.0.1:9';

/** A dispatcher's pod in which clients find credentials wherever they look: its own, or ones that lead astray. */
export interface HostilePod {
  /** Has the web identity of the tenant role, and a home folder with a default profile of other keys. */
  readonly environment: Readonly<Record<string, string>>;
  /** The same without the web identity. */
  readonly sealed: Readonly<Record<string, string>>;
  /** Whether a client has run the `credential_process` that prints other keys. */
  readonly hasRunDecoy: () => boolean;
}

/** The pod of acme's dispatcher, with {@link AGENT_PROFILE} for one session. */
export function createHostilePod(account: LocalAccount, session: string): HostilePod {
  const home = temporaryFolder();
  const mark = join(home, 'decoy-has-run');
  const tokenFile = join(home, 'web-identity-token');
  writeFileSync(tokenFile, account.mintWebIdentityToken('hub', 'acme'));
  const {
    AWS_ROLE_ARN = '',
    AWS_WEB_IDENTITY_TOKEN_FILE = '',
    // The files in ~/.aws count, and so does whatever else a client may find by itself.
    AWS_CONFIG_FILE: _config,
    AWS_SHARED_CREDENTIALS_FILE: _credentials,
    AWS_EC2_METADATA_DISABLED: _metadata,
    AWS_DEFAULT_REGION: _region,
    ...environment
  } = account.webIdentityEnvironment('hub', 'acme', tokenFile);
  const webIdentity = { AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE };
  writeHome(home, mark, session, webIdentity);
  const sealed = {
    ...environment,
    PATH: [dirname(PYTHON), process.env['PATH']].join(delimiter),
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    HOME: home,
    XDG_RUNTIME_DIR: home,
    AWS_DEFAULT_PROFILE: 'elsewhere',
    AWS_SECURITY_TOKEN: 'elsewhere',
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/elsewhere',
    AWS_CONTAINER_AUTHORIZATION_TOKEN: 'elsewhere',
    AWS_BEARER_TOKEN_BEDROCK: 'elsewhere',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: ELSEWHERE,
  };
  return {
    environment: { ...sealed, ...webIdentity },
    sealed,
    hasRunDecoy: () => existsSync(mark),
  };
}

function writeHome(home: string, mark: string, session: string, webIdentity: Readonly<Record<string, string>>): void {
  const decoy = join(home, 'decoy');
  const keys = JSON.stringify({ Version: 1, AccessKeyId: DECOY.id, SecretAccessKey: DECOY.secret });
  writeFileSync(decoy, `#!/bin/sh\ntouch '${mark}'\necho '${keys}'\n`);
  chmodSync(decoy, 0o755);
  const broker = commandLine(['credentials', '--session', session]).map((word) => `'${word}'`);
  const alone = Object.entries(webIdentity).map(([name, value]) => `${name}='${value}'`);
  mkdirSync(join(home, '.aws'));
  writeFileSync(
    join(home, '.aws', 'credentials'),
    `[default]\naws_access_key_id = ${DECOY.id}\naws_secret_access_key = ${DECOY.secret}\n`,
  );
  writeFileSync(
    join(home, '.aws', 'config'),
    `[default]
region = eu-west-1
credential_process = ${decoy}
[profile elsewhere]
region = eu-west-1
credential_process = ${decoy}
[profile ${AGENT_PROFILE}]
region = us-west-2
credential_process = ${broker.join(' ')}
[profile ${SEALED_PROFILE}]
region = us-west-2
credential_process = env -u AWS_PROFILE ${[...alone, ...broker].join(' ')}
`,
  );
}
