import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import type { CloudTrailEvent, LocalAccount } from '../../lib/local/index.ts';
import { agentEnvironment } from '../../lib/runtime/delivery/agent-environment.ts';
import { ACCOUNT, ACME_PARAMETER, ACME_ROLE, ACME_TENANT_ROLE, REGION, startFixture, YAML } from '../local/fixture.ts';
import { commandLine, firstLine } from '../support/session-broker.ts';
import { type Agent, startAgent, startProgram } from './agent.ts';
import { AGENT_PROFILE, createHostilePod, type HostilePod } from './hostile-pod.ts';
import { hasMovableClock, MovableClock } from './movable-clock.ts';

export const SESSION = 's1';
const SOURCE_IDENTITY = `agent.acme.${SESSION}`;
export const SESSION_ARN = `arn:aws:sts::${ACCOUNT}:assumed-role/hub-acme-session/${SOURCE_IDENTITY}`;

/** A program to start, with its arguments. */
export type Program = readonly [program: string, ...args: string[]];

/** An agent that finds credentials as its SDK does by default, or in a profile that it is given. */
export type Client = (profile?: string) => Program;

/** An agent in `agents/`, which takes its profile as an argument. */
export function clientOf(interpreter: string, file: string, option: readonly string[] = []): Client {
  const agent = join(import.meta.dirname, 'agents', file);
  return (profile) => [interpreter, agent, ...(profile === undefined ? [] : [...option, profile])];
}

/** Starts an agent in a pod, with the credentials of one session. */
type Delivery = (client: Client, pod: HostilePod['environment']) => Promise<Agent>;

export const DELIVERIES: readonly (readonly [string, Delivery])[] = [
  ['exec', async (client, pod) => startAgent(commandLine(['exec', '--session', SESSION, '--', ...client()]), pod)],
  ['credential_process', async (client, pod) => startAgent(client(AGENT_PROFILE), pod)],
  [
    'the endpoint of serve',
    async (client, pod) => {
      const server = startProgram(commandLine(['serve', '--session', SESSION, '--json']), pod);
      const { sessions } = JSON.parse(await firstLine(server)) as {
        readonly sessions: readonly [{ readonly uri: string; readonly tokenFile: string }];
      };
      const [{ uri, tokenFile }] = sessions;
      // Another dispatcher's own environment may hold keys as well: they are as little the agent's.
      const parent = { ...pod, AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'elsewhere' };
      return startAgent(client(), agentEnvironment(parent, { uri, tokenFile, region: REGION }));
    },
  ],
];

/** Sessions may read what the tenant's stack publishes. */
const CONFIG = parseConfig(
  YAML.replace(
    `tenantRole: ${ACME_TENANT_ROLE}`,
    `$&
        statements: [{ Effect: Allow, Action: ssm:GetParameter, Resource: "arn:aws:ssm:${REGION}:${ACCOUNT}:parameter${ACME_PARAMETER}" }]`,
  ),
  'tenants.yaml',
);

/**
 * Minutes from the start. The first credentials last an hour; with four minutes left every client asks for others, and
 * at the last all that anybody held has expired.
 */
export const TIMES = hasMovableClock ? [0, 56, 180] : [0];

/** An agent that goes on past renewals is the session at every call, and nobody else makes one. */
export async function expectSessionAlone(client: Client, deliver: Delivery): Promise<void> {
  const clock = new MovableClock();
  const account = await startFixture({ config: CONFIG, clock: clock.read });
  const pod = createHostilePod(account, SESSION);
  const agent = await deliver(client, { ...pod.environment, ...clock.environment });

  expect(await agent.ask(`parameter ${ACME_PARAMETER}`)).toBe(ACME_ROLE);
  for (const minutes of TIMES) {
    clock.advanceTo(minutes);
    await expectOtherKeys(agent, account);
  }
  await agent.end();

  expect(callsIn(account)).toEqual(['WebIdentityUser: AssumeRoleWithWebIdentity', ...THE_SESSION, ...THE_HOP]);
  expect(pod.hasRunDecoy()).toBe(false);
}

/** The agent is the session, and soon by other keys than before: the AWS SDK for JavaScript renews behind a call. */
async function expectOtherKeys(agent: Agent, account: LocalAccount): Promise<void> {
  const before = accessKeyOfAgent(account);
  await vi.waitUntil(
    async () => {
      expect(await agent.ask('caller')).toBe(SESSION_ARN);
      return accessKeyOfAgent(account) !== before;
    },
    { timeout: 20_000 },
  );
}

/** What the agent asks, as {@link callsIn} tells it. */
const THE_SESSION = [
  `hub-acme-session as ${SOURCE_IDENTITY}: GetCallerIdentity`,
  `hub-acme-session as ${SOURCE_IDENTITY}: GetParameter ${ACME_PARAMETER}`,
];

/** All that the tenant role may do. */
const THE_HOP = [`hub-acme-tenant: AssumeRole ${SOURCE_IDENTITY}`, `hub-acme-tenant: GetParameter ${ACME_PARAMETER}`];

/** Every kind of call that was made: by which role, under which source identity, what, of what. */
function callsIn(account: LocalAccount): readonly string[] {
  return [...new Set(account.events().map(describeCall))].sort();
}

function describeCall({ userIdentity, eventName, errorCode, requestParameters }: CloudTrailEvent): string {
  const { sessionIssuer, sourceIdentity } = userIdentity.sessionContext ?? {};
  const who = sessionIssuer?.userName ?? userIdentity.type;
  const name = sourceIdentity === undefined ? '' : ` as ${sourceIdentity}`;
  const object = requestParameters?.['sourceIdentity'] ?? requestParameters?.['name'];
  return [`${who}${name}: ${eventName}`, object, errorCode].filter((part) => part !== undefined).join(' ');
}

/** The access key by which the agent last asked who it is. */
function accessKeyOfAgent(account: LocalAccount): string | undefined {
  return account.events().findLast(({ eventName }) => eventName === 'GetCallerIdentity')?.userIdentity.accessKeyId;
}
