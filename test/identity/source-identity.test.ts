import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createScope,
  createSessionIdentity,
  formatSourceIdentity,
  isSourceIdentity,
  parseCluster,
  parseSessionId,
  parseSourceIdentity,
  parseTenant,
  parseWorkflow,
  type Scope,
  scopePatterns,
  scopePrefix,
  sessionBudget,
} from '../../lib/identity/index.ts';
import { invalidSourceIdentities, validSourceIdentities } from '../support/contracts.ts';
import { codeOf, refusalOf } from '../support/refusal.ts';

const ULID = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
const UUID = '3f2b8c1e-9d4a-4c57-8f0b-6a1e2d3c4b5a';

describe('a source identity of the contract', () => {
  test.each(validSourceIdentities)('parses into its parts and formats back: $sourceIdentity', (vector) => {
    const { sourceIdentity, ...parts } = vector;
    expect({ ...parseSourceIdentity(sourceIdentity) }).toEqual(parts);
    expect(formatSourceIdentity(parseSourceIdentity(sourceIdentity))).toBe(sourceIdentity);
    expect(formatSourceIdentity(createSessionIdentity(parts))).toBe(sourceIdentity);
    expect(isSourceIdentity(sourceIdentity)).toBe(true);
  });

  test.each(invalidSourceIdentities)('fails with $code: $why', ({ sourceIdentity, code }) => {
    expect(refusalOf(() => parseSourceIdentity(sourceIdentity)).code).toBe(code);
    expect(isSourceIdentity(sourceIdentity)).toBe(false);
  });
});

describe('the round trip', () => {
  const label = fc
    .stringMatching(/^[a-z0-9]([a-z0-9-]{0,12}[a-z0-9])?$/)
    .filter((text) => /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(text));
  const session = fc.stringMatching(/^[A-Za-z0-9_-]{1,28}$/);
  const parts = fc.oneof(
    fc.record({ trafficClass: fc.constant('agent' as const), tenant: label, session }),
    fc.record({ trafficClass: fc.constant('agent' as const), tenant: label, workflow: label, session }),
    fc.record({ trafficClass: fc.constant('internal' as const), tenant: label, session }),
  );

  test('holds from parts to text and back', () => {
    fc.assert(
      fc.property(parts, (given) => {
        fc.pre(formatLength(given) <= 64);
        const identity = createSessionIdentity(given);
        expect(parseSourceIdentity(formatSourceIdentity(identity))).toEqual(identity);
      }),
    );
  });

  test('holds from any text that parses, and any other text is refused with a code', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.stringMatching(/^(agent|internal|Agent)[.:][a-zA-Z0-9._*$\n-]{0,70}$/),
    );
    fc.assert(
      fc.property(anyText, (text) => {
        if (codeOf(() => parseSourceIdentity(text)) === undefined) {
          expect(formatSourceIdentity(parseSourceIdentity(text))).toBe(text);
        }
      }),
      { numRuns: 500 },
    );
  });

  function formatLength(given: { trafficClass: string; tenant: string; workflow?: string; session: string }): number {
    return [given.trafficClass, given.tenant, given.workflow, given.session]
      .filter((part) => part !== undefined)
      .join('.').length;
  }
});

