import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { createSessionIdentity, parseSourceIdentity } from '../../lib/identity/index.ts';
import { agentEnvironment } from '../../lib/runtime/delivery/agent-environment.ts';
import { fakeProcess, run, runIn, startIn } from '../cli/fake-shell.ts';
import { pausesOnly } from '../cli/verify-fixture.ts';
import { ACME_TENANT_ROLE, REGION, startFixture, temporaryFolder } from '../local/fixture.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'kubernetes');
const POD_UID = '0b8e7c1e-51b5-4d0c-9d3a-8b6f0c2a7e11';

isolateEnvironment();

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly args?: readonly string[];
  readonly env: readonly Variable[];
  readonly startupProbe?: { readonly exec: { readonly command: readonly [string, ...string[]] } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly resources: object;
  readonly securityContext: object;
}

interface Pod {
  readonly metadata: { readonly namespace: string; readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly automountServiceAccountToken: boolean;
    readonly securityContext: object;
    readonly volumes: readonly { readonly name: string; readonly emptyDir?: { readonly medium?: string } }[];
    readonly initContainers: readonly [Container];
    readonly containers: readonly [Container];
  };
}

const podText = read('pod.yaml');
const pod = parse(podText) as Pod;
const {
  initContainers: [broker],
  containers: [agent],
} = pod.spec;
const tokenMount = (container: Container) => container.volumeMounts.find(({ name }) => name === 'endpoint-token');

describe('the pod of the example', () => {
  test('keeps every way to the tenant role from the agent, and gives the broker its web identity', () => {
    const serviceAccount = parse(read('service-account.yaml'));

    expect(pod.metadata.annotations['eks.amazonaws.com/skip-containers']).toBe(agent.name);
    expect(agent.name).not.toBe(broker.name);
    expect(pod.spec.serviceAccountName).toBe(serviceAccount.metadata.name);
    expect(pod.metadata.namespace).toBe(serviceAccount.metadata.namespace);
    expect(serviceAccount.metadata.annotations).toEqual({ 'eks.amazonaws.com/role-arn': ACME_TENANT_ROLE });
    expect([pod.spec.automountServiceAccountToken, serviceAccount.automountServiceAccountToken]).toEqual([
      false,
      false,
    ]);
    for (const volume of pod.spec.volumes) expect(Object.keys(volume).sort()).toEqual(['emptyDir', 'name']);
  });

  test("lets the agent read the endpoint's token, in memory, and not change it", () => {
    expect(pod.spec.volumes.find(({ name }) => name === 'endpoint-token')?.emptyDir?.medium).toBe('Memory');
    expect(tokenMount(broker)).toEqual({ name: 'endpoint-token', mountPath: '/run/session-broker' });
    expect(tokenMount(agent)).toEqual({ ...tokenMount(broker), readOnly: true });
    expect(broker.volumeMounts).toHaveLength(1);
  });

  test('runs both containers as one user without privileges, and keeps their processes apart', () => {
    expect(pod.spec.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of [broker, agent]) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toHaveProperty('limits.memory');
    }
    for (const shared of ['shareProcessNamespace', 'hostPID', 'hostNetwork', 'hostIPC']) {
      expect(pod.spec).not.toHaveProperty(shared);
    }
  });

  test('has the broker as a sidecar, whose start the agent waits for', () => {
    expect(broker.restartPolicy).toBe('Always');
    expect(Object.keys(broker.startupProbe ?? {})).toContain('exec');
    expect(pod.spec.initContainers).toHaveLength(1);
  });

  test('sets for the agent what exec sets', () => {
    const { POD_UID: uid, ...environment } = environmentOf(agent);
    expect(uid).toBe(POD_UID);
    expect(environment).toEqual(
      agentEnvironment(
        {},
        {
          uri: `http://127.0.0.1:9911/credentials/agent.acme.${POD_UID}`,
          tokenFile: `/run/session-broker/${POD_UID}`,
          region: REGION,
        },
      ),
    );
  });

  test("takes its UID as the session id, which leaves a tenant's name the length that the README says", () => {
    expect(parseSourceIdentity(`agent.acme.${POD_UID}`).session).toBe(POD_UID);
    createSessionIdentity({ tenant: 'a'.repeat(21), session: POD_UID });
    expect(() => createSessionIdentity({ tenant: 'a'.repeat(22), session: POD_UID })).toThrow();
    expect(read('README.md')).toContain('at most 21 characters');
  });

  test('serves the agent credentials under its own name, as its containers are set up', async () => {
    const account = await startFixture();
    const folder = temporaryFolder();
    chmodSync(folder, 0o777); // as the kubelet makes an emptyDir
    const port = await freePort();
    const here = parse(podText.replaceAll('9911', String(port)).replaceAll('/run/session-broker', folder)) as Pod;
    const [{ args = [], env, startupProbe }] = here.spec.initContainers;
    const environment = environmentOf({ env });
    const [program, ...parameters] = startupProbe?.exec.command ?? [''];
    const probe = () => promisify(execFile)(program, parameters);
    await expect(probe()).rejects.toThrow();

    for (const [name, value] of Object.entries(account.dispatcherEnvironment('hub', 'acme'))) {
      if (!/^SESSION_BROKER_|_REGION$/.test(name)) vi.stubEnv(name, value);
    }
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    // No folder of the image can be written to.
    const container = fakeProcess({ environment: { ...process.env, XDG_RUNTIME_DIR: '/dev/null' } });
    const { ending } = await startIn(container, ...args.map((arg) => expand(arg, environment)));
    await probe();

    const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri = '', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile = '' } =
      environmentOf(here.spec.containers[0]);
    const answer = await fetch(uri, { headers: { Authorization: readFileSync(tokenFile, 'utf8') } });
    expect(await answer.json()).toMatchObject({ AccessKeyId: expect.stringMatching(/^ASIA/) });
    expect(account.events().at(-1)).toMatchObject({
      eventName: 'AssumeRole',
      requestParameters: { sourceIdentity: `agent.acme.${POD_UID}` },
    });

    container.raise('SIGTERM');
    expect(await ending).toBe(0);
    expect(container.stderr()).toBe('');
  });
});

