import { permissionsOf } from '../../config/rules.ts';
import {
  evaluate,
  listOf,
  oneOrMany,
  type PoliciesInForce,
  type PolicyKind,
  type RequestContext,
  renderPermissionsPolicy,
  requesterContext,
  type Statement,
  type Verdict,
} from '../../policy/index.ts';
import type { Draft } from '../amendments.ts';
import { type Known, known, NotKnown, need, type PolicyFacts } from '../facts.ts';
import { inheritedTags } from '../hop-sides.ts';
import { type Judgement, judge, type PoliciesOnRecord, understood, withoutDeny } from '../judge.ts';
import { type Repair, withoutDenials, withStatements } from '../repair.ts';
import { contextAt, knowsKeys, OPEN, principalTagPrefixes, sessionOf, tagContext, trusting } from '../requests.ts';
import { brokerRole, type FixParts, findingOf, type TenantCase } from '../tenant-case.ts';

/** Whether the role's permissions boundary lets sessions do what is configured. */
export function* checkHiddenByBoundary(tested: TenantCase): Iterable<Draft> {
  const { expected, settings } = tested;
  const { amendments, commands } = settings;
  const boundary = need(brokerRole(tested).permissionsBoundary);
  if (boundary === undefined) return;
  const judgeWith = (document: Known<unknown>): Judged => judgeUses(tested, { boundary: { ...boundary, document } });
  const judged = judgeWith(boundary.document);
  const hidden = hiddenOf(judged);
  if (hidden.length > 0) {
    const repair = amendUses(tested, boundary.arn, boundary, judgeWith, 'boundary');
    const evidence = `the permissions boundary ${boundary.arn} of ${expected.names.roleName} hides ${usesText(hidden)}`;
    yield findingOf(tested, 'BoundaryHidesPermissions', 'error', evidence, {
      ...fixOf(tested, 'the boundary', repair),
      commands:
        repair === undefined
          ? []
          : commands.saveManaged(expected.cluster, boundary, () => amendments.final(boundary.arn)),
    });
    need(boundary.spareVersion);
  }
  assertDecided(judged);
}

/** Whether the service control policies that were given let sessions do what is configured. */
export function* checkHiddenByServiceControl(tested: TenantCase): Iterable<Draft> {
  const code = 'ServiceControlPolicyHidesPermissions';
  const { amendments, serviceControl } = tested.settings;
  const judgements: Judged[] = [];
  for (const level of serviceControl) {
    for (const policy of level) {
      const judgeWith = (document: Known<unknown>): Judged =>
        judgeUses(tested, { serviceControl: [[OPEN, { ...policy, document }]] });
      const judged = judgeWith(policy.document);
      judgements.push(judged);
      const hidden = hiddenOf(judged);
      if (hidden.length === 0) continue;
      const repair = amendUses(tested, policy.name, policy, judgeWith);
      const evidence = `the service control policy ${policy.name} hides ${usesText(hidden)}`;
      yield findingOf(tested, code, 'error', evidence, fixOf(tested, 'the service control policy', repair));
    }
    const judged = judgeUses(tested, { serviceControl: [level.map(withoutDeny)] });
    judgements.push(judged);
    const hidden = hiddenOf(judged).filter(({ verdict }) => verdict.missing === 'service-control');
    const [policy] = level;
    if (hidden.length === 0 || policy === undefined) continue;
    const repair = amendments.amend(policy.name, need(understood(policy)), (document) =>
      withStatements(policy.name, document, grantsOf(hidden)),
    );
    const evidence = `a level of service control policies hides ${usesText(hidden)}`;
    yield findingOf(tested, code, 'error', evidence, {
      summary: 'allow in the service control policies what sessions may do',
      statements: amendments.changes(repair),
    });
  }
  judgements.forEach(assertDecided);
}

/** Something that the configuration lets sessions do. */
interface Use {
  readonly action: string;
  readonly resource: string;
  readonly context: RequestContext;
  /** That allows it. */
  readonly statement: Statement;
}

type Judged = ReadonlyMap<Use, Judgement>;

