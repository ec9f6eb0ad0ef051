import fc from 'fast-check';
import {
  type AssumeOperation,
  type AssumeRoleAttempt,
  listOf,
  type OneOrMany,
  type PolicyDocument,
  type RequestContext,
  type Requester,
  type Statement,
} from '../../../lib/policy/index.ts';
import { sessionArn } from '../../support/session-arn.ts';

// Trust policies, and for each a small world of requests that holds all that the policy mentions.

export const OWN = '111122223333';
const OTHER = '444455556666';
export const ROLE_ARN = `arn:aws:iam::${OWN}:role/judged`;
const ROLE = `arn:aws:iam::${OWN}:role/tenant-a`;
const OTHER_ROLE = `arn:aws:iam::${OWN}:role/tenant-b`;
const FOREIGN_ROLE = `arn:aws:iam::${OTHER}:role/tenant-a`;
const USER = `arn:aws:iam::${OWN}:user/alice`;
const ISSUER = 'oidc.example.com/id/1';
const PROVIDER = `arn:aws:iam::${OWN}:oidc-provider/${ISSUER}`;
const SAML = `arn:aws:iam::${OWN}:saml-provider/sso`;
const SERVICE = 'lambda.amazonaws.com';

const CALLERS: Readonly<Record<AssumeOperation, readonly Requester[]>> = {
  AssumeRole: [
    { kind: 'role-session', roleArn: ROLE, roleId: 'AROATENANTA', sessionName: 'session' },
    { kind: 'role-session', roleArn: OTHER_ROLE, roleId: 'AROATENANTB', sessionName: 's2' },
    { kind: 'role-session', roleArn: FOREIGN_ROLE, roleId: 'AROAFOREIGN', sessionName: 'session' },
    { kind: 'user', userArn: USER, userId: 'AIDAALICE' },
    { kind: 'service', service: SERVICE },
  ],
  AssumeRoleWithWebIdentity: [{ kind: 'federated', provider: PROVIDER }],
  AssumeRoleWithSAML: [{ kind: 'federated', provider: SAML }],
};

const NAMES = ['agent.acme.s1', 'agent.acme.', 'agent.acme.x.y', 'AGENT.ACME.S1', 'agent.globex.s1', 'alice', 'zz'];

function oneOrMore<Value>(values: readonly Value[]): fc.Arbitrary<OneOrMany<Value>> {
  const value = fc.constantFrom(...values);
  return fc.oneof(
    { arbitrary: value, weight: 3 },
    { arbitrary: fc.array(value, { minLength: 1, maxLength: 3 }), weight: 1 },
  );
}

type Condition = NonNullable<Statement['Condition']>;

