import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { brokerArns, brokerNames, createScope, DEFAULT_IAM_PATH } from '../../lib/identity/index.ts';
import { renderCallerPolicy, renderChainTrustPolicy } from '../../lib/policy/index.ts';
import { renderJsonSchema } from '../../scripts/json-schema.ts';
import { ACCOUNT } from './fixtures.ts';
import type { JsonSchema } from './json-schema.ts';

const TEXT = textOf('configuration.md');

function textOf(page: string): string {
  return readFileSync(join(import.meta.dirname, '../../docs', page), 'utf8');
}

function blocks(language: string, text = TEXT): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block = '']) => block);
}

/** The keys of a mapping and of the closed mappings in it, as a table shows them. */
function documentedKeys(schema: JsonSchema | undefined, prefix = ''): readonly string[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([key, value]) => [
    `${prefix}${key}`,
    ...documentedKeys(value, `${prefix}${key}.`),
  ]);
}

/** The first column of the table rows of a section. */
function rows(heading: string): readonly string[] {
  const [, section = ''] = TEXT.split(`${heading}\n`);
  const [own = ''] = section.split(/^##/m);
  return [...own.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, key = '']) => key),
  );
}

describe('docs/configuration.md', () => {
  const root: JsonSchema = JSON.parse(renderJsonSchema());
  const cluster = root.properties?.['clusters']?.additionalProperties as JsonSchema;
  const tenant = cluster.properties?.['tenants']?.additionalProperties as JsonSchema;
  const statement = tenant.properties?.['statements']?.items;

  it('has a row for every key and for no other', () => {
    expect(rows('## Clusters')).toEqual(documentedKeys(cluster).filter((key) => key !== 'eks'));
    expect(rows('## Tenants')).toEqual(documentedKeys(tenant));
    expect(rows('### Permissions')).toEqual(documentedKeys(statement));
  });

  it('shows YAML that is a valid configuration', () => {
    const examples = blocks('yaml');
    expect(examples.length).toBeGreaterThanOrEqual(5);
    for (const example of examples) expect(() => parseConfig(example, 'docs')).not.toThrow();
  });

  it('shows the policies that the owners of a tenant role in another account and of a chainTo role need', () => {
    const names = brokerNames({ cluster: 'hub', tenant: 'acme' });
    const place = { partition: 'aws', account: ACCOUNT, region: 'us-west-2', iamPath: DEFAULT_IAM_PATH } as const;
    const arns = brokerArns({ ...place, names });
    const rendered = [
      renderCallerPolicy([arns]),
      renderChainTrustPolicy(arns.roleArn, createScope({ tenant: 'acme' })),
    ];
    expect(blocks('json').map((block) => JSON.parse(block))).toEqual(rendered);
  });
});

describe('docs/laundering.md', () => {
  it('shows YAML that is a valid configuration', () => {
    const examples = blocks('yaml', textOf('laundering.md'));
    expect(examples).toHaveLength(1);
    for (const example of examples) expect(() => parseConfig(example, 'docs')).not.toThrow();
  });
});
