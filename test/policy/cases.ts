import fc from 'fast-check';
import {
  type AccessRequest,
  evaluate,
  type OneOrMany,
  type PolicyDocument,
  type RequestContext,
  type Requester,
  type Statement,
  type Verdict,
} from '../../lib/policy/index.ts';
import { sessionArn } from '../support/session-arn.ts';

/** A request, and the policies that bear on it. */
export interface Case {
  readonly request: AccessRequest;
  readonly identity: readonly PolicyDocument[];
  readonly boundary: PolicyDocument | undefined;
  /** The service control policies, a list for each level. */
  readonly levels: readonly (readonly PolicyDocument[])[];
  /** Always given: what the simulator does with a role without trust policy is not what IAM does. */
  readonly resource: PolicyDocument;
}

export const OWN = '111122223333';
const OTHER = '444455556666';
export const ROLE = `arn:aws:iam::${OWN}:role/tenant-a`;
const OTHER_ROLE = `arn:aws:iam::${OWN}:role/tenant-b`;
const FOREIGN_ROLE = `arn:aws:iam::${OTHER}:role/tenant-a`;
const USER = `arn:aws:iam::${OWN}:user/alice`;
const PROVIDER = `arn:aws:iam::${OWN}:oidc-provider/oidc.example.com/id/1`;
const SERVICE = 'eks.amazonaws.com';
export const TARGET_ROLE = `arn:aws:iam::${OWN}:role/session-broker/hub-acme-session`;
const QUEUE = `arn:aws:sqs:us-west-2:${OWN}:agent.acme.s1`;

/** What our evaluator decides. */
export function ours({ request, identity, boundary, levels, resource }: Case): Verdict {
  const named = (kind: string) => (document: PolicyDocument, index: number) => ({ name: `${kind} ${index}`, document });
  return evaluate(request, {
    identity: identity.map(named('identity')),
    boundary: boundary && { name: 'boundary', document: boundary },
    serviceControl: levels.map((level) => level.map(named('service control'))),
    resource: { name: 'resource', document: resource },
  });
}

const requesters: readonly Requester[] = [
  { kind: 'role-session', roleArn: ROLE, sessionName: 's1' },
  { kind: 'role-session', roleArn: ROLE, sessionName: 's2' },
  { kind: 'role-session', roleArn: OTHER_ROLE, sessionName: 's1' },
  { kind: 'role-session', roleArn: FOREIGN_ROLE, sessionName: 's1' },
  { kind: 'user', userArn: USER, userId: 'AIDAEXAMPLE' },
];

const signedActions = ['sts:AssumeRole', 'sts:SetSourceIdentity', 'sts:TagSession', 'sqs:SendMessage'] as const;

function resourceOf(action: string): string {
  return action.startsWith('sqs:') ? QUEUE : TARGET_ROLE;
}

const SOURCE_IDENTITIES = [
  'agent.acme.s1',
  'agent.acme.s2',
  'agent.acme.s1.x',
  'agent.acme.',
  'agent.acme-2.s1',
  'AGENT.acme.s1',
  'internal.acme.s1',
];

