import { policyDocument } from '../../policy/index.ts';
import type { Draft } from '../amendments.ts';
import { differenceOf } from '../difference.ts';
import { type Known, type ManagedPolicyFacts, need, type PolicyFacts, type RoleFacts } from '../facts.ts';
import type { FindingCode, Fix, Severity } from '../findings.ts';
import { delegatingTrust, type HopAction, openTrust } from '../hop.ts';
import { assertDecided, grantsOf, type Judged, omissionOf } from '../hop-sides.ts';
import { judge } from '../judge.ts';
import { callerRole, type FixParts, findingOf, hopOfCase, type TenantCase } from '../tenant-case.ts';

/** Whether the tenant role has the caller's policy, or else what it needs on its own side. */
export function* checkCallerPolicy(tested: TenantCase): Iterable<Draft> {
  const { cluster, tenantRole } = tested.expected;
  const role = callerRole(tested);
  const needs = needsOf(tested, role);
  if (tenantRole.account === cluster.account) yield* ownAccountFindings(tested, role, needs);
  else yield* lackFindings(tested, needs, fixElsewhere(tested, needs));
  assertDecided(needs.judged);
}

/** What the tenant role's own policies do not allow of the hop. */
interface Needs {
  readonly judged: Judged;
  readonly lacking: readonly HopAction[];
  /** Those without which no session starts. */
  readonly vital: readonly HopAction[];
}

function needsOf(tested: TenantCase, role: RoleFacts): Needs {
  const { expected } = tested;
  const hop = hopOfCase(tested);
  const identity: readonly PolicyFacts[] = [...need(role.inlinePolicies), ...need(role.attachedPolicies)];
  // Left to the tenant role's own policies, as AWS documents it; and with a trust policy that names the role.
  const judged = judge(hop.decide, { identity, resource: delegatingTrust(expected) }, hop.isKnown);
  const inFact = judge(hop.decide, { identity, resource: openTrust(expected) }, hop.isKnown);
  // In one account the trust policy's word on session tags is enough.
  const isOwnAccount = expected.tenantRole.account === expected.cluster.account;
  const lacking = (omissionOf(judged, 'identity')?.actions ?? []).filter(
    (action) => action !== 'sts:TagSession' || !isOwnAccount,
  );
  const vital = lacking.filter((action) => action.startsWith('sts:') && inFact.get(action)?.decision === 'denied');
  return { judged, lacking, vital };
}

function* ownAccountFindings(tested: TenantCase, role: RoleFacts, needs: Needs): Iterable<Draft> {
  const { expected, facts, settings } = tested;
  const { cluster, callerPolicy, tenantRole } = expected;
  const { commands } = settings;
  const severity: Severity = needs.vital.length > 0 ? 'error' : 'warning';
  const policy = need(facts.callerPolicy);
  const mustHave = callerPolicy.isAttached || needs.lacking.length > 0;
  const attach = commands.attach(cluster, tenantRole.arn, callerPolicy.arn);
  if (policy === undefined) {
    const document = JSON.stringify(callerPolicy.document);
    const words = ['--policy-name', callerPolicy.name, '--path', cluster.iamPath, '--policy-document', document];
    yield findingOf(tested, 'CallerPolicyMissing', severity, `the caller's policy ${callerPolicy.arn} does not exist`, {
      summary: "make the caller's policy again: a deploy would see no change",
      commands: [commands.iam(cluster, 'create-policy', ...words), ...(mustHave ? [attach] : [])],
    });
    return;
  }
  if (mustHave && need(role.attachedPolicies).every(({ arn }) => arn !== callerPolicy.arn)) {
    const lacks = needs.lacking.length === 0 ? '' : `, and nothing else allows it ${needs.lacking.join(', ')}`;
    const evidence = `the caller's policy ${callerPolicy.arn} is not attached to ${tenantRole.arn}${lacks}`;
    yield findingOf(tested, 'CallerPolicyNotAttached', severity, evidence, {
      summary: callerPolicy.isAttached
        ? 'attach it again: a deploy would see no change'
        : 'have the owner of the tenant role attach it',
      commands: [attach],
    });
    return;
  }
  const restore = {
    summary: "restore the caller's policy: a deploy would see no change",
    commands: commands.saveManaged(cluster, policy, () => callerPolicy.document),
  };
  yield* lackFindings(tested, needs, (action) => ({
    ...restore,
    statements: grants(tested, callerPolicy.arn, action),
  }));
  const drift = driftOf(policy, tested);
  if ('value' in drift && drift.value !== undefined && needs.lacking.length === 0) {
    const evidence = `the caller's policy ${callerPolicy.arn} is not as configured: ${drift.value}`;
    yield findingOf(tested, 'CallerPolicyDrifted', 'warning', evidence, restore);
  }
  if (need(drift) !== undefined) need(policy.spareVersion);
}

function driftOf({ document }: ManagedPolicyFacts, { expected }: TenantCase): Known<string | undefined> {
  return 'unknown' in document ? document : { value: differenceOf(document.value, expected.callerPolicy.document) };
}

const LACKS: Readonly<Record<HopAction, FindingCode>> = {
  'ssm:GetParameter': 'CallerLacksGetParameter',
  'sts:AssumeRole': 'CallerLacksAssumeRole',
  'sts:SetSourceIdentity': 'CallerLacksSetSourceIdentity',
  'sts:TagSession': 'PodIdentityNeedsTagSession',
};

function* lackFindings(
  tested: TenantCase,
  { lacking, vital }: Needs,
  fixOf: (action: HopAction) => FixParts,
): Iterable<Draft> {
  const { roleArn, parameters, tenantRole } = tested.expected;
  for (const action of lacking) {
    const resource = action === 'ssm:GetParameter' ? parameters[0]?.arn : roleArn;
    const evidence = `no policy of ${tenantRole.arn} allows ${action} on ${resource}`;
    yield findingOf(tested, LACKS[action], vital.includes(action) ? 'error' : 'warning', evidence, fixOf(action));
  }
}

/** IAM attaches no policy across accounts, so the owner of the tenant role makes one there. */
function fixElsewhere(tested: TenantCase, { lacking }: Needs): (action: HopAction) => FixParts {
  const { expected, settings } = tested;
  const { cluster, callerPolicy, tenantRole } = expected;
  const always: readonly HopAction[] = ['sts:AssumeRole', 'sts:SetSourceIdentity'];
  const document = policyDocument(grantsOf(expected, [...new Set([...always, ...lacking])]));
  return (action) => ({
    summary: `have the owner of account ${tenantRole.account} give ${tenantRole.name} a policy there, with credentials of that account`,
    statements: grants(tested, tenantRole.arn, action),
    commands: [settings.commands.putInline(cluster, tenantRole.arn, callerPolicy.name, document)],
  });
}

function grants({ expected }: TenantCase, policy: string, action: HopAction): Fix['statements'] {
  return grantsOf(expected, [action]).map((statement) => ({ policy, statement }));
}
