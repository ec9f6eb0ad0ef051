import { readFileSync } from 'node:fs';
import type { Config, TenantConfig } from '../config/config.ts';
import { findCluster, findTenant, notNamed } from '../config/find-tenant.ts';
import { quote, SessionBrokerError } from '../errors.ts';
import { parseRoleArn } from '../identity/index.ts';
import { readAssembly } from '../template/assembly.ts';
import { fillAccounts, TENANT_SESSION_SECONDS } from './accounts.ts';
import type { Decision } from './call.ts';
import {
  brokerEnvironment,
  clientEnvironment,
  credentialsEnvironment,
  type LocalCredentials,
} from './client-environment.ts';
import type { AuthenticationMode } from './cluster-store.ts';
import { accountsOf, readConfig } from './configuration.ts';
import { type KubernetesUser, kubernetesUserOf } from './eks/kubernetes-user.ts';
import type { CloudTrailEvent } from './event.ts';
import { EventHistory } from './event-history.ts';
import { EventLog } from './event-log.ts';
import type { Asked } from './protocol.ts';
import { QueryParameters } from './query.ts';
import { DEFAULT_QUOTAS, type Quotas } from './quotas.ts';
import { perform, type ResponderProps, respond } from './respond.ts';
import { listen } from './server.ts';
import { type Credential, Store } from './store.ts';
import { issuerOf, subjectOf, WebIdentityIssuer } from './web-identity.ts';

export interface LocalAccountOptions {
  /** Folder of a synthesized cloud assembly: `cdk.out`. */
  readonly assembly: string;
  /** Path of `tenants.yaml`, or what was read from it. */
  readonly config: string | Config;
  /**
   * Loopback port.
   * @default 0: any free one
   */
  readonly port?: number | undefined;
  /**
   * File that CloudTrail events are appended to, one JSON document a line.
   * @default none: they are kept in memory alone
   */
  readonly log?: string | undefined;
  /** @default the system's clock */
  readonly clock?: (() => Date) | undefined;
  /**
   * IAM's quotas that are another than an account begins with, by the names of GetAccountSummary.
   * @default none
   */
  readonly quotas?: Partial<Quotas> | undefined;
  /**
   * How long after a call LookupEvents shows its event, by the account's clock: seconds. On AWS it takes minutes.
   * @default 0
   */
  readonly cloudTrailDelaySeconds?: number | undefined;
  /**
   * The authentication mode that the EKS clusters begin with. UpdateClusterConfig goes on from there, and never back.
   * @default 'API_AND_CONFIG_MAP'
   */
  readonly authenticationMode?: AuthenticationMode | undefined;
}