/** What the conditions are about: few keys and few values, so that they meet. */
const contexts: fc.Arbitrary<RequestContext> = fc.record(
  {
    'sts:SourceIdentity': fc.constantFrom(...SOURCE_IDENTITIES),
    'aws:SourceIdentity': fc.constantFrom(...SOURCE_IDENTITIES),
    'sts:RoleSessionName': fc.constantFrom('agent.acme.s1', 's1', 'aws:x'),
    'aws:TagKeys': fc.constantFrom(['team'], ['team', 'cost'], ['Team'], ['other', 'team', 'cost']),
    'aws:RequestTag/team': fc.constantFrom('red', 'blue', 'Red'),
    'aws:PrincipalTag/tenant': fc.constantFrom('acme', 'globex'),
    'aws:SourceIp': fc.constantFrom('203.0.113.7', '10.0.0.1', '2001:db8::1'),
    'aws:MultiFactorAuthPresent': fc.constantFrom('true', 'false'),
    'aws:MultiFactorAuthAge': fc.constantFrom('0', '300', '3600.5', '-1'),
    'aws:CurrentTime': fc.constantFrom('2026-01-01T00:00:00Z', '2026-06-01T12:00:00Z', '2027-01-01T00:00:00Z'),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const SCOPE: Statement['Condition'] = {
  StringLike: { 'sts:SourceIdentity': 'agent.acme.?*' },
  StringNotLike: { 'sts:SourceIdentity': 'agent.acme.*.*' },
};

const textKeys = ['sts:SourceIdentity', 'aws:SourceIdentity', 'sts:RoleSessionName', 'STS:sourceIDENTITY'] as const;
const texts = [
  ...SOURCE_IDENTITIES,
  'agent.acme.?*',
  'agent.acme.*.*',
  'agent.acme*',
  'agent.*.s?',
  '*',
  '?*',
  '*.s1*',
  '${sts:SourceIdentity}',
  '${aws:SourceIdentity}',
  "${aws:SourceIdentity, 'agent.acme.s1'}",
  'agent.${aws:PrincipalTag/tenant}.?*',
  '${*}',
  'agent.acme.s${?}',
];
const textOperators = [
  'StringEquals',
  'StringNotEquals',
  'StringEqualsIgnoreCase',
  'StringNotEqualsIgnoreCase',
  'StringLike',
  'StringNotLike',
] as const;

const arns = [
  ROLE,
  USER,
  OTHER_ROLE,
  `arn:aws:iam::${OWN}:role/*`,
  'arn:aws:iam::*:role/tenant-?',
  `arn:*:iam::${OWN}:*`,
  'arn:aws:iam::*:*/alice',
  'arn:aws:iam::${aws:PrincipalAccount}:role/tenant-a',
];

function oneOrMore<Value>(values: readonly Value[]): fc.Arbitrary<OneOrMany<Value>> {
  const value = fc.constantFrom(...values);
  return fc.oneof(
    { arbitrary: value, weight: 3 },
    { arbitrary: fc.array(value, { minLength: 1, maxLength: 3 }), weight: 2 },
  );
}

function condition(
  operators: readonly string[],
  keys: readonly string[],
  values: readonly string[],
  prefixes: readonly string[] = [''],
  suffixes: readonly string[] = ['', '', 'IfExists'],
): fc.Arbitrary<Statement['Condition']> {
  return fc
    .tuple(
      fc.constantFrom(...prefixes),
      fc.constantFrom(...operators),
      fc.constantFrom(...suffixes),
      fc.constantFrom(...keys),
      oneOrMore(values),
    )
    .map(([prefix, operator, suffix, key, wanted]) => ({ [`${prefix}${operator}${suffix}`]: { [key]: wanted } }));
}

const SETS = ['ForAllValues:', 'ForAnyValue:'];

/** The conditions of a statement, or none. */
export const conditions: fc.Arbitrary<Statement['Condition']> = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 6 },
  { arbitrary: fc.constant(SCOPE), weight: 4 },
  { arbitrary: condition(textOperators, textKeys, texts), weight: 8 },
  { arbitrary: condition(textOperators, textKeys, texts, SETS), weight: 2 },
  { arbitrary: condition(textOperators, ['aws:TagKeys'], ['team', 'cost', 't*', 'TEAM'], SETS), weight: 3 },
  { arbitrary: condition(textOperators, ['aws:RequestTag/team'], ['red', 'blue', 'r*']), weight: 1 },
  {
    arbitrary: condition(['Null'], [...textKeys, 'aws:TagKeys'], ['true', 'false'], [''], ['']),
    weight: 2,
  },
  {
    arbitrary: condition(['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike'], ['aws:PrincipalArn'], arns),
    weight: 2,
  },
  { arbitrary: condition(['StringEquals', 'StringNotEquals'], ['aws:PrincipalAccount'], [OWN, OTHER]), weight: 1 },
  { arbitrary: condition(['Bool'], ['aws:MultiFactorAuthPresent'], ['true', 'false', 'True']), weight: 1 },
  {
    arbitrary: condition(
      ['IpAddress', 'NotIpAddress'],
      ['aws:SourceIp'],
      ['203.0.113.0/24', '10.0.0.1/32', '10.0.0.1', '2001:db8::/32', '0.0.0.0/0'],
    ),
    weight: 1,
  },
  {
    arbitrary: condition(
      [
        'NumericEquals',
        'NumericNotEquals',
        'NumericLessThan',
        'NumericLessThanEquals',
        'NumericGreaterThan',
        'NumericGreaterThanEquals',
      ],
      ['aws:MultiFactorAuthAge'],
      ['0', '300', '300.0', '3600.5', '-1'],
    ),
    weight: 1,
  },
  {
    arbitrary: condition(
      ['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals'],
      ['aws:CurrentTime'],
      ['2026-01-01T00:00:00Z', '2026-06-01T12:00:00Z', '2026-06-01', '1780315200'],
    ),
    weight: 1,
  },
);

