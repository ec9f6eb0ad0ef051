import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { answerFromEndpoint, type ServedHost } from '../../lib/cli/served.ts';
import type { SESSION_OPTIONS } from '../../lib/cli/session-options.ts';
import { SessionBrokerError } from '../../lib/errors.ts';
import { announce } from '../../lib/runtime/delivery/announcement.ts';
import { announcementFolder } from '../../lib/runtime/delivery/discovery.ts';
import type { ServedSession } from '../../lib/runtime/delivery/served-session.ts';
import { type SessionRequest, sessionKey } from '../../lib/runtime/delivery/session-key.ts';
import { bundleCommand } from '../../scripts/bundle.ts';
import {
  CREDENTIALS as EXPIRING,
  sessionOf as expiringSession,
  temporaryFolder,
  waitingSession,
} from '../runtime/delivery/fixture.ts';
import { fakeProcess, runIn } from './fake-shell.ts';

const ROLE_ARN = 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session';
const ELSEWHERE = 'arn:aws:iam::999988887777:role/session-broker/hub-acme-session';
const POLICY_ARN = 'arn:aws:iam::aws:policy/ReadOnlyAccess';
const CREDENTIALS = { ...EXPIRING, expiration: new Date(Date.now() + 3_600_000) };
const REQUEST = { tenant: 'acme', cluster: 'hub', session: 's1' } as const;
const PLAIN = ['credentials', '--tenant', 'acme', '--cluster', 'hub', '--session', 's1'] as const;

/** The environment of the endpoint and of who asks it. */
let environment: Readonly<Record<string, string>>;
beforeEach(() => {
  environment = { XDG_RUNTIME_DIR: temporaryFolder(), AWS_REGION: 'us-west-2' };
});

/** An endpoint of this user that serves a session. */
async function serving(request: SessionRequest, session = sessionOf()): Promise<void> {
  const folder = announcementFolder(environment) ?? 'no folder';
  const announcement = await announce(sessionKey(request, environment), session, folder);
  onTestFinished(() => announcement?.[Symbol.asyncDispose]());
}

/** A session that has credentials of the next hour. */
function sessionOf(given: Partial<ServedSession> = {}): ServedSession {
  return expiringSession({ current: () => CREDENTIALS, ...given });
}

/** A process that runs the command. */
function hostOf(args: readonly string[], env = environment) {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const host = { ...streams, argv: ['node', 'session-broker', ...args], env } as unknown as ServedHost;
  return { host, ...streams };
}

/** What the command prints if an endpoint answers it, or undefined if it leaves that to the whole command line. */
async function answerTo(args: readonly string[], env = environment): Promise<string | undefined> {
  const { host, stdout } = hostOf(args, env);
  const isAnswered = await answerFromEndpoint(host);
  const text = stdout.read()?.toString();
  if (!isAnswered) expect(text).toBeUndefined();
  return text;
}