describe('every code point from 0 to 255, at every position', () => {
  const sample = 'agent.ab-c.xy-z';
  const codePoints = Array.from({ length: 256 }, (_, codePoint) => String.fromCodePoint(codePoint));
  /** What the grammar says, stated again without the parser. */
  const grammar =
    /^(?=.{2,64}$)(?:agent\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)?|internal\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.[A-Za-z0-9_-]+$/;

  test('in place of a character is accepted exactly where the grammar has it', () => {
    for (let position = 0; position < sample.length; position++) {
      for (const character of codePoints) {
        const text = sample.slice(0, position) + character + sample.slice(position + 1);
        expect(isSourceIdentity(text), JSON.stringify(text)).toBe(grammar.test(text));
      }
    }
  });

  test('inserted is accepted exactly where the grammar has it', () => {
    for (let position = 0; position <= sample.length; position++) {
      for (const character of codePoints) {
        const text = sample.slice(0, position) + character + sample.slice(position);
        expect(isSourceIdentity(text), JSON.stringify(text)).toBe(grammar.test(text));
      }
    }
  });

  test('is accepted in a label and in a session id exactly where the alphabets have it', () => {
    for (const character of codePoints) {
      for (const [text, label, session] of [
        [character, /^[a-z0-9]$/, /^[A-Za-z0-9_-]$/],
        [`a${character}a`, /^a[a-z0-9-]a$/, /^a[A-Za-z0-9_-]a$/],
        [`a${character}`, /^a[a-z0-9]$/, /^a[A-Za-z0-9_-]$/],
        [`${character}a`, /^[a-z0-9]a$/, /^[A-Za-z0-9_-]a$/],
      ] as const) {
        for (const parse of [parseTenant, parseWorkflow, parseCluster]) {
          expect(codeOf(() => parse(text)) === undefined, JSON.stringify(text)).toBe(label.test(text));
        }
        expect(codeOf(() => parseSessionId(text)) === undefined, JSON.stringify(text)).toBe(session.test(text));
      }
    }
  });
});

describe('a refusal', () => {
  test.each([
    [
      'agent:acme:s1',
      'source identity must not contain ":", which STS does not accept: "agent:acme:s1"; write "agent.acme.s1"',
    ],
    [
      'AGENT:ACME:s1',
      'source identity must not contain ":", which STS does not accept: "AGENT:ACME:s1"; the form is agent.<tenant>[.<workflow>].<session> or internal.<tenant>.<session>',
    ],
    [
      'agent.acme.s1:',
      'source identity must not contain ":", which STS does not accept: "agent.acme.s1:"; the form is agent.<tenant>[.<workflow>].<session> or internal.<tenant>.<session>',
    ],
    [
      'arn:x',
      'source identity must not contain ":", which STS does not accept: "arn:x"; the form is agent.<tenant>[.<workflow>].<session> or internal.<tenant>.<session>',
    ],
    [
      `agent.acme.${UUID}${UUID}`,
      `session id must have at most 53 characters, which is what "agent.acme" leaves of the 64 of a source identity: "${UUID}${UUID}" has 72; choose a shorter one, it is never cut`,
    ],
    [
      `agent.${'h'.repeat(57)}.x`,
      `"agent.${'h'.repeat(57)}" has 63 characters and leaves no room for "." and a session id in the 64 of a source identity; choose a shorter tenant, it is never cut`,
    ],
    [
      'agent.Acme.s1',
      'tenant must be a lower-case DNS label (a-z, 0-9 and "-", beginning and ending with a letter or digit), at most 63 characters: "Acme"; correct it where it is set, it is never rewritten',
    ],
    [
      'agent.acme.s1\n',
      'source identity must not contain a line break; strip the one that a shell or a file added: "agent.acme.s1\\n"',
    ],
    [
      'agent.\u0430cme.s1',
      'source identity must be ASCII; retype the letter that only looks like one: "agent.\\u0430cme.s1"',
    ],
    [
      'user.acme.s1',
      'source identity must begin with "agent." or "internal.", in lower case: "user.acme.s1"; the form is agent.<tenant>[.<workflow>].<session> or internal.<tenant>.<session>',
    ],
  ])('names what was given, the rule and the remedy: %j', (text, message) => {
    expect(refusalOf(() => parseSourceIdentity(text)).message).toBe(message);
  });

  test('carries the budget as data', () => {
    const refusal = refusalOf(() => createSessionIdentity({ tenant: 'b'.repeat(22), session: UUID }));
    expect(refusal.code).toBe('IdentityTooLong');
    expect(refusal.detail).toEqual({ budget: 35, length: 36 });
  });

  test('names the dot in a segment', () => {
    for (const parts of [
      { tenant: 'ac.me', session: 's1' },
      { tenant: 'acme', workflow: 'bil.ling', session: 's1' },
      { tenant: 'acme', session: 's.1' },
    ]) {
      expect(refusalOf(() => createSessionIdentity(parts)).code).toBe('SegmentDot');
    }
    expect(refusalOf(() => parseTenant('ac.me')).message).toBe(
      'tenant must not contain a dot, which separates the segments of a source identity: "ac.me"; use "-" instead',
    );
  });

  test('does not repeat a very long text in full', () => {
    const { message } = refusalOf(() => parseSourceIdentity(`agent.acme.${'x'.repeat(100_000)}`));
    expect(message.length).toBeLessThan(400);
  });

  test('is a TypeError when the program gave no string', () => {
    for (const value of [undefined, null, 5, {}, ['agent.acme.s1']]) {
      expect(() => parseSourceIdentity(value as string)).toThrow(TypeError);
      expect(() => createSessionIdentity({ tenant: value as string, session: 's1' })).toThrow(TypeError);
    }
  });

  test('is a TypeError when the program gave a class that does not exist', () => {
    expect(() => createScope({ trafficClass: 'user' as 'agent', tenant: 'acme' })).toThrow(TypeError);
  });
});

