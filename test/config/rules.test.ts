import { describe, expect, it } from 'vitest';
import type { TenantConfig } from '../../lib/config/config.ts';
import { assertTenant, type ClusterFacts, checkTenant } from '../../lib/config/rules.ts';
import { parseTenant } from '../../lib/identity/index.ts';
import { refusalOf } from '../support/refusal.ts';
import {
  ACCOUNT,
  cluster,
  faultsOf,
  optedIn,
  parse,
  parseTenantKeys,
  refusals,
  TENANT_ROLE,
  tenant,
  tenantRefusals,
} from './fixtures.ts';

const OTHER_ROLE = `arn:aws:iam::${ACCOUNT}:role/tenants/hub-globex-tenant`;
const FAR_ROLE = 'arn:aws:iam::444455556666:role/hub-acme-tenant';
const READER = `arn:aws:iam::${ACCOUNT}:role/reader`;

describe('the pilot rule', () => {
  const two = { acme: optedIn(), globex: optedIn({ tenantRole: OTHER_ROLE }) };

  it('fails for a second opted-in tenant', () => {
    expect(refusals({ hub: cluster(two) })).toEqual([
      [
        'ConfigInvalid',
        'clusters.hub.tenants.globex.attribution',
        'one tenant at most may be opted in under rollout: pilot, and that is acme: true; set `rollout: general` on the cluster to go on',
      ],
    ]);
  });

  it('points at the line that opts the second tenant in', () => {
    const text = `clusters:
  hub:
    account: "111122223333"
    region: us-west-2
    tenants:
      acme:
        tenantRole: ${TENANT_ROLE}
        attribution: true
      globex:
        tenantRole: ${OTHER_ROLE}
        attribution: true
`;
    expect(faultsOf(text).map(({ line, column }) => [line, column])).toEqual([[11, 22]]);
  });

  it('admits a second one under general, on another cluster, or not opted in', () => {
    expect(parse({ hub: cluster(two, { rollout: 'general' }) }).clusters[0]?.tenants).toHaveLength(2);
    parse({ hub: cluster({ acme: optedIn() }), edge: cluster({ globex: optedIn() }) });
    for (const attribution of [{ attribution: false }, {}]) {
      parse({ hub: cluster({ acme: optedIn(), globex: tenant({ tenantRole: OTHER_ROLE, ...attribution }) }) });
    }
  });
});

describe('the tenant role', () => {
  it.each([
    ['the same', TENANT_ROLE],
    ['the same by a name in other case', `arn:aws:iam::${ACCOUNT}:role/Hub-ACME-tenant`],
  ])('fails when two opted-in tenants of a cluster have %s', (_name, tenantRole) => {
    const tenants = { acme: optedIn(), globex: optedIn({ tenantRole }) };
    expect(refusals({ hub: cluster(tenants, { rollout: 'general' }) })).toEqual([
      [
        'PrincipalNotAllowed',
        'clusters.hub.tenants.globex.tenantRole',
        `tenant role must be that of one tenant, and acme has it too: either could take the other's names: ${JSON.stringify(tenantRole)}; give each tenant a role of its own`,
      ],
    ]);
  });

  it('fails when two tenants have the same of one EKS cluster, under two keys', () => {
    const keys = { eks: { clusterName: 'production-1' } };
    const clusters = { h1: cluster({ acme: optedIn() }, keys), h2: cluster({ globex: optedIn() }, keys) };
    expect(refusals(clusters)).toEqual([
      [
        'PrincipalNotAllowed',
        'clusters.h2.tenants.globex.tenantRole',
        `tenant role must be that of one tenant, and acme has it too: either could take the other's names: "${TENANT_ROLE}"; give each tenant a role of its own`,
      ],
    ]);
    parse({ ...clusters, h2: cluster({ globex: optedIn() }, { ...keys, region: 'us-east-1' }) });
    parse({ ...clusters, h2: cluster({ acme: optedIn() }, keys) });
  });

  it('may be the same where only one is opted in, on two clusters, and by name in two accounts', () => {
    parse({ hub: cluster({ acme: optedIn(), globex: tenant() }, { rollout: 'general' }) });
    parse({ hub: cluster({ acme: optedIn() }), edge: cluster({ acme: optedIn() }) });
    const far = optedIn({ tenantRole: FAR_ROLE, callerPolicy: 'external' });
    parse({ hub: cluster({ acme: optedIn(), globex: far }, { rollout: 'general' }) });
  });

  it.each([
    [
      'a wildcard',
      `arn:aws:iam::${ACCOUNT}:role/*`,
      'RoleArnInvalid',
      `role ARN must be the exact ARN of an IAM role, arn:<partition>:iam::<account>:role/<name>: "arn:aws:iam::${ACCOUNT}:role/*"; name each role by itself, without a wildcard or a variable`,
    ],
    [
      'an account',
      `arn:aws:iam::${ACCOUNT}:root`,
      'RoleArnInvalid',
      `role ARN must be the exact ARN of an IAM role, arn:<partition>:iam::<account>:role/<name>: "arn:aws:iam::${ACCOUNT}:root"; name the role, an account would admit everyone in it`,
    ],
    [
      'another partition',
      `arn:aws-cn:iam::${ACCOUNT}:role/acme`,
      'PrincipalNotAllowed',
      `principal must be in the cluster's partition aws: "arn:aws-cn:iam::${ACCOUNT}:role/acme" is in aws-cn; roles of another partition cannot assume it`,
    ],
    [
      'another account under attach',
      FAR_ROLE,
      'PrincipalNotAllowed',
      `tenant role must be in the account of the cluster, ${ACCOUNT}, under callerPolicy: attach, which would attach in the wrong account: "${FAR_ROLE}"; set callerPolicy: external and let the owner of the role make a policy with the same statements there`,
    ],
    [
      'the session-broker role itself',
      `arn:aws:iam::${ACCOUNT}:role/session-broker/Hub-acme-session`,
      'PrincipalNotAllowed',
      `tenant role must not be the session-broker role itself: "arn:aws:iam::${ACCOUNT}:role/session-broker/Hub-acme-session"; give the tenant's IRSA role`,
    ],
  ])('fails for %s', (_name, tenantRole, code, message) => {
    expect(tenantRefusals({ tenantRole })).toEqual([[code, 'tenantRole', message]]);
  });

  it('may be in another account under external', () => {
    parseTenantKeys({ tenantRole: FAR_ROLE, callerPolicy: 'external' });
  });
});