function condition(
  operators: readonly string[],
  keys: readonly string[],
  values: readonly string[],
  prefixes: readonly string[] = [''],
  suffixes: readonly string[] = ['', '', '', 'IfExists'],
): fc.Arbitrary<Condition> {
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

const TEXT_OPERATORS = [
  'StringEquals',
  'StringLike',
  'StringLike',
  'StringNotEquals',
  'StringNotLike',
  'StringNotLike',
  'StringEqualsIgnoreCase',
];
const IDENTITY_KEYS = [
  'sts:SourceIdentity',
  'sts:SourceIdentity',
  'sts:SourceIdentity',
  'STS:sourceidentity',
  'aws:SourceIdentity',
];
const PATTERNS = [
  'agent.acme.*',
  'agent.acme.?*',
  'agent.acme.*.*',
  'agent.*',
  'agent.acme.s1',
  '*',
  '?*',
  '*.s1',
  '*acme*',
  'AGENT.acme.s1',
  'agent:acme:*',
];
const VARIABLES = [
  '${aws:username}',
  '${aws:PrincipalTag/team}',
  'agent.${aws:PrincipalTag/team}.*',
  '${sts:RoleSessionName}',
  '${sts:SourceIdentity}',
  '${aws:SourceIdentity}',
  "${aws:PrincipalTag/team, 'agent.acme.s1'}",
];

const SCOPE: Condition = {
  StringLike: { 'sts:SourceIdentity': 'agent.acme.?*' },
  StringNotLike: { 'sts:SourceIdentity': 'agent.acme.*.*' },
};

const identityConditions: fc.Arbitrary<Condition> = fc.oneof(
  { arbitrary: fc.constant(SCOPE), weight: 3 },
  { arbitrary: condition(TEXT_OPERATORS, IDENTITY_KEYS, PATTERNS), weight: 8 },
  { arbitrary: condition(TEXT_OPERATORS, IDENTITY_KEYS, [...PATTERNS, ...VARIABLES]), weight: 2 },
  { arbitrary: condition(TEXT_OPERATORS, IDENTITY_KEYS, PATTERNS, ['ForAllValues:', 'ForAnyValue:']), weight: 2 },
  { arbitrary: condition(['Null'], IDENTITY_KEYS, ['true', 'false'], [''], ['']), weight: 3 },
);

const otherConditions: fc.Arbitrary<Condition> = fc.oneof(
  condition(['StringEquals', 'StringNotEquals'], ['sts:ExternalId'], ['x-1', 'x-2']),
  condition(['Bool'], ['aws:MultiFactorAuthPresent'], ['true', 'false']),
  condition(['IpAddress', 'NotIpAddress'], ['aws:SourceIp'], ['10.0.0.0/8', '10.1.0.0/16', '203.0.113.7/32']),
  condition(['StringEquals', 'StringLike', 'StringNotLike'], ['aws:PrincipalTag/team'], ['red', 'r*', 'agent.acme.s1']),
  condition(
    ['ArnLike', 'ArnNotLike', 'StringLike', 'StringEquals'],
    ['aws:PrincipalArn'],
    [ROLE, `arn:aws:iam::${OWN}:role/*`, 'arn:aws:iam::*:role/tenant-?', USER],
  ),
  condition(['StringEquals', 'StringNotEquals'], ['aws:PrincipalAccount'], [OWN, OTHER]),
  condition(
    ['StringEquals', 'StringLike'],
    ['sts:RoleSessionName'],
    ['agent.acme.s1', 'session', '${sts:SourceIdentity}', '${aws:username}'],
  ),
  condition(['StringEquals', 'StringLike'], [`${ISSUER}:sub`], ['me', 'm*']),
  condition(['NumericLessThan', 'NumericGreaterThanEquals'], ['aws:MultiFactorAuthAge'], ['300', '3600']),
  condition(
    ['Null'],
    ['aws:PrincipalTag/team', 'sts:ExternalId', 'aws:MultiFactorAuthPresent'],
    ['true', 'false'],
    [''],
    [''],
  ),
  condition(['StringEquals', 'StringLike'], ['aws:TagKeys'], ['team', 'cost'], ['ForAllValues:', 'ForAnyValue:']),
  condition(['StringEquals', 'StringNotEquals'], ['aws:RequestTag/team'], ['red', 'blue', '${aws:PrincipalTag/team}']),
);

function together(...parts: readonly Condition[]): Condition {
  const all: Record<string, Record<string, OneOrMany<string>>> = {};
  for (const part of parts) {
    for (const [operator, byKey] of Object.entries(part)) {
      for (const [key, values] of Object.entries(byKey)) {
        const known = all[operator] ?? {};
        all[operator] = known;
        if (!Object.keys(known).some((other) => other.toLowerCase() === key.toLowerCase())) known[key] = values;
      }
    }
  }
  return all;
}

const conditions: fc.Arbitrary<{ readonly Condition?: Condition }> = fc.oneof(
  { arbitrary: fc.constant({}), weight: 3 },
  { arbitrary: identityConditions.map((Condition) => ({ Condition })), weight: 8 },
  {
    arbitrary: fc.tuple(identityConditions, identityConditions).map((parts) => ({ Condition: together(...parts) })),
    weight: 3,
  },
  {
    arbitrary: fc.tuple(identityConditions, otherConditions).map((parts) => ({ Condition: together(...parts) })),
    weight: 4,
  },
  { arbitrary: otherConditions.map((Condition) => ({ Condition })), weight: 2 },
);

const BOTH = ['sts:AssumeRole', 'sts:SetSourceIdentity'];

const awsPrincipals = fc.oneof(
  { arbitrary: fc.constant<Partial<Statement>>({ Principal: { AWS: ROLE } }), weight: 8 },
  {
    arbitrary: oneOrMore([
      ROLE,
      OTHER_ROLE,
      FOREIGN_ROLE,
      USER,
      sessionArn(ROLE, 'session'),
      OWN,
      `arn:aws:iam::${OTHER}:root`,
      '*',
    ]).map((AWS): Partial<Statement> => ({ Principal: { AWS } })),
    weight: 5,
  },
  { arbitrary: fc.constant<Partial<Statement>>({ Principal: '*' }), weight: 1 },
  {
    arbitrary: fc.constantFrom<Partial<Statement>>(
      { Principal: { Service: SERVICE } },
      { NotPrincipal: { AWS: [OTHER_ROLE, OWN] } },
    ),
    weight: 1,
  },
);
const awsActions = fc.oneof(
  { arbitrary: fc.constant<Partial<Statement>>({ Action: BOTH }), weight: 8 },
  {
    arbitrary: oneOrMore([...BOTH, 'sts:*', 'STS:assumerole', 'sts:TagSession', '*']).map(
      (Action): Partial<Statement> => ({ Action }),
    ),
    weight: 4,
  },
  {
    arbitrary: fc.constantFrom<Partial<Statement>>({ NotAction: 'sts:TagSession' }, { NotAction: 'sts:AssumeRole' }),
    weight: 1,
  },
);
const webIdentity = fc.constant<Partial<Statement>>({
  Principal: { Federated: PROVIDER },
  Action: ['sts:AssumeRoleWithWebIdentity', 'sts:SetSourceIdentity'],
});
const saml = fc.constant<Partial<Statement>>({
  Principal: { Federated: SAML },
  Action: ['sts:AssumeRoleWithSAML', 'sts:SetSourceIdentity'],
});

const subjects = fc.oneof(
  {
    arbitrary: fc.tuple(awsPrincipals, awsActions).map(([principal, action]) => ({ ...principal, ...action })),
    weight: 10,
  },
  { arbitrary: webIdentity, weight: 1 },
  { arbitrary: saml, weight: 1 },
);

const allowing = fc
  .tuple(subjects, conditions)
  .map(([subject, rest]) => ({ Effect: 'Allow', ...subject, ...rest }) as Statement);
const denying = fc
  .tuple(fc.oneof(fc.constant<Partial<Statement>>({ Principal: '*' }), awsPrincipals), awsActions, conditions)
  .map(([principal, action, rest]) => ({ Effect: 'Deny', ...principal, ...action, ...rest }) as Statement);

/** Trust policies of up to four statements, most of which are about source identities. */
export const trustPolicies: fc.Arbitrary<PolicyDocument> = fc
  .tuple(fc.array(allowing, { minLength: 1, maxLength: 3 }), fc.array(denying, { maxLength: 1 }))
  .map(([allow, deny]): PolicyDocument => ({ Version: '2012-10-17', Statement: [...allow, ...deny] }));

/** Values that the policy brings up, by key in lower case: without its wildcards, and with something in their place. */
function mentioned({ Statement: statements }: PolicyDocument): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, Set<string>>();
  const add = (key: string, more: readonly string[]): void => {
    const name = key.toLowerCase();
    values.set(name, new Set([...(values.get(name) ?? []), ...more]));
  };
  for (const { Condition: block = {} } of statements) {
    for (const [operator, byKey] of Object.entries(block)) {
      for (const [key, wanted] of Object.entries(byKey)) {
        add(key, []);
        for (const text of listOf(wanted)) {
          for (const [, variable = ''] of text.matchAll(/\$\{([^,}]+)/g)) add(variable, []);
          if (operator === 'Null' || text.includes('$')) continue;
          const plain = text.replace(/\/\d+$/, '');
          add(key, [plain.replaceAll('*', '').replaceAll('?', 'x'), plain.replaceAll('*', 'x').replaceAll('?', 'x')]);
        }
      }
    }
  }
  return new Map([...values].map(([key, texts]) => [key, [...texts]]));
}

