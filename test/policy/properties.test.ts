import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createScope, isSourceIdentity, parseSourceIdentity, scopePrefix } from '../../lib/identity/index.ts';
import {
  evaluateAssumeRole,
  listOf,
  type PolicyDocument,
  parsePolicyDocument,
  type Requester,
  renderTrustPolicy,
  type Statement,
} from '../../lib/policy/index.ts';
import { matchesPattern, patternOf } from '../../lib/policy/pattern.ts';
import { codeOf } from '../support/refusal.ts';
import { runs, SEED } from '../support/seed.ts';
import { type Case, cases, conditions, ours, ROLE, TARGET_ROLE } from './cases.ts';

const RUNS = { seed: SEED, numRuns: runs(60) };
/** Of what takes microseconds. */
const MANY = { seed: SEED, numRuns: runs(200) };

describe('a decision', () => {
  type Place = 'identity' | 'boundary' | 'service-control' | 'resource';

  /** The policies of a case, each with what puts another in its place. */
  function policiesOf(example: Case): readonly { place: Place; document: PolicyDocument; replace: Replace }[] {
    const { identity, boundary, levels, resource } = example;
    return [
      ...identity.map((document, index) => ({
        place: 'identity' as const,
        document,
        replace: (next: PolicyDocument) => ({ ...example, identity: identity.with(index, next) }),
      })),
      ...(boundary === undefined
        ? []
        : [
            {
              place: 'boundary' as const,
              document: boundary,
              replace: (next: PolicyDocument) => ({ ...example, boundary: next }),
            },
          ]),
      ...levels.flatMap((level, index) =>
        level.map((document, at) => ({
          place: 'service-control' as const,
          document,
          replace: (next: PolicyDocument) => ({ ...example, levels: levels.with(index, level.with(at, next)) }),
        })),
      ),
      { place: 'resource', document: resource, replace: (next) => ({ ...example, resource: next }) },
    ];
  }
  type Replace = (next: PolicyDocument) => Case;

  /** Every case in which one statement is replaced by these, or by none where others are left. */
  function replacing(
    example: Case,
    change: (statement: Statement, place: Place) => readonly Statement[] | undefined,
  ): Case[] {
    return policiesOf(example).flatMap(({ place, document, replace }) =>
      document.Statement.flatMap((statement, index) => {
        const next = change(statement, place);
        if (next === undefined) return [];
        const statements = document.Statement.toSpliced(index, 1, ...next);
        return statements.length === 0 ? [] : [replace({ ...document, Statement: statements })];
      }),
    );
  }

  const isAllowed = (example: Case): boolean => ours(example).decision === 'allow';

  /** Only what was allowed before is allowed afterwards, and the other way round. */
  function expectNoMore(before: Case, after: readonly Case[]): void {
    if (!isAllowed(before)) expect(after.filter(isAllowed)).toEqual([]);
  }
  function expectNoLess(before: Case, after: readonly Case[]): void {
    if (isAllowed(before)) expect(after.filter((example) => !isAllowed(example))).toEqual([]);
  }

  const withCondition = (statement: Statement, condition: Statement['Condition']): Statement | undefined => {
    const known = Object.keys(statement.Condition ?? {});
    const isNew = condition !== undefined && Object.keys(condition).every((operator) => !known.includes(operator));
    return isNew ? { ...statement, Condition: { ...statement.Condition, ...condition } } : undefined;
  };
  const conditioned = (effect: Statement['Effect'], condition: Statement['Condition']) => (statement: Statement) => {
    const next = statement.Effect === effect ? withCondition(statement, condition) : undefined;
    return next && [next];
  };

  test('allows no more with another Deny, with an Allow less, or with an Allow that has one condition more', () => {
    let allowed = 0;
    fc.assert(
      fc.property(cases, conditions, (example, condition) => {
        if (isAllowed(example)) allowed += 1;
        expectNoMore(
          example,
          replacing(example, (statement) => [statement, { ...statement, Effect: 'Deny' }]),
        );
        expectNoMore(
          example,
          replacing(example, ({ Effect }) => (Effect === 'Allow' ? [] : undefined)),
        );
        expectNoMore(example, replacing(example, conditioned('Allow', condition)));
      }),
      RUNS,
    );
    expect(allowed).toBeGreaterThan(RUNS.numRuns * 0.05);
  });

  test('allows no less with another Allow, with a Deny less, or with a Deny that has one condition more', () => {
    fc.assert(
      fc.property(cases, conditions, (example, condition) => {
        const allow = (statement: Statement): Statement => ({ ...statement, Effect: 'Allow' });
        expectNoLess(
          example,
          replacing(example, (statement) => [statement, allow(statement)]),
        );
        expectNoLess(
          example,
          replacing(example, ({ Effect }) => (Effect === 'Deny' ? [] : undefined)),
        );
        expectNoLess(example, replacing(example, conditioned('Deny', condition)));
      }),
      RUNS,
    );
  });

  test('allows no more with a principal, an action or a resource less, or with a permissions boundary or a service control policy', () => {
    const less = (statement: Statement): readonly Statement[] | undefined => {
      const { Principal, Action, Resource } = statement;
      const names = typeof Principal === 'object' ? listOf(Principal['AWS']) : [];
      if (names.length > 1) return [{ ...statement, Principal: { AWS: names.slice(1) } }];
      if (listOf(Action).length > 1) return [{ ...statement, Action: listOf(Action).slice(1) }];
      return listOf(Resource).length > 1 ? [{ ...statement, Resource: listOf(Resource).slice(1) }] : undefined;
    };
    fc.assert(
      fc.property(cases, (example) => {
        expectNoMore(
          example,
          replacing(example, (statement) => (statement.Effect === 'Allow' ? less(statement) : undefined)),
        );
        const [boundary] = example.identity;
        if (boundary === undefined) return;
        if (example.boundary === undefined) expectNoMore(example, [{ ...example, boundary }]);
        expectNoMore(example, [{ ...example, levels: [...example.levels, [boundary]] }]);
      }),
      RUNS,
    );
  });

  test('does not depend on the order of policies and statements', () => {
    fc.assert(
      fc.property(cases, (example) => {
        const reversed = (document: PolicyDocument) => ({ ...document, Statement: document.Statement.toReversed() });
        const turned = {
          ...example,
          identity: example.identity.map(reversed).reverse(),
          boundary: example.boundary && reversed(example.boundary),
          levels: example.levels.map((level) => level.map(reversed).reverse()).reverse(),
          resource: reversed(example.resource),
        };
        expect(ours(turned).decision).toBe(ours(example).decision);
      }),
      RUNS,
    );
  });
});

