import { describe, expect, it } from 'vitest';
import { createScope, parseTenant } from '../../lib/identity/index.ts';
import {
  type AssumeRoleAttempt,
  type AssumeRoleVerdict,
  evaluateAssumeRole,
  type NamedPolicy,
  type PoliciesInForce,
  policyDocument,
  type Requester,
  renderCallerPolicy,
  renderChainTrustPolicy,
  renderGuardPolicy,
  renderPermissionsPolicy,
  renderTrustPolicy,
  type Statement,
} from '../../lib/policy/index.ts';

const OWN = '111122223333';
const TENANT_ROLE = `arn:aws:iam::${OWN}:role/eks-agent-platform/tenants/hub-acme-tenant`;
const SESSION_ROLE = `arn:aws:iam::${OWN}:role/session-broker/hub-acme-session`;
const CHAIN_ROLE = `arn:aws:iam::${OWN}:role/data-reader`;

const dispatcher: Requester = { kind: 'role-session', roleArn: TENANT_ROLE, sessionName: 'dispatcher' };
const agent: Requester = { kind: 'role-session', roleArn: SESSION_ROLE, sessionName: 'agent.acme.s1' };

function policy(name: string, ...statements: Statement[]): NamedPolicy {
  return { name, document: policyDocument(statements) };
}

const scope = createScope({ tenant: parseTenant('acme') });
const callerPolicy: NamedPolicy = {
  name: 'caller',
  document: renderCallerPolicy(
    [{ roleArn: SESSION_ROLE, parameterArns: ['arn:aws:ssm:us-west-2:111122223333:parameter/x'] }],
    {
      sessionTags: true,
    },
  ),
};
const brokerTrust = (props: Partial<Parameters<typeof renderTrustPolicy>[0]> = {}): NamedPolicy => ({
  name: 'trust policy',
  document: renderTrustPolicy({ scope, principals: [TENANT_ROLE], ...props }),
});
const openTrust = policy('trust policy', { Sid: 'Open', Effect: 'Allow', Principal: { AWS: OWN }, Action: 'sts:*' });
const openIdentity = policy('open', { Effect: 'Allow', Action: '*', Resource: '*' });

function attempt(fields: Partial<AssumeRoleAttempt>, policies: Partial<PoliciesInForce> = {}): AssumeRoleVerdict {
  return evaluateAssumeRole(
    { requester: dispatcher, roleArn: SESSION_ROLE, roleSessionName: 'any', ...fields },
    { identity: [callerPolicy], resource: brokerTrust(), ...policies },
  );
}

function actionsOf({ steps }: AssumeRoleVerdict): readonly string[] {
  return steps.map(({ action, verdict }) => `${action} ${verdict.decision}`);
}

