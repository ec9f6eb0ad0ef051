import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import { SESSION_DURATION_SECONDS } from '../../lib/identity/index.ts';
import { VARIABLES } from '../../lib/runtime/environment.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'runtime.md'), 'utf8');
describe('docs/runtime.md', () => {
  test('names every option and every variable', () => {
    const source = readFileSync(join(ROOT, 'lib', 'runtime', 'options.ts'), 'utf8');
    const [, body = ''] = /interface FromSessionBrokerOptions \{([\s\S]*?)^\}/m.exec(source) ?? [];
    const options = [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name);
    expect(options.length).toBeGreaterThan(10);
    for (const name of [...options, ...Object.values(VARIABLES)]) expect(page).toContain(`\`${name}\``);
  });

  test('gives the range of the duration', () => {
    const { min, max } = SESSION_DURATION_SECONDS;
    expect(page).toContain(`${min} to ${max}`);
  });

  test('names every code that the runtime throws, and no other', () => {
    const runtime = ['clients', 'endpoint', 'from-session-broker', 'options', 'resolve-role', 'assume', 'translate']
      .map((name) => readFileSync(join(ROOT, 'lib', 'runtime', `${name}.ts`), 'utf8'))
      .join('\n');
    const thrown = Object.keys(ERRORS).filter((code) => runtime.includes(`'${code}'`));
    const [, table = ''] = page.split('## Errors');
    const families = /^(?:Tenant|Workflow|Session|Cluster|Segment|Identity)/;
    for (const code of thrown.filter((name) => !families.test(name))) expect(table, code).toContain(`\`${code}\``);
    for (const [, code = ''] of table.matchAll(/^\| (`.*?) \|/gm)) {
      for (const [, name = ''] of code.matchAll(/`([A-Za-z]+)`/g)) expect(Object.keys(ERRORS)).toContain(name);
    }
  });
});
