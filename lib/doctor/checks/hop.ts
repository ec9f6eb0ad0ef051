import type { PolicyDocument } from '../../policy/index.ts';
import type { Draft } from '../amendments.ts';
import { need, type PolicyFacts } from '../facts.ts';
import { isOfAws } from '../given.ts';
import { openTrust } from '../hop.ts';
import {
  amendSide,
  assertDecided,
  denialBy,
  evidenceOf,
  grantsOf,
  type Judged,
  omissionOf,
  severityOf,
} from '../hop-sides.ts';
import { judge, type PoliciesOnRecord, understood, withoutDeny } from '../judge.ts';
import { withStatements } from '../repair.ts';
import { OPEN } from '../requests.ts';
import { callerRole, findingOf, hopOfCase, type TenantCase } from '../tenant-case.ts';

/** How some policies on the caller's side judge the hop, as if nothing else stood in its way. */
function judgeSide(tested: TenantCase, policies: Partial<PoliciesOnRecord>): Judged {
  const hop = hopOfCase(tested);
  return judge(hop.decide, { identity: [OPEN], resource: openTrust(tested.expected), ...policies }, hop.isKnown);
}

/** Whether the permissions boundary of the tenant role lets it start sessions. */
export function* checkCallerBoundary(tested: TenantCase): Iterable<Draft> {
  const { expected, settings } = tested;
  const caller = expected.tenantRole.name;
  const boundary = need(callerRole(tested).permissionsBoundary);
  if (boundary === undefined) return;
  const judgeWith = (document: PolicyFacts['document']): Judged =>
    judgeSide(tested, { boundary: { ...boundary, document } });
  const judged = judgeWith(boundary.document);
  const denial = denialBy(judged, boundary.name);
  const omission = omissionOf(judged, 'boundary');
  if (denial !== undefined || omission !== undefined) {
    const repair = amendSide(tested, boundary.arn, boundary, judgeWith, 'boundary');
    const { amendments, commands } = settings;
    const final = (): PolicyDocument => amendments.final(boundary.arn);
    const fix = {
      statements: amendments.changes(repair),
      commands: repair === undefined ? [] : commands.saveManaged(expected.cluster, boundary, final),
    };
    const own = isOfAws(boundary.arn) ? `give ${caller} a boundary of your own, since this one is AWS's: ` : '';
    if (denial !== undefined) {
      const evidence = `the permissions boundary of ${caller} denies the hop: ${evidenceOf(denial)}`;
      yield findingOf(tested, 'BoundaryDeniesHop', severityOf(denial), evidence, {
        summary: `${own}leave the hop out of what the boundary denies${byHand(repair)}`,
        ...fix,
      });
    }
    if (omission !== undefined) {
      const evidence = `the permissions boundary of ${caller} does not allow the hop: ${evidenceOf(omission)}`;
      yield findingOf(tested, 'BoundaryOmitsHop', severityOf(omission), evidence, {
        summary: `${own}allow the hop in the boundary${byHand(repair)}`,
        ...fix,
      });
    }
    need(boundary.spareVersion);
  }
  assertDecided(judged);
}

/** Whether a policy of the tenant role itself denies the hop. What they lack is the caller's policy's business. */
export function* checkCallerDenials(tested: TenantCase): Iterable<Draft> {
  const { expected, settings } = tested;
  const { cluster, tenantRole } = expected;
  const { amendments, commands } = settings;
  const role = callerRole(tested);
  const inline = need(role.inlinePolicies);
  const judgements: Judged[] = [];
  const attached = need(role.attachedPolicies);
  for (const policy of [...inline, ...attached]) {
    const judgeWith = (document: PolicyFacts['document']): Judged =>
      judgeSide(tested, { identity: [OPEN, { ...policy, document }] });
    const judged = judgeWith(policy.document);
    judgements.push(judged);
    const denial = denialBy(judged, policy.name);
    if (denial === undefined) continue;
    const label = policy.arn ?? `${policy.name} of ${tenantRole.name}`;
    const repair = amendSide(tested, label, policy, judgeWith);
    const managed = attached.find((other) => other === policy);
    const final = (): PolicyDocument => amendments.final(label);
    const save =
      managed === undefined
        ? [() => commands.putInline(cluster, tenantRole.arn, policy.name, final())]
        : isOfAws(managed.arn)
          ? [commands.detach(cluster, tenantRole.arn, managed.arn)]
          : commands.saveManaged(cluster, managed, final);
    const evidence = `a policy of ${tenantRole.name} denies the hop: ${evidenceOf(denial)}`;
    yield findingOf(tested, 'CallerPolicyDeniesHop', severityOf(denial), evidence, {
      summary: `leave the hop out of what ${policy.name} denies${byHand(repair)}`,
      statements: amendments.changes(repair),
      commands: repair === undefined ? [] : save,
    });
    if (managed !== undefined) need(managed.spareVersion);
  }
  judgements.forEach(assertDecided);
}

/** Whether the organization's service control policies, as far as they were given, let the tenant role start sessions. */
export function* checkServiceControl(tested: TenantCase): Iterable<Draft> {
  const { serviceControl, amendments } = tested.settings;
  const caller = tested.expected.tenantRole.name;
  const judgements: Judged[] = [];
  for (const level of serviceControl) {
    for (const policy of level) {
      const judgeWith = (document: PolicyFacts['document']): Judged =>
        judgeSide(tested, { serviceControl: [[OPEN, { ...policy, document }]] });
      const judged = judgeWith(policy.document);
      judgements.push(judged);
      const denial = denialBy(judged, policy.name);
      if (denial === undefined) continue;
      const repair = amendSide(tested, policy.name, policy, judgeWith);
      const evidence = `a service control policy denies ${caller} the hop: ${evidenceOf(denial)}`;
      yield findingOf(tested, 'ServiceControlPolicyDeniesHop', severityOf(denial), evidence, {
        summary: `leave the hop out of what the service control policy denies${byHand(repair)}`,
        statements: amendments.changes(repair),
      });
    }
    const judged = judgeSide(tested, { serviceControl: [level.map(withoutDeny)] });
    judgements.push(judged);
    const omission = omissionOf(judged, 'service-control');
    const [policy] = level;
    if (omission === undefined || policy === undefined) continue;
    const evidence = `a level of service control policies does not allow ${caller} the hop: ${evidenceOf(omission)}`;
    const statements = grantsOf(tested.expected, omission.actions);
    const repair = amendments.amend(policy.name, need(understood(policy)), (document) =>
      withStatements(policy.name, document, statements),
    );
    yield findingOf(tested, 'ServiceControlPolicyOmitsHop', severityOf(omission), evidence, {
      summary: 'allow the hop in the service control policies',
      statements: amendments.changes(repair),
    });
  }
  judgements.forEach(assertDecided);
}

/** Where no statement can be narrowed, somebody has to decide. */
function byHand(repair: unknown): string {
  return repair === undefined
    ? '; its resources are a pattern, from which IAM cannot take one out, so list others'
    : '';
}