describe('a session that an endpoint serves', () => {
  test.each(['', '--json', '--format process', '--format claude', '--format=env', '--format json'])(
    'is answered as by the whole command: %s',
    async (text) => {
      const options = text === '' ? [] : text.split(' ');
      await serving(REQUEST);
      const answer = await answerTo([...PLAIN, ...options]);
      const whole = await runIn(fakeProcess({ environment }), ...PLAIN, ...options);
      expect(whole).toEqual({ exitCode: 0, stdout: answer, stderr: '' });
      expect(answer).toContain(CREDENTIALS.sessionToken);
    },
  );

  const given: Readonly<Record<keyof typeof SESSION_OPTIONS, readonly [SessionRequest, ...string[]]>> = {
    tenant: [REQUEST, ...PLAIN],
    cluster: [REQUEST, ...PLAIN],
    session: [REQUEST, ...PLAIN],
    workflow: [{ ...REQUEST, workflow: 'billing' }, ...PLAIN, '--workflow', 'billing'],
    'role-arn': [{ ...REQUEST, roleArn: ROLE_ARN }, ...PLAIN, '--role-arn', ROLE_ARN],
    region: [{ ...REQUEST, region: 'eu-west-1' }, ...PLAIN, '--region=eu-west-1'],
    'policy-arn': [
      { ...REQUEST, policyArns: [POLICY_ARN, ROLE_ARN] },
      ...[...PLAIN, '--policy-arn', ROLE_ARN, '--policy-arn', POLICY_ARN],
    ],
    policy: [{ ...REQUEST, policy: '{}' }, ...PLAIN, '--policy', 'policy.json'],
  };

  test.each(Object.entries(given).filter(([name]) => name !== 'policy'))(
    'is found by all of its options: --%s',
    async (name, [request, ...args]) => {
      const sourceIdentity = name === 'workflow' ? 'agent.acme.billing.s1' : 'agent.acme.s1';
      await serving(request, sessionOf({ sourceIdentity }));
      expect(await answerTo(args)).toContain(CREDENTIALS.sessionToken);
    },
  );

  test.each<[string, readonly string[], Readonly<Record<string, string>>]>([
    ['an option', ['--role-arn', ELSEWHERE], {}],
    ['a variable', [], { FAB_SESSION_ROLE_ARN: ELSEWHERE }],
  ])('is left to the whole command if its account is not that of the role in %s', async (_, options, variables) => {
    const env = { ...environment, ...variables };
    await serving({ ...REQUEST, roleArn: ELSEWHERE });
    expect(await answerTo([...PLAIN, ...options], env)).toBeUndefined();
  });

  test('is found by variables in place of options', async () => {
    await serving(REQUEST);
    const env = { ...environment, SESSION_BROKER_TENANT: 'acme', SESSION_BROKER_CLUSTER: 'hub' };
    expect(await answerTo(['credentials', '--session', 's1'], env)).toContain(CREDENTIALS.sessionToken);
  });

  test.each([
    ['another command', ['env', ...PLAIN.slice(1)]],
    ['no command', []],
    ['help', [...PLAIN, '--help']],
    ['an option that there is not', [...PLAIN, '--verbose', 'yes']],
    ['an option that every object has', [...PLAIN, '--constructor', 'yes']],
    ['no session', PLAIN.slice(0, 5)],
    ['an option without a value', [...PLAIN, '--region']],
    ['an option that is given twice', [...PLAIN, '--session', 's1']],
    ['a format that is given twice', [...PLAIN, '--json', '--format', 'json']],
    ['a flag with a value', [...PLAIN, '--json=true']],
    ['a format that there is not', [...PLAIN, '--format', 'yaml']],
    ['an argument that is no option', [...PLAIN, 'now']],
    ['a session policy, which is a file', given.policy.slice(1) as string[]],
    ['a session id that cannot be', [...PLAIN.slice(0, 5), '--session', '../s1']],
    ['another session', [...PLAIN.slice(0, 5), '--session', 's2']],
    ['another cluster', [...PLAIN.slice(0, 3), '--cluster', 'spoke', '--session', 's1']],
  ])('is left to the whole command for %s', async (_, args) => {
    await serving(REQUEST);
    expect(await answerTo(args)).toBeUndefined();
  });

  test('is left to the whole command for a value that looks like an option, unless it must be one', async () => {
    await serving({ ...REQUEST, session: '--json' }, sessionOf({ sourceIdentity: 'agent.acme.--json' }));
    const args = PLAIN.slice(0, 5);
    expect(await answerTo([...args, '--session', '--json'])).toBeUndefined();
    expect(await answerTo([...args, '--session=--json'])).toContain(CREDENTIALS.sessionToken);
  });

  test.each([
    ['is gone', 'EPIPE', ''],
    [
      'is full',
      'ENOSPC',
      'error: standard output must be writable: ENOSPC; make room where it goes, or send it elsewhere [OutputUnwritable]\n',
    ],
  ])('fails as by the whole command when what reads it %s', async (_, code, said) => {
    await serving(REQUEST);
    const { host, stdout, stderr } = hostOf(PLAIN);
    expect(await answerFromEndpoint(host)).toBe(true);
    stdout.emit('error', Object.assign(new Error(code), { code }));
    expect(host.exitCode).toBe(1);
    expect(stderr.read()?.toString() ?? '').toBe(said);
  });

  test('is left to the whole command inside a credential_process of its own', async () => {
    await serving(REQUEST);
    expect(await answerTo(PLAIN, { ...environment, SESSION_BROKER_NESTED: '/tmp/mark' })).toBeUndefined();
  });

  test('is left to the whole command, which says why, if it was refused', async () => {
    const refused = new SessionBrokerError('AssumeRoleDenied', 'no');
    await serving(
      REQUEST,
      waitingSession(() => Promise.reject(refused)),
    );
    expect(await answerTo(PLAIN)).toBeUndefined();
  });
});

test('a session that no endpoint serves is left to the whole command', async () => {
  expect(await answerTo(PLAIN)).toBeUndefined();
});

test('the entry of the command loads what asks an endpoint, and nothing else before that', async () => {
  const [entry] = await bundleCommand('dist', { write: false });
  const code = entry?.outputFiles?.[0]?.text ?? '';
  const loaded = [...code.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, name]) => name);
  expect([...new Set(loaded)].sort()).toEqual([
    '../lib/cli/run-in.cjs',
    'node:fs',
    'node:module',
    'node:net',
    'node:os',
    'node:path',
  ]);
  expect(code.match(/^.*run-in\.cjs.*$/m)?.[0]).toMatch(/await /);
});
