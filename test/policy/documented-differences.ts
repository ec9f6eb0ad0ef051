import {
  listOf,
  oneOrMany,
  type PolicyDocument,
  type RequestContext,
  type Requester,
  requesterContext,
  type Statement,
  type Verdict,
} from '../../lib/policy/index.ts';
import { independentDecision } from '../support/independent-evaluator.ts';
import { sessionArn } from '../support/session-arn.ts';
import { type Case, OWN, ROLE, TARGET_ROLE } from './cases.ts';

// Where the two evaluators decide otherwise, and AWS's documentation decides between them.

type Decision = Verdict['decision'];

/** What the independent evaluator decides. */
export function theirs({ request, identity, boundary, levels, resource }: Case): Decision {
  return independentDecision(request, { identity, boundary, levels, resource });
}

interface DocumentedDifference {
  readonly name: string;
  /** What AWS says, and where. */
  readonly reason: string;
  /** The same case in terms in which the simulator follows that rule; where it is not touched, the case itself. */
  readonly rewrite: (example: Case) => Case;
  /** A case in which the two really differ, so that a row cannot outlive its reason. */
  readonly example: Case;
}

function exampleOf(statements: readonly Statement[], context: RequestContext = {}, action = 'sts:AssumeRole'): Case {
  return {
    request: {
      requester: { kind: 'role-session', roleArn: ROLE, sessionName: 's1' },
      action,
      resource: TARGET_ROLE,
      context,
    },
    identity: [],
    boundary: undefined,
    levels: [],
    resource: { Version: '2012-10-17', Statement: statements },
  };
}

function ofProvider(example: Case): Case {
  const provider = `arn:aws:iam::${OWN}:oidc-provider/oidc.example.com/id/1`;
  return { ...example, request: { ...example.request, requester: { kind: 'federated', provider } } };
}

/** The case with each statement replaced by others. A policy left without statements gets one about nothing. */
function withStatements(example: Case, replace: (statement: Statement) => readonly Statement[]): Case {
  const rewritten = (document: PolicyDocument): PolicyDocument => {
    const statements = document.Statement.flatMap(replace);
    const [first] = document.Statement;
    const nothing = first && { ...withoutCondition(first), Action: 'none:None' };
    return { ...document, Statement: statements.length > 0 || nothing === undefined ? statements : [nothing] };
  };
  return {
    ...example,
    identity: example.identity.map(rewritten),
    boundary: example.boundary && rewritten(example.boundary),
    levels: example.levels.map((level) => level.map(rewritten)),
    resource: rewritten(example.resource),
  };
}

function withoutCondition({ Condition: _, NotAction: __, ...statement }: Statement): Statement {
  return statement;
}

/** The case with each condition replaced by other values under its key, or, for undefined, left out as true. */
function withConditions(
  example: Case,
  replace: (operator: string, key: string, values: readonly string[]) => readonly string[] | undefined,
): Case {
  return withStatements(example, (statement) => {
    if (statement.Condition === undefined) return [statement];
    const blocks = Object.entries(statement.Condition).flatMap(([operator, byKey]) => {
      const kept = Object.entries(byKey).flatMap(([key, values]) => {
        const replaced = replace(operator, key, listOf(values));
        return replaced === undefined ? [] : [[key, oneOrMany(replaced)] as const];
      });
      return kept.length === 0 ? [] : [[operator, Object.fromEntries(kept)] as const];
    });
    const { Condition: _, ...rest } = statement;
    return [blocks.length === 0 ? rest : { ...rest, Condition: Object.fromEntries(blocks) }];
  });
}

function contextValue(example: Case, key: string): string | readonly string[] | undefined {
  const context = Object.entries({ ...example.request.context, ...requesterContext(example.request.requester) });
  return context.find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1];
}

/** A text with its policy variables filled in; undefined where the request lacks one. */
function fillIn(text: string, example: Case): string | undefined {
  let isResolved = true;
  const filled = text.replace(/\$\{(?<key>[^,}]+:[^,}]+)(?:, '(?<fallback>[^']*)')?\}/g, (_match, key, fallback) => {
    const value = contextValue(example, key) ?? fallback;
    if (typeof value !== 'string') isResolved = false;
    return String(value);
  });
  return isResolved ? filled : undefined;
}

/** The ways in which a Principal element can name the requester itself, and its account. */
function namesOf(requester: Requester): { own: readonly string[]; account: readonly string[] } {
  if (requester.kind !== 'role-session' && requester.kind !== 'user') return { own: [], account: [] };
  const arn = requester.kind === 'user' ? requester.userArn : requester.roleArn;
  const account = arn.split(':')[4] ?? '';
  const session = requester.kind === 'user' ? [] : [sessionArn(requester.roleArn, requester.sessionName)];
  return { own: [arn, ...session], account: [account, `arn:aws:iam::${account}:root`] };
}

function awsPrincipals(element: Statement['Principal']): readonly string[] {
  return element === undefined || typeof element === 'string' ? listOf(element) : listOf(element['AWS']);
}