const OF_THE_CALL =
  /^(?:sts:sourceidentity|aws:sourceidentity|sts:rolesessionname|aws:tagkeys|aws:requesttag\/.*|aws:principal(?:arn|account)|aws:username|aws:userid)$/;

/** Requests without their names, at most: those of a large world are thinned out evenly. */
const MOST = 20;

/** A small world: every caller by every operation, with every value that the policy mentions, and without. */
export function callsOf(document: PolicyDocument): readonly AssumeRoleAttempt[] {
  const values = mentioned(document);
  let contexts: readonly RequestContext[] = [{}];
  for (const [key, texts] of values) {
    if (OF_THE_CALL.test(key)) continue;
    const typed = TYPED[key] ?? [...texts, 'other'];
    contexts = contexts.flatMap((context) => [context, ...typed.map((value) => ({ ...context, [key]: value }))]);
  }
  const sessionNames = values.has('sts:rolesessionname') ? ['session', 'agent.acme.s1', 'alice'] : ['session'];
  const tagged = values.has('aws:tagkeys') || values.has('aws:requesttag/team');
  const tags = tagged ? [{}, { team: 'red' }, { team: 'blue', cost: 'x' }] : [{}];
  const text = JSON.stringify(document);
  const isAbout = (operation: string): boolean =>
    operation === 'AssumeRole' || /-provider|"\*"|NotPrincipal/.test(text);
  const operations = Object.entries(CALLERS).filter(([operation]) => isAbout(operation));
  const calls = operations.flatMap(([operation, requesters]) =>
    requesters.flatMap((requester) =>
      contexts.flatMap((context) =>
        sessionNames.flatMap((roleSessionName) =>
          tags.map(
            (someTags): AssumeRoleAttempt => ({
              operation: operation as AssumeOperation,
              requester,
              roleArn: ROLE_ARN,
              roleSessionName,
              tags: someTags,
              context,
            }),
          ),
        ),
      ),
    ),
  );
  // A claim of an issuer comes with its own tokens, and stays with the sessions that began with one.
  const possible = calls.filter(
    ({ operation, context = {} }) => operation !== 'AssumeRoleWithSAML' || !context[`${ISSUER}:sub`],
  );
  const step = Math.max(1, Math.ceil(possible.length / MOST));
  return possible.filter((_, index) => index % step === 0);
}

const TYPED: Readonly<Record<string, readonly string[]>> = {
  'aws:multifactorauthpresent': ['true', 'false'],
  'aws:multifactorauthage': ['10', '1000', '5000'],
  'aws:sourceip': ['10.0.0.1', '10.1.0.1', '203.0.113.7', '192.0.2.1'],
};

/** Names that the policy mentions, and others. */
export function namesOf(document: PolicyDocument): readonly string[] {
  const values = mentioned(document);
  const texts = [...(values.get('sts:sourceidentity') ?? []), ...(values.get('aws:sourceidentity') ?? [])];
  return [...new Set([...NAMES, ...texts])].filter((name) => /^[\w+=,.@-]{2,64}$/.test(name));
}

/** The ways to carry a name. */
export function named(call: AssumeRoleAttempt, name: string): readonly AssumeRoleAttempt[] {
  const asked = { ...call, sourceIdentity: name };
  const chains = call.operation === 'AssumeRole' && call.requester.kind === 'role-session';
  return chains ? [asked, { ...call, inheritedSourceIdentity: name }] : [asked];
}