/** Every account that a configuration names, on one loopback port. */
export interface LocalAccount extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, for `AWS_ENDPOINT_URL`. */
  readonly endpoint: string;
  readonly config: Config;
  /** What is modelled otherwise than AWS would, a sentence each. */
  readonly notices: readonly string[];
  /**
   * New credentials of the tenant role, as the tenant's service account gets them by its web identity. They last
   * 12 hours.
   * @throws {SessionBrokerError} UsageInvalid for a cluster or tenant that the configuration does not name;
   * DispatcherCredentialsRejected; LogUnwritable
   */
  dispatcherCredentials(cluster: string, tenant: string): LocalCredentials;
  /**
   * The environment that makes any AWS client the tenant's dispatcher, with {@link dispatcherCredentials}; the
   * variables `SESSION_BROKER_*` name the cluster and the tenant to this package's runtime and commands. As with
   * the other environments, none of `CONFLICTING_VARIABLES` that it does not set may be set beside it.
   * @throws {SessionBrokerError} UsageInvalid
   */
  dispatcherEnvironment(cluster: string, tenant: string): Readonly<Record<string, string>>;
  /**
   * A new token of the tenant's service account for AssumeRoleWithWebIdentity, good for a day.
   * @throws {SessionBrokerError} UsageInvalid
   */
  mintWebIdentityToken(cluster: string, tenant: string): string;
  /**
   * The environment that EKS gives to the tenant's pods: any AWS client gets and renews its credentials by itself.
   * @param tokenFile where the caller has written a token of {@link mintWebIdentityToken}
   * @throws {SessionBrokerError} UsageInvalid
   */
  webIdentityEnvironment(cluster: string, tenant: string, tokenFile: string): Readonly<Record<string, string>>;
  /**
   * Credentials of the IAM user `administrator`, who may do everything in the account.
   * @param account twelve digits
   * @throws {SessionBrokerError} UsageInvalid for an account that is not here
   */
  administratorCredentials(account: string): LocalCredentials;
  /**
   * The environment that makes any AWS client the administrator of the account, in its cluster's Region.
   * @throws {SessionBrokerError} UsageInvalid
   */
  administratorEnvironment(account: string): Readonly<Record<string, string>>;
  /**
   * Who credentials are in a cluster, by its access entries, or undefined where they are not let in: no entry, one of
   * a role that was deleted and created again, or credentials that are no longer good.
   * @throws {SessionBrokerError} UsageInvalid for a cluster that the configuration does not name
   */
  kubernetesUser(cluster: string, credentials: Pick<LocalCredentials, 'accessKeyId'>): KubernetesUser | undefined;
  /** All events so far, oldest first. */
  events(): readonly CloudTrailEvent[];
  /** Why each call was answered as it was, oldest first. AWS tells nobody. */
  decisions(): readonly Decision[];
  /**
   * Why one call was answered as it was.
   * @param requestId an event's `requestID`, or `$metadata.requestId` of an SDK's answer or error
   */
  decisionOf(requestId: string): Decision | undefined;
  /** Stops listening and closes the log. */
  close(): Promise<void>;
}

/**
 * Starts a strict local account: STS, SSM, IAM, EKS and CloudTrail's event history over HTTP on loopback, filled from
 * a cloud assembly, enforcing trust and identity policies and the rules of source identity as AWS documents them. It
 * is no emulator of AWS at large; what it does not model it refuses with the code `NotModelled`.
 * @throws {SessionBrokerError} AssemblyUnreadable, ConfigUnreadable, ConfigInvalid, ListenFailed, LogUnwritable
 */