describe('names', () => {
  it.each([
    ['Acme', 'TenantUpperCase'],
    ['acme.eu', 'SegmentDot'],
    ['acme*', 'IdentityWildcard'],
    ['acme_eu', 'TenantInvalid'],
    ['', 'TenantEmpty'],
  ])('fail for the tenant %j', (name, code) => {
    const found = refusals({ hub: cluster({ [name]: optedIn() }) });
    expect(found.map(([foundCode]) => foundCode)).toEqual([code]);
  });

  it('fail for a tenant that leaves too little for a ULID, with the numbers', () => {
    parse({ hub: cluster({ ['a'.repeat(31)]: optedIn() }) });
    for (const [length, more] of [
      [32, 1],
      [58, 27],
      [63, 32],
    ] as const) {
      const name = 'a'.repeat(length);
      expect(refusals({ hub: cluster({ [name]: optedIn() }) })).toEqual([
        [
          'IdentityTooLong',
          `clusters.hub.tenants.${name}`,
          `tenant must have at most 31 characters, so that the 64 of a source identity leave the 26 of a ULID session id after agent.<tenant>.: "${name}"; it has ${length}, shorten it by ${more}, it is never cut`,
        ],
      ]);
    }
  });

  it('fail for a cluster and tenant that make a role name of more than 64 characters', () => {
    const tenantName = 'a'.repeat(31);
    parse({ ['c'.repeat(24)]: cluster({ [tenantName]: optedIn() }) });
    const clusterName = 'c'.repeat(25);
    expect(refusals({ [clusterName]: cluster({ [tenantName]: optedIn() }) })).toEqual([
      [
        'NameTooLong',
        `clusters.${clusterName}.tenants.${tenantName}`,
        `role name must have at most 64 characters: "${clusterName}-${tenantName}-session" has 65; shorten the cluster, tenant or workflow by 1, it is never cut`,
      ],
    ]);
  });

  it('fail for a cluster that is no DNS label, once, however many tenants it has', () => {
    const tenants = { acme: optedIn(), globex: tenant({ tenantRole: OTHER_ROLE }) };
    expect(refusals({ Hub: cluster(tenants) })).toEqual([
      [
        'ClusterUpperCase',
        'clusters.Hub',
        'cluster must be a lower-case DNS label (a-z, 0-9 and "-", beginning and ending with a letter or digit), at most 63 characters: "Hub"; correct it where it is set, it is never rewritten',
      ],
    ]);
  });

  it('fail when two clusters and tenants are the same once joined, whoever is opted in', () => {
    const found = refusals({ 'hub-a': cluster({ b: optedIn() }), hub: cluster({ 'a-b': tenant() }) });
    expect(found).toEqual([
      [
        'ConfigInvalid',
        'clusters.hub.tenants.a-b',
        'names must differ once cluster and tenant are joined with "-", and those of clusters.hub-a.tenants.b and clusters.hub.tenants.a-b do not: "hub-a-b"; rename one cluster or tenant',
      ],
    ]);
  });
});

