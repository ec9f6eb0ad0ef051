import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createSessionIdentity,
  formatSourceIdentity,
  isSourceIdentity,
  parseCluster,
  parseIamPath,
  parseParameterPrefix,
  parsePolicyArn,
  parseRoleArn,
  parseSessionId,
  parseSourceIdentity,
  parseTenant,
  parseWorkflow,
  partitionOf,
} from '../../lib/identity/index.ts';
import { codeOf } from '../support/refusal.ts';
import { runs, SEED } from '../support/seed.ts';

const RUNS = { seed: SEED, numRuns: runs(300) };

/** What is nearly right, and what is made to slip through. */
const hostile = fc.string({
  unit: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...'agentcmes.-_019', 'agent.', 'internal.', 'acme', '.s1') },
    {
      weight: 2,
      arbitrary: fc.constantFrom(...'AZ:/*?+=,@ \t\r\n\0"\'\\', '${', '${aws:username}', '%2e', '\u0430', '\u200b'),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
  ),
  maxLength: 40,
});
const notText = fc.oneof(
  fc.constantFrom(undefined, null, true, 7, 5n, Symbol('agent.acme.s1')),
  hostile.map((text) => [text]),
  hostile.map((text) => ({ toString: () => text })),
  hostile.map((text) => new String(text)),
);

describe('a name is taken as it is or refused with its code, and never changed', () => {
  test.each<[string, (text: string) => string]>([
    ['tenant', parseTenant],
    ['workflow', parseWorkflow],
    ['cluster', parseCluster],
    ['session id', parseSessionId],
    ['parameter prefix', parseParameterPrefix],
    ['IAM path', parseIamPath],
    ['source identity', (text) => formatSourceIdentity(parseSourceIdentity(text))],
    ['role ARN', (text) => parseRoleArn(text).arn],
    ['policy ARN', (text) => parsePolicyArn(text).arn],
  ])('%s', (_, parse) => {
    fc.assert(
      fc.property(hostile, (text) => {
        if (codeOf(() => parse(text)) === undefined) expect(parse(text)).toBe(text);
      }),
      RUNS,
    );
  });

  test('Region', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect([undefined, 'RegionInvalid']).toContain(codeOf(() => partitionOf(text)));
      }),
      RUNS,
    );
  });
});

test('what is made of parts holds these parts, or the parts are refused', () => {
  const parts = fc.record({ tenant: hostile, workflow: fc.option(hostile, { nil: undefined }), session: hostile });
  const near = fc.record({
    tenant: fc.constantFrom('acme', 'a', 'acme.x', 'ACME', '', 'a'.repeat(60)),
    workflow: fc.constantFrom(undefined, 'billing', 'x.y', ''),
    session: fc.constantFrom('s1', 'S_1', 's.1', '', 's'.repeat(60), 's1\n'),
  });
  fc.assert(
    fc.property(fc.oneof(parts, near), (given) => {
      if (codeOf(() => createSessionIdentity(given)) !== undefined) return;
      const identity = createSessionIdentity(given);
      const { tenant, workflow, session } = given;
      expect(identity).toMatchObject({ trafficClass: 'agent', tenant, session });
      const name = ['agent', tenant, ...(workflow === undefined ? [] : [workflow]), session].join('.');
      expect(formatSourceIdentity(identity)).toBe(name);
      expect(parseSourceIdentity(name)).toEqual(identity);
      expect(name.length).toBeLessThanOrEqual(64);
    }),
    RUNS,
  );
});

test('what is no text is refused with a TypeError, and never turned into one', () => {
  fc.assert(
    fc.property(notText, (given) => {
      const text = given as string;
      for (const parse of [parseTenant, parseWorkflow, parseCluster, parseSessionId, parseSourceIdentity]) {
        expect(() => parse(text)).toThrow(TypeError);
      }
      expect(() => isSourceIdentity(text)).toThrow(TypeError);
      expect(() => createSessionIdentity({ tenant: text, session: 's1' })).toThrow(TypeError);
      expect(codeOf(() => parseRoleArn(text))).toBe('RoleArnInvalid');
      expect(codeOf(() => partitionOf(text))).toBe('RegionInvalid');
    }),
    { ...RUNS, numRuns: 50 },
  );
});
