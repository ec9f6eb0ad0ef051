import { evaluateAssumeRole, listOf, renderChainTrustPolicy, requesterContext } from '../../policy/index.ts';
import type { Draft } from '../amendments.ts';
import { NotKnown, need, type RoleFacts, type Unknown } from '../facts.ts';
import { nameOf } from '../given.ts';
import { inheritedTags } from '../hop-sides.ts';
import { judge, understood } from '../judge.ts';
import { withStatements } from '../repair.ts';
import {
  contextAt,
  knowsKeys,
  OPEN,
  principalTagPrefixes,
  sessionOf,
  tagContext,
  taggingOf,
  tagPrefixes,
} from '../requests.ts';
import { brokerRole, findingOf, type TenantCase } from '../tenant-case.ts';

/** Whether the roles that sessions may go on to let them in. */
export function* checkChain(tested: TenantCase): Iterable<Draft> {
  const unread: Unknown[] = [];
  for (const [arn, fact] of tested.facts.chainRoles) {
    try {
      yield* chainFindings(tested, arn, need(fact));
    } catch (error) {
      if (!(error instanceof NotKnown)) throw error;
      unread.push(error.unknown);
    }
  }
  const [missing] = unread;
  if (missing !== undefined) throw new NotKnown(missing);
}

function* chainFindings(tested: TenantCase, arn: string, role: RoleFacts | undefined): Iterable<Draft> {
  const { expected, settings } = tested;
  const { cluster, tenant, roleArn, scope } = expected;
  if (role === undefined || role.arn !== arn) {
    const found = role === undefined ? 'does not exist' : `does not exist: ${nameOf(arn)} stands as ${role.arn}`;
    yield findingOf(tested, 'ChainRoleMissing', 'warning', `the role ${arn} of chainTo ${found}`, {
      summary: 'take it out of chainTo, or write down where it stands',
      configuration: {
        path: `clusters.${cluster.name}.tenants.${tenant.name}.chainTo`,
        value:
          role === undefined
            ? tenant.chainTo.filter((other) => other !== arn)
            : tenant.chainTo.map((other) => (other === arn ? role.arn : other)),
      },
      commands: [settings.commands.deploy(expected.names.stackName)],
    });
    return;
  }
  const session = sessionOf(expected, brokerRole(tested));
  const sessionTags = inheritedTags(tested);
  const context = {
    ...contextAt(settings.now, expected),
    ...tagContext(['aws:PrincipalTag'], brokerRole(tested)),
    ...tagContext(['aws:ResourceTag', 'iam:ResourceTag'], role),
  };
  const attempt = {
    requester: session,
    roleArn: arn,
    roleSessionName: session.sessionName,
    inheritedSourceIdentity: session.sessionName,
    ...taggingOf(sessionTags),
    context,
  };
  const trust = { name: 'trust policy', document: role.trust };
  const judged = judge(
    (policies) => new Map(evaluateAssumeRole(attempt, policies).steps.map(({ action, verdict }) => [action, verdict])),
    { identity: [OPEN], resource: trust },
    knowsKeys({ ...requesterContext(session), ...context }, [
      'sts:',
      ...principalTagPrefixes(brokerRole(tested), sessionTags),
      ...tagPrefixes(['aws:ResourceTag', 'iam:ResourceTag'], role),
    ]),
  );
  for (const [action, judgement] of judged) {
    if (judgement.decision === 'undecided') throw new NotKnown(judgement.unknown);
    if (judgement.decision === 'allowed') continue;
    const evidence = `the role ${arn} of chainTo refuses sessions ${action}: ${judgement.verdict.reason}`;
    const statements = renderChainTrustPolicy(roleArn, scope).Statement.map((statement) =>
      sessionTags === 'some' ? { ...statement, Action: [...listOf(statement.Action), 'sts:TagSession'] } : statement,
    );
    const label = `the trust policy of ${arn}`;
    const { amendments, commands } = settings;
    const repair = amendments.amend(label, need(understood(trust)), (document) =>
      withStatements(label, document, statements),
    );
    yield findingOf(tested, 'ChainRoleRefuses', 'warning', evidence, {
      summary: 'have its owner let the sessions in',
      statements: amendments.changes(repair),
      commands: [() => commands.saveTrust(cluster, arn, amendments.final(label))],
    });
    return;
  }
}