describe('a policy document', () => {
  const word = fc.constantFrom(
    ...['Version', '2012-10-17', 'Statement', 'Sid', 'Effect', 'Allow', 'Deny', 'Principal', 'NotPrincipal', 'AWS'],
    ...['Action', 'NotAction', 'Resource', 'Condition', 'StringLike', 'ForAllValues:StringLikeIfExists', 'Null'],
    ...['sts:SourceIdentity', 'sts:AssumeRole', '*', 'arn:aws:iam::111122223333:role/x', '${aws:username}', '${', ''],
    ...['__proto__', 'constructor', 'toString', 'DateLessThan', 'IpAddress', '10.0.0.0/8', 'true'],
  );
  const scalar = fc.oneof(word, fc.string({ unit: 'binary' }), fc.boolean(), fc.double(), fc.constant(null));
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fc.oneof(word, fc.string()), tie('json'), { maxKeys: 5 }),
    ),
  }));
  const REQUEST: Case['request'] = {
    requester: { kind: 'role-session', roleArn: ROLE, sessionName: 's1' },
    action: 'sts:AssumeRole',
    resource: TARGET_ROLE,
    context: { 'sts:SourceIdentity': 'agent.acme.s1' },
  };
  /** A document of the generated cases with one value somewhere replaced. */
  const damaged = fc.tuple(cases, fc.nat(30), json).map(([{ resource }, at, value]) => {
    let count = 0;
    const replace = (node: unknown): unknown => {
      if (count++ === at) return value;
      if (Array.isArray(node)) return node.map(replace);
      if (typeof node !== 'object' || node === null) return node;
      return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, replace(item)]));
    };
    return replace(resource);
  });

  test('is understood or refused with its code, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.oneof(json, damaged), (value) => {
        const text = JSON.stringify(value);
        // As it is read, so that a key may be __proto__.
        const read = (): PolicyDocument => parsePolicyDocument(JSON.parse(text));
        expect([undefined, 'PolicyNotUnderstood']).toContain(codeOf(read));
        if (codeOf(read) !== undefined) return;
        const document = read();
        expect(parsePolicyDocument(JSON.parse(JSON.stringify(document)))).toEqual(document);
        const decide = () =>
          ours({ request: REQUEST, identity: [], boundary: undefined, levels: [], resource: document });
        expect([undefined, 'PolicyNotUnderstood']).toContain(codeOf(decide));
      }),
      MANY,
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test('is refused with its code, however deeply it is nested', () => {
    const deep = JSON.parse(`${'['.repeat(60_000)}${']'.repeat(60_000)}`);
    for (const value of [deep, { Version: '2012-10-17', Statement: deep }]) {
      expect(codeOf(() => parsePolicyDocument(value))).toBe('PolicyNotUnderstood');
    }
  });
});

