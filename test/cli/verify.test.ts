import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { iamClient } from '../local/clients.ts';
import { ACCOUNT, ACME_ROLE, ACME_TENANT_ROLE, DATA_ROLE, OTHER_ACCOUNT, REMOTE_ROLE, YAML } from '../local/fixture.ts';
import { startEdge } from '../support/edge.ts';
import { setEnvironment, trust } from '../verify/fixture.ts';
import { runIn } from './fake-shell.ts';
import {
  type Machine,
  outcomes,
  type Printed,
  pass,
  readResult,
  startMachine,
  timeStandsStill,
} from './verify-fixture.ts';

timeStandsStill();

const CONFIGURED = ['--config', 'tenants.yaml'];
const FIVE_MINUTES = 300;

/** A shell in which `tenants.yaml` stands beside the results. */
function withConfig({ process }: Machine, yaml = YAML) {
  return process({ readFile: (path) => (path === 'tenants.yaml' ? yaml : readFileSync(path, 'utf8')) });
}

const eventNames = ({ account }: Machine) => account.events().map(({ eventName }) => eventName);

describe('session-broker verify with a reader', () => {
  let machine: Machine;
  let file: string;
  beforeEach(async () => {
    machine = await startMachine({ cloudTrailDelaySeconds: FIVE_MINUTES });
    file = join(machine.folder, 'result.json');
  });

  test('passes in one go when CloudTrail shows the events, and tells how far it is', async () => {
    const { exitCode, stdout, stderr } = await machine.verify('--reader-profile', 'auditor', '--output', file);

    expect(exitCode).toBe(0);
    expect(stdout).toContain('\nPASSED: 9 passed, 0 failed, 2 not exercised\n');
    expect(stderr).toMatch(/^CloudTrail shows 0 of 4 events after 0:06 of 20 minutes\n/);
    expect(stderr).toMatch(/\nCloudTrail shows 4 of 4 events after [5-6]:\d\d of 20 minutes\n$/);
    const result = readResult(file);
    expect(outcomes(result)).toEqual({
      hop: 'passed',
      'caller-identity': 'passed',
      'refuse-no-identity': 'passed',
      'refuse-other-tenant': 'passed',
      'refuse-long-session': 'passed',
      'refuse-other-session-name': 'not exercised',
      'chain-keeps-name': 'not exercised',
      'event-of-hop': 'passed',
      'event-of-call': 'passed',
      'event-of-refused-no-identity': 'passed',
      'event-of-refused-other-tenant': 'passed',
    });
    expect(result).toMatchObject({
      startedAt: '2026-03-01T12:00:00.000Z',
      account: ACCOUNT,
      region: 'us-west-2',
      endpoint: machine.account.endpoint,
      role: ACME_ROLE,
      dispatcher: expect.stringMatching(
        /^arn:aws:sts::111122223333:assumed-role\/hub-acme-tenant\/session-broker-\d+$/,
      ),
      sourceIdentity: expect.stringMatching(/^agent\.acme\.[0-9A-HJKMNP-TV-Z]{26}$/),
      reader: `arn:aws:iam::${ACCOUNT}:user/administrator`,
    });
    expect(result).not.toHaveProperty('next');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('reads by one account alone, and by no more calls than it may', async () => {
    await machine.verify('--reader-profile', 'auditor', '--output', file);
    const lookups = machine.account.events().filter(({ eventName }) => eventName === 'LookupEvents');
    expect(lookups.map(({ errorCode }) => errorCode).filter(Boolean)).toEqual([]);
    expect(new Set(lookups.map(({ userIdentity }) => userIdentity.type))).toEqual(new Set(['IAMUser']));
    expect(lookups.length).toBeLessThan(30);
  });

  test('says by --chain-to and --bound, or by the configuration, what else there is to exercise', async () => {
    const options = ['--chain-to', DATA_ROLE, '--chain-to', REMOTE_ROLE, '--bound', '--json'];
    const given = JSON.parse((await machine.verify(...options)).stdout) as Printed;
    expect(outcomes(given)).toMatchObject({ 'chain-keeps-name': 'passed', 'refuse-other-session-name': 'failed' });

    const { stdout } = await runIn(withConfig(machine), 'verify', ...CONFIGURED, '--json');
    const configured = JSON.parse(stdout) as Printed;
    expect(configured.steps.map(({ step }) => step)).toEqual(given.steps.map(({ step }) => step));
    expect(configured.steps.find(({ step }) => step === 'refuse-other-session-name')?.evidence).toBe(
      "the tenant's role session names are free",
    );
  });

  test('fails at once and loudly, and still reads CloudTrail, where AWS admits what it must refuse', async () => {
    await trust(machine.account, 'hub-acme-session', {
      Effect: 'Allow',
      Principal: { AWS: ACME_TENANT_ROLE },
      Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
    });
    const { exitCode, stdout, stderr } = await machine.verify('--reader-profile', 'auditor', '--output', file);
    expect(exitCode).toBe(1);
    const failures = [
      'FAILED refuse-no-identity: ADMITTED: STS gave a session without a source identity, whose credentials were thrown away at once; ',
      'FAILED refuse-other-tenant: ADMITTED: STS gave a session under the name agent.acme-x.verify of another tenant, whose ',
    ];
    const lines = stderr.split('\n');
    for (const [index, failure] of failures.entries()) expect(lines[index]?.startsWith(failure)).toBe(true);
    expect(stdout).toMatch(/^FAILED +refuse-no-identity +ADMITTED: /m);
    expect(stdout).toContain('\nFAILED: 5 passed, 2 failed, 2 not exercised\n');
    expect(outcomes(readResult(file))).toMatchObject({ 'event-of-hop': 'passed', 'event-of-call': 'passed' });
  });

  test('fails where the hop is refused, and waits for nothing', async () => {
    await trust(machine.account, 'hub-acme-session', {
      Effect: 'Allow',
      Principal: { AWS: ACME_TENANT_ROLE },
      Action: 'sts:AssumeRole',
    });
    const { exitCode, stderr } = await machine.verify('--reader-profile', 'auditor', '--output', file);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^FAILED hop: sts:SetSourceIdentity was denied for [^\n]*\n$/);
  });

  test('fails where an event has lost the name', async () => {
    // At the end of a sessionContext.
    const lose = (text: string): string => text.replace(/,\\"sourceIdentity\\":\\"[^"]*\\"(?=\}\})/g, '');
    const edge = await startEdge(machine.account.endpoint, ({ status, body }) => ({ status, body: lose(body) }));
    setEnvironment({ AWS_ENDPOINT_URL_CLOUDTRAIL: edge });
    const { exitCode, stdout } = await machine.verify('--reader-profile', 'auditor', '--json');
    expect(exitCode).toBe(1);
    const result = JSON.parse(stdout) as Printed;
    expect(outcomes(result)).toMatchObject({ 'event-of-hop': 'passed', 'event-of-call': 'failed' });
    expect(result.events.find(({ step }) => step === 'event-of-call')?.evidence).toMatch(
      /must have userIdentity\.sessionContext\.sourceIdentity "agent\.acme\.\w+", it has none$/,
    );
  });

  test('waits on while CloudTrail is throttled', async () => {
    let throttled = 3;
    const edge = await startEdge(machine.account.endpoint, (answer) => {
      if (answer.body.includes('"CloudTrailEvent"') === false || throttled <= 0) return answer;
      throttled -= 1;
      return { status: 400, body: '{"__type":"ThrottlingException","message":"Rate exceeded"}' };
    });
    setEnvironment({ AWS_ENDPOINT_URL_CLOUDTRAIL: edge });
    const { exitCode, stderr } = await machine.verify('--reader-profile', 'auditor', '--output', file);
    expect([exitCode, throttled]).toEqual([0, 0]);
    expect(stderr).toMatch(
      /of 20 minutes; CloudTrail refused cloudtrail:LookupEvents on "AssumeRole" because the account makes too many calls/,
    );
  });

  test('passes from another account, which alone has the events of the refusals', async () => {
    const tenantRole = `arn:aws:iam::${OTHER_ACCOUNT}:role/hub-acme-tenant`;
    const yaml = YAML.replace(ACME_TENANT_ROLE, `${tenantRole}\n        callerPolicy: external`);
    machine = await startMachine({ config: parseConfig(yaml, 'tenants.yaml') });
    const hop = { Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'], Resource: ACME_ROLE };
    await iamClient(machine.account, machine.account.administratorCredentials(OTHER_ACCOUNT)).send(
      new PutRolePolicyCommand({
        RoleName: 'hub-acme-tenant',
        PolicyName: 'hop',
        PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: hop }),
      }),
    );
    const { exitCode, stdout } = await machine.verify('--role-arn', ACME_ROLE, '--reader-profile', 'auditor', '--json');
    expect(exitCode).toBe(0);
    const { dispatcher, events } = JSON.parse(stdout) as Printed;
    expect(dispatcher).toMatch(new RegExp(`^arn:aws:sts::${OTHER_ACCOUNT}:assumed-role/hub-acme-tenant/`));
    expect(events.map(({ step, outcome }) => [step, outcome])).toEqual([
      ['event-of-hop', 'passed'],
      ['event-of-call', 'passed'],
    ]);
  });

  test('exits with 5 when events do not appear in 20 minutes, and another process finds them later', async () => {
    machine = await startMachine({ cloudTrailDelaySeconds: 25 * 60 });
    const { exitCode, stdout } = await machine.verify('--reader-profile', 'auditor', '--output', file);
    expect(exitCode).toBe(5);
    expect(stdout).toMatch(/^not exercised +event-of-hop +did not appear within 20 minutes$/m);
    expect(stdout).toContain('\nNOT FINISHED: 5 passed, 0 failed, 6 not exercised\n');
    expect(stdout).toContain(`\n  session-broker verify --resume ${file} --reader-profile NAME\n`);

    const resumed = await machine.verify('--resume', file, '--reader-profile', 'auditor');
    expect(resumed.exitCode).toBe(0);
    expect(resumed.stdout).toContain('\nPASSED: 9 passed, 0 failed, 2 not exercised\n');
    expect(outcomes(readResult(file))).toMatchObject({ 'event-of-hop': 'passed' });
  });

  test('that is interrupted prints what is known, and leaves what can be resumed', async () => {
    const fake = machine.process({});
    const note = (line: string): void => {
      fake.shell.note(line);
      if (line.startsWith('CloudTrail')) fake.raise('SIGINT');
    };
    const interrupted = await runIn(
      { ...fake, shell: { ...fake.shell, note } },
      'verify',
      '--reader-profile',
      'auditor',
      '--output',
      file,
    );
    expect(interrupted.exitCode).toBe(130);
    expect(interrupted.stderr).toBe('CloudTrail shows 0 of 4 events after 0:06 of 20 minutes\n');
    expect(interrupted.stdout).toContain(`\n  session-broker verify --resume ${file} --reader-profile NAME\n`);

    pass(FIVE_MINUTES * 1000);
    expect((await machine.verify('--resume', file, '--reader-profile', 'auditor')).exitCode).toBe(0);
  });

  test.each([
    [
      'AccessDenied',
      'dispatcher',
      4,
      /^error: cloudtrail:LookupEvents on "AssumeRole" must be allowed to the credentials that ask: /,
    ],
    [
      'ReaderAccountMismatch',
      'remote',
      2,
      new RegExp(
        `^error: reader of CloudTrail must be in the role's account "${ACCOUNT}": "arn:aws:iam::${OTHER_ACCOUNT}:user/administrator" is in "${OTHER_ACCOUNT}"; `,
      ),
    ],
    ['CredentialsMissing', 'nobody', 4, /^error: credentials must be given: none were found; /],
  ])('fails with %s before it makes a session, for the profile %s', async (code, profile, exitCode, message) => {
    if (profile === 'nobody') {
      // Else an SDK that finds no such profile goes on to the web identity.
      setEnvironment({ AWS_WEB_IDENTITY_TOKEN_FILE: '' });
      setEnvironment(machine.account.dispatcherEnvironment('hub', 'acme'));
    }
    const run = await machine.verify('--reader-profile', profile, '--output', file);
    expect([run.exitCode, run.stdout]).toEqual([exitCode, '']);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).toMatch(new RegExp(`\\[${code}\\]\\n$`));
    expect(eventNames(machine)).not.toContain('AssumeRole');
    expect(existsSync(file)).toBe(false);
  });
});