/** Up to two conditions together; all must hold. */
const conditionBlocks = fc.tuple(conditions, conditions, fc.boolean()).map(([first, second, both]) => {
  const block = both ? { ...second, ...first } : first;
  return block === undefined || Object.keys(block).length === 0 ? {} : { Condition: block };
});

const actions = fc.oneof(
  {
    arbitrary: oneOrMore([
      'sts:AssumeRole',
      'STS:assumerole',
      'sts:SetSourceIdentity',
      'sts:TagSession',
      'sts:*',
      'sts:Assume*',
      '*',
      'sqs:SendMessage',
      'sqs:Send?essage',
    ]).map((Action): Partial<Statement> => ({ Action })),
    weight: 5,
  },
  {
    arbitrary: oneOrMore(['sts:TagSession', 'sqs:*', 'sts:AssumeRole']).map(
      (NotAction): Partial<Statement> => ({ NotAction }),
    ),
    weight: 1,
  },
);

const principals = oneOrMore([
  ROLE,
  ROLE,
  OTHER_ROLE,
  FOREIGN_ROLE,
  USER,
  sessionArn(ROLE, 's1'),
  sessionArn(FOREIGN_ROLE, 's1'),
  OWN,
  `arn:aws:iam::${OWN}:root`,
  `arn:aws:iam::${OTHER}:root`,
  '*',
]);

const principalElements = fc.oneof(
  { arbitrary: principals.map((AWS) => ({ Principal: { AWS } })), weight: 12 },
  { arbitrary: fc.constant({ Principal: '*' as const }), weight: 1 },
  { arbitrary: fc.constant({ Principal: { Service: SERVICE } }), weight: 1 },
  { arbitrary: principals.map((AWS) => ({ Principal: { Service: SERVICE, AWS } })), weight: 1 },
  { arbitrary: principals.map((AWS) => ({ NotPrincipal: { AWS } })), weight: 2 },
);

const resourceTexts = [
  '*',
  TARGET_ROLE,
  QUEUE,
  `arn:aws:iam::${OWN}:role/*`,
  'arn:aws:iam::*:role/session-broker/hub-*-session',
  `arn:aws:sqs:*:${OWN}:agent.*`,
  `arn:aws:sqs:us-west-2:${OWN}:\${aws:SourceIdentity}`,
  `arn:aws:iam::${OWN}:role/other`,
];
const resourceElements = fc.oneof(
  { arbitrary: oneOrMore(resourceTexts).map((Resource) => ({ Resource })), weight: 5 },
  { arbitrary: oneOrMore(resourceTexts.slice(1)).map((NotResource) => ({ NotResource })), weight: 1 },
);

const effects = fc.oneof(
  { arbitrary: fc.constant('Allow' as const), weight: 5 },
  { arbitrary: fc.constant('Deny' as const), weight: 1 },
);