describe('a cluster', () => {
  const one = { acme: optedIn() };

  it.each([
    [
      { account: '1111' },
      ['ConfigInvalid', 'account', 'account must be twelve digits: "1111"; write it like "111122223333", in quotes'],
    ],
    [
      { region: 'us-west' },
      [
        'RegionInvalid',
        'region',
        'region must be the name of a Region in the partitions aws, aws-us-gov or aws-cn: "us-west"; write it like "us-west-2"',
      ],
    ],
    [
      { parameterPrefix: '/aws/platform' },
      [
        'ParameterPrefixInvalid',
        'parameterPrefix',
        'parameter prefix must not begin with "/aws" or "/ssm", which AWS keeps for itself: "/aws/platform"; write it like "/eks-agent-platform"',
      ],
    ],
    [
      { iamPath: 'agents' },
      [
        'IamPathInvalid',
        'iamPath',
        'IAM path must be segments of A-Z a-z 0-9 and "_+=,.@-" between "/", at most 512 characters: "agents"; write it like "/session-broker/"',
      ],
    ],
    [
      { eks: { clusterName: 'my hub' } },
      [
        'ConfigInvalid',
        'eks.clusterName',
        'name of an EKS cluster must have 1 to 100 of A-Z a-z 0-9 "-" "_", beginning with a letter or digit: "my hub"; copy it from aws eks list-clusters',
      ],
    ],
    [
      { permissionsBoundary: `arn:aws:iam::${ACCOUNT}:role/boundary` },
      [
        'ConfigInvalid',
        'permissionsBoundary',
        `permissions boundary must be the ARN of a managed policy, arn:<partition>:iam::<account or "aws">:policy/<name>: "arn:aws:iam::${ACCOUNT}:role/boundary"; copy it from the IAM console or from aws iam list-policies`,
      ],
    ],
    [
      { permissionsBoundary: 'arn:aws:iam::444455556666:policy/boundary' },
      [
        'ConfigInvalid',
        'permissionsBoundary',
        `permissions boundary must be one of AWS or of the account of the cluster, ${ACCOUNT}: "arn:aws:iam::444455556666:policy/boundary"; make the policy in that account`,
      ],
    ],
    [
      { tags: { 'aws:team': 'agents' } },
      [
        'ConfigInvalid',
        'tags["aws:team"]',
        'tag key must not begin with "aws:", which AWS keeps for itself: "aws:team"; choose another',
      ],
    ],
  ])('fails for %j', (keys, [code, path, message]) => {
    expect(refusals({ hub: cluster(one, keys) })).toEqual([[code, `clusters.hub.${path}`, message]]);
  });
});

describe('chainTo', () => {
  it.each([
    [
      'a wildcard',
      [`${READER}*`],
      'RoleArnInvalid',
      'chainTo[0]',
      `role ARN must be the exact ARN of an IAM role, arn:<partition>:iam::<account>:role/<name>: "${READER}*"; name each role by itself, without a wildcard or a variable`,
    ],
    [
      'another partition',
      [`arn:aws-us-gov:iam::${ACCOUNT}:role/reader`],
      'ConfigInvalid',
      'chainTo[0]',
      `role of chainTo must be in the partition of the cluster, aws: "arn:aws-us-gov:iam::${ACCOUNT}:role/reader"; remove it, no session reaches a role of another partition`,
    ],
    [
      'the same role twice, in other case and under another path',
      [READER, `arn:aws:iam::${ACCOUNT}:role/data/Reader`],
      'ConfigInvalid',
      'chainTo[1]',
      `role of chainTo must be listed once: "arn:aws:iam::${ACCOUNT}:role/data/Reader"; remove one`,
    ],
    [
      'the session-broker role itself',
      [`arn:aws:iam::${ACCOUNT}:role/session-broker/hub-acme-session`],
      'ConfigInvalid',
      'chainTo[0]',
      `role of chainTo must not be the session-broker role itself: "arn:aws:iam::${ACCOUNT}:role/session-broker/hub-acme-session"; remove it`,
    ],
    [
      'the tenant role',
      [TENANT_ROLE],
      'ConfigInvalid',
      'chainTo[0]',
      `role of chainTo must not be the tenant role: a session must not become its own caller: "${TENANT_ROLE}"; remove it`,
    ],
  ])('fails for %s', (_name, chainTo, ...expected) => {
    expect(tenantRefusals({ chainTo })).toEqual([expected]);
  });
});