function judgeUses(tested: TenantCase, policies: Partial<PoliciesOnRecord>): Judged {
  const { expected, settings } = tested;
  const role = brokerRole(tested);
  const requester = sessionOf(expected, role);
  const context = {
    ...contextAt(settings.now, expected),
    ...tagContext(['aws:PrincipalTag'], role),
    'aws:SourceIdentity': requester.sessionName,
  };
  const named = { 'sts:SourceIdentity': requester.sessionName, 'sts:RoleSessionName': requester.sessionName };
  const uses = usesOf(tested);
  const decide = (inForce: PoliciesInForce): ReadonlyMap<Use, Verdict> =>
    new Map(
      uses.map((use) => {
        const { action, resource } = use;
        const request = { requester, action, resource, context: { ...context, ...use.context } };
        if (!action.startsWith('sts:')) return [use, evaluate(request, inForce)] as const;
        // Whether the other role lets it in is that role's business.
        const call = { ...request, context: { ...request.context, ...named } };
        return [use, evaluate(call, { ...inForce, resource: trusting(expected.roleArn) })] as const;
      }),
    );
  const given = { ...requesterContext(requester), ...context, [PROFILE]: '' };
  const prefixes = ['sts:', ...principalTagPrefixes(role, inheritedTags(tested))];
  return judge(decide, { identity: [OPEN], ...policies }, knowsKeys(given, prefixes));
}

/** Present where a model is invoked through an inference profile, and only there. */
const PROFILE = 'bedrock:InferenceProfileArn';

/**
 * What the configuration allows by its own keys, request by request. A model is asked for in each Region that its
 * profile routes to; one that AWS chooses is called so.
 * @see Amazon Bedrock User Guide, "Global cross-Region inference"
 */
function usesOf({ expected: { cluster, tenant } }: TenantCase): readonly Use[] {
  const { Statement: statements } = renderPermissionsPolicy(permissionsOf(cluster, { ...tenant, statements: [] }));
  return statements.flatMap((statement) =>
    listOf(statement.Action).flatMap((action) =>
      listOf(statement.Resource).map((resource): Use => {
        const [, , service, region = ''] = resource.split(':');
        const profile = statement.Condition?.['StringEquals']?.[PROFILE];
        return {
          action,
          resource,
          statement,
          context: {
            ...(service === 'bedrock' && { 'aws:RequestedRegion': region === '' ? 'unspecified' : region }),
            ...(profile !== undefined && { [PROFILE]: profile }),
          },
        };
      }),
    ),
  );
}

interface Hidden extends Use {
  readonly verdict: Verdict;
}

function hiddenOf(judged: Judged): readonly Hidden[] {
  return [...judged].flatMap(([use, judgement]) =>
    judgement.decision === 'denied' ? [{ ...use, verdict: judgement.verdict }] : [],
  );
}

/** How many uses evidence names. */
const MOST = 2;

function usesText(hidden: readonly Hidden[]): string {
  const named = hidden.slice(0, MOST).map(({ action, resource }) => `${action} on ${resource}`);
  const more = hidden.length > MOST ? ` and ${hidden.length - MOST} more` : '';
  return `${named.join(', ')}${more}: ${hidden[0]?.verdict.reason}`;
}

function amendUses(
  { settings }: TenantCase,
  label: string,
  policy: PolicyFacts,
  judgeWith: (document: Known<unknown>) => Judged,
  kind?: PolicyKind,
): Repair | undefined {
  const hidden = hiddenOf(judgeWith(policy.document));
  const profiles = hidden.flatMap(({ context }) => listOf(context[PROFILE]));
  return settings.amendments.amend(label, need(understood(policy)), (document) => {
    const narrowed = withoutDenials(
      label,
      document,
      (candidate) =>
        hiddenOf(judgeWith(known(candidate))).flatMap(({ action, resource, verdict: { decidedBy } }) =>
          decidedBy?.policy === policy.name ? [{ index: decidedBy.index, action, resource }] : [],
        ),
      {
        operator: 'ArnNotLike',
        key: PROFILE,
        values: [...new Set(profiles)],
        isOf: () => hidden.every(({ context }) => context[PROFILE] !== undefined),
      },
    );
    if (narrowed === undefined || kind === undefined) return narrowed;
    const left = hiddenOf(judgeWith(known(narrowed.document))).filter(({ verdict }) => verdict.missing === kind);
    const whole = withStatements(label, narrowed.document, grantsOf(left));
    return { document: whole.document, changes: [...narrowed.changes, ...whole.changes] };
  });
}

/** The configuration's own statements, as far as they allow what is hidden. */
function grantsOf(hidden: readonly Hidden[]): readonly Statement[] {
  const statements = new Set(hidden.map(({ statement }) => statement));
  return [...statements].map((statement) => {
    const resources = hidden.filter((use) => use.statement === statement).map(({ resource }) => resource);
    return { ...statement, Resource: oneOrMany([...new Set(resources)]) };
  });
}

function fixOf({ settings }: TenantCase, what: string, repair: Repair | undefined): FixParts {
  return repair === undefined
    ? { summary: `leave what sessions may do out of what ${what} denies` }
    : { summary: `let ${what} allow what sessions may do`, statements: settings.amendments.changes(repair) };
}

function assertDecided(judged: Judged): void {
  for (const judgement of judged.values()) {
    if (judgement.decision === 'undecided') throw new NotKnown(judgement.unknown);
  }
}
