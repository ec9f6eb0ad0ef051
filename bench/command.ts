import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Effort, milliseconds, type Outcome, ratio } from './outcome.ts';
import { COMMAND, type Environment, ROOT, run, startCommand } from './processes.ts';
import { inTurn, median, medianRatio } from './statistics.ts';
import { type Sts, startSts } from './sts.ts';

const AWS = join(ROOT, '.venv', 'bin', 'aws');
const ACCOUNT = 'arn:aws:iam::111122223333:role';
const ROLE_ARN = `${ACCOUNT}/session-broker/hub-acme-session`;
const SOURCE_IDENTITY = 'agent.acme.s1';

const NOTHING = [process.execPath, '-e', '0'] as const;
const CREDENTIALS = [process.execPath, COMMAND, 'credentials', '--tenant', 'acme', '--session', 's1'] as const;
const ASSUME_ROLE = [
  ...[AWS, 'sts', 'assume-role', '--role-arn', ROLE_ARN],
  ...['--role-session-name', SOURCE_IDENTITY, '--source-identity', SOURCE_IDENTITY],
] as const;

/** The same two calls by the SDK in the fewest lines: what goes through it cannot take less. */
const SDK_ALONE = [
  process.execPath,
  '-e',
  `require('node:module').enableCompileCache?.(process.env.HOME + '/.cache/sdk-alone');
const { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } = require('@aws-sdk/client-sts');
const { AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN: RoleArn, FAB_SESSION_ROLE_ARN } = process.env;
const WebIdentityToken = require('node:fs').readFileSync(AWS_WEB_IDENTITY_TOKEN_FILE, 'utf8');
const RoleSessionName = '${SOURCE_IDENTITY}';
const credentials = async () => {
  const identity = new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName, WebIdentityToken });
  const { AccessKeyId, SecretAccessKey, SessionToken } = (await sts.send(identity)).Credentials;
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
};
const sts = new STSClient({ credentials });
const session = { RoleArn: FAB_SESSION_ROLE_ARN, RoleSessionName, SourceIdentity: RoleSessionName };
sts.send(new AssumeRoleCommand(session)).then(({ Credentials }) => console.log(JSON.stringify(Credentials)));`,
] as const;

/** `session-broker credentials` as a whole process, from STS and from an endpoint. */
export async function measureCommand({ isQuick }: Effort): Promise<readonly Outcome[]> {
  await using sts = await startSts();
  const folder = mkdtempSync('/tmp/sb-bench-');
  try {
    const machine = machineIn(folder, sts);
    return [...(await fromSts(machine, sts, isQuick ? 1 : 15)), await fromEndpoint(machine, sts, isQuick ? 2 : 40)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Nothing of this machine but its programs: a home that is empty, and an STS. */
function machineIn(folder: string, { endpoint }: Sts): Environment {
  mkdirSync(join(folder, 'home'));
  mkdirSync(join(folder, 'run'), { mode: 0o700 });
  return {
    PATH: process.env['PATH'],
    HOME: join(folder, 'home'),
    XDG_RUNTIME_DIR: join(folder, 'run'),
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_REGION: 'us-west-2',
    AWS_DEFAULT_REGION: 'us-west-2', // the AWS CLI reads only this
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

function dispatcher(machine: Environment): Environment {
  const tokenFile = `${machine['HOME']}/token`;
  writeFileSync(tokenFile, 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln');
  return {
    ...machine,
    AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
    AWS_ROLE_ARN: `${ACCOUNT}/tenants/hub-acme-tenant`,
    FAB_SESSION_ROLE_ARN: ROLE_ARN,
  };
}

async function fromSts(machine: Environment, sts: Sts, rounds: number): Promise<readonly Outcome[]> {
  const keys = { AWS_ACCESS_KEY_ID: 'ASIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' };
  const own = dispatcher(machine);
  const contenders = {
    nothing: () => run(NOTHING, machine),
    credentials: () => run(CREDENTIALS, own),
    sdkAlone: () => run(SDK_ALONE, own),
    credentialsFirst: () => run(CREDENTIALS, { ...own, NODE_DISABLE_COMPILE_CACHE: '1' }),
    awsCli: () => run(ASSUME_ROLE, { ...machine, ...keys }),
  };
  const hasAwsCli = existsSync(AWS);
  const names = (Object.keys(contenders) as (keyof typeof contenders)[]).filter(
    (name) => name !== 'awsCli' || hasAwsCli,
  );
  await sts.calls();
  const samples = await inTurn(names, rounds, (name) => contenders[name]().wallMs);
  await expectCalls(sts, {
    AssumeRoleWithWebIdentity: 3 * (rounds + 1),
    AssumeRole: (hasAwsCli ? 4 : 3) * (rounds + 1),
  });

  const { nothing, credentials, sdkAlone, credentialsFirst, awsCli = [] } = samples;
  const measure = 'session-broker credentials, a whole process: web identity, then the role';
  const ours = milliseconds(median(credentials));
  const nodeOutcome: Outcome = {
    measure,
    against: 'node -e 0',
    ours,
    theirs: milliseconds(median(nothing)),
    figure: ratio(medianRatio(credentials, nothing)),
    numbers: {
      'the same two calls by the SDK alone': milliseconds(median(sdkAlone)),
      'ratio of the SDK alone': medianRatio(sdkAlone, nothing).toFixed(2),
      'without kept compiled code, as a first run': milliseconds(median(credentialsFirst)),
      'ratio without kept compiled code': medianRatio(credentialsFirst, nothing).toFixed(2),
    },
  };
  if (!hasAwsCli) {
    const skipped = 'the AWS CLI is not installed; run npm run emulators:install';
    return [{ measure, against: 'the AWS CLI', ours, theirs: '-', skipped }, nodeOutcome];
  }
  return [
    {
      measure,
      against: `sts assume-role --source-identity, the second call alone, of ${run([AWS, '--version'], machine).stdout.trim()} (PyPI, test/emulators/requirements.txt)`,
      ours,
      theirs: milliseconds(median(awsCli)),
      figure: ratio(medianRatio(credentials, awsCli)),
      aim: { atMost: 0.25 },
    },
    nodeOutcome,
  ];
}

async function fromEndpoint(machine: Environment, sts: Sts, rounds: number): Promise<Outcome> {
  const own = dispatcher(machine);
  await using endpoint = startCommand(['serve', '--tenant', 'acme', '--session', 's1'], own);
  await endpoint.next();
  await sts.calls();
  const contenders = { nothing: () => run(NOTHING, machine), credentials: () => run(CREDENTIALS, own) };
  const { nothing, credentials } = await inTurn(
    ['nothing', 'credentials'] as const,
    rounds,
    (name) => contenders[name]().wallMs,
  );
  await expectCalls(sts, {});
  return {
    measure: 'session-broker credentials, a whole process, when an endpoint serves the session',
    against: 'node -e 0',
    ours: milliseconds(median(credentials)),
    theirs: milliseconds(median(nothing)),
    figure: ratio(medianRatio(credentials, nothing)),
    aim: { atMost: 1.5 },
  };
}

/** What is measured must be what was meant. */
async function expectCalls(sts: Sts, expected: Readonly<Record<string, number>>): Promise<void> {
  const calls = await sts.calls();
  const isAlike = [...Object.keys(calls), ...Object.keys(expected)].every((name) => calls[name] === expected[name]);
  if (!isAlike) throw new Error(`calls of STS: ${JSON.stringify(calls)} instead of ${JSON.stringify(expected)}`);
}
