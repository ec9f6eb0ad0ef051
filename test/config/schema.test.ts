import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { renderJsonSchema, SCHEMA_FILE } from '../../scripts/json-schema.ts';
import { cluster, optedIn, tenant } from './fixtures.ts';
import { accepts, type JsonSchema } from './json-schema.ts';

const ROOT = join(import.meta.dirname, '../..');
const SCHEMA: JsonSchema & { $schema?: string } = JSON.parse(renderJsonSchema());

/** Every schema of a key, with the key's path. */
function keys(schema: JsonSchema, path = ''): readonly (readonly [string, JsonSchema & Record<string, unknown>])[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
    [`${path}${key}`, value as JsonSchema & Record<string, unknown>] as const,
    ...keys(value, `${path}${key}.`),
  ]);
  const rest = typeof schema.additionalProperties === 'object' ? keys(schema.additionalProperties, `${path}*.`) : [];
  return [...own, ...rest, ...(schema.items === undefined ? [] : keys(schema.items, `${path}[].`))];
}

describe('the JSON Schema', () => {
  it('is committed as it is generated; npm run schema writes it', () => {
    expect(readFileSync(join(ROOT, SCHEMA_FILE), 'utf8')).toBe(renderJsonSchema());
  });

  it('is named by the first line of the example', () => {
    const [first] = readFileSync(join(ROOT, 'tenants.example.yaml'), 'utf8').split('\n');
    expect(first).toBe(`# yaml-language-server: $schema=./${SCHEMA_FILE}`);
  });

  it('is draft-07, which editors read', () => {
    expect(SCHEMA.$schema).toBe('http://json-schema.org/draft-07/schema#');
  });

  it('describes every key, and shows a default or names it', () => {
    const all = keys(SCHEMA);
    expect(all.map(([path]) => path)).toEqual([
      'clusters',
      ...[
        'account',
        'region',
        'rollout',
        'parameterPrefix',
        'iamPath',
        'permissionsBoundary',
        'eks',
        'eks.clusterName',
        'terminationProtection',
        'tags',
        'tenants',
        ...[
          'attribution',
          'tenantRole',
          'models',
          'inferenceProfiles',
          'roleSessionName',
          'chainTo',
          'statements',
          ...['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'].map(
            (key) => `statements.[].${key}`,
          ),
          'managedPolicies',
          'acknowledgeIdentityLoss',
          'acknowledgeIdentityLoss.[].action',
          'acknowledgeIdentityLoss.[].reason',
          'eks',
          'eks.kubernetesGroups',
          'callerPolicy',
          'tags',
        ].map((key) => `tenants.*.${key}`),
      ].map((key) => `clusters.*.${key}`),
    ]);
    expect(all.filter(([, { description }]) => typeof description !== 'string')).toEqual([]);
  });

  it('gives every key a default that is not required and has a value', () => {
    const defaults = keys(SCHEMA).flatMap(([path, { default: value }]) => (value === undefined ? [] : [[path, value]]));
    expect(Object.fromEntries(defaults)).toEqual({
      'clusters.*.rollout': 'pilot',
      'clusters.*.parameterPrefix': '/eks-agent-platform',
      'clusters.*.iamPath': '/session-broker/',
      'clusters.*.terminationProtection': false,
      'clusters.*.tags': {},
      'clusters.*.tenants': {},
      'clusters.*.tenants.*.models': [],
      'clusters.*.tenants.*.inferenceProfiles': {},
      'clusters.*.tenants.*.roleSessionName': 'free',
      'clusters.*.tenants.*.chainTo': [],
      'clusters.*.tenants.*.statements': [],
      'clusters.*.tenants.*.managedPolicies': [],
      'clusters.*.tenants.*.acknowledgeIdentityLoss': [],
      'clusters.*.tenants.*.eks.kubernetesGroups': [],
      'clusters.*.tenants.*.callerPolicy': 'attach',
      'clusters.*.tenants.*.tags': {},
    });
  });

  it('accepts the example', () => {
    expect(accepts(SCHEMA, parseYaml(readFileSync(join(ROOT, 'tenants.example.yaml'), 'utf8')))).toBe(true);
  });

  it('accepts every form of a statement', () => {
    const statements = [{ Effect: 'Allow', Action: ['a:B'], Resource: '*', Condition: { Bool: { k: ['true'] } } }];
    expect(accepts(SCHEMA, { clusters: { hub: cluster({ acme: optedIn({ statements }) }) } })).toBe(true);
  });

  it.each([
    ['no clusters', {}],
    ['an unknown key at the top', { clusters: {}, tenants: {} }],
    ['a list of clusters', { clusters: [] }],
    ['an unknown key of a cluster', { clusters: { hub: cluster({}, { rollot: 'pilot' }) } }],
    ['an account that is a number', { clusters: { hub: cluster({}, { account: 111122223333 }) } }],
    ['a missing Region', { clusters: { hub: { account: '111122223333' } } }],
    ['an unknown rollout', { clusters: { hub: cluster({}, { rollout: 'all' }) } }],
    ['an unknown key of a tenant', { clusters: { hub: cluster({ acme: tenant({ chain: [] }) }) } }],
    ['a missing tenant role', { clusters: { hub: cluster({ acme: {} }) } }],
    ['an attribution that is a text', { clusters: { hub: cluster({ acme: tenant({ attribution: 'yes' }) }) } }],
    ['a lone model', { clusters: { hub: cluster({ acme: tenant({ models: 'a.b' }) }) } }],
    [
      'a principal',
      { clusters: { hub: cluster({ acme: tenant({ statements: [{ Effect: 'Deny', Principal: '*' }] }) }) } },
    ],
    [
      'an effect in other case',
      { clusters: { hub: cluster({ acme: tenant({ statements: [{ Effect: 'allow' }] }) }) } },
    ],
  ])('fails %s', (_name, document) => {
    expect(accepts(SCHEMA, document)).toBe(false);
  });
});