describe('the job of the example', () => {
  const job = parse(read('verify.yaml'));
  const { spec } = job.spec.template;
  const [verifier] = spec.containers as readonly [Container];

  test('runs once, as the tenant and as little else as the pod, and writes to no file', () => {
    expect([job.kind, job.spec.backoffLimit, spec.restartPolicy]).toEqual(['Job', 0, 'Never']);
    expect(job.metadata.namespace).toBe(pod.metadata.namespace);
    expect(spec.serviceAccountName).toBe(pod.spec.serviceAccountName);
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.securityContext).toEqual(pod.spec.securityContext);
    expect(verifier.securityContext).toEqual(broker.securityContext);
    expect(verifier.resources).toEqual(broker.resources);
    expect([spec.volumes, verifier.volumeMounts]).toEqual([undefined, undefined]);
    expect(Object.keys(spec).filter((name) => name.startsWith('host'))).toEqual([]);
  });

  test('prints in its log what the second command of the README goes on with', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const account = await startFixture();
    const folder = temporaryFolder();
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const token = file('token', account.mintWebIdentityToken('hub', 'acme'));
    for (const [name, value] of Object.entries(account.webIdentityEnvironment('hub', 'acme', token))) {
      if (!/^SESSION_BROKER_|_REGION$/.test(name)) vi.stubEnv(name, value);
    }
    for (const [name, value] of Object.entries(environmentOf(verifier))) vi.stubEnv(name, value);
    const { exitCode, stdout, stderr } = await run(...(verifier.args ?? []));
    expect([exitCode, stderr]).toEqual([0, '']);
    const log = file('result.json', stdout); // kubectl mixes both streams in it

    const { accessKeyId, secretAccessKey } = account.administratorCredentials('111122223333');
    const keys = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file('credentials', `[auditor]\n${keys}`));
    vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', undefined);
    const [, command = ''] = /^session-broker (verify --resume result\.json .*)$/m.exec(read('README.md')) ?? [];
    const resumed = await runIn(
      fakeProcess({ time: pausesOnly }),
      ...command.split(' ').map((arg) => (arg === 'result.json' ? log : arg)),
    );
    expect(resumed.exitCode).toBe(0);
    expect(JSON.parse(readFileSync(log, 'utf8')).reader).toBe('arn:aws:iam::111122223333:user/administrator');
  });
});

test('the image of the example holds this version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(EXAMPLE, '..', '..', 'package.json'), 'utf8'));
  for (const manifest of [podText, read('verify.yaml')]) {
    expect(manifest).toContain(`image: registry.example.com/session-broker:${version}\n`);
  }
  expect(read('Dockerfile')).toContain(`--tag registry.example.com/session-broker:${version} `);
});

function read(file: string): string {
  return readFileSync(join(EXAMPLE, file), 'utf8');
}

/** A container's variables, as the kubelet sets them. */
function environmentOf(container: Pick<Container, 'env'>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env) {
    if (valueFrom !== undefined) expect(valueFrom).toEqual({ fieldRef: { fieldPath: 'metadata.uid' } });
    environment[name] = value === undefined ? POD_UID : expand(value, environment);
  }
  return environment;
}

/** Kubernetes replaces `$(NAME)` in arguments and values, and leaves it as it is for a name not set before. */
function expand(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(/\$\((\w+)\)/g, (reference, name: string) => environment[name] ?? reference);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
