import { describe, expect, it } from 'vitest';
import {
  type AccessRequest,
  evaluate,
  type NamedPolicy,
  type PoliciesInForce,
  policyDocument,
  type Requester,
  requesterContext,
  type Statement,
  type Verdict,
} from '../../lib/policy/index.ts';
import { refusalOf } from '../support/refusal.ts';

const OWN = '111122223333';
const OTHER = '444455556666';
const TARGET = `arn:aws:iam::${OWN}:role/session-broker/hub-acme-session`;
const ROLE = `arn:aws:iam::${OWN}:role/tenants/acme`;
const ROLE_ID = 'AROAEXAMPLEACME';
const SESSION = `arn:aws:sts::${OWN}:assumed-role/acme/s1`;
const USER = `arn:aws:iam::${OWN}:user/people/alice`;
const ROOT = `arn:aws:iam::${OWN}:root`;
const PROVIDER = `arn:aws:iam::${OWN}:oidc-provider/oidc.example.com/id/1`;
const QUEUE = `arn:aws:sqs:us-west-2:${OWN}:jobs`;
const KEY = `arn:aws:kms:us-west-2:${OWN}:key/1`;

const roleSession: Requester = { kind: 'role-session', roleArn: ROLE, roleId: ROLE_ID, sessionName: 's1' };
const user: Requester = { kind: 'user', userArn: USER, userId: 'AIDAEXAMPLEALICE' };
const root: Requester = { kind: 'root', account: OWN, partition: 'aws' };
const federated: Requester = { kind: 'federated', provider: PROVIDER };
const service: Requester = { kind: 'service', service: 'eks.amazonaws.com' };
const foreignSession: Requester = {
  kind: 'role-session',
  roleArn: `arn:aws:iam::${OTHER}:role/acme`,
  sessionName: 's1',
};

function policy(name: string, ...statements: Statement[]): NamedPolicy {
  return { name, document: policyDocument(statements) };
}

function trust(principal: Statement['Principal'], action = 'sts:AssumeRole'): NamedPolicy {
  return policy('trust policy', { Sid: 'Trust', Effect: 'Allow', Principal: principal ?? '*', Action: action });
}