describe('models', () => {
  const FORM = 'model id must have the form <provider>.<model>';

  it.each([
    ['amazon.nova-*', 'list each by itself, without a wildcard'],
    ['*', 'list each by itself, without a wildcard'],
    ['nova', 'copy it from the Bedrock console or from aws bedrock list-foundation-models and list-inference-profiles'],
    ['arn:aws:bedrock:us-west-2::foundation-model/a.b', 'write the id, which is the end of the ARN'],
    [
      'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'it is an inference profile, move it to inferenceProfiles with the Regions that it routes to',
    ],
    [
      'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'it is an inference profile, move it to inferenceProfiles with an empty list',
    ],
  ])('fail for the id %j', (id, fix) => {
    expect(tenantRefusals({ models: [id] })).toEqual([
      ['ConfigInvalid', 'models[0]', `${FORM}: ${JSON.stringify(id)}; ${fix}`],
    ]);
  });

  it('fail when listed twice', () => {
    expect(tenantRefusals({ models: ['a.b', 'a.b'] })).toEqual([
      ['ConfigInvalid', 'models[1]', 'model must be listed once: "a.b"; remove one'],
    ]);
  });
});

describe('inference profiles', () => {
  const FORM = 'inference profile id must have the form <geography>.<provider>.<model>';
  const REGIONS = ['us-east-1'];

  it.each([
    [
      'anthropic.claude-sonnet-4-5-20250929-v1:0',
      'it is a model id, move it to models, or put the geography of its profile before it, as in us.',
    ],
    ['zai.glm-4.7', 'it is a model id, move it to models, or put the geography of its profile before it, as in us.'],
    ['us.anthropic.claude-*', 'list each by itself, without a wildcard'],
    [
      'us.claude',
      'copy it from the Bedrock console or from aws bedrock list-foundation-models and list-inference-profiles',
    ],
    [`arn:aws:bedrock:us-west-2:${ACCOUNT}:inference-profile/us.a.b`, 'write the id, which is the end of the ARN'],
  ])('fail for the id %j', (id, fix) => {
    expect(tenantRefusals({ inferenceProfiles: { [id]: REGIONS } })).toEqual([
      ['ConfigInvalid', `inferenceProfiles[${JSON.stringify(id)}]`, `${FORM}: ${JSON.stringify(id)}; ${fix}`],
    ]);
  });

  it.each([
    [
      'us.a.b',
      [],
      'ConfigInvalid',
      '',
      'a profile must list the Regions that it routes to: []; copy them from the page of the profile, or from aws bedrock get-inference-profile',
    ],
    [
      'global.a.b',
      REGIONS,
      'ConfigInvalid',
      '',
      'a global profile must have an empty list, since AWS chooses where it routes to: ["us-east-1"]; write []',
    ],
    [
      'us.a.b',
      ['us-east'],
      'RegionInvalid',
      '[0]',
      'region must be the name of a Region in the partitions aws, aws-us-gov or aws-cn: "us-east"; write it like "us-west-2"',
    ],
    [
      'us.a.b',
      ['us-east-1', 'us-gov-west-1'],
      'RegionInvalid',
      '[1]',
      'Region of a profile must be in the partition of the cluster, aws: "us-gov-west-1"; remove it',
    ],
    [
      'us.a.b',
      ['us-east-1', 'us-east-1'],
      'ConfigInvalid',
      '[1]',
      'Region must be listed once: "us-east-1"; remove one',
    ],
  ])('fail for %j with the Regions %j', (id, regions, code, path, message) => {
    expect(tenantRefusals({ inferenceProfiles: { [id]: regions } })).toEqual([
      [code, `inferenceProfiles[${JSON.stringify(id)}]${path}`, message],
    ]);
  });
});

