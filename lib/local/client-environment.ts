import { devNull } from 'node:os';
import type { ClusterConfig } from '../config/config.ts';
import { PROFILE_VARIABLES, STATIC_CREDENTIAL_VARIABLES } from '../credential-variables.ts';
import { DEFAULT_PARAMETER_PREFIX } from '../identity/index.ts';

/** Credentials as every AWS SDK takes them. */
export interface LocalCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Absent: long-lived credentials of a user. */
  readonly sessionToken?: string;
  /** Absent: they never expire. */
  readonly expiration?: Date;
  /** Twelve digits. */
  readonly accountId: string;
}

/**
 * Variables that lead a client elsewhere although it has an environment of a local account, and that no
 * value makes harmless for every client: unset those that the environment does not set itself.
 */
export const CONFLICTING_VARIABLES = [
  ...PROFILE_VARIABLES,
  ...STATIC_CREDENTIAL_VARIABLES,
  // No SDK takes these together with an endpoint.
  'AWS_USE_FIPS_ENDPOINT',
  'AWS_USE_DUALSTACK_ENDPOINT',
] as const;

/** Leads every AWS client to the local account, whatever the machine's own configuration says. */
export function clientEnvironment(endpoint: string, region: string): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_STS: endpoint,
    AWS_ENDPOINT_URL_SSM: endpoint,
    AWS_ENDPOINT_URL_IAM: endpoint,
    AWS_ENDPOINT_URL_EKS: endpoint,
    AWS_ENDPOINT_URL_CLOUDTRAIL: endpoint,
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'false',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
  };
}

export function credentialsEnvironment(credentials: LocalCredentials): Readonly<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
}

/** What this package's runtime and commands read. */
export function brokerEnvironment(cluster: ClusterConfig, tenant: string): Readonly<Record<string, string>> {
  return {
    SESSION_BROKER_CLUSTER: cluster.name,
    SESSION_BROKER_TENANT: tenant,
    ...(cluster.parameterPrefix === DEFAULT_PARAMETER_PREFIX
      ? {}
      : { SESSION_BROKER_PARAMETER_PREFIX: cluster.parameterPrefix }),
  };
}