function documentOf(statements: fc.Arbitrary<Statement>, maxLength: number): fc.Arbitrary<PolicyDocument> {
  return fc
    .array(statements, { minLength: 1, maxLength })
    .map((list): PolicyDocument => ({ Version: '2012-10-17', Statement: list }));
}

function merged(...parts: fc.Arbitrary<Partial<Statement>>[]): fc.Arbitrary<Statement> {
  return fc
    .tuple(effects, ...parts)
    .map(([effect, ...rest]) => Object.assign({ Effect: effect }, ...rest) as Statement);
}

/** Statements with no more than a principal in the way, so that the other policies decide often enough. */
const openStatements = merged(principalElements, fc.constant({ Action: '*' }));
const trustStatements = fc.oneof(
  { arbitrary: merged(principalElements, actions, conditionBlocks), weight: 3 },
  { arbitrary: openStatements, weight: 1 },
);
const queueStatements = fc.oneof(
  { arbitrary: merged(principalElements, actions, resourceElements, conditionBlocks), weight: 3 },
  { arbitrary: openStatements, weight: 1 },
);
const identityStatements = merged(actions, resourceElements, conditionBlocks);
const openIdentity = fc.constant<PolicyDocument>({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
});
const identityDocuments = fc.oneof(
  { arbitrary: openIdentity, weight: 2 },
  { arbitrary: documentOf(identityStatements, 2), weight: 3 },
);

/** Mostly none, and mostly open, so that the other policies decide often enough. */
const serviceControlLevels = fc.oneof(
  { arbitrary: fc.constant([]), weight: 3 },
  { arbitrary: fc.array(fc.array(identityDocuments, { minLength: 1, maxLength: 2 }), { maxLength: 2 }), weight: 1 },
);

function casesFor(action: string, requesterChoices: readonly Requester[]): fc.Arbitrary<Case> {
  const isQueue = action.startsWith('sqs:');
  return fc.record({
    request: fc.record({
      requester: fc.constantFrom(...requesterChoices),
      action: fc.constant(action),
      resource: fc.constant(resourceOf(action)),
      context: contexts,
    }),
    identity: fc.array(identityDocuments, { maxLength: 2 }),
    boundary: fc.option(identityDocuments, { nil: undefined, freq: 2 }),
    levels: serviceControlLevels,
    resource: documentOf(isQueue ? queueStatements : trustStatements, 3),
  });
}

const federatedTrusts = documentOf(
  merged(
    fc.constantFrom<Partial<Statement>>(
      { Principal: { Federated: PROVIDER } },
      { Principal: { Federated: `${PROVIDER}2` } },
      { Principal: { AWS: ROLE } },
      { Principal: '*' },
    ),
    fc.constantFrom<Partial<Statement>>(
      { Action: 'sts:AssumeRoleWithWebIdentity' },
      { Action: ['sts:AssumeRoleWithWebIdentity', 'sts:SetSourceIdentity'] },
      { Action: 'sts:AssumeRole' },
    ),
    conditions.map((Condition) => (Condition === undefined ? {} : { Condition })),
  ),
  2,
);

/** Requests and policies that meet often enough for every kind of decision. */
export const cases: fc.Arbitrary<Case> = fc.oneof(
  ...signedActions.map((action) => ({ arbitrary: casesFor(action, requesters), weight: 5 })),
  {
    arbitrary: casesFor('sts:AssumeRole', [{ kind: 'service', service: SERVICE }]).map((c) => ({
      ...c,
      identity: [],
      boundary: undefined,
      levels: [],
    })),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      request: fc.record({
        requester: fc.constant<Requester>({ kind: 'federated', provider: PROVIDER }),
        action: fc.constant('sts:AssumeRoleWithWebIdentity'),
        resource: fc.constant(TARGET_ROLE),
        context: contexts,
      }),
      identity: fc.constant([]),
      boundary: fc.constant(undefined),
      levels: fc.constant([]),
      resource: federatedTrusts,
    }),
    weight: 2,
  },
);