export const DOCUMENTED_DIFFERENCES: readonly DocumentedDifference[] = [
  {
    name: "a role session sets a source identity without its own side's leave",
    reason:
      'Needed in the permissions policy of the caller and in the trust policy. IAM User Guide, "Monitor and control actions taken with assumed roles", "Permissions required to set source identity"',
    rewrite: (example) => {
      const { requester, action } = example.request;
      if (requester.kind !== 'role-session' || action !== 'sts:SetSourceIdentity') return example;
      // A trust policy that names the account leaves it to the requester's policies.
      const { own, account } = namesOf(requester);
      const includes = (element: Statement['Principal'], names: readonly string[]): boolean =>
        awsPrincipals(element).some((name) => name === '*' || names.includes(name));
      const leftToRequester = { AWS: account[1] ?? '' };
      const resource = example.resource.Statement.map((statement): Statement => {
        const { Principal: principal, NotPrincipal: notPrincipal, ...rest } = statement;
        if (statement.Effect === 'Deny') return statement;
        if (includes(principal, own)) return { ...rest, Principal: leftToRequester };
        if (notPrincipal && !includes(notPrincipal, [...own, ...account]))
          return { ...rest, Principal: leftToRequester };
        return statement;
      });
      return { ...example, resource: { ...example.resource, Statement: resource } };
    },
    example: exampleOf(
      [{ Effect: 'Allow', Principal: { AWS: ROLE }, Action: 'sts:SetSourceIdentity' }],
      {},
      'sts:SetSourceIdentity',
    ),
  },
  {
    name: 'NotPrincipal with Deny lists the role or user without its account, or the account alone',
    reason:
      'AWS might validate the account first and then the role or user, so both must be listed. IAM User Guide, "AWS JSON policy elements: NotPrincipal"',
    rewrite: (example) => {
      const { own, account } = namesOf(example.request.requester);
      const arn = own[0] ?? '';
      if (own.length === 0) return example;
      return withStatements(example, (statement) => {
        const { NotPrincipal: notPrincipal, ...rest } = statement;
        if (statement.Effect === 'Allow' || notPrincipal === undefined) return [statement];
        const listed = awsPrincipals(notPrincipal);
        const isSpared =
          listed.includes('*') || (listed.includes(arn) && account.some((name) => listed.includes(name)));
        if (isSpared && example.boundary === undefined) return [];
        return listed.includes('*') ? [] : [{ ...rest, Principal: '*' }];
      });
    },
    example: exampleOf([
      { Effect: 'Allow', Principal: { AWS: ROLE }, Action: 'sts:AssumeRole' },
      { Effect: 'Deny', NotPrincipal: { AWS: ROLE }, Action: 'sts:AssumeRole' },
    ]),
  },
  {
    name: "the account of a federated caller's provider is a principal",
    reason:
      'An account stands for the principals in it, and the caller is none before it has assumed the role. IAM User Guide, "AWS JSON policy elements: Principal", "AWS account principals"',
    rewrite: (example) => {
      if (example.request.requester.kind !== 'federated') return example;
      const others = (element: Statement['Principal']): Statement['Principal'] => {
        if (element === undefined || typeof element === 'string') return element;
        const { AWS: listed, ...rest } = element;
        const kept = listOf(listed).filter((name) => !/^\d{12}$|:root$/.test(name));
        if (kept.length > 0) return { ...rest, AWS: oneOrMany(kept) };
        return Object.keys(rest).length > 0 ? rest : undefined;
      };
      return withStatements(example, (statement) => {
        const { Principal: principal, NotPrincipal: notPrincipal, ...rest } = statement;
        const named = others(principal ?? notPrincipal);
        if (principal !== undefined) return named === undefined ? [] : [{ ...rest, Principal: named }];
        return [named === undefined ? { ...rest, Principal: '*' } : { ...rest, NotPrincipal: named }];
      });
    },
    example: ofProvider(
      exampleOf(
        [{ Effect: 'Allow', NotPrincipal: { AWS: OWN }, Action: 'sts:AssumeRoleWithWebIdentity' }],
        {},
        'sts:AssumeRoleWithWebIdentity',
      ),
    ),
  },
  {
    name: 'ForAnyValue with IfExists meets a missing key',
    reason:
      'If the key is not present, the condition is true; IfExists can end any operator but Null. IAM User Guide, "IAM JSON policy elements: Condition operators", "...IfExists condition operators"',
    rewrite: (example) =>
      withConditions(example, (operator, key, values) =>
        /^ForAnyValue:.*IfExists$/.test(operator) && contextValue(example, key) === undefined ? undefined : values,
      ),
    example: exampleOf([
      {
        Effect: 'Allow',
        Principal: { AWS: ROLE },
        Action: 'sts:AssumeRole',
        Condition: { 'ForAnyValue:StringEqualsIfExists': { 'aws:TagKeys': 'team' } },
      },
    ]),
  },
  {
    name: 'a policy variable stands in an ARN',
    reason:
      'Variables can be used in the resource part of the Resource element and with the ARN operators. IAM User Guide, "IAM policy elements: Variables and tags"',
    rewrite: (example) => {
      const filled = (values: readonly string[]): readonly (string | undefined)[] =>
        values.map((value) => fillIn(value, example));
      const isArn = (operator: string): boolean => operator.startsWith('Arn');
      // A negated element with a variable that the request lacks does not apply; the note in that page on variables
      // that cannot be resolved.
      const resolvable = withStatements(example, (statement) => {
        const negated = Object.entries(statement.Condition ?? {}).flatMap(([operator, byKey]) =>
          isArn(operator) && operator.includes('Not')
            ? Object.entries(byKey).flatMap(([key, values]) => (contextValue(example, key) ? listOf(values) : []))
            : [],
        );
        return filled([...listOf(statement.NotResource), ...negated]).includes(undefined) ? [] : [statement];
      });
      const inConditions = withConditions(resolvable, (operator, _key, values) => {
        if (!isArn(operator)) return values;
        const known = filled(values).filter((value) => value !== undefined);
        return known.length > 0 ? known : ['arn:aws:iam::000000000000:role/none'];
      });
      return withStatements(inConditions, (statement) => {
        const { Resource: resource, NotResource: notResource } = statement;
        const known = filled(listOf(resource ?? notResource)).filter((value) => value !== undefined);
        if (resource !== undefined) return known.length > 0 ? [{ ...statement, Resource: oneOrMany(known) }] : [];
        return notResource === undefined ? [statement] : [{ ...statement, NotResource: oneOrMany(known) }];
      });
    },
    example: exampleOf([
      {
        Effect: 'Allow',
        Principal: { AWS: ROLE },
        Action: 'sts:AssumeRole',
        Condition: { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::${aws:PrincipalAccount}:role/tenant-a' } },
      },
    ]),
  },
  {
    name: 'a date is given as seconds since 1970',
    reason: 'Dates may be in ISO 8601 form or in epoch (UNIX) time. IAM User Guide, "Date condition operators"',
    rewrite: (example) =>
      withConditions(example, (operator, _key, values) =>
        operator.startsWith('Date')
          ? values.map((value) => (/^\d+$/.test(value) ? new Date(Number(value) * 1000).toISOString() : value))
          : values,
      ),
    example: exampleOf(
      [
        {
          Effect: 'Allow',
          Principal: { AWS: ROLE },
          Action: 'sts:AssumeRole',
          Condition: { DateLessThan: { 'aws:CurrentTime': '1780315200' } },
        },
      ],
      { 'aws:CurrentTime': '2026-01-01T00:00:00Z' },
    ),
  },
  {
    name: 'an IPv6 address meets NotIpAddress with a lone IPv4 address',
    reason:
      'NotIpAddress is true of all addresses but those listed, and an IPv6 address is none of the IPv4 ones. IAM User Guide, "IP address condition operators"',
    rewrite: (example) =>
      withConditions(example, (operator, key, values) => {
        const given = contextValue(example, key);
        if (!operator.startsWith('NotIpAddress') || typeof given !== 'string') return values;
        const ofItsFamily = values.filter((value) => value.includes(':') === given.includes(':'));
        return ofItsFamily.length === 0 ? undefined : ofItsFamily;
      }),
    example: exampleOf(
      [
        {
          Effect: 'Allow',
          Principal: { AWS: ROLE },
          Action: 'sts:AssumeRole',
          Condition: { NotIpAddress: { 'aws:SourceIp': '10.0.0.1' } },
        },
      ],
      { 'aws:SourceIp': '2001:db8::1' },
    ),
  },
  {
    name: 'a range of all IPv4 addresses',
    reason: 'A CIDR prefix of 0 bits covers every address. RFC 4632, section 3.1',
    rewrite: (example) =>
      withConditions(example, (_operator, _key, values) =>
        values.flatMap((value) => (value === '0.0.0.0/0' ? ['0.0.0.0/1', '128.0.0.0/1'] : [value])),
      ),
    example: exampleOf(
      [
        {
          Effect: 'Allow',
          Principal: { AWS: ROLE },
          Action: 'sts:AssumeRole',
          Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } },
        },
      ],
      { 'aws:SourceIp': '203.0.113.7' },
    ),
  },
];

function canonical(example: Case): string {
  return JSON.stringify(example, (_key, value) => (Array.isArray(value) ? oneOrMany(value) : value));
}

/** The rows that touch a case, and what the simulator says of it in their terms. */
export function explain(example: Case): { readonly names: readonly string[]; readonly decision: Decision } {
  let rewritten = example;
  const names: string[] = [];
  for (const { name, rewrite } of DOCUMENTED_DIFFERENCES) {
    const next = rewrite(rewritten);
    if (canonical(next) !== canonical(rewritten)) names.push(name);
    rewritten = next;
  }
  return { names, decision: theirs(rewritten) };
}