describe('a pattern', () => {
  /** Matches, and fails as soon as the pattern was looked at more often than it may be. */
  function matchesInTime(pattern: string, text: string): boolean {
    let looks = 2 * (pattern.length + 1) * (text.length + 1);
    const counted = new Proxy([...patternOf(pattern, true)], {
      get: (target, property, receiver) => {
        if (typeof property === 'string' && /^\d+$/.test(property)) looks -= 1;
        if (looks < 0) throw new Error('too many steps');
        return Reflect.get(target, property, receiver);
      },
    });
    return matchesPattern(counted, text);
  }

  test.each([
    ['*a'.repeat(50), 'a'.repeat(2000), true],
    [`${'*a'.repeat(50)}b`, 'a'.repeat(2000), false],
    [`${'a*'.repeat(50)}b`, 'a'.repeat(2000), false],
    [`${'*?'.repeat(50)}b`, 'a'.repeat(2000), false],
    [`${'*'.repeat(1000)}b`, 'a'.repeat(2000), false],
    [`*${'ab'.repeat(50)}c`, 'ab'.repeat(1000), false],
  ])('takes no more steps than its length times that of the text: %s', (pattern, text, matches) => {
    expect(matchesInTime(pattern, text)).toBe(matches);
  });

  test('matches what a regular expression of the same meaning matches', () => {
    const letter = fc.constantFrom('a', 'b', '.', '*', '?');
    const sample = fc.tuple(fc.string({ unit: letter, maxLength: 8 }), fc.string({ unit: letter, maxLength: 10 }));
    fc.assert(
      fc.property(sample, ([pattern, text]) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        expect(matchesInTime(pattern, text)).toBe(new RegExp(`^${source}$`).test(text));
      }),
      MANY,
    );
  });
});

describe('the trust policy of a scope', () => {
  const requester: Requester = { kind: 'role-session', roleArn: ROLE, sessionName: 'pod' };
  const identity = [
    {
      name: 'everything',
      document: parsePolicyDocument({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
      }),
    },
  ];

  const label = fc.constantFrom('acme', 'a', 'acme-2', 'agent', 'internal', '0');
  const workflow = fc.option(label, { nil: undefined });
  const scopes = fc.record({ tenant: label, workflow }).map((parts) => createScope(parts));
  const noise = fc.constantFrom('', '', '.', '..', '*', '?', '-2', ' ', '\n', '\u0430', 'A', '${aws:username}', 's1');
  /** Names near a scope's, near another's, and of any kind. */
  const namesNear = (prefix: string) =>
    fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(`${prefix}.s1`, `${prefix}.x`) },
      { weight: 4, arbitrary: fc.tuple(noise, noise, noise).map(([a, b, c]) => `${a}${prefix}${b}.s1${c}`) },
      {
        weight: 3,
        arbitrary: fc.tuple(label, workflow).map((parts) => ['agent', ...parts.filter(Boolean), 's1'].join('.')),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(undefined, '', prefix, `${prefix}.`, `internal.${prefix}.s1`, prefix.toUpperCase()),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 70 }) },
    );
  const attempts = scopes.chain((scope) => fc.tuple(fc.constant(scope), namesNear(scopePrefix(scope)), fc.boolean()));

  test.each(['free', 'bound'] as const)('admits names of the scope and no other: %s', (roleSessionName) => {
    const outcomes = { admitted: 0, refused: 0 };
    fc.assert(
      fc.property(attempts, ([scope, sourceIdentity, isInherited]) => {
        const document = renderTrustPolicy({ scope, principals: [ROLE], roleSessionName });
        const name = isInherited ? { inheritedSourceIdentity: sourceIdentity } : { sourceIdentity };
        const { allowed } = evaluateAssumeRole(
          { requester, roleArn: TARGET_ROLE, roleSessionName: sourceIdentity ?? 'pod', ...name },
          { identity, resource: { name: 'trust policy', document } },
        );
        outcomes[allowed ? 'admitted' : 'refused'] += 1;
        const prefix = `${scopePrefix(scope)}.`;
        const rest = sourceIdentity?.startsWith(prefix) ? sourceIdentity.slice(prefix.length) : '';
        expect(allowed).toBe(rest !== '' && !rest.includes('.'));
        // What parses is admitted by its own scope alone.
        if (sourceIdentity === undefined || !isSourceIdentity(sourceIdentity)) return;
        expect(allowed).toBe(scopePrefix(parseSourceIdentity(sourceIdentity)) === scopePrefix(scope));
      }),
      MANY,
    );
    expect(Math.min(outcomes.admitted, outcomes.refused)).toBeGreaterThan(MANY.numRuns * 0.05);
  });
});