const openIdentity = policy('open', { Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' });
const narrowIdentity = policy('narrow', { Sid: 'Models', Effect: 'Allow', Action: 'bedrock:*', Resource: '*' });
const denyAssume = policy('guard', { Sid: 'NoRoles', Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' });

function request(fields: Partial<AccessRequest> = {}): AccessRequest {
  return { requester: roleSession, action: 'sts:AssumeRole', resource: TARGET, context: {}, ...fields };
}

function decide(fields: Partial<AccessRequest>, policies: Partial<PoliciesInForce>): Verdict {
  return evaluate(request(fields), { identity: [], ...policies });
}

/** `allow`, `explicit-deny`, or the kind of policy that lacks an allow. */
function outcome(fields: Partial<AccessRequest>, policies: Partial<PoliciesInForce>): string {
  const { decision, missing } = decide(fields, policies);
  return decision === 'implicit-deny' ? `no ${missing}` : decision;
}

// IAM User Guide, "Policy evaluation logic"; STS API Reference, AssumeRole, "Permissions"
describe('a role in the account of the requester', () => {
  const sides = {
    nothing: {},
    identity: { identity: [openIdentity] },
    boundary: { boundary: narrowIdentity },
    session: { session: [narrowIdentity] },
    'identity and boundary': { identity: [openIdentity], boundary: narrowIdentity },
    'wide boundary and session': { boundary: openIdentity, session: [narrowIdentity, openIdentity] },
  };
  it.each([
    // The trust policy names the role: no identity policy needed, an implicit deny in the others counts.
    [roleSession, { AWS: ROLE }, 'nothing', 'allow'],
    [roleSession, { AWS: ROLE }, 'boundary', 'no boundary'],
    [roleSession, { AWS: ROLE }, 'session', 'no session'],
    [roleSession, { AWS: ROLE }, 'identity and boundary', 'no boundary'],
    [roleSession, { AWS: ROLE }, 'wide boundary and session', 'allow'],
    [roleSession, { AWS: ROLE_ID }, 'nothing', 'allow'],
    [roleSession, { AWS: ROLE_ID }, 'boundary', 'no boundary'],
    // It names the session: nothing of the requester's side needs to allow.
    [roleSession, { AWS: SESSION }, 'nothing', 'allow'],
    [roleSession, { AWS: SESSION }, 'boundary', 'allow'],
    [roleSession, { AWS: SESSION }, 'session', 'allow'],
    [roleSession, { AWS: [ROOT, ROLE, SESSION] }, 'boundary', 'allow'],
    [roleSession, { AWS: [SESSION, ROLE, ROOT] }, 'boundary', 'allow'],
    // It names the account: the requester's policies decide.
    [roleSession, { AWS: ROOT }, 'nothing', 'no identity'],
    [roleSession, { AWS: OWN }, 'nothing', 'no identity'],
    [roleSession, { AWS: OWN }, 'identity', 'allow'],
    [roleSession, { AWS: OWN }, 'identity and boundary', 'no boundary'],
    [roleSession, { AWS: [ROOT, ROLE] }, 'nothing', 'allow'],
    [roleSession, { AWS: [ROLE, ROOT] }, 'nothing', 'allow'],
    // It names everyone: as if it named the session.
    [roleSession, '*', 'nothing', 'allow'],
    [roleSession, { AWS: '*' }, 'boundary', 'allow'],
    // It names somebody else.
    [roleSession, { AWS: `${ROLE}-2` }, 'identity', 'no resource'],
    [roleSession, { AWS: `arn:aws:iam::${OWN}:role/acme` }, 'identity', 'no resource'],
    [roleSession, { AWS: `arn:aws:iam::${OWN}:role/tenants/Acme` }, 'identity', 'no resource'],
    [roleSession, { AWS: 'AROAEXAMPLEOLD' }, 'identity', 'no resource'],
    [roleSession, { AWS: `arn:aws:sts::${OWN}:assumed-role/acme/s2` }, 'identity', 'no resource'],
    [roleSession, { AWS: `arn:aws:sts::${OTHER}:assumed-role/acme/s1` }, 'identity', 'no resource'],
    [roleSession, { AWS: `arn:aws-cn:iam::${OWN}:root` }, 'identity', 'no resource'],
    [roleSession, { AWS: OTHER }, 'identity', 'no resource'],
    [roleSession, { AWS: USER }, 'identity', 'no resource'],
    [roleSession, { AWS: `arn:aws:sts::${OWN}:federated-user/bob` }, 'identity', 'no resource'],
    [roleSession, { Service: 'eks.amazonaws.com' }, 'identity', 'no resource'],
    [roleSession, { Federated: PROVIDER }, 'identity', 'no resource'],
    [{ ...roleSession, roleId: undefined }, { AWS: ROLE_ID }, 'identity', 'no resource'],
    // A user named by its own ARN is free of an implicit deny, as a role session is.
    [user, { AWS: USER }, 'nothing', 'allow'],
    [user, { AWS: USER }, 'boundary', 'allow'],
    [user, { AWS: 'AIDAEXAMPLEALICE' }, 'nothing', 'allow'],
    [user, { AWS: ROOT }, 'nothing', 'no identity'],
    [user, { AWS: ROOT }, 'identity', 'allow'],
    [user, { AWS: `arn:aws:iam::${OWN}:user/alice` }, 'identity', 'no resource'],
    // These have no policies of their own.
    [federated, { Federated: PROVIDER }, 'nothing', 'allow'],
    [federated, { Federated: [`${PROVIDER}2`, PROVIDER] }, 'boundary', 'allow'],
    [federated, { Federated: `${PROVIDER}2` }, 'identity', 'no resource'],
    [federated, { AWS: ROOT }, 'identity', 'no resource'],
    [{ kind: 'federated', provider: 'accounts.google.com' }, { Federated: 'accounts.google.com' }, 'nothing', 'allow'],
    [service, { Service: 'eks.amazonaws.com' }, 'nothing', 'allow'],
    [service, { Service: 'ec2.amazonaws.com' }, 'identity', 'no resource'],
    [service, '*', 'nothing', 'allow'],
    [root, { AWS: ROOT }, 'nothing', 'allow'],
    [root, { AWS: ROLE }, 'nothing', 'no resource'],
  ] as const)('%j trusted as %j with %s: %s', (requester, principal, side, expected) => {
    expect(outcome({ requester }, { ...sides[side], resource: trust(principal) })).toBe(expected);
  });

  it('takes the most that any statement of its trust policy gives', () => {
    const names = (...principals: string[]): NamedPolicy =>
      policy(
        'trust policy',
        ...principals.map((arn): Statement => ({ Effect: 'Allow', Principal: { AWS: arn }, Action: '*' })),
      );
    expect(outcome({}, { resource: names(ROOT, ROLE) })).toBe('allow');
    expect(outcome({}, { resource: names(ROLE, ROOT), boundary: narrowIdentity })).toBe('no boundary');
    const verdict = decide({}, { resource: names(ROOT, ROLE, SESSION, SESSION), boundary: narrowIdentity });
    expect(verdict.decidedBy).toEqual({ kind: 'resource', policy: 'trust policy', index: 2 });
  });

  it('needs its trust policy, however much the requester may do', () => {
    expect(outcome({}, { identity: [openIdentity] })).toBe('no resource');
    expect(outcome({ action: 'sts:TagSession' }, { identity: [openIdentity] })).toBe('no resource');
  });

  it('needs no trust policy for what is not of STS', () => {
    expect(outcome({ action: 'iam:PassRole' }, { identity: [openIdentity] })).toBe('allow');
    expect(outcome({ action: 'iam:PassRole' }, { resource: trust('*', '*') })).toBe('no identity');
  });
});

describe('a role in another account than the requester', () => {
  it.each([
    [{ AWS: `arn:aws:iam::${OTHER}:role/acme` }, {}, 'no identity'],
    [{ AWS: `arn:aws:iam::${OTHER}:role/acme` }, { identity: [openIdentity] }, 'allow'],
    [{ AWS: `arn:aws:iam::${OTHER}:role/acme` }, { identity: [openIdentity], boundary: narrowIdentity }, 'no boundary'],
    [{ AWS: `arn:aws:sts::${OTHER}:assumed-role/acme/s1` }, {}, 'no identity'],
    [{ AWS: OTHER }, { identity: [openIdentity] }, 'allow'],
    ['*', {}, 'no identity'],
    ['*', { identity: [openIdentity], session: [narrowIdentity] }, 'no session'],
    [{ AWS: ROLE }, { identity: [openIdentity] }, 'no resource'],
    [{ AWS: OWN }, { identity: [openIdentity] }, 'no resource'],
  ] as const)('trusted as %j with %j: %s', (principal, policies, expected) => {
    expect(outcome({ requester: foreignSession }, { ...policies, resource: trust(principal) })).toBe(expected);
  });
});

// IAM User Guide, "Monitor and control actions taken with assumed roles"
describe('sts:SetSourceIdentity by a role session', () => {
  const action = 'sts:SetSourceIdentity';
  it.each([
    [roleSession, { AWS: ROLE }, {}, 'no identity'],
    [roleSession, { AWS: SESSION }, {}, 'no identity'],
    [roleSession, '*', {}, 'no identity'],
    [roleSession, { AWS: ROLE }, { identity: [openIdentity] }, 'allow'],
    [roleSession, { AWS: SESSION }, { identity: [openIdentity], boundary: narrowIdentity }, 'no boundary'],
    [roleSession, { AWS: SESSION }, { identity: [openIdentity], session: [narrowIdentity] }, 'no session'],
    [user, { AWS: USER }, {}, 'allow'],
    [federated, { Federated: PROVIDER }, {}, 'allow'],
  ] as const)('by %j trusted as %j with %j: %s', (requester, principal, policies, expected) => {
    expect(outcome({ requester, action }, { ...policies, resource: trust(principal, action) })).toBe(expected);
    expect(
      outcome({ requester, action: 'STS:setsourceidentity' }, { ...policies, resource: trust(principal, action) }),
    ).toBe(expected);
  });
});

describe('a resource that is not a role', () => {
  const queuePolicy = (principal: Statement['Principal']): NamedPolicy =>
    policy('queue', { Effect: 'Allow', Principal: principal ?? '*', Action: 'sqs:*', Resource: QUEUE });
  it.each([
    [QUEUE, {}, 'no identity'],
    [QUEUE, { identity: [openIdentity] }, 'allow'],
    [QUEUE, { identity: [openIdentity], boundary: narrowIdentity }, 'no boundary'],
    [QUEUE, { identity: [openIdentity], session: [narrowIdentity] }, 'no session'],
    [QUEUE, { resource: queuePolicy({ AWS: ROLE }) }, 'allow'],
    [QUEUE, { resource: queuePolicy({ AWS: ROOT }) }, 'no identity'],
    [QUEUE, { resource: queuePolicy({ AWS: OTHER }), identity: [openIdentity] }, 'allow'],
    [QUEUE.replace(OWN, OTHER), { identity: [openIdentity] }, 'no resource'],
    ['arn:aws:bedrock:us-west-2::foundation-model/x', { identity: [openIdentity] }, 'allow'],
    ['arn:aws:iam::aws:policy/ReadOnlyAccess', { identity: [openIdentity] }, 'allow'],
    ['arn:aws:iam::aws:policy/ReadOnlyAccess', {}, 'no identity'],
    ['*', { identity: [openIdentity] }, 'allow'],
  ] as const)('%s with %j: %s', (resource, policies, expected) => {
    expect(outcome({ resource, action: 'sqs:SendMessage' }, policies)).toBe(expected);
  });

  // AWS KMS Developer Guide, "Key policies in AWS KMS"
  it('needs its own policy if it is a KMS key', () => {
    const keyPolicy = policy('key', { Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' });
    expect(outcome({ resource: KEY, action: 'kms:Decrypt' }, { identity: [openIdentity] })).toBe('no resource');
    expect(outcome({ resource: KEY, action: 'kms:Decrypt' }, { identity: [openIdentity], resource: keyPolicy })).toBe(
      'allow',
    );
  });

  it('without an account is closed to services and federated users that no policy of its own names', () => {
    const fields = { resource: 'arn:aws:s3:::bucket/key', action: 's3:GetObject' };
    for (const requester of [service, federated]) {
      expect(outcome({ requester, ...fields }, { identity: [openIdentity] })).toBe('no resource');
    }
  });

  it('is open to the root user of its account, without any policy', () => {
    expect(decide({ requester: root, resource: QUEUE, action: 'sqs:SendMessage' }, {})).toEqual({
      decision: 'allow',
      reason: `the root user of the account may do sqs:SendMessage on ${QUEUE}`,
    });
  });
});

describe('an explicit deny', () => {
  const resource = trust({ AWS: ROLE });
  const denyingTrust = policy(
    'trust policy',
    { Effect: 'Allow', Principal: { AWS: ROLE }, Action: '*' },
    { Sid: 'Not', Effect: 'Deny', Principal: { AWS: OWN }, Action: 'sts:Assume*' },
  );
  it.each([
    [
      { identity: [openIdentity, denyAssume], resource },
      'identity',
      'guard',
      0,
      'NoRoles',
      'the identity policy "guard"',
    ],
    [{ boundary: denyAssume, resource }, 'boundary', 'guard', 0, 'NoRoles', 'the permissions boundary "guard"'],
    [{ session: [openIdentity, denyAssume], resource }, 'session', 'guard', 0, 'NoRoles', 'the session policy "guard"'],
    [
      { serviceControl: [[openIdentity], [openIdentity, denyAssume]], resource },
      'service-control',
      'guard',
      0,
      'NoRoles',
      'the service control policy "guard"',
    ],
  ] as const)('wins, wherever it stands: %#', (policies, kind, name, index, sid, text) => {
    expect(decide({}, policies)).toEqual({
      decision: 'explicit-deny',
      decidedBy: { kind, policy: name, index, sid },
      reason: `NoRoles of ${text} denies sts:AssumeRole on ${TARGET}`,
    });
  });

  it('wins in the trust policy too', () => {
    expect(decide({}, { resource: denyingTrust })).toEqual({
      decision: 'explicit-deny',
      decidedBy: { kind: 'resource', policy: 'trust policy', index: 1, sid: 'Not' },
      reason: 'Not of the trust policy denies sts:AssumeRole',
    });
  });

  it('is not the business of whom it does not name, nor of another action', () => {
    expect(
      outcome(
        { requester: user },
        {
          resource: {
            ...denyingTrust,
            document: policyDocument([
              { Effect: 'Allow', Principal: { AWS: USER }, Action: '*' },
              { Effect: 'Deny', Principal: { AWS: ROLE }, Action: '*' },
            ]),
          },
        },
      ),
    ).toBe('allow');
    expect(outcome({ action: 'sts:TagSession' }, { resource: denyingTrust })).toBe('allow');
  });

  it('in policies that only a role or user has does not bind others', () => {
    const trusted = trust({ Federated: PROVIDER });
    expect(outcome({ requester: federated }, { identity: [denyAssume], resource: trusted })).toBe('allow');
  });
});

// AWS Organizations User Guide, "SCP evaluation"
describe('service control policies', () => {
  const resource = trust({ AWS: [SESSION, ROLE, USER, ROOT] });

  it.each([
    [[], 'allow'],
    [[[openIdentity]], 'allow'],
    [[[openIdentity], [narrowIdentity, openIdentity]], 'allow'],
    // Each level must allow, whatever another does.
    [[[narrowIdentity]], 'no service-control'],
    [[[openIdentity], [narrowIdentity]], 'no service-control'],
    [[[narrowIdentity], [openIdentity]], 'no service-control'],
    [[[]], 'no service-control'],
    [[[openIdentity, denyAssume], [openIdentity]], 'explicit-deny'],
  ] as const)('limit even a session that the trust policy names: %#', (serviceControl, expected) => {
    expect(outcome({}, { serviceControl, resource })).toBe(expected);
  });

  it('grant nothing', () => {
    expect(outcome({}, { serviceControl: [[openIdentity]], resource: trust({ AWS: USER }) })).toBe('no resource');
  });

  it.each([
    [user, 'no service-control'],
    [root, 'no service-control'],
    [foreignSession, 'no service-control'],
    [federated, 'allow'],
    [service, 'allow'],
  ] as const)('bind all but services and those who sign nothing: %j', (requester, expected) => {
    const everybody = policy(
      'trust policy',
      { Effect: 'Allow', Principal: { AWS: '*' }, Action: '*' },
      { Effect: 'Allow', Principal: { Federated: PROVIDER }, Action: '*' },
      { Effect: 'Allow', Principal: { Service: 'eks.amazonaws.com' }, Action: '*' },
    );
    expect(outcome({ requester }, { serviceControl: [[narrowIdentity]], resource: everybody })).toBe(expected);
  });

  it('say which level is silent', () => {
    const { reason } = decide({}, { serviceControl: [[openIdentity], [narrowIdentity]], resource });
    expect(reason).toBe(
      `no statement of the service control policy "narrow" allows sts:AssumeRole on ${TARGET}: none is about this action`,
    );
  });

  it('fail with a Principal, which they cannot have', () => {
    const { message } = refusalOf(() => decide({}, { serviceControl: [[resource]], resource }));
    expect(message).toBe(
      'trust policy, Trust: service control policy must have no Principal: it is about whom it is attached to',
    );
  });
});

// IAM User Guide, "AWS JSON policy elements: NotPrincipal"
describe('NotPrincipal', () => {
  const spared = (listed: readonly string[]): NamedPolicy =>
    policy(
      'queue',
      { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' },
      { Effect: 'Deny', NotPrincipal: { AWS: listed }, Action: '*', Resource: '*' },
    );
  it.each([
    [roleSession, [ROLE, ROOT], {}, 'allow'],
    [roleSession, [ROLE, OWN], {}, 'allow'],
    [roleSession, [ROLE_ID, OWN], {}, 'allow'],
    [roleSession, [SESSION, ROLE, ROOT], {}, 'allow'],
    [roleSession, ['*'], {}, 'allow'],
    [roleSession, [ROLE], {}, 'explicit-deny'],
    [roleSession, [ROOT], {}, 'explicit-deny'],
    [roleSession, [SESSION, ROOT], {}, 'explicit-deny'],
    [roleSession, [USER, OTHER], {}, 'explicit-deny'],
    // It always denies a role or user with a permissions boundary.
    [roleSession, [SESSION, ROLE, ROOT], { boundary: openIdentity }, 'explicit-deny'],
    [user, [USER, ROOT], {}, 'allow'],
    [user, [USER], {}, 'explicit-deny'],
    [user, [USER, ROOT], { boundary: openIdentity }, 'explicit-deny'],
    [root, [ROOT], {}, 'allow'],
    [root, [ROLE], {}, 'explicit-deny'],
  ] as const)('with Deny: %j where %j is listed, with %j: %s', (requester, listed, policies, expected) => {
    expect(
      outcome({ requester, resource: QUEUE, action: 'sqs:SendMessage' }, { ...policies, resource: spared(listed) }),
    ).toBe(expected);
  });

  it.each([
    [roleSession, [`${ROLE}-2`], 'allow'],
    [roleSession, [ROLE], 'no resource'],
    [roleSession, [SESSION], 'no resource'],
    [roleSession, [OWN], 'no resource'],
    [roleSession, [OTHER], 'allow'],
    [service, [ROLE], 'allow'],
  ] as const)('with Allow: %j where %j is listed: %s', (requester, listed, expected) => {
    const resource = policy('trust policy', { Effect: 'Allow', NotPrincipal: { AWS: listed }, Action: '*' });
    expect(outcome({ requester }, { resource })).toBe(expected);
  });
});

// IAM User Guide, "IAM JSON policy elements: Action", "NotAction", "Resource", "NotResource"
describe('actions and resources', () => {
  it.each([
    [{ Action: 'sqs:SendMessage' }, true],
    [{ Action: 'SQS:sendmessage' }, true],
    [{ Action: ['sqs:Receive*', 'sqs:Send*'] }, true],
    [{ Action: 'sqs:Send???????' }, true],
    [{ Action: 'sqs:Send??????' }, false],
    [{ Action: '*:*' }, true],
    [{ Action: 'sns:*' }, false],
    [{ Action: 'sqs:Send' }, false],
    [{ NotAction: 'sqs:Receive*' }, true],
    [{ NotAction: ['sns:*', 'SQS:*'] }, false],
    [{ Resource: QUEUE }, true],
    [{ Resource: QUEUE.toUpperCase().replace('ARN:AWS:SQS', 'arn:aws:sqs') }, false],
    [{ Resource: `arn:aws:sqs:*:${OWN}:j?bs` }, true],
    [{ Resource: 'arn:aws:sqs:*' }, true],
    [{ Resource: 'arn:*:sqs:us-west-2:*:*' }, true],
    [{ Resource: [TARGET, `${QUEUE}2`] }, false],
    [{ Resource: `arn:aws:sqs:us-west-2:${OWN}:\${aws:PrincipalTag/queue}` }, true],
    [{ Resource: `arn:aws:sqs:us-west-2:${OWN}:\${aws:PrincipalTag/none}` }, false],
    [{ Resource: `arn:aws:sqs:us-west-2:${OWN}:\${aws:PrincipalTag/none, 'jobs'}` }, true],
    [{ NotResource: TARGET }, true],
    [{ NotResource: [TARGET, QUEUE] }, false],
    [{ NotResource: `arn:aws:sqs:us-west-2:${OWN}:\${aws:PrincipalTag/none}` }, false],
  ] as const)('%j: %j', (elements, expected) => {
    const statement = {
      Effect: 'Allow',
      ...('Action' in elements || 'NotAction' in elements ? {} : { Action: '*' }),
      ...('Resource' in elements || 'NotResource' in elements ? {} : { Resource: '*' }),
      ...elements,
    } as Statement;
    const fields = { resource: QUEUE, action: 'sqs:SendMessage', context: { 'aws:PrincipalTag/queue': 'jobs' } };
    expect(outcome(fields, { identity: [policy('p', statement)] })).toBe(expected ? 'allow' : 'no identity');
  });

  it('need all conditions at once', () => {
    const statement: Statement = {
      Effect: 'Allow',
      Action: '*',
      Resource: '*',
      Condition: { StringEquals: { 'aws:a': 'x', 'aws:b': 'y' }, Bool: { 'aws:c': 'true' } },
    };
    const all = { 'aws:a': 'x', 'aws:b': 'y', 'aws:c': 'true' };
    const decided = (context: AccessRequest['context']): string =>
      outcome({ resource: QUEUE, action: 'sqs:SendMessage', context }, { identity: [policy('p', statement)] });
    expect(decided(all)).toBe('allow');
    expect(decided({ ...all, 'aws:b': 'z' })).toBe('no identity');
    expect(decided({ ...all, 'aws:c': 'false' })).toBe('no identity');
  });
});

// IAM User Guide, "AWS global condition context keys", properties of the principal
describe('the keys that follow from the requester', () => {
  it.each([
    [
      roleSession,
      {
        'aws:PrincipalArn': ROLE,
        'aws:PrincipalAccount': OWN,
        'aws:PrincipalType': 'AssumedRole',
        'aws:PrincipalIsAWSService': 'false',
        'aws:userid': `${ROLE_ID}:s1`,
      },
    ],
    [
      foreignSession,
      {
        'aws:PrincipalArn': `arn:aws:iam::${OTHER}:role/acme`,
        'aws:PrincipalAccount': OTHER,
        'aws:PrincipalType': 'AssumedRole',
        'aws:PrincipalIsAWSService': 'false',
      },
    ],
    [
      user,
      {
        'aws:PrincipalArn': USER,
        'aws:PrincipalAccount': OWN,
        'aws:PrincipalType': 'User',
        'aws:PrincipalIsAWSService': 'false',
        'aws:username': 'alice',
        'aws:userid': 'AIDAEXAMPLEALICE',
      },
    ],
    [
      root,
      {
        'aws:PrincipalArn': ROOT,
        'aws:PrincipalAccount': OWN,
        'aws:PrincipalType': 'Account',
        'aws:PrincipalIsAWSService': 'false',
        'aws:userid': OWN,
      },
    ],
    [federated, {}],
    [service, { 'aws:PrincipalIsAWSService': 'true', 'aws:PrincipalServiceName': 'eks.amazonaws.com' }],
  ])('%j', (requester, context) => {
    expect(requesterContext(requester)).toEqual(context);
  });

  it('prevail over what a request claims', () => {
    const resource = policy('trust policy', {
      Effect: 'Allow',
      Principal: '*',
      Action: '*',
      Condition: { ArnEquals: { 'aws:PrincipalArn': USER } },
    });
    expect(outcome({ context: { 'AWS:principalarn': USER } }, { resource })).toBe('no resource');
    expect(outcome({ requester: user }, { resource })).toBe('allow');
  });
});

describe('a verdict', () => {
  const conditional = policy(
    'trust policy',
    { Sid: 'Other', Effect: 'Allow', Principal: { AWS: `${ROLE}-2` }, Action: 'sts:AssumeRole' },
    {
      Sid: 'AssumeAsAgent',
      Effect: 'Allow',
      Principal: { AWS: ROLE },
      Action: 'sts:AssumeRole',
      Condition: {
        StringLike: { 'sts:SourceIdentity': 'agent.acme.?*' },
        StringNotLike: { 'sts:SourceIdentity': 'agent.acme.*.*' },
      },
    },
    { Effect: 'Allow', Principal: { AWS: ROLE }, Action: 'sts:TagSession' },
  );

  it('names the statement that allowed', () => {
    expect(decide({ context: { 'sts:SourceIdentity': 'agent.acme.s1' } }, { resource: conditional })).toEqual({
      decision: 'allow',
      decidedBy: { kind: 'resource', policy: 'trust policy', index: 1, sid: 'AssumeAsAgent' },
      reason: 'AssumeAsAgent of the trust policy allows sts:AssumeRole',
    });
    expect(decide({ action: 'sts:TagSession' }, { resource: { ...conditional, name: 'acme' } })).toEqual({
      decision: 'allow',
      decidedBy: { kind: 'resource', policy: 'acme', index: 2 },
      reason: 'statement 3 of the trust policy "acme" allows sts:TagSession',
    });
    expect(
      decide({ action: 'sqs:SendMessage', resource: QUEUE }, { identity: [narrowIdentity, openIdentity] }),
    ).toEqual({
      decision: 'allow',
      decidedBy: { kind: 'identity', policy: 'open', index: 0, sid: 'All' },
      reason: `All of the identity policy "open" allows sqs:SendMessage on ${QUEUE}`,
    });
  });

  it.each([
    [
      {},
      { resource: conditional },
      'no statement of the trust policy allows sts:AssumeRole: AssumeAsAgent needs sts:SourceIdentity like "agent.acme.?*", the request has none',
    ],
    [
      { context: { 'sts:SourceIdentity': 'agent.acme.x.y' } },
      { resource: conditional },
      'no statement of the trust policy allows sts:AssumeRole: AssumeAsAgent needs sts:SourceIdentity not like "agent.acme.*.*", the request has "agent.acme.x.y"',
    ],
    [
      { requester: user },
      { resource: conditional },
      `no statement of the trust policy allows sts:AssumeRole: Other is for "${ROLE}-2", the request comes from ${USER}`,
    ],
    [
      { action: 'sts:SetSourceIdentity' },
      { resource: conditional },
      'no statement of the trust policy allows sts:SetSourceIdentity: none is about this action',
    ],
    [{}, {}, `no trust policy of ${TARGET} allows sts:AssumeRole`],
    [
      {},
      { resource: policy('t', { Effect: 'Deny', Principal: '*', Action: 'sts:TagSession' }) },
      'no statement of the trust policy "t" allows sts:AssumeRole: it allows nothing',
    ],
    [
      {},
      { resource: policy('t', { Effect: 'Allow', NotPrincipal: { AWS: ROLE }, Action: '*' }) },
      `no statement of the trust policy "t" allows sts:AssumeRole: statement 1 is for all but "${ROLE}", the request comes from ${ROLE} (session s1)`,
    ],
    [
      { action: 'sqs:SendMessage', resource: QUEUE },
      {},
      `the requester has no identity policy, and sqs:SendMessage on ${QUEUE} needs one that allows it`,
    ],
    [
      { action: 'sqs:SendMessage', resource: QUEUE },
      {
        identity: [
          narrowIdentity,
          policy('jobs', { Sid: 'Send', Effect: 'Allow', Action: 'sqs:*', Resource: [`${QUEUE}1`, `${QUEUE}2`] }),
          policy('not', { Effect: 'Allow', Action: 'sns:*', NotResource: QUEUE }),
        ],
      },
      `no statement of the identity policies "narrow", "jobs", "not" allows sqs:SendMessage on ${QUEUE}: Send is for "${QUEUE}1", "${QUEUE}2"`,
    ],
    [
      { action: 'sqs:SendMessage', resource: QUEUE },
      {
        identity: [openIdentity],
        boundary: policy('permissions boundary', { Effect: 'Allow', Action: '*', NotResource: QUEUE }),
      },
      `no statement of the permissions boundary allows sqs:SendMessage on ${QUEUE}: statement 1 is for all but "${QUEUE}"`,
    ],
  ] as const)('says what is missing: %#', (fields, policies, reason) => {
    expect(decide(fields, policies)).toMatchObject({ decision: 'implicit-deny', reason });
    expect(decide(fields, policies)).not.toHaveProperty('decidedBy');
  });
});

describe('a policy of the wrong kind', () => {
  const withPrincipal = policy('p', { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' });
  const withoutResource = policy('p', { Sid: 'S', Effect: 'Allow', Action: '*' });
  it.each([
    [
      { identity: [withPrincipal] },
      'p, statement 1: identity policy must have no Principal: it is about whom it is attached to',
    ],
    [
      { boundary: withPrincipal },
      'p, statement 1: permissions boundary must have no Principal: it is about whom it is attached to',
    ],
    [
      { session: [withPrincipal] },
      'p, statement 1: session policy must have no Principal: it is about whom it is attached to',
    ],
    [
      { identity: [openIdentity, withoutResource] },
      'p, S: identity policy must have Resource or NotResource in each statement',
    ],
    [{ resource: withoutResource }, 'p, S: trust policy must have Principal or NotPrincipal in each statement'],
    [{ resource: withPrincipal }, 'p, statement 1: trust policy must have no Resource: it is about its own role'],
  ])('fails: %#', (policies, message) => {
    const refusal = refusalOf(() => decide({}, policies));
    expect([refusal.code, refusal.message]).toEqual(['PolicyNotUnderstood', message]);
  });
});

describe('what the evaluator does not know', () => {
  // Each would have decided nothing: an explicit deny stands elsewhere, or the action is another one.
  it.each([
    { Effect: 'Allow', Action: 'sns:*', Resource: '*', Condition: { StringSounds: { 'aws:x': 'y' } } },
    { Effect: 'Allow', Action: 'sns:*', Resource: '*', Unknown: true },
    { Effect: 'Allow', Action: 'sns', Resource: '*' },
  ])('fails wherever it stands: %j', (statement) => {
    const unknown = policy('odd', statement as never);
    for (const policies of [
      { identity: [denyAssume, unknown] },
      { identity: [denyAssume], boundary: unknown },
      { identity: [denyAssume], session: [unknown] },
    ]) {
      expect(refusalOf(() => decide({}, { ...policies, resource: trust({ AWS: ROLE }) })).code).toBe(
        'PolicyNotUnderstood',
      );
    }
  });

  it('fails in a trust policy that names somebody else', () => {
    const resource = trust({ AWS: `${ROLE}-2`, CanonicalUser: '79a59df9' });
    const refusal = refusalOf(() => decide({}, { resource }));
    expect([refusal.code, refusal.message]).toEqual([
      'PolicyNotUnderstood',
      'trust policy, Trust: principal type "CanonicalUser" is not known',
    ]);
  });
});