describe('session-broker verify without a reader', () => {
  let machine: Machine;
  let file: string;
  beforeEach(async () => {
    machine = await startMachine();
    file = join(machine.folder, 'result.json');
  });

  test('stops after the refusals, and prints the command that goes on elsewhere', async () => {
    const { exitCode, stdout, stderr } = await machine.verify('--output', file);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('\nNOT FINISHED: 5 passed, 0 failed, 6 not exercised\n');
    expect(stdout).toContain(`\n  session-broker verify --resume ${file} --reader-profile NAME\n`);
    expect(eventNames(machine)).not.toContain('LookupEvents');
  });

  test('goes on elsewhere, by the default credentials there, as --resume says', async () => {
    const { stdout } = await machine.verify('--json');
    writeFileSync(file, stdout); // as the log of a Job
    vi.unstubAllEnvs();
    setEnvironment({ AWS_ACCESS_KEY_ID: '', ...machine.account.administratorEnvironment(ACCOUNT) });
    const { exitCode, stderr } = await machine.verify('--resume', file);
    expect([exitCode, stderr]).toEqual([0, 'CloudTrail shows 4 of 4 events after 0:06 of 20 minutes\n']);
    expect(readResult(file).reader).toBe(`arn:aws:iam::${ACCOUNT}:user/administrator`);
  });

  test('goes on with what is complete by asking nobody', async () => {
    await machine.verify('--output', file, '--reader-profile', 'auditor');
    const before = machine.account.events().length;
    const { exitCode, stdout } = await machine.verify('--resume', file, '--reader-profile', 'nobody');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('\nPASSED: 9 passed');
    expect(machine.account.events()).toHaveLength(before);
  });

  test('prints one JSON document and nothing else, and writes no file', async () => {
    const cwd = vi.spyOn(process, 'cwd').mockReturnValue(machine.folder);
    const { stdout, stderr } = await machine.verify('--json', '--reader-profile', 'auditor');
    cwd.mockRestore();
    expect(stderr).toBe('');
    expect((JSON.parse(stdout) as Printed).points.map(({ point }) => point)).toContain('caller-policy');
    expect(readdirSync(machine.folder)).toEqual(['machine']);
  });

  test('holds no secret in its result, and of access keys the ends', async () => {
    const { stdout } = await machine.verify('--json', '--chain-to', DATA_ROLE, '--reader-profile', 'auditor');
    expect(stdout).not.toMatch(/\b(?:ASIA|AKIA)[A-Z0-9]{12,}/);
    expect(stdout).not.toMatch(/(?<![\w/:.-])[A-Za-z0-9+/=]{40,}/);
    expect(stdout).toMatch(/ASIA\.\.\.[A-Z2-7]{4}/);
  });

  test('fails for an output that is there, before it makes a session, and leaves it as it is', async () => {
    writeFileSync(file, 'mine');
    const { exitCode, stderr } = await machine.verify('--output', file);
    expect([exitCode, stderr]).toEqual([
      2,
      `error: result must go to a new file that can be written: "${file}" is there already, and may be the result of another run; give another with --output, or --json for standard output alone [ResultUnwritable]\n`,
    ]);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(eventNames(machine)).not.toContain('AssumeRole');
  });

  test('fails for an output that cannot be written', async () => {
    const { exitCode, stderr } = await machine.verify('--output', '/dev/null/result.json');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('"/dev/null/result.json" is not (ENOTDIR); give another');
  });

  test('leaves no file where it could not make its calls', async () => {
    let calls = 0;
    const edge = await startEdge(machine.account.endpoint, (answer) => {
      calls += 1;
      return calls < 3
        ? answer
        : { status: 400, body: '<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>' };
    });
    setEnvironment({ AWS_ENDPOINT_URL_STS: edge });
    const { exitCode, stdout } = await machine.verify('--output', file);
    expect([exitCode, stdout]).toEqual([4, '']);
    expect(existsSync(file)).toBe(false);
  });

  test('that is interrupted among its calls says nothing and leaves no file', async () => {
    const fake = machine.process();
    const edge = await startEdge(machine.account.endpoint, (answer) => {
      if (answer.body.includes('AssumeRoleResult')) fake.raise('SIGINT');
      return answer;
    });
    setEnvironment({ AWS_ENDPOINT_URL_STS: edge });
    expect(await runIn(fake, 'verify', '--output', file)).toEqual({ exitCode: 130, stdout: '', stderr: '' });
    expect(existsSync(file)).toBe(false);
  });

  test('makes no file for a reader who may not go on', async () => {
    await machine.verify('--output', file);
    const other = join(machine.folder, 'other.json');
    const run = await machine.verify('--resume', file, '--reader-profile', 'dispatcher', '--output', other);
    expect(run.stderr).toMatch(/ \[AccessDenied\]\n$/);
    expect(existsSync(other)).toBe(false);
  });

  test('fails inside a session, which is no dispatcher', async () => {
    const { process } = machine;
    const environment = {
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/credentials/agent.acme.s1',
    };
    const { exitCode, stderr } = await runIn(process({ environment }), 'verify');
    expect(exitCode).toBe(4);
    expect(stderr).toMatch(
      /this process is the session "agent\.acme\.s1" already.* \[DispatcherCredentialsMissing\]\n$/,
    );
  });
});

