import type { Construct } from 'constructs';
import type { BrokerNames } from '../identity/index.ts';
import { CfnParameter } from './cdk.ts';

/** What a dispatcher reads about a session-broker role. */
export interface Published {
  readonly sessionRoleArn: string;
  readonly sourceIdentityPattern: string;
}

/** The parameters that publish a session-broker role, beside the platform's other outputs. */
export function createParameters(
  scope: Construct,
  names: BrokerNames['parameters'],
  values: Published,
): CfnParameter[] {
  const create = (id: string, name: string, value: string, description: string): CfnParameter =>
    // An account's default tier may be the charged one.
    new CfnParameter(scope, id, { name, type: 'String', tier: 'Standard', value, description });
  return [
    create('SessionRoleArn', names.sessionRoleArn, values.sessionRoleArn, 'ARN of the session-broker role'),
    create(
      'SourceIdentityPattern',
      names.sourceIdentityPattern,
      values.sourceIdentityPattern,
      'StringLike half of the condition on the source identity of the session-broker role',
    ),
  ];
}
