import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { Amendments } from '../../lib/doctor/amendments.ts';
import { checkCallerPolicy } from '../../lib/doctor/checks/caller.ts';
import { checkCallerBoundary, checkCallerDenials, checkServiceControl } from '../../lib/doctor/checks/hop.ts';
import { checkTrust } from '../../lib/doctor/checks/trust.ts';
import { Commands } from '../../lib/doctor/commands.ts';
import { expectedTenant } from '../../lib/doctor/expected.ts';
import { known, type PolicyFacts, type RoleFacts, unknown } from '../../lib/doctor/facts.ts';
import type { TenantCase } from '../../lib/doctor/tenant-case.ts';
import { evaluate, evaluateAssumeRole, type PolicyDocument, parsePolicyDocument } from '../../lib/policy/index.ts';
import { HEALTHY, ROLE_ARN, TENANT_ROLE_ARN } from './world.ts';

const SEED = Number(process.env['SESSION_BROKER_SEED'] ?? Date.now() % 2 ** 31);

const [cluster] = parseConfig(HEALTHY, 'tenants.yaml').clusters;
const [tenant] = cluster?.tenants ?? [];
if (cluster === undefined || tenant === undefined) throw new Error('the configuration has no tenant');
const expected = expectedTenant(cluster, tenant);

function policy(...statements: readonly object[]): PolicyDocument {
  return parsePolicyDocument({ Version: '2012-10-17', Statement: statements });
}

const EDGE = 'arn:aws:iam::111122223333:policy/edge';

interface Deployed {
  readonly trust: PolicyDocument;
  readonly inline: readonly PolicyDocument[];
  readonly callerPolicy: PolicyDocument;
  readonly isAttached: boolean;
  readonly boundary: PolicyDocument | undefined;
  readonly levels: readonly (readonly PolicyDocument[])[];
}