test('session-broker verify fails where it finds itself started by a profile of its own', async () => {
  const { folder, process } = await startMachine();
  const environment = { SESSION_BROKER_NESTED: join(folder, 'mark') };
  const { exitCode, stderr } = await runIn(process({ environment }), 'verify');
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/ \[CredentialProcessLoop\]\n$/);
});

describe('session-broker verify --without-caller-policy', () => {
  let machine: Machine;
  beforeEach(async () => {
    machine = await startMachine();
  });

  test.each([
    ['by the configuration', [...CONFIGURED]],
    ['by its ARN', ['--role-arn', ACME_ROLE]],
  ])('tries the hop alone, at the role that is given %s', async (_, options) => {
    const { exitCode, stdout } = await runIn(
      withConfig(machine),
      'verify',
      '--without-caller-policy',
      ...options,
      '--json',
    );
    expect(exitCode).toBe(0);
    const result = JSON.parse(stdout) as Printed;
    expect(outcomes(result)).toEqual({ 'hop-without-caller-policy': 'passed' });
    expect(result.points.filter(({ settled }) => settled).map(({ point }) => point)).toEqual(['caller-policy']);
    expect(eventNames(machine)).not.toContain('GetParameter');
  });

  test('fails without a role, which nobody may look up', async () => {
    const { exitCode, stderr } = await machine.verify('--without-caller-policy');
    expect([exitCode, stderr]).toEqual([
      2,
      "error: --without-caller-policy needs the role's ARN (--role-arn, or --config FILE): only the caller's policy lets the dispatcher read the parameter that holds it; see session-broker verify --help [UsageInvalid]\n",
    ]);
  });
});

