import { type Partition, type Scope, scopePatterns } from '../identity/index.ts';
import { oneOrMany, type PolicyDocument, policyDocument, type Statement } from './document.ts';

/** Name of the inline policy that every session-broker role has. */
export const GUARD_POLICY = 'guard';

/** Name of the inline policy with what is configured. */
export const PERMISSIONS_POLICY = 'permissions';

/** The two actions of model inference; Converse and ConverseStream are authorised by them too. */
const INVOKE_MODEL = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'] as const;

export interface PermissionsPolicyProps {
  readonly partition: Partition;
  /** The cluster's account, twelve digits. */
  readonly account: string;
  /** The cluster's Region. */
  readonly region: string;
  /** Foundation models that may be invoked by their own id, in the cluster's Region. */
  readonly models: readonly string[];
  /**
   * Inference profiles by id, each with the Regions that it routes to; a `global.` profile has none, its
   * destinations are AWS's to choose.
   */
  readonly inferenceProfiles: Readonly<Record<string, readonly string[]>>;
  /**
   * Name of the EKS cluster that may be described.
   * @default none
   */
  readonly eksClusterName?: string | undefined;
  /** ARNs of the roles that a session may go on to, under its name. */
  readonly chainTo: readonly string[];
  /** Further statements. */
  readonly statements: readonly Statement[];
}

/**
 * What a session may do. Empty when nothing is configured; the guard of {@link renderGuardPolicy} stands beside it.
 *
 * A profile's foundation models are allowed only through that profile, in every Region that it routes to.
 * @see Amazon Bedrock User Guide, "Prerequisites for inference profiles"
 */
export function renderPermissionsPolicy(props: PermissionsPolicyProps): PolicyDocument {
  const { partition, account, region, models, inferenceProfiles, eksClusterName, chainTo, statements } = props;
  const modelArn = (modelRegion: string, id: string): string =>
    `arn:${partition}:bedrock:${modelRegion}::foundation-model/${id}`;
  const profileArn = (id: string): string => `arn:${partition}:bedrock:${region}:${account}:inference-profile/${id}`;
  const profiles = Object.entries(inferenceProfiles);

  const rendered: Statement[] = [];
  if (models.length > 0) {
    rendered.push({
      Sid: 'InvokeModels',
      Effect: 'Allow',
      Action: INVOKE_MODEL,
      Resource: oneOrMany(models.map((id) => modelArn(region, id))),
    });
  }
  if (profiles.length > 0) {
    rendered.push({
      Sid: 'UseInferenceProfiles',
      Effect: 'Allow',
      Action: ['bedrock:GetInferenceProfile', ...INVOKE_MODEL],
      Resource: oneOrMany(profiles.map(([id]) => profileArn(id))),
    });
  }
  for (const [index, [id, regions]] of profiles.entries()) {
    const destinations = isGlobalProfile(id) ? [region, ''] : regions;
    rendered.push({
      Sid: `InvokeModelOfProfile${index + 1}`,
      Effect: 'Allow',
      Action: INVOKE_MODEL,
      Resource: oneOrMany(destinations.map((destination) => modelArn(destination, modelOfProfile(id)))),
      Condition: { StringEquals: { 'bedrock:InferenceProfileArn': profileArn(id) } },
    });
  }
  if (eksClusterName !== undefined) {
    rendered.push({
      Sid: 'DescribeCluster',
      Effect: 'Allow',
      Action: 'eks:DescribeCluster',
      Resource: `arn:${partition}:eks:${region}:${account}:cluster/${eksClusterName}`,
    });
  }
  if (chainTo.length > 0) {
    rendered.push({
      Sid: 'ChainUnderTheSameIdentity',
      Effect: 'Allow',
      Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
      Resource: oneOrMany(chainTo),
    });
  }
  return policyDocument([...rendered, ...statements]);
}

/**
 * What a session may never do: go on to a role that is not listed, or hand work to something that would not carry
 * its name. An explicit deny, which no statement or managed policy undoes, unless one lets the session change the
 * policies of its own role: `forbiddenGrants` refuses that.
 */
export function renderGuardPolicy(chainTo: readonly string[]): PolicyDocument {
  return policyDocument([
    {
      Sid: 'DenyUnlistedRoles',
      Effect: 'Deny',
      Action: 'sts:AssumeRole',
      ...(chainTo.length > 0 ? { NotResource: oneOrMany(chainTo) } : { Resource: '*' }),
    },
    {
      Sid: 'DenyLeavingTheIdentity',
      Effect: 'Deny',
      Action: ['bedrock-mantle:CallWithBearerToken', 'bedrock:CallWithBearerToken', 'iam:PassRole'],
      Resource: '*',
    },
  ]);
}

/** The inline policies of a session-broker role, by name: what is configured, if anything is, and the guard. */
export function renderInlinePolicies(props: PermissionsPolicyProps): Readonly<Record<string, PolicyDocument>> {
  const permissions = renderPermissionsPolicy(props);
  const guard = { [GUARD_POLICY]: renderGuardPolicy(props.chainTo) };
  return permissions.Statement.length > 0 ? { [PERMISSIONS_POLICY]: permissions, ...guard } : guard;
}

/** A role and the two parameters that publish it. */
export interface CallableRole {
  readonly roleArn: string;
  readonly parameterArns: readonly string[];
}

/**
 * What a principal that a trust policy names needs on its own side, for all roles that name it. AWS documents
 * `sts:SetSourceIdentity` as needed on both sides of a role chain.
 * @see IAM User Guide, "Monitor and control actions taken with assumed roles"
 */
export function renderCallerPolicy(
  roles: readonly CallableRole[],
  options: { sessionTags?: boolean } = {},
): PolicyDocument {
  return policyDocument([
    {
      Sid: 'AssumeUnderAnIdentity',
      Effect: 'Allow',
      Action: ['sts:AssumeRole', 'sts:SetSourceIdentity', ...(options.sessionTags ? ['sts:TagSession'] : [])],
      Resource: oneOrMany(roles.map(({ roleArn }) => roleArn)),
    },
    {
      Sid: 'FindTheRole',
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: oneOrMany(roles.flatMap(({ parameterArns }) => parameterArns)),
    },
  ]);
}

/**
 * The trust statement that the owner of a `chainTo` role adds, so that a session goes on under its own name.
 *
 * It tests `aws:SourceIdentity`, which every request of a named session carries: a chained call need not pass the
 * value again, and then `sts:SourceIdentity` may be absent.
 * @param roleArn the session-broker role's
 * @param scope the session-broker role's
 * @see IAM User Guide, "AWS global condition context keys", aws:SourceIdentity
 */
export function renderChainTrustPolicy(roleArn: string, scope: Scope): PolicyDocument {
  const { stringLike, stringNotLike } = scopePatterns(scope);
  return policyDocument([
    {
      Sid: 'ChainUnderTheSameIdentity',
      Effect: 'Allow',
      Principal: { AWS: roleArn },
      Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
      Condition: {
        StringLike: { 'aws:SourceIdentity': stringLike },
        StringNotLike: { 'aws:SourceIdentity': stringNotLike },
      },
    },
  ]);
}

/** Whether an inference profile may route to every commercial Region. */
export function isGlobalProfile(id: string): boolean {
  return id.startsWith('global.');
}

/** The foundation model of an inference profile: the profile's id without its geography. */
function modelOfProfile(id: string): string {
  return id.slice(id.indexOf('.') + 1);
}