describe('assuming a session-broker role', () => {
  it('succeeds under a name of the tenant', () => {
    const verdict = attempt({ sourceIdentity: 'agent.acme.s1' });
    expect(verdict).toMatchObject({ allowed: true, sourceIdentity: 'agent.acme.s1' });
    expect(verdict).not.toHaveProperty('denied');
    expect(actionsOf(verdict)).toEqual(['sts:AssumeRole allow', 'sts:SetSourceIdentity allow']);
    expect(verdict.steps.map(({ verdict: { decidedBy } }) => decidedBy?.sid)).toEqual([
      'AssumeAsAgent',
      'SetAgentIdentity',
    ]);
  });

  it.each([
    ['no source identity', undefined, 'like "agent.acme.?*", the request has none'],
    ['an empty session', 'agent.acme.', 'like "agent.acme.?*", the request has "agent.acme."'],
    ['an extra dot', 'agent.acme.x.s1', 'not like "agent.acme.*.*", the request has "agent.acme.x.s1"'],
    ['a trailing dot', 'agent.acme.s1.', 'not like "agent.acme.*.*", the request has "agent.acme.s1."'],
    ['another tenant', 'agent.globex.s1', 'like "agent.acme.?*", the request has "agent.globex.s1"'],
    ['a prefix sibling', 'agent.acme-2.s1', 'like "agent.acme.?*", the request has "agent.acme-2.s1"'],
    ['another case', 'Agent.acme.s1', 'like "agent.acme.?*", the request has "Agent.acme.s1"'],
    ['the internal class', 'internal.acme.s1', 'like "agent.acme.?*", the request has "internal.acme.s1"'],
  ])('fails with %s', (_name, sourceIdentity, needs) => {
    const { allowed, denied, ...rest } = attempt({ sourceIdentity });
    expect({ allowed, action: denied?.action }).toEqual({ allowed: false, action: 'sts:AssumeRole' });
    expect(denied?.verdict.reason).toBe(
      `no statement of the trust policy allows sts:AssumeRole: AssumeAsAgent needs sts:SourceIdentity ${needs}`,
    );
    expect(rest).not.toHaveProperty('sourceIdentity');
  });

  it('fails from another role, even one that may do everything', () => {
    const requester: Requester = { ...dispatcher, roleArn: `${TENANT_ROLE}-2` };
    const { denied } = attempt({ requester, sourceIdentity: 'agent.acme.s1' }, { identity: [openIdentity] });
    expect(denied?.verdict.reason).toBe(
      `no statement of the trust policy allows sts:AssumeRole: AssumeAsAgent is for "${TENANT_ROLE}", the request comes from ${TENANT_ROLE}-2 (session dispatcher)`,
    );
  });

  it("fails without sts:SetSourceIdentity on the caller's side, by that action", () => {
    const identity = [policy('half', { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: SESSION_ROLE })];
    const verdict = attempt({ sourceIdentity: 'agent.acme.s1' }, { identity });
    expect(actionsOf(verdict)).toEqual(['sts:AssumeRole allow', 'sts:SetSourceIdentity implicit-deny']);
    expect(verdict.denied).toBe(verdict.steps[1]);
    expect(verdict.denied?.verdict).toMatchObject({ missing: 'identity' });
  });

  it('fails with session tags that the trust policy does not know, and succeeds with those that it does', () => {
    const tags = { team: 'red' };
    const refused = attempt({ sourceIdentity: 'agent.acme.s1', tags });
    expect(actionsOf(refused)).toEqual([
      'sts:AssumeRole allow',
      'sts:SetSourceIdentity allow',
      'sts:TagSession implicit-deny',
    ]);
    const resource = brokerTrust({ sessionTagKeys: ['team', 'cost'] });
    expect(attempt({ sourceIdentity: 'agent.acme.s1', tags }, { resource }).allowed).toBe(true);
    const more = attempt({ sourceIdentity: 'agent.acme.s1', tags: { ...tags, other: 'x' } }, { resource });
    expect(more.denied?.verdict.reason).toBe(
      'no statement of the trust policy allows sts:TagSession: TagAgentSession needs every value of aws:TagKeys equal to "team" or "cost", the request has "team" and "other"',
    );
  });

  it('fails, when the role session name is bound, under any other', () => {
    const resource = brokerTrust({ roleSessionName: 'bound' });
    const sourceIdentity = 'agent.acme.s1';
    expect(attempt({ sourceIdentity, roleSessionName: sourceIdentity }, { resource }).allowed).toBe(true);
    const { denied } = attempt({ sourceIdentity, roleSessionName: 'agent.acme.s2' }, { resource });
    expect(denied?.verdict.reason).toBe(
      'no statement of the trust policy allows sts:AssumeRole: AssumeAsAgent needs sts:RoleSessionName equal to "${sts:SourceIdentity}", the request has "agent.acme.s2"',
    );
  });

  it('takes internal names from a system principal alone', () => {
    const system = `arn:aws:iam::${OWN}:role/platform`;
    const policies = { resource: brokerTrust({ systemPrincipals: [system] }), identity: [openIdentity] };
    const sourceIdentity = 'internal.acme.s1';
    expect(attempt({ requester: { ...dispatcher, roleArn: system }, sourceIdentity }, policies).allowed).toBe(true);
    expect(attempt({ sourceIdentity }, policies).denied?.action).toBe('sts:AssumeRole');
  });
});

