import type { AddToPrincipalPolicyResult, PolicyDocument } from 'aws-cdk-lib/aws-iam';
import type { Partition, Scope } from '../identity/index.ts';
import {
  assertPrincipals,
  oneOrMany,
  type RoleSessionName,
  renderTrustPolicy,
  type Statement,
} from '../policy/index.ts';
import { PolicyStatement, PrincipalBase, PrincipalPolicyFragment, Token } from './cdk.ts';
import { standInRoleArn } from './environment.ts';

export interface SourceIdentityPrincipalProps {
  /** Whose names the role admits. */
  readonly scope: Scope;
  /** ARN of the first caller, exact, or a token that stands for a role's ARN. */
  readonly callerArn: string;
  /** The account and the partition that the role stands in. */
  readonly account: string;
  readonly partition: Partition;
  readonly roleSessionName: RoleSessionName;
}

/**
 * Who may assume a session-broker role, and under which names. It owns the role's whole trust policy, so there is
 * no condition to add, and none to forget.
 */
export class SourceIdentityPrincipal extends PrincipalBase {
  readonly #props: SourceIdentityPrincipalProps;
  readonly #callerArns: string[];
  #statements: readonly PolicyStatement[] = [];

  constructor(props: SourceIdentityPrincipalProps) {
    super();
    this.#props = props;
    this.#callerArns = [props.callerArn];
  }

  /** ARNs of all callers, some perhaps tokens. */
  get callerArns(): readonly string[] {
    return [...this.#callerArns];
  }

  /** Whose names the role admits. */
  get scope(): Scope {
    return this.#props.scope;
  }

  override get policyFragment(): PrincipalPolicyFragment {
    return new PrincipalPolicyFragment({ AWS: [...this.#callerArns] });
  }

  override addToAssumeRolePolicy(document: PolicyDocument): void {
    this.#statements = this.#render(this.#callerArns).map((statement) => PolicyStatement.fromJson(statement));
    document.addStatements(...this.#statements);
  }

  /**
   * Names one more caller in every statement.
   * @throws {SessionBrokerError} RoleArnInvalid, PrincipalNotAllowed, PolicyTooLarge
   */
  addCaller(arn: string): void {
    this.#render([...this.#callerArns, arn]);
    this.#callerArns.push(arn);
    for (const statement of this.#statements) statement.addArnPrincipal(arn);
  }

  override addToPrincipalPolicy(): AddToPrincipalPolicyResult {
    return { statementAdded: false };
  }

  override dedupeString(): undefined {
    return undefined;
  }

  /** The statements that the policy renderer makes, with a stand-in for each ARN that is known only at deploy. */
  #render(callerArns: readonly string[]): Statement[] {
    const { scope, partition, roleSessionName } = this.#props;
    const principals = callerArns.map((arn, index) =>
      Token.isUnresolved(arn) ? standInRoleArn(this.#props, index) : arn,
    );
    assertPrincipals(principals, partition);
    return renderTrustPolicy({ scope, principals, roleSessionName }).Statement.map((statement) => ({
      ...statement,
      Principal: { AWS: oneOrMany(callerArns) },
    }));
  }
}
