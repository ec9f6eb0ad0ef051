import type { CfnResource, Stack } from 'aws-cdk-lib/core';
import { type Partition, partitionOf, ROLE_NAME_LENGTH } from '../identity/index.ts';
import { TagManager, Token } from './cdk.ts';

/** Where a stack is deployed. */
export interface Environment {
  /** Twelve digits. */
  readonly account: string;
  readonly region: string;
  readonly partition: Partition;
}

/**
 * A stack's account and Region. Both must be known at synth: who may be named and what is allowed depends on them.
 * @throws {TypeError} when one is left to the deployment
 * @throws {SessionBrokerError} RegionInvalid
 */
export function explicitEnvironment(stack: Stack): Environment {
  const { account, region } = stack;
  if (Token.isUnresolved(account) || Token.isUnresolved(region)) {
    throw new TypeError(`stack ${stack.stackName} must have an explicit account and Region: give it env`);
  }
  return { account, region, partition: partitionOf(region) };
}

/**
 * Stands for a role's ARN that is known only at deploy. Its name is as long as one can be, so that a policy that fits
 * with it fits.
 */
export function standInRoleArn({ partition, account }: Omit<Environment, 'region'>, index: number): string {
  return `arn:${partition}:iam::${account}:role/${String(index).padStart(ROLE_NAME_LENGTH, '-')}`;
}

/** Higher than what `Tags.of` sets, so that these cannot be overwritten by chance. */
const TAG_PRIORITY = 1000;

/** Sets tags on one resource. */
export function tag(resource: CfnResource, tags: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(tags)) TagManager.of(resource)?.setTag(key, value, TAG_PRIORITY);
}