describe('going on to another role', () => {
  const identity = [
    {
      name: 'permissions',
      document: renderPermissionsPolicy({
        partition: 'aws',
        account: OWN,
        region: 'us-west-2',
        models: [],
        inferenceProfiles: {},
        chainTo: [CHAIN_ROLE],
        statements: [],
      }),
    },
    { name: 'guard', document: renderGuardPolicy([CHAIN_ROLE]) },
  ];
  const resource = { name: 'trust policy', document: renderChainTrustPolicy(SESSION_ROLE, scope) };
  const inheritedSourceIdentity = 'agent.acme.s1';
  const chain = (fields: Partial<AssumeRoleAttempt>, policies: Partial<PoliciesInForce> = {}): AssumeRoleVerdict =>
    attempt(
      { requester: agent, roleArn: CHAIN_ROLE, inheritedSourceIdentity, ...fields },
      { identity, resource, ...policies },
    );

  it.each([
    ['without asking for it', undefined],
    ['asking for the same', 'agent.acme.s1'],
  ])('keeps the source identity %s', (_name, sourceIdentity) => {
    const verdict = chain({ sourceIdentity });
    expect(verdict).toMatchObject({ allowed: true, sourceIdentity: 'agent.acme.s1' });
    expect(actionsOf(verdict)).toEqual(['sts:AssumeRole allow', 'sts:SetSourceIdentity allow']);
  });

  it('fails with another source identity, whatever the policies say', () => {
    const verdict = chain({ sourceIdentity: 'agent.acme.s2' }, { identity: [openIdentity], resource: openTrust });
    expect(verdict.allowed).toBe(false);
    expect(verdict.denied).toEqual({
      action: 'sts:SetSourceIdentity',
      verdict: {
        decision: 'explicit-deny',
        reason:
          'STS lets no session change its source identity: it is "agent.acme.s1", the request asks for "agent.acme.s2"',
      },
    });
  });

  it('fails where the target does not allow sts:SetSourceIdentity, though nobody asks for a value', () => {
    const trust = policy('trust policy', {
      Effect: 'Allow',
      Principal: { AWS: SESSION_ROLE },
      Action: 'sts:AssumeRole',
    });
    expect(chain({}, { resource: trust }).denied).toMatchObject({
      action: 'sts:SetSourceIdentity',
      verdict: { missing: 'resource' },
    });
    expect(chain({ inheritedSourceIdentity: undefined }, { resource: trust })).toEqual({
      allowed: true,
      sourceIdentity: undefined,
      steps: [expect.objectContaining({ action: 'sts:AssumeRole' })],
    });
  });

  it('fails on a role that is not listed, by the guard', () => {
    const { denied } = chain({ roleArn: `${CHAIN_ROLE}-2` }, { resource: openTrust });
    expect(denied?.verdict).toEqual({
      decision: 'explicit-deny',
      decidedBy: { kind: 'identity', policy: 'guard', index: 0, sid: 'DenyUnlistedRoles' },
      reason: `DenyUnlistedRoles of the identity policy "guard" denies sts:AssumeRole on ${CHAIN_ROLE}-2`,
    });
  });
});

// STS API Reference, AssumeRoleWithWebIdentity and AssumeRoleWithSAML; IAM User Guide, "Monitor and control actions
// taken with assumed roles", on the claims that name the session
describe('assuming a role with a token or an assertion', () => {
  const PROVIDER = `arn:aws:iam::${OWN}:oidc-provider/oidc.example.com`;
  const requester: Requester = { kind: 'federated', provider: PROVIDER };
  const trust = (...actions: readonly string[]) =>
    policy('trust policy', { Sid: 'Federated', Effect: 'Allow', Principal: { Federated: PROVIDER }, Action: actions });
  const federated = (fields: Partial<AssumeRoleAttempt>, resource: NamedPolicy): AssumeRoleVerdict =>
    attempt({ operation: 'AssumeRoleWithWebIdentity', requester, ...fields }, { identity: [], resource });

  it('needs the action of the operation, and none on the side of the caller', () => {
    const resource = trust('sts:AssumeRoleWithWebIdentity');
    expect(federated({}, resource)).toMatchObject({ allowed: true, sourceIdentity: undefined });
    expect(actionsOf(federated({}, trust('sts:AssumeRole')))).toEqual(['sts:AssumeRoleWithWebIdentity implicit-deny']);
    expect(actionsOf(federated({ operation: 'AssumeRoleWithSAML' }, resource))).toEqual([
      'sts:AssumeRoleWithSAML implicit-deny',
    ]);
  });

  it('needs sts:SetSourceIdentity and sts:TagSession for what is claimed', () => {
    const claims = { sourceIdentity: 'agent.acme.s1', tags: { team: 'red' } };
    const all = trust('sts:AssumeRoleWithWebIdentity', 'sts:SetSourceIdentity', 'sts:TagSession');
    expect(federated(claims, all)).toMatchObject({ allowed: true, sourceIdentity: 'agent.acme.s1' });
    expect(actionsOf(federated(claims, trust('sts:AssumeRoleWithWebIdentity')))).toEqual([
      'sts:AssumeRoleWithWebIdentity allow',
      'sts:SetSourceIdentity implicit-deny',
      'sts:TagSession implicit-deny',
    ]);
  });
});