describe('a scope', () => {
  test.each([
    [{ tenant: 'acme' }, { stringLike: 'agent.acme.?*', stringNotLike: 'agent.acme.*.*' }],
    [
      { tenant: 'acme', workflow: 'billing' },
      { stringLike: 'agent.acme.billing.?*', stringNotLike: 'agent.acme.billing.*.*' },
    ],
    [
      { trafficClass: 'internal' as const, tenant: 'acme' },
      { stringLike: 'internal.acme.?*', stringNotLike: 'internal.acme.*.*' },
    ],
  ])('has two condition values: %j', (parts, patterns) => {
    expect(scopePatterns(createScope(parts))).toEqual(patterns);
  });

  test.each([
    ['a tenant with a ULID', { tenant: 'a'.repeat(31) }, ULID],
    ['a tenant with a UUID', { tenant: 'a'.repeat(21) }, UUID],
    ['tenant and workflow with a ULID', { tenant: 'a'.repeat(15), workflow: 'b'.repeat(15) }, ULID],
    ['an internal tenant with a ULID', { trafficClass: 'internal' as const, tenant: 'a'.repeat(28) }, ULID],
  ])('leaves exactly enough for %s', (_, parts, session) => {
    expect(sessionBudget(createScope(parts))).toBe(session.length);
    expect(formatSourceIdentity(createSessionIdentity({ ...parts, session }))).toHaveLength(64);
    const longer = { ...parts, tenant: `${parts.tenant}a`, session };
    expect(refusalOf(() => createSessionIdentity(longer)).code).toBe('IdentityTooLong');
  });

  test('fails for a workflow under internal', () => {
    expect(refusalOf(() => createScope({ trafficClass: 'internal', tenant: 'acme', workflow: 'x' })).code).toBe(
      'IdentitySegments',
    );
  });

  test.each(validSourceIdentities)('admits its own names and no other scope: $sourceIdentity', (vector) => {
    const identity = parseSourceIdentity(vector.sourceIdentity);
    const admitting = validSourceIdentities
      .map((other): Scope => parseSourceIdentity(other.sourceIdentity))
      .filter((scope) => admits(scope, vector.sourceIdentity))
      .map(scopePrefix);
    expect(new Set(admitting)).toEqual(new Set([scopePrefix(identity)]));
  });

  /** What IAM does with the two patterns, by the letter of its documentation. */
  function admits(scope: Scope, value: string): boolean {
    const { stringLike, stringNotLike } = scopePatterns(scope);
    const like = (pattern: string): boolean =>
      new RegExp(`^${pattern.replace(/[.]/g, '\\.').replaceAll('?', '.').replaceAll('*', '.*')}$`, 's').test(value);
    return like(stringLike) && !like(stringNotLike);
  }
});

test('a parsed name cannot be changed', () => {
  const identity = parseSourceIdentity('agent.acme.s1');
  expect(() => Object.assign(identity, { tenant: 'globex' })).toThrow(TypeError);
});
