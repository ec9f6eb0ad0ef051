import { createRequire } from 'node:module';

type Sts = typeof import('@aws-sdk/client-sts');
type Ssm = typeof import('@aws-sdk/client-ssm');
type Iam = typeof import('@aws-sdk/client-iam');
type Eks = typeof import('@aws-sdk/client-eks');
type CloudTrail = typeof import('@aws-sdk/client-cloudtrail');

/*
 * The SDK is CommonJS: required, it loads a third faster than imported, since Node does not first look which
 * names it exports. A bundler follows only the import, and in a bundle there is nothing to require.
 */

/** The SDK's client for STS. */
export async function loadSts(): Promise<Sts> {
  return required<Sts>('@aws-sdk/client-sts') ?? import('@aws-sdk/client-sts');
}

/** The SDK's client for Systems Manager. */
export async function loadSsm(): Promise<Ssm> {
  return required<Ssm>('@aws-sdk/client-ssm') ?? import('@aws-sdk/client-ssm');
}

/** The SDK's client for IAM. */
export async function loadIam(): Promise<Iam> {
  return required<Iam>('@aws-sdk/client-iam') ?? import('@aws-sdk/client-iam');
}

/** The SDK's client for EKS. */
export async function loadEks(): Promise<Eks> {
  return required<Eks>('@aws-sdk/client-eks') ?? import('@aws-sdk/client-eks');
}

/** The SDK's client for CloudTrail. */
export async function loadCloudTrail(): Promise<CloudTrail> {
  return required<CloudTrail>('@aws-sdk/client-cloudtrail') ?? import('@aws-sdk/client-cloudtrail');
}

function required<Module>(name: string): Module | undefined {
  try {
    return createRequire(import.meta.url)(name) as Module;
  } catch {
    return undefined;
  }
}