it('STS refuses the root user, whatever the policies say', () => {
  const verdict = attempt({ requester: { kind: 'root', account: OWN, partition: 'aws' } }, { resource: openTrust });
  expect(verdict.denied).toEqual({
    action: 'sts:AssumeRole',
    verdict: { decision: 'explicit-deny', reason: 'STS lets no root user assume a role' },
  });
});

// Service Authorization Reference, "Actions, resources, and condition keys for AWS STS"; IAM User Guide, "IAM and AWS
// STS condition context keys"
describe('the condition keys of each action', () => {
  const keys = [
    'sts:SourceIdentity',
    'aws:SourceIdentity',
    'sts:RoleSessionName',
    'aws:RequestTag/team',
    'aws:TagKeys',
    'sts:TransitiveTagKeys',
    'sts:ExternalId',
    'aws:SourceIp',
  ];
  /** For each action, the keys that a condition sees. */
  function seen(fields: Partial<AssumeRoleAttempt>): Record<string, readonly string[]> {
    const actions = ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession'];
    return Object.fromEntries(
      actions.map((action) => [
        action,
        keys.filter((key) => {
          const resource = policy('trust policy', {
            Effect: 'Allow',
            Principal: '*',
            Action: action,
            Condition: { Null: { [key]: 'false' } },
          });
          const { steps } = attempt(fields, { identity: [openIdentity], resource });
          return steps.some((step) => step.action === action && step.verdict.decision === 'allow');
        }),
      ]),
    );
  }
  const tagging = { tags: { team: 'red' }, transitiveTagKeys: ['team'] };
  const context = { 'sts:ExternalId': 'x', 'aws:SourceIp': '192.0.2.1' };

  it('on the first hop', () => {
    expect(seen({ sourceIdentity: 'agent.acme.s1', ...tagging, context })).toEqual({
      'sts:AssumeRole': [
        'sts:SourceIdentity',
        'sts:RoleSessionName',
        'aws:RequestTag/team',
        'aws:TagKeys',
        'sts:TransitiveTagKeys',
        'sts:ExternalId',
        'aws:SourceIp',
      ],
      'sts:SetSourceIdentity': ['sts:SourceIdentity', 'aws:SourceIp'],
      'sts:TagSession': ['aws:RequestTag/team', 'aws:TagKeys', 'sts:TransitiveTagKeys', 'aws:SourceIp'],
    });
  });

  it('in a chained call that passes no value', () => {
    expect(seen({ inheritedSourceIdentity: 'agent.acme.s1', ...tagging })).toEqual({
      'sts:AssumeRole': [
        'sts:SourceIdentity',
        'aws:SourceIdentity',
        'sts:RoleSessionName',
        'aws:RequestTag/team',
        'aws:TagKeys',
        'sts:TransitiveTagKeys',
      ],
      'sts:SetSourceIdentity': ['sts:SourceIdentity', 'aws:SourceIdentity'],
      'sts:TagSession': ['aws:SourceIdentity', 'aws:RequestTag/team', 'aws:TagKeys', 'sts:TransitiveTagKeys'],
    });
  });

  it('without a source identity or tags, whatever the further keys claim', () => {
    const claimed = {
      'STS:sourceidentity': 'agent.acme.s1',
      'aws:SourceIdentity': 'agent.acme.s1',
      'aws:TagKeys': ['team'],
      'AWS:requesttag/team': 'red',
      'sts:TransitiveTagKeys': ['team'],
    };
    expect(seen({ context: claimed })).toEqual({
      'sts:AssumeRole': ['sts:RoleSessionName'],
      'sts:SetSourceIdentity': [],
      'sts:TagSession': [],
    });
  });
});
