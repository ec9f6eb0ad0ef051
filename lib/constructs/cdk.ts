import { createRequire } from 'node:module';
import type * as Eks from 'aws-cdk-lib/aws-eks';
import type * as Iam from 'aws-cdk-lib/aws-iam';
import type * as Ssm from 'aws-cdk-lib/aws-ssm';
import type * as Core from 'aws-cdk-lib/core';
import type * as CxApi from 'aws-cdk-lib/cx-api';

/**
 * The classes of the CDK that are used here, by `require`. CDK's modules load their parts when these are first used,
 * but an `import` uses every part at once to find the names that it could bind, which triples the time to load.
 */
const require = createRequire(import.meta.url);

export const {
  Annotations,
  App,
  attachCustomSynthesis,
  CfnOutput,
  CfnResource,
  DefaultStackSynthesizer,
  Duration,
  Stack,
  Stage,
  TagManager,
  Tags,
  Token,
  TokenComparison,
  Validations,
}: typeof Core = require('aws-cdk-lib/core');

export const {
  CfnManagedPolicy,
  Grant,
  ManagedPolicy,
  PolicyStatement,
  PrincipalBase,
  PrincipalPolicyFragment,
  Role,
}: typeof Iam = require('aws-cdk-lib/aws-iam');

export const { CfnParameter }: typeof Ssm = require('aws-cdk-lib/aws-ssm');

export type App = Core.App;
export type CloudAssembly = CxApi.CloudAssembly;
export type CfnParameter = Ssm.CfnParameter;
export type Grant = Iam.Grant;
export type PolicyStatement = Iam.PolicyStatement;
export type PrincipalPolicyFragment = Iam.PrincipalPolicyFragment;
export type Stack = Core.Stack;
export type Stage = Core.Stage;

/** The module of EKS, which only those load who have a cluster. */
export function eks(): typeof Eks {
  return require('aws-cdk-lib/aws-eks');
}

/** The module of cloud assemblies, which only those load who have a warning to write into one. */
export function cxApi(): typeof CxApi {
  return require('aws-cdk-lib/cx-api');
}
