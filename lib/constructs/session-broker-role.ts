import type { CfnRole, IGrantable, IPrincipal, IRole } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { quote, SessionBrokerError } from '../errors.ts';
import {
  brokerArns,
  brokerNames,
  createScope,
  DEFAULT_IAM_PATH,
  type Scope,
  SESSION_DURATION_SECONDS,
  scopePatterns,
} from '../identity/index.ts';
import { brokerTags } from '../identity/names.ts';
import { renderCallerPolicy } from '../policy/index.ts';
import { renderInlinePolicies } from '../policy/permissions.ts';
import { assertProps } from './assert-props.ts';
import { CfnManagedPolicy, CfnResource, Duration, Grant, Role, Stack, Token, TokenComparison } from './cdk.ts';
import { createAccessEntry } from './cluster-access.ts';
import { explicitEnvironment, tag } from './environment.ts';
import { judgeWhenFinished } from './finished-templates.ts';
import { createParameters } from './published-parameters.ts';
import type { SessionBrokerRoleProps } from './session-broker-role-props.ts';
import { SourceIdentityPrincipal } from './source-identity-principal.ts';

/**
 * A role whose sessions carry an immutable name: it can be assumed only under a source identity of its tenant,
 * `agent.<tenant>.<session>`. With it come the caller's policy and the parameters that publish it and, where an
 * EKS cluster is given, an access entry.
 *
 * No prop widens the trust policy. What is added around the props, by `addToPolicy`, an escape hatch or a policy in
 * another stack, is judged in the finished templates: see `docs/constructs.md`.
 */
export class SessionBrokerRole extends Role {
  /** Whose names the role admits. */
  readonly sourceIdentityScope: Scope;
  /** The `StringLike` half of the scope's condition. */
  readonly sourceIdentityPattern: string;
  /** ARNs of the roles that a session may go on to. */
  readonly chainTo: readonly string[];
  /** ARN of the managed policy that the tenant role needs on its side. */
  readonly callerPolicyArn: string;
  readonly #principal: SourceIdentityPrincipal;
  readonly #parameterArns: readonly string[];

  /**
   * @throws {SessionBrokerError} with the code of the first rule that the props break
   * @throws {TypeError} when the stack has no explicit account and Region
   */
  constructor(scope: Construct, id: string, props: SessionBrokerRoleProps) {
    const environment = explicitEnvironment(Stack.of(scope));
    assertProps(props, environment);
    const path = props.path ?? DEFAULT_IAM_PATH;
    const names = brokerNames(props);
    const { models = [], inferenceProfiles = {}, chainTo = [], statements = [], eksClusterName } = props;
    const policies = renderInlinePolicies({
      ...environment,
      models,
      inferenceProfiles,
      eksClusterName,
      chainTo,
      statements,
    });
    const principal = new SourceIdentityPrincipal({
      scope: createScope({ tenant: props.tenant }),
      callerArn: props.tenantRole.roleArn,
      roleSessionName: props.roleSessionName ?? 'free',
      ...environment,
    });
    super(scope, id, {
      assumedBy: principal,
      roleName: names.roleName,
      path,
      description: `Sessions of agents of tenant ${props.tenant} on cluster ${props.cluster}, each under its own source identity`,
      maxSessionDuration: Duration.seconds(SESSION_DURATION_SECONDS.max),
      managedPolicies: [...(props.managedPolicies ?? [])],
      ...(props.permissionsBoundary && { permissionsBoundary: props.permissionsBoundary }),
    });
    this.#principal = principal;
    this.sourceIdentityScope = principal.scope;
    this.sourceIdentityPattern = scopePatterns(principal.scope).stringLike;
    this.chainTo = Object.freeze([...chainTo]);
    const tags = brokerTags(props);

    const role = this.node.defaultChild as CfnRole | undefined;
    if (!CfnResource.isCfnResource(role)) {
      throw new SessionBrokerError(
        'TemplateRefused',
        `${this.node.path}: role must be made in its own stack, and Role.customizeRoles keeps it out; leave its scope out of customizeRoles`,
      );
    }
    // The documents as rendered; CDK's own class would rewrite them.
    role.policies = Object.entries(policies).map(([policyName, policyDocument]) => ({ policyName, policyDocument }));
    tag(role, tags);

    const parameters = createParameters(this, names.parameters, {
      sessionRoleArn: this.roleArn,
      sourceIdentityPattern: this.sourceIdentityPattern,
    });
    for (const parameter of parameters) tag(parameter, tags);
    const arns = brokerArns({ ...environment, iamPath: path, names });
    this.#parameterArns = arns.parameterArns;

    const callerPolicy = renderCallerPolicy([arns]);
    this.callerPolicyArn = new CfnManagedPolicy(this, 'CallerPolicy', {
      managedPolicyName: names.callerPolicyName,
      path,
      description: `Lets the tenant role of ${props.tenant} start agent sessions on cluster ${props.cluster}`,
      policyDocument: callerPolicy,
      ...(props.callerPolicy !== 'external' && { roles: [props.tenantRole.roleName] }),
    }).ref;

    if (eksClusterName !== undefined) {
      tag(createAccessEntry(this, this, eksClusterName, props.kubernetesGroups ?? []), tags);
    }
    judgeWhenFinished({
      construct: this,
      resource: role,
      cluster: props.cluster,
      scope: principal.scope,
      callerArns: () => principal.callerArns,
      chainTo: this.chainTo,
      acknowledgements: [...(props.acknowledgeIdentityLoss ?? [])],
      permissionsBoundaryArn: props.permissionsBoundary?.managedPolicyArn,
    });
  }

  /** ARNs of the roles that may assume this one, some perhaps tokens. */
  get callerArns(): readonly string[] {
    return this.#principal.callerArns;
  }

  /**
   * Lets a further role start sessions under this tenant's names: names it in every statement of the trust policy,
   * and gives it `sts:AssumeRole` and `sts:SetSourceIdentity` on this role and `ssm:GetParameter` on its parameters.
   *
   * @param grantee a role, or a construct that acts through one
   * @throws {SessionBrokerError} PrincipalNotAllowed for any other principal; RoleArnInvalid, PolicyTooLarge
   */
  grantAssume(grantee: IGrantable): Grant {
    const role = grantee.grantPrincipal;
    if (!isRole(role)) {
      throw new SessionBrokerError(
        'PrincipalNotAllowed',
        `principal must be one IAM role: ${quote(String(role))}; name the role that starts the sessions`,
      );
    }
    if (Token.compareStrings(role.principalAccount ?? '', Stack.of(role).account) === TokenComparison.DIFFERENT) {
      throw new SessionBrokerError(
        'PrincipalNotAllowed',
        `principal must be in the account of its stack, so that its policy can be written: ${quote(role.roleArn)} is not; import it into a stack of its account`,
      );
    }
    if (!this.callerArns.includes(role.roleArn)) this.#principal.addCaller(role.roleArn);
    const onRole = Grant.addToPrincipal({
      grantee: role,
      actions: ['sts:AssumeRole', 'sts:SetSourceIdentity'],
      resourceArns: [this.roleArn],
    });
    return onRole.combine(
      Grant.addToPrincipal({
        grantee: role,
        actions: ['ssm:GetParameter'],
        resourceArns: [...this.#parameterArns],
      }),
    );
  }

  /** The same as {@link grantAssume}: `sts:AssumeRole` alone would never be enough. */
  override grantAssumeRole(identity: IPrincipal): Grant {
    return this.grantAssume(identity);
  }
}

function isRole(principal: IPrincipal): principal is IRole {
  return 'roleArn' in principal && 'roleName' in principal;
}