export async function startLocalAccount(options: LocalAccountOptions): Promise<LocalAccount> {
  const clock = options.clock ?? (() => new Date());
  const config = typeof options.config === 'string' ? readConfig(options.config) : options.config;
  const stacks = readAssembly(options.assembly, (path) => readFileSync(path, 'utf8'));
  const store = new Store();
  const quotas = { ...DEFAULT_QUOTAS, ...options.quotas };
  const issuer = new WebIdentityIssuer();
  const accounts = accountsOf(config);
  for (const [account, { partition }] of accounts) store.administrator(account, partition, clock());
  const notices = fillAccounts({
    config,
    stacks,
    store,
    issuer,
    quotas,
    authenticationMode: options.authenticationMode ?? 'API_AND_CONFIG_MAP',
    now: clock(),
  });

  const decisions = new Map<string, Decision>();
  const log = new EventLog(options.log);
  const [firstAccount = ''] = accounts.keys();
  const regionOf = (account: string | undefined): string =>
    (accounts.get(account ?? '') ?? accounts.get(firstAccount))?.region ?? 'us-east-1';
  const props: ResponderProps = {
    store,
    issuer,
    quotas,
    history: new EventHistory(log, options.cloudTrailDelaySeconds ?? 0),
    clock,
    log,
    decided: (decision) => decisions.set(decision.requestId, decision),
    regionOf,
    fallbackAccount: firstAccount,
  };
  const server = await listen(options.port ?? 0, (request) => respond(request, props)).catch((error: unknown) => {
    log.close();
    throw error;
  });
  const { endpoint } = server;

  const close = async (): Promise<void> => {
    await server.close();
    log.close();
  };
  const mintWebIdentityToken = (clusterName: string, tenantName: string): string => {
    const { cluster, tenant } = findTenant(config, clusterName, tenantName);
    return issuer.mint(issuerOf(cluster), subjectOf(tenant.name), clock());
  };
  const dispatcherCredentials = (clusterName: string, tenantName: string): LocalCredentials => {
    const { tenant } = findTenant(config, clusterName, tenantName);
    return assumeTenantRole(tenant, mintWebIdentityToken(clusterName, tenantName), props);
  };
  const administratorCredentials = (account: string): LocalCredentials => {
    const known = accounts.get(account);
    if (known === undefined) throw notNamed('account', account, [...accounts.keys()]);
    return credentialsOf(store.administrator(account, known.partition, clock()), account);
  };
  return {
    endpoint,
    config,
    notices,
    dispatcherCredentials,
    dispatcherEnvironment: (clusterName, tenantName) => {
      const { cluster } = findTenant(config, clusterName, tenantName);
      return {
        ...clientEnvironment(endpoint, cluster.region),
        ...credentialsEnvironment(dispatcherCredentials(clusterName, tenantName)),
        ...brokerEnvironment(cluster, tenantName),
      };
    },
    mintWebIdentityToken,
    webIdentityEnvironment: (clusterName, tenantName, tokenFile) => {
      const { cluster, tenant } = findTenant(config, clusterName, tenantName);
      return {
        ...clientEnvironment(endpoint, cluster.region),
        AWS_ROLE_ARN: tenant.tenantRole,
        AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
        ...brokerEnvironment(cluster, tenantName),
      };
    },
    administratorCredentials,
    administratorEnvironment: (account) => ({
      ...credentialsEnvironment(administratorCredentials(account)),
      ...clientEnvironment(endpoint, regionOf(account)),
    }),
    kubernetesUser: (clusterName, { accessKeyId }) => {
      const { account, region, eksClusterName } = findCluster(config, clusterName);
      const cluster = store.clusters.find(account, region, eksClusterName);
      const credential = store.findCredential(accessKeyId);
      const isGood = credential !== undefined && (credential.expiresAt === undefined || credential.expiresAt > clock());
      return cluster !== undefined && isGood ? kubernetesUserOf(credential.caller, cluster) : undefined;
    },
    events: () => log.events,
    decisions: () => [...decisions.values()],
    decisionOf: (requestId) => decisions.get(requestId),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Calls AssumeRoleWithWebIdentity as the pod's SDK would, event included. */
function assumeTenantRole(tenant: TenantConfig, token: string, props: ResponderProps): LocalCredentials {
  const parameters = new QueryParameters([
    ['Version', '2011-06-15'],
    ['RoleArn', tenant.tenantRole],
    ['RoleSessionName', 'dispatcher'],
    ['WebIdentityToken', token],
    ['DurationSeconds', String(TENANT_SESSION_SECONDS)],
  ]);
  const operation = 'AssumeRoleWithWebIdentity';
  const asked: Asked = {
    protocol: 'query',
    service: 'sts',
    region: undefined,
    operation,
    parameters,
  };
  const { fault, call } = perform(asked, props, {
    userAgent: 'session-broker local',
    authenticate: () => {
      throw new TypeError(`${operation} is unsigned`);
    },
  });
  const issued = call.record.issued;
  if (fault !== undefined || issued === undefined) {
    throw new SessionBrokerError(
      'DispatcherCredentialsRejected',
      `tenant role ${quote(tenant.tenantRole)} cannot be assumed: ${fault?.message}; a test that changed its trust policy must restore it`,
      { cause: fault },
    );
  }
  return credentialsOf(issued, parseRoleArn(tenant.tenantRole).account);
}

function credentialsOf(credential: Credential, accountId: string): LocalCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = credential;
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(expiresAt === undefined ? {} : { expiration: expiresAt }),
    accountId,
  };
}