describe('session-broker verify fails for', () => {
  test.each([
    [
      ['--resume', 'r.json', '--tenant', 'acme'],
      '--resume goes with --reader-profile, --output and --json alone: the result says the rest',
    ],
    [
      ['--resume', 'r.json', '--chain-to', DATA_ROLE],
      '--resume goes with --reader-profile, --output and --json alone: the result says the rest',
    ],
    [
      ['--resume', 'r.json', '--bound'],
      '--resume goes with --reader-profile, --output and --json alone: the result says the rest',
    ],
    [
      ['--without-caller-policy', '--reader-profile', 'auditor'],
      '--without-caller-policy must stand without --reader-profile: it asks nothing of CloudTrail',
    ],
  ])('options that contradict each other: %j', async (args, reason) => {
    const { verify } = await startMachine();
    expect((await verify(...args)).stderr).toBe(`error: ${reason}; see session-broker verify --help [UsageInvalid]\n`);
  });

  test('a tenant that the configuration does not name', async () => {
    const machine = await startMachine();
    const { stderr } = await runIn(withConfig(machine), 'verify', ...CONFIGURED, '--tenant', 'umbrella');
    expect(stderr).toBe(
      'error: tenant must be one that the configuration names: "umbrella" is not; choose from acme, initech, globex [UsageInvalid]\n',
    );
  });

  test('a result that is not there, is a folder, or is none', async () => {
    const { verify, folder } = await startMachine();
    const none = join(folder, 'none.json');
    for (const path of [none, folder]) {
      const { exitCode, stderr } = await verify('--resume', path);
      expect([exitCode, stderr]).toEqual([
        2,
        `error: result must be a file that can be read: "${path}" is not; give the one that session-broker verify wrote [ResultInvalid]\n`,
      ]);
    }
    writeFileSync(none, '{"format":"session-broker verify 1"}');
    expect((await verify('--resume', none)).stderr).toMatch(
      /^error: result must be a file that session-broker verify wrote: .* \[ResultInvalid\]\n$/,
    );
    expect(readFileSync(none, 'utf8')).toBe('{"format":"session-broker verify 1"}');
  });
});
