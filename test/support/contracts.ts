import { readFileSync } from 'node:fs';
import type { ErrorCode } from '../../lib/errors.ts';
import type { TrafficClass } from '../../lib/identity/index.ts';

export interface ValidSourceIdentity {
  readonly sourceIdentity: string;
  readonly trafficClass: TrafficClass;
  readonly tenant: string;
  readonly workflow?: string;
  readonly session: string;
}

export interface InvalidSourceIdentity {
  readonly sourceIdentity: string;
  readonly code: ErrorCode;
  readonly why: string;
}

export interface TrustRequest {
  readonly name: string;
  readonly role: { readonly tenant: string; readonly workflow?: string };
  readonly caller:
    | 'tenantRole'
    | 'otherTenantRole'
    | 'sameNameInAnotherAccount'
    | 'administrator'
    | 'sessionBrokerRole';
  readonly sourceIdentity: string | null;
  readonly allowed: boolean;
}

export const { valid: validSourceIdentities, invalid: invalidSourceIdentities } = load<{
  readonly valid: readonly ValidSourceIdentity[];
  readonly invalid: readonly InvalidSourceIdentity[];
}>('source-identities');

export const { requests: trustRequests } = load<{ readonly requests: readonly TrustRequest[] }>('trust-requests');

function load<Contract>(name: string): Contract {
  return JSON.parse(readFileSync(new URL(`../../contracts/${name}.json`, import.meta.url), 'utf8')) as Contract;
}
