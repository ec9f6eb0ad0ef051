import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../lib/config/parse.ts';
import { SessionBrokerError } from '../../lib/errors.ts';
import { SEED } from '../support/seed.ts';
import { ACCOUNT, TENANT_ROLE } from './fixtures.ts';

const RUNS = { seed: SEED, numRuns: 100 };

const word = fc.constantFrom(
  ...['clusters', 'hub', 'account', 'region', 'tenants', 'acme', 'tenantRole', 'attribution', 'statements', 'tags'],
  ...[
    'models',
    'inferenceProfiles',
    'chainTo',
    'eks',
    'kubernetesGroups',
    'Effect',
    'Action',
    'Condition',
    '__proto__',
  ],
  ...[
    'constructor',
    'toString',
    ACCOUNT,
    'us-west-2',
    TENANT_ROLE,
    'Allow',
    '*',
    'iam:*',
    'us.a.b',
    '',
    '<<',
    '&a',
    '*a',
  ],
);
const scalar = fc.oneof(word, fc.string(), fc.boolean(), fc.integer(), fc.constant(null), fc.double());
const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(word, fc.string()), tie('value'), { maxKeys: 5 }),
  ),
}));

/** A valid configuration with one value somewhere replaced. */
const damaged = fc.tuple(fc.nat(40), anyValue).map(([at, value]) => {
  const valid = {
    clusters: {
      hub: {
        account: ACCOUNT,
        region: 'us-west-2',
        rollout: 'general',
        eks: { clusterName: 'hub' },
        tags: { team: 'a' },
        tenants: {
          acme: {
            attribution: true,
            tenantRole: TENANT_ROLE,
            models: ['a.b'],
            inferenceProfiles: { 'us.a.b': ['us-east-1'] },
            chainTo: [`arn:aws:iam::${ACCOUNT}:role/reader`],
            statements: [
              {
                Effect: 'Allow',
                Action: ['s3:Get*'],
                Resource: '*',
                Condition: { Bool: { 'aws:SecureTransport': 'true' } },
              },
            ],
            managedPolicies: [`arn:aws:iam::${ACCOUNT}:policy/own`],
            eks: { kubernetesGroups: ['agents'] },
            tags: { tenant: 'acme' },
          },
        },
      },
    },
  };
  let count = 0;
  const replace = (node: unknown): unknown => {
    if (count++ === at) return value;
    if (Array.isArray(node)) return node.map(replace);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, replace(item)]));
  };
  return replace(valid);
});

function expectAnswer(text: string): void {
  const start = performance.now();
  try {
    expect(parseConfig(text, 'tenants.yaml').file).toBe('tenants.yaml');
  } catch (error) {
    if (!(error instanceof SessionBrokerError)) throw error;
    expect(error.code).toBe('ConfigInvalid');
    const faults = error.detail['faults'] as readonly { line: number; column: number; rule: string; fix: string }[];
    expect(faults.length).toBeGreaterThan(0);
    const lines = text.split('\n').length;
    for (const { line, column, rule, fix } of faults) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(rule).not.toBe('');
      expect(fix).not.toBe('');
    }
  }
  expect(performance.now() - start).toBeLessThan(2000);
}

describe('any file', () => {
  it('is a configuration or a list of faults, whatever values it holds', () => {
    fc.assert(
      fc.property(anyValue, (value) => expectAnswer(JSON.stringify(value))),
      RUNS,
    );
  });

  it('is a configuration or a list of faults, when one value of a valid one is replaced', () => {
    fc.assert(
      fc.property(damaged, (value) => expectAnswer(stringify(value))),
      RUNS,
    );
  });

  it('is a configuration or a list of faults, whatever text it is', () => {
    const line = fc.tuple(
      fc.nat(4),
      fc.oneof(word, fc.string()),
      fc.constantFrom(': ', ':', '', ' - ', ' &a ', ' *a'),
      scalar,
    );
    const text = fc
      .array(line, { maxLength: 12 })
      .map((lines) =>
        lines.map(([depth, key, colon, value]) => `${' '.repeat(depth * 2)}${key}${colon}${value}`).join('\n'),
      );
    fc.assert(fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), expectAnswer), RUNS);
  });
});
