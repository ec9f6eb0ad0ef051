import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml, stringify } from 'yaml';
import { parseConfig } from '../../lib/config/parse.ts';
import { SessionBrokerError } from '../../lib/errors.ts';
import { EVERYTHING } from '../support/configurations.ts';
import { everything } from '../support/everything.ts';
import { refusalOf } from '../support/refusal.ts';
import { runs, SEED } from '../support/seed.ts';
import { ACCOUNT, TENANT_ROLE } from './fixtures.ts';

const RUNS = { seed: SEED, numRuns: runs(50) };

const word = fc.constantFrom(
  ...['clusters', 'hub', 'account', 'region', 'tenants', 'acme', 'tenantRole', 'attribution', 'statements', 'tags'],
  ...[
    'models',
    'inferenceProfiles',
    'chainTo',
    'acknowledgeIdentityLoss',
    'action',
    'reason',
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

  it('is a configuration or a list of faults, when its text is damaged', () => {
    const piece = fc.oneof(
      fc.constantFrom(...'{}[],:&*!|>-#?@`%"\'\n\t ', '<<: ', '---\n', '!!js/function ', '\0'),
      word,
    );
    const damage = fc.tuple(fc.nat(EVERYTHING.length), fc.nat(40), piece);
    const text = fc
      .array(damage, { minLength: 1, maxLength: 3 })
      .map((damages) =>
        damages.reduce(
          (damaged, [at, length, inserted]) => damaged.slice(0, at) + inserted + damaged.slice(at + length),
          EVERYTHING,
        ),
      );
    fc.assert(fc.property(text, expectAnswer), { ...RUNS, numRuns: runs(25) });
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

describe('a secret has no place in a configuration', () => {
  const NAMES = /secret|passw|token|credential|private|access.?key|api.?key/i;
  const VALUE = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

  /** Every mapping whose keys are ours, by the path that leads to it. */
  const CLOSED = [
    [],
    ['clusters', 'hub'],
    ['clusters', 'hub', 'eks'],
    ['clusters', 'hub', 'tenants', 'acme'],
    ['clusters', 'hub', 'tenants', 'acme', 'eks'],
    ['clusters', 'hub', 'tenants', 'acme', 'statements', 0],
  ];

  const keys = [
    ...['secretAccessKey', 'accessKeyId', 'sessionToken', 'aws_secret_access_key', 'AWS_SECRET_ACCESS_KEY'],
    ...['password', 'token', 'credentials', 'apiKey', 'privateKey', 'webIdentityToken'],
  ];
  it.each(keys)('fails for the key %s, wherever it stands, without its value', (key) => {
    for (const path of CLOSED) {
      const given = parseYaml(EVERYTHING);
      const mapping = path.reduce((node, step) => node[step], given);
      mapping[key] = VALUE;
      const error = refusalOf(() => parseConfig(stringify(given), 'tenants.yaml'));
      expect(error.message).toContain(`key must be one of`);
      expect(error.message).toContain(JSON.stringify(key));
      expect(everything(error)).not.toContain(VALUE);
    }
  });

  it.each([
    ['a web-identity token', VALUE],
    ['a file of variables', `export AWS_SECRET_ACCESS_KEY=${VALUE}\nexport AWS_SESSION_TOKEN=${VALUE}\n`],
    ['a file of profiles', `[default]\naws_secret_access_key = ${VALUE}\n`],
    ['what AWS answers', JSON.stringify({ Credentials: { SecretAccessKey: VALUE } })],
    ['a kubeconfig', `clusters:\n- cluster:\n    token: ${VALUE}\nusers:\n- user:\n    token: ${VALUE}\n`],
  ])('is not repeated where another file was given: %s', (_, text) => {
    expect(everything(refusalOf(() => parseConfig(text, 'tenants.yaml')))).not.toContain(VALUE);
  });

  it('is asked for by no key of the schema', () => {
    const named: string[] = [];
    const visit = (schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null) return;
      const { properties = {} } = schema as { properties?: Readonly<Record<string, unknown>> };
      named.push(...Object.keys(properties));
      for (const child of Object.values(schema)) visit(child);
    };
    visit(JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'tenants.schema.json'), 'utf8')));
    expect(named).toContain('tenantRole');
    expect(named.filter((name) => NAMES.test(name))).toEqual([]);
  });
});