function caseOf({ trust, inline, callerPolicy, isAttached, boundary, levels }: Deployed): TenantCase {
  const facts = (arn: string, rest: Partial<RoleFacts>): RoleFacts => ({
    arn,
    id: known(`AROA${arn.length}`),
    createdAt: known(new Date(0)),
    maxSessionDurationSeconds: known(3600),
    trust: known(policy({ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' })),
    inlinePolicies: known([]),
    attachedPolicies: known([]),
    permissionsBoundary: known(undefined),
    tags: known({}),
    ...rest,
  });
  const managed = (name: string, arn: string, document: PolicyDocument) => ({
    name,
    arn,
    document: known(document),
    spareVersion: known(undefined),
  });
  const caller = managed('caller', expected.callerPolicy.arn, callerPolicy);
  return {
    expected,
    settings: {
      now: new Date(),
      commands: new Commands({}),
      amendments: new Amendments(),
      serviceControl: levels.map((level, index) =>
        level.map((document, place): PolicyFacts => ({ name: `scp ${index}.${place}`, document: known(document) })),
      ),
      tenants: [expected],
    },
    facts: {
      role: known(facts(ROLE_ARN, { trust: known(trust) })),
      tenantRole: known(
        facts(TENANT_ROLE_ARN, {
          inlinePolicies: known(inline.map((document, index) => ({ name: `p${index}`, document: known(document) }))),
          attachedPolicies: known(isAttached ? [caller] : []),
          permissionsBoundary: known(boundary && managed('edge', EDGE, boundary)),
        }),
      ),
      callerPolicy: known(caller),
      parameters: [],
      otherRegion: undefined,
      chainRoles: new Map(),
      eksCluster: known(undefined),
      accessEntry: known(undefined),
      podIdentities: known([]),
      isRegionEnabled: known(true),
      summary: unknown('not asked'),
    },
  };
}

/** What the evaluator says of the hop with all policies at once. */
function isAllowed({ trust, inline, callerPolicy, isAttached, boundary, levels }: Deployed): boolean {
  const named = (document: PolicyDocument, index: number) => ({ name: `${index}`, document });
  const name = 'agent.acme.doctor';
  return evaluateAssumeRole(
    {
      requester: { kind: 'role-session', roleArn: TENANT_ROLE_ARN, sessionName: 's' },
      roleArn: ROLE_ARN,
      roleSessionName: name,
      sourceIdentity: name,
    },
    {
      identity: [...inline, ...(isAttached ? [callerPolicy] : [])].map(named),
      boundary: boundary && named(boundary, 0),
      serviceControl: levels.map((level) => level.map(named)),
      resource: { name: 'trust', document: trust },
    },
  ).allowed;
}

function findingsOf(tested: TenantCase) {
  return [checkTrust, checkCallerBoundary, checkCallerDenials, checkServiceControl, checkCallerPolicy].flatMap(
    (check) => [...check(tested)],
  );
}

const effect = fc.constantFrom('Allow', 'Allow', 'Deny');
const action = fc.constantFrom(
  'sts:AssumeRole',
  'sts:SetSourceIdentity',
  ['sts:AssumeRole', 'sts:SetSourceIdentity'],
  'sts:*',
  '*',
  's3:*',
);
const resource = fc.constantFrom('*', ROLE_ARN, 'arn:aws:iam::111122223333:role/*', 'arn:aws:s3:::docs/*');
const condition = fc.constantFrom(
  {},
  {},
  { Condition: { StringLike: { 'sts:SourceIdentity': 'agent.acme.*' } } },
  { Condition: { StringNotLike: { 'sts:SourceIdentity': 'agent.*' } } },
  { Condition: { StringEquals: { 'aws:PrincipalArn': TENANT_ROLE_ARN } } },
);
const statement = fc
  .record({ Effect: effect, Action: action, Resource: resource, rest: condition })
  .map(({ rest, ...own }) => ({ ...own, ...rest }));
const document = fc.array(statement, { minLength: 1, maxLength: 3 }).map((list) => policy(...list));
const OPEN_TRUST = policy({ Effect: 'Allow', Principal: { AWS: TENANT_ROLE_ARN }, Action: 'sts:*' });
const OPEN = policy({ Effect: 'Allow', Action: '*', Resource: '*' });
const trustStatement = fc
  .record({
    Effect: effect,
    Action: action,
    Principal: fc.constantFrom({ AWS: TENANT_ROLE_ARN }, { AWS: TENANT_ROLE_ARN }, { AWS: ROLE_ARN }),
    rest: condition,
  })
  .map(({ rest, ...own }) => ({ ...own, ...rest }));
const deployed: fc.Arbitrary<Deployed> = fc.record({
  trust: fc.oneof(
    { arbitrary: fc.constant(expected.role.trust), weight: 3 },
    { arbitrary: fc.array(trustStatement, { minLength: 1, maxLength: 3 }).map((list) => policy(...list)), weight: 2 },
  ),
  inline: fc.oneof(
    { arbitrary: fc.constant([]), weight: 2 },
    { arbitrary: fc.array(document, { maxLength: 2 }), weight: 1 },
  ),
  callerPolicy: fc.oneof({ arbitrary: fc.constant(expected.callerPolicy.document), weight: 3 }, document),
  isAttached: fc.boolean(),
  boundary: fc.oneof(
    { arbitrary: fc.constant(undefined), weight: 3 },
    { arbitrary: fc.constant(OPEN), weight: 1 },
    { arbitrary: document, weight: 2 },
  ),
  levels: fc.oneof(
    { arbitrary: fc.constant([]), weight: 3 },
    fc.array(fc.array(document, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
  ),
});

/** What a fix must leave as it was: other roles, other actions on ours, and callers without a name. */
const OTHER_REQUESTS = [
  { action: 'sts:AssumeRole', resource: 'arn:aws:iam::111122223333:role/other' },
  { action: 'sts:AssumeRole', resource: 'arn:aws:iam::444455556666:role/other' },
  { action: 'iam:PutRolePolicy', resource: ROLE_ARN },
  { action: 'iam:PassRole', resource: ROLE_ARN },
  { action: 's3:GetObject', resource: 'arn:aws:s3:::docs/readme' },
  { action: 'ssm:PutParameter', resource: expected.parameters[0]?.arn ?? '' },
];

/** As a boundary alone, below which all else is allowed. */
function isAllowedBy(document: PolicyDocument, request: (typeof OTHER_REQUESTS)[number]): boolean {
  const requester = { kind: 'role-session', roleArn: TENANT_ROLE_ARN, sessionName: 's' } as const;
  const { decision } = evaluate(
    { requester, ...request, context: {} },
    {
      identity: [{ name: 'open', document: OPEN }],
      boundary: { name: 'edge', document },
      resource: { name: 'open', document: OPEN_TRUST },
    },
  );
  return decision === 'allow';
}

describe('the hop, judged side by side', () => {
  test('has an error exactly where the evaluator refuses it with all policies at once', () => {
    const outcomes = { allowed: 0, refused: 0 };
    fc.assert(
      fc.property(deployed, (given) => {
        const errors = findingsOf(caseOf(given)).filter(({ severity }) => severity === 'error');
        // A trust policy that lets others in too is an error, whatever it says to the tenant role.
        const blocking = errors.filter(
          ({ code, evidence }) => code !== 'TrustDrifted' || evidence.includes('it refuses'),
        );
        const allowed = isAllowed(given);
        outcomes[allowed ? 'allowed' : 'refused']++;
        expect(blocking.map(({ code }) => code).length > 0, JSON.stringify(blocking)).toBe(!allowed);
      }),
      { seed: SEED, numRuns: 400 },
    );
    expect(outcomes.allowed).toBeGreaterThan(40);
    expect(outcomes.refused).toBeGreaterThan(40);
  });

  test('is let pass by the fixes together, and nothing else is that was denied before', () => {
    console.log(`doctor fixes: SESSION_BROKER_SEED=${SEED}`);
    let repaired = 0;
    fc.assert(
      fc.property(deployed, (given) => {
        const tested = caseOf(given);
        const drafts = findingsOf(tested);
        const isWhole = drafts.every(({ fix }) => fix.commands.length > 0 || fix.statements.length > 0);
        const amended = (label: string, document: PolicyDocument): PolicyDocument => {
          try {
            return tested.settings.amendments.final(label);
          } catch {
            return document; // nothing was in its way
          }
        };
        const after: Deployed = {
          trust: expected.role.trust,
          inline: given.inline.map((document, index) => amended(`p${index} of hub-acme-tenant`, document)),
          callerPolicy: expected.callerPolicy.document,
          isAttached: true,
          boundary: given.boundary && amended(EDGE, given.boundary),
          levels: given.levels.map((level, index) =>
            level.map((document, place) => amended(`scp ${index}.${place}`, document)),
          ),
        };
        if (isWhole) {
          repaired++;
          expect(isAllowed(after), JSON.stringify(after)).toBe(true);
        }
        for (const [before, now] of [
          [given.boundary, after.boundary],
          ...given.inline.map((document, index) => [document, after.inline[index]] as const),
          ...given.levels.flatMap((level, index) =>
            level.map((document, place) => [document, after.levels[index]?.[place]] as const),
          ),
        ] as const) {
          if (before === undefined || now === undefined) continue;
          for (const request of OTHER_REQUESTS) {
            if (!isAllowedBy(before, request)) expect(isAllowedBy(now, request), JSON.stringify(now)).toBe(false);
          }
        }
      }),
      { seed: SEED, numRuns: 400 },
    );
    expect(repaired).toBeGreaterThan(200);
  });
});
