import { ulid } from 'ulid';
import { findTenant, type PlacedTenant } from '../config/find-tenant.ts';
import { loadConfig } from '../config/load.ts';
import { SessionBrokerError } from '../errors.ts';
import { brokerArns, brokerNames, parseRoleArn } from '../identity/index.ts';
import { readEnvironment } from '../runtime/environment.ts';
import type { Exercise } from '../verify/exercise.ts';
import type { HopRequest } from '../verify/hop.ts';
import type { Shell } from './command.ts';
import type { RoleInput } from './session-options.ts';

export interface VerifyInput extends RoleInput {
  readonly config?: string | undefined;
  /** ARNs of roles that a session goes on to. */
  readonly chainTo: readonly string[];
  readonly bound: boolean;
  readonly withoutCallerPolicy: boolean;
  readonly readerProfile?: string | undefined;
  /** Path of an earlier result, of which only CloudTrail is read. */
  readonly resume?: string | undefined;
  readonly output?: string | undefined;
  readonly json: boolean;
}

/**
 * What is verified, as the options, the variables and the configuration say it, under a new session id.
 * @throws {SessionBrokerError} UsageInvalid, RoleArnInvalid, or a code of the configuration
 */
export function requestOf(
  input: VerifyInput,
  { readFile }: Pick<Shell, 'readFile'>,
): { readonly request: HopRequest; readonly given: Exercise } {
  const { tenant, cluster, workflow, roleArn, region, withoutCallerPolicy } = input;
  const environment = readEnvironment();
  const placed =
    input.config === undefined
      ? undefined
      : findTenant(
          loadConfig({ given: input.config, readFile }).config,
          cluster ?? environment.cluster ?? '',
          tenant ?? environment.tenant ?? '',
        );
  const parameterPrefix = placed?.cluster.parameterPrefix;
  const request = {
    session: ulid(),
    tenant,
    cluster,
    workflow,
    region: region ?? placed?.cluster.region,
    parameterPrefix,
  };
  const known =
    roleArn ?? environment.roleArn ?? (withoutCallerPolicy ? placed && roleArnOf(placed, workflow) : undefined);
  if (withoutCallerPolicy && known === undefined) {
    throw usage(
      "--without-caller-policy needs the role's ARN (--role-arn, or --config FILE): only the caller's policy lets the dispatcher read the parameter that holds it",
    );
  }
  const isBound = input.bound ? true : placed && placed.tenant.roleSessionName === 'bound';
  const chainTo = [...new Set([...input.chainTo, ...(placed?.tenant.chainTo ?? [])])].map(parseRoleArn);
  return { request: { ...request, roleArn: known }, given: { chainTo, isBound, withoutCallerPolicy } };
}

/** The role's ARN as it is deployed by this configuration. */
function roleArnOf({ cluster, tenant }: PlacedTenant, workflow: string | undefined): string {
  const names = brokerNames({ cluster: cluster.name, tenant: tenant.name, workflow });
  return brokerArns({ ...cluster, names }).roleArn;
}

/** What a command line must be otherwise. */
export function usage(reason: string): SessionBrokerError {
  return new SessionBrokerError('UsageInvalid', `${reason}; see session-broker verify --help`);
}