describe('statements', () => {
  const READ = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::acme/*' };

  it.each([
    [
      { Action: '*' },
      '.Action',
      'statement must not allow an action that does not name one service: "*"; write <service>:<action>',
    ],
    [
      { Action: ['s3:Get*', 'st?:*'] },
      '.Action[1]',
      'statement must not allow an action that does not name one service: "st?:*"; write <service>:<action>',
    ],
    [
      { Action: 'IAM:*' },
      '.Action',
      'statement must not allow an action that covers actions of IAM that change who may do what: "IAM:*"; write each action out',
    ],
    [
      { Action: 'sts:Assume*' },
      '.Action',
      'statement must not allow an action that covers sts:AssumeRole or sts:AssumeRoot: "sts:Assume*"; list the roles in chainTo, which grants it',
    ],
    [
      { Action: 'sts:AssumeRole', Resource: READER },
      '.Action',
      'statement must not allow an action that reaches roles that are not in chainTo: "sts:AssumeRole"; list them there, by their exact ARNs',
    ],
    [
      { Action: 'iam:PutRolePolicy', Resource: '*' },
      '.Action',
      'statement must not allow an action that may change the session-broker role itself on such a resource: "iam:PutRolePolicy"; name other roles or policies by their exact ARNs',
    ],
    [
      { Action: undefined, NotAction: ['iam:*', 'sts:*'] },
      '.NotAction',
      'NotAction must not stand in a statement that allows, which would allow all that AWS adds later: ["iam:*","sts:*"]; list what is needed under Action',
    ],
    [{ Action: undefined }, '', 'statement must have either Action or NotAction, and has neither; add Action'],
    [
      { Effect: 'Deny', NotAction: 's3:*' },
      '',
      'statement must have either Action or NotAction, and has both; remove one',
    ],
    [{ Resource: undefined }, '', 'statement must have either Resource or NotResource, and has neither; add Resource'],
    [{ NotResource: '*' }, '', 'statement must have either Resource or NotResource, and has both; remove one'],
    [{ Action: [] }, '.Action', 'Action must name at least one: []; add one, or remove the statement'],
    [{ Resource: [] }, '.Resource', 'Resource must name at least one: []; add one, or remove the statement'],
    [
      { Effect: 'Deny', Action: 'GetObject' },
      '.Action',
      'action must have the form <service>:<action>: "GetObject"; write it like "s3:GetObject"',
    ],
    [
      { Resource: ['acme'] },
      '.Resource[0]',
      'resource must be an ARN or "*": "acme"; write it like "arn:<partition>:s3:::<bucket>/*"',
    ],
    [
      { Resource: 'arn:aws-cn:s3:::acme' },
      '.Resource',
      'resource must be in the partition of the cluster, aws: "arn:aws-cn:s3:::acme"; begin it with arn:aws:',
    ],
    [{ Sid: 'read it' }, '.Sid', 'Sid must hold letters and digits only: "read it"; leave the others out'],
    [
      { Condition: { StringEquals: {} } },
      '.Condition.StringEquals',
      'condition must test at least one key: {}; add one, or remove the operator',
    ],
    [
      { Condition: { StringEquals: { 'aws:PrincipalTag/x': [] } } },
      '.Condition.StringEquals["aws:PrincipalTag/x"]',
      'condition must list at least one value: []; add one, or remove the key',
    ],
  ])('fail with %j', (keys, path, message) => {
    expect(tenantRefusals({ statements: [{ ...READ, ...keys }] })).toEqual([
      ['ConfigInvalid', `statements[0]${path}`, message],
    ]);
  });

  it.each([
    [{ Condition: { StringEqual: { 'aws:x': 'y' } } }, 'condition operator "StringEqual" is not known; correct it'],
    [
      { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/99' } } },
      'condition IpAddress aws:SourceIp: an address range must be in CIDR form: "10.0.0.0/99"; correct it',
    ],
    [
      { Resource: 'arn:aws:s3:::acme/${aws:username' },
      'a policy variable must read ${key} or ${key, \'default\'}: "arn:aws:s3:::acme/${aws:username"; write ${$} for a dollar sign',
    ],
  ])('fail when IAM would not read them so: %j', (keys, rest) => {
    expect(tenantRefusals({ statements: [READ, { ...READ, ...keys }] })).toEqual([
      ['PolicyNotUnderstood', 'statements[1]', `statement must be as IAM reads it, and ${rest}`],
    ]);
  });

  it('fail for a Sid that stands twice, in the list or in what is made from other keys', () => {
    const message = 'Sid must be unlike every other of the policy, those that are made from the configuration included';
    expect(
      tenantRefusals({
        statements: [
          { ...READ, Sid: 'A' },
          { ...READ, Sid: 'A' },
        ],
      }),
    ).toEqual([['ConfigInvalid', 'statements[1].Sid', `${message}: "A"; choose another, or leave it out`]]);
    expect(tenantRefusals({ models: ['a.b'], statements: [{ ...READ, Sid: 'InvokeModels' }] })).toEqual([
      ['ConfigInvalid', 'statements[0].Sid', `${message}: "InvokeModels"; choose another, or leave it out`],
    ]);
    parseTenantKeys({ statements: [{ ...READ, Sid: 'InvokeModels' }] });
  });

  it('may assume the roles of chainTo, deny anything, and name resources by wildcard and variable', () => {
    parseTenantKeys({
      chainTo: [READER],
      statements: [
        { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: [READER] },
        { Effect: 'Deny', Action: ['*'], Resource: '*' },
        { Effect: 'Allow', Action: 'iam:GetRole', Resource: 'arn:*:iam::*:role/*' },
        { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::acme/${aws:PrincipalTag/team}/*' },
      ],
    });
  });
});

describe('managed policies', () => {
  const own = (name: string) => `arn:aws:iam::${ACCOUNT}:policy/${name}`;

  it.each([
    [
      `arn:aws:iam::${ACCOUNT}:role/reader`,
      'managed policy must be the ARN of a managed policy, arn:<partition>:iam::<account or "aws">:policy/<name>',
      'copy it from the IAM console or from aws iam list-policies',
    ],
    [
      'arn:aws-cn:iam::aws:policy/ReadOnlyAccess',
      'managed policy must be in the partition of the cluster, aws',
      'write the ARN of the policy there, arn:aws:...',
    ],
    [
      'arn:aws:iam::444455556666:policy/own',
      `managed policy must be one of AWS or of the account of the cluster, ${ACCOUNT}`,
      'make the policy in that account',
    ],
    [
      'arn:aws:iam::aws:policy/AdministratorAccess',
      'managed policy must not grant everything, IAM or STS, by which a session could leave its name',
      'list policies that grant what is needed',
    ],
  ])('fail for %j', (arn, rule, fix) => {
    expect(tenantRefusals({ managedPolicies: [arn] })).toEqual([
      ['ConfigInvalid', 'managedPolicies[0]', `${rule}: "${arn}"; ${fix}`],
    ]);
  });

  it('fail when listed twice', () => {
    expect(tenantRefusals({ managedPolicies: [own('a'), own('a')] })).toEqual([
      ['ConfigInvalid', 'managedPolicies[1]', `managed policy must be listed once: "${own('a')}"; remove one`],
    ]);
  });

  it('fail for more than 10', () => {
    const policies = Array.from({ length: 11 }, (_, index) => own(`policy-${index}`));
    parseTenantKeys({ managedPolicies: policies.slice(0, 10) });
    expect(tenantRefusals({ managedPolicies: policies })).toEqual([
      ['ConfigInvalid', 'managedPolicies', 'a role must have at most 10 managed policies: 11; join some of them'],
    ]);
  });
});

describe('acknowledgements of a lost identity', () => {
  const REASON = 'The function logs the session id of its caller.';
  const acknowledge = (action: string, reason: string, keys = {}) =>
    tenantRefusals({ acknowledgeIdentityLoss: [{ action, reason }], ...keys });

  it.each([
    'lambda:InvokeFunction',
    'lambda:invokefunction',
    'lambda:*',
    'states:Start*',
    'iam:UpdateAssumeRolePolicy',
  ])('admit %s, whoever may grant it', (action) => {
    parseTenantKeys({ acknowledgeIdentityLoss: [{ action, reason: REASON }] });
  });

  it('admit sts:AssumeRole where there is a role to go on to', () => {
    const acknowledgeIdentityLoss = [{ action: 'sts:AssumeRole', reason: REASON }];
    parseTenantKeys({ acknowledgeIdentityLoss, chainTo: [READER] });
    expect(tenantRefusals({ acknowledgeIdentityLoss }).map(([, path]) => path)).toEqual([
      'acknowledgeIdentityLoss[0].action',
    ]);
  });

  const rule = 'acknowledged action must be one by which the identity is lost and that a policy may grant';
  const list = 'remove it, docs/laundering.md has the list';
  const service = 'acknowledged action must name one service, as <service>:<action>';
  const each = 'acknowledge each action by itself';
  it.each([
    ['s3:GetObject', rule, list],
    ['lambda:InvokeFuncton', rule, 'did you mean "lambda:InvokeFunction"?'],
    ['InvokeFunction', rule, 'did you mean "lambda:InvokeFunction"?'],
    ['NotAction', rule, list],
    ['', rule, list],
    ['iam:PassRole', rule, list], // the guard denies it
    ['iam:*', rule, list], // no policy may grant it
    ['*', service, each],
    ['*:*', service, each],
    ['l?mbda:InvokeFunction', service, each],
  ])('fail for the action %j', (action, expected, fix) => {
    expect(acknowledge(action, REASON)).toEqual([
      ['ConfigInvalid', 'acknowledgeIdentityLoss[0].action', `${expected}: "${action}"; ${fix}`],
    ]);
  });

  it.each([
    ['', ''],
    ['too short', 'too short'],
    [`          ${'x'.repeat(9)} `, `          ${'x'.repeat(9)} `],
    ['x'.repeat(501), `${'x'.repeat(100)}"... (501 characters)`],
  ])('fail for a reason of another length: %j', (reason, shown) => {
    const quoted = shown.endsWith(')') ? `"${shown}` : `"${shown}"`;
    expect(acknowledge('lambda:InvokeFunction', reason)).toEqual([
      [
        'ConfigInvalid',
        'acknowledgeIdentityLoss[0].reason',
        `reason of an acknowledgement must have 10 to 500 characters: ${quoted}; say why the action is granted although the identity is lost`,
      ],
    ]);
  });

  it.each(['two\nlines of text', 'a bell \u0007 rings', 'right \u202e to left', 'two\u2028lines of text'])(
    'fail for a reason that does not show on one line: %j',
    (reason) => {
      expect(acknowledge('lambda:InvokeFunction', reason)).toEqual([
        [
          'ConfigInvalid',
          'acknowledgeIdentityLoss[0].reason',
          expect.stringMatching(
            /^reason of an acknowledgement must be one line of printable characters: ".*"; write it in one line, or folded after ">-"$/,
          ),
        ],
      ]);
    },
  );

  it('admit reasons of any language, at both ends of the length', () => {
    for (const reason of [
      'x'.repeat(10),
      'x'.repeat(500),
      'Die Funktion schreibt die Sitzung auf – für jeden Aufruf.',
    ]) {
      parseTenantKeys({ acknowledgeIdentityLoss: [{ action: 'lambda:InvokeFunction', reason }] });
    }
  });

  it('fail for an action that stands twice', () => {
    const entry = { action: 'ecs:RunTask', reason: REASON };
    expect(tenantRefusals({ acknowledgeIdentityLoss: [entry, entry] })).toEqual([
      [
        'ConfigInvalid',
        'acknowledgeIdentityLoss[1]',
        'acknowledged action must be listed once: "ecs:RunTask"; remove one',
      ],
    ]);
  });

  it('fail without a reason or an action, and for other keys, beside other faults', () => {
    const text = `clusters:
  hub:
    account: "${ACCOUNT}"
    region: us-west-2
    tenants:
      acme:
        tenantRole: ${TENANT_ROLE}
        models: [a]
        acknowledgeIdentityLoss:
          - action: lambda:InvokeFunction
          - reason: ${REASON}
          - { action: ecs:RunTask, reason: ${REASON}, until: never }
          - action: s3:GetObject
            reason: 5
`;
    expect(faultsOf(text).map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
      expect.stringMatching(/^8:18 model id must have the form/),
      '10:13 reason must be given; add it, a sentence on why it is granted',
      '11:13 action must be given; add it, like action: lambda:InvokeFunction',
      '12:93 key must be one of action, reason: "until"; remove it',
      '14:21 reason must be a text: "5"; put it in quotes: "5"',
    ]);
  });
});

describe('an action that stands twice in a statement', () => {
  it('fails at each place', () => {
    const statements = [{ Effect: 'Allow', Action: ['iam:*', 's3:GetObject', 'iam:*'], Resource: '*' }];
    expect(tenantRefusals({ statements }).map(([, path]) => path)).toEqual([
      'statements[0].Action[0]',
      'statements[0].Action[2]',
    ]);
  });
});

describe('Kubernetes groups', () => {
  it.each([
    ['', ['', 'Kubernetes group must have a name: ""; remove it']],
    [
      'system:masters',
      [
        '',
        'Kubernetes group must not begin with "system:", which EKS refuses: "system:masters"; bind a group of your own to the same ClusterRole',
      ],
    ],
    [' system:masters', ['', 'Kubernetes group must not begin or end with white space: " system:masters"; remove it']],
    ['a\t', ['', 'Kubernetes group must not begin or end with white space: "a\\t"; remove it']],
  ])('fail for %j', (group, [, message]) => {
    expect(tenantRefusals({ eks: { kubernetesGroups: [group] } })).toEqual([
      ['ConfigInvalid', 'eks.kubernetesGroups[0]', message],
    ]);
  });

  it('fail when listed twice', () => {
    expect(tenantRefusals({ eks: { kubernetesGroups: ['a', 'a'] } })).toEqual([
      ['ConfigInvalid', 'eks.kubernetesGroups[1]', 'Kubernetes group must be listed once: "a"; remove one'],
    ]);
  });

  it('may be none', () => {
    expect(parseTenantKeys({ eks: {} }).clusters[0]?.tenants[0]?.eks).toEqual({ kubernetesGroups: [] });
  });
});

describe('tags', () => {
  const CHARACTERS = 'must hold letters, digits, spaces and "_.:/=+-@" only';

  it.each([
    [
      'a'.repeat(129),
      'x',
      `tag key must have 1 to 128 characters: "${'a'.repeat(100)}"... (129 characters); shorten it`,
    ],
    ['', 'x', 'tag key must have 1 to 128 characters: ""; shorten it'],
    ['AWS:x', 'x', 'tag key must not begin with "aws:", which AWS keeps for itself: "AWS:x"; choose another'],
    ['a*', 'x', `tag key ${CHARACTERS}: "a*"; leave the others out`],
    ['a', 'x?', `tag value ${CHARACTERS}: "x?"; leave the others out`],
    [
      'a',
      'x'.repeat(257),
      `tag value must have at most 256 characters: "${'x'.repeat(100)}"... (257 characters); shorten it`,
    ],
  ])('fail for %j: %j', (key, value, message) => {
    const found = tenantRefusals({ tags: { [key]: value } });
    expect(found.map(([, , said]) => said)).toEqual([message]);
  });

  it('fail for keys that differ only by case, in one list or from the cluster', () => {
    const expected = [
      'ConfigInvalid',
      'tags.team',
      'tag key must differ from every other by more than case: "team"; write it as "Team", or remove one',
    ];
    expect(tenantRefusals({ tags: { Team: 'a', team: 'b' } })).toEqual([expected]);
    expect(tenantRefusals({ tags: { team: 'b' } }, { tags: { Team: 'a' } })).toEqual([expected]);
  });

  it('may replace a tag of the cluster, and hold letters of any language', () => {
    parseTenantKeys({ tags: { Team: 'Köln 北京', empty: '' } }, { tags: { Team: 'a' } });
  });

  it('fail when there are more than 45 with those of the cluster', () => {
    const many = (prefix: string, length: number) =>
      Object.fromEntries(Array.from({ length }, (_, index) => [`${prefix}${index}`, 'x']));
    parseTenantKeys({ tags: many('a', 20) }, { tags: many('b', 25) });
    expect(tenantRefusals({ tags: many('a', 21) }, { tags: many('b', 25) })).toEqual([
      ['ConfigInvalid', 'tags', 'a resource must have at most 45 tags, those of the cluster included: 46; remove some'],
    ]);
  });
});

describe('the sizes of policies', () => {
  const statements = Array.from({ length: 60 }, (_, index) => ({
    Effect: 'Allow',
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::bucket-${index}/${'x'.repeat(100)}/*`,
  }));

  it('fail for an opted-in tenant whose permissions IAM would not take', () => {
    expect(tenantRefusals({ statements })).toEqual([
      [
        'PolicyTooLarge',
        '',
        expect.stringMatching(
          /^the inline policies of a role together must have at most 10240 characters without white space: it has 1\d{4}; move statements to a managed policy and list its ARN$/,
        ),
      ],
    ]);
  });

  it('are not looked at for a tenant that is not opted in', () => {
    parse({ hub: cluster({ acme: tenant({ statements }) }) });
  });

  it('are looked at again when nothing else is at fault', () => {
    const found = tenantRefusals({ statements, models: ['x'] });
    expect(found.map(([code]) => code)).toEqual(['ConfigInvalid']);
  });
});

describe('a tenant without a file', () => {
  const facts: ClusterFacts = {
    name: 'hub',
    account: ACCOUNT,
    region: 'us-west-2',
    partition: 'aws',
    parameterPrefix: '/eks-agent-platform',
    iamPath: '/session-broker/',
    eksClusterName: 'hub',
    tags: {},
  };
  const acme: TenantConfig = {
    name: parseTenant('acme'),
    optIn: 'in',
    tenantRole: TENANT_ROLE,
    models: [],
    inferenceProfiles: {},
    roleSessionName: 'free',
    chainTo: [],
    statements: [],
    managedPolicies: [],
    acknowledgeIdentityLoss: [],
    callerPolicy: 'attach',
    tags: {},
  };

  it('passes when the file would', () => {
    expect(checkTenant(facts, acme)).toEqual([]);
    assertTenant(facts, acme);
  });

  it('fails with the code and message of a lone fault', () => {
    const error = refusalOf(() => assertTenant(facts, { ...acme, tenantRole: FAR_ROLE }));
    expect(error.code).toBe('PrincipalNotAllowed');
    expect(error.message).toBe(
      `tenant acme of cluster hub: tenantRole: tenant role must be in the account of the cluster, ${ACCOUNT}, under callerPolicy: attach, which would attach in the wrong account: "${FAR_ROLE}"; set callerPolicy: external and let the owner of the role make a policy with the same statements there`,
    );
  });

  it('fails with a line for each of several faults', () => {
    const error = refusalOf(() => assertTenant(facts, { ...acme, models: ['nova'], chainTo: [TENANT_ROLE] }));
    expect(error.code).toBe('ConfigInvalid');
    expect(error.message.split('\n')).toEqual([
      'tenant acme of cluster hub has 2 faults',
      'models[0]: model id must have the form <provider>.<model>: "nova"; copy it from the Bedrock console or from aws bedrock list-foundation-models and list-inference-profiles',
      `chainTo[0]: role of chainTo must not be the tenant role: a session must not become its own caller: "${TENANT_ROLE}"; remove it`,
    ]);
  });

  it('is judged as far as its cluster is known', () => {
    const unknown = { ...facts, account: undefined, region: undefined, partition: undefined };
    const far = { ...acme, tenantRole: FAR_ROLE, chainTo: [`arn:aws-cn:iam::${ACCOUNT}:role/x`] };
    expect(checkTenant(unknown, far)).toEqual([]);
    expect(checkTenant(unknown, { ...far, models: ['nova'] }).map(({ path }) => path)).toEqual([['models', 0]]);
  });
});
