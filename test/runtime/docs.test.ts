import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../lib/errors.ts';
import { SESSION_DURATION_SECONDS } from '../../lib/identity/index.ts';
import { SESSION_POLICIES_LENGTH, SESSION_POLICY_ARNS } from '../../lib/identity/limits.ts';
import { VARIABLES } from '../../lib/runtime/environment.ts';
import { CALLS_PER_SECOND } from '../../lib/runtime/options.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'runtime.md'), 'utf8');
describe('docs/runtime.md', () => {
  test('names every option and every variable', () => {
    const source = readFileSync(join(ROOT, 'lib', 'runtime', 'options.ts'), 'utf8');
    const bodies = [...source.matchAll(/^(?:export )?interface (?:\w+)Options[^{]*\{\n([\s\S]*?)^\}/gm)];
    const options = bodies.flatMap(([, body = '']) => [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)]);
    expect(options.length).toBeGreaterThan(15);
    for (const name of [...options.map(([, name]) => name), ...Object.values(VARIABLES)])
      expect(page).toContain(`\`${name}\``);
  });

  test('gives the calls a second and the limits of session policies', () => {
    const { min, max, default: common } = CALLS_PER_SECOND;
    expect(page).toContain(`Calls of STS a second at most, ${min} to ${max}. | ${common} |`);
    expect(page).toContain(`${SESSION_POLICIES_LENGTH} characters`);
    expect(page).toContain(`up to ${SESSION_POLICY_ARNS} managed policies`);
  });

  test('gives the range of the duration', () => {
    const { min, max } = SESSION_DURATION_SECONDS;
    expect(page).toContain(`${min} to ${max}`);
  });

  test('names every code that the runtime throws, and no other', () => {
    const shared = ['failure', 'transport'].map((name) => join(ROOT, 'lib', 'sdk', `${name}.ts`));
    const own = readdirSync(join(ROOT, 'lib', 'runtime')).filter((name) => name.endsWith('.ts'));
    const files = [...shared, ...own.map((name) => join(ROOT, 'lib', 'runtime', name))];
    const runtime = files.map((file) => readFileSync(file, 'utf8')).join('\n');
    // AWS's names, which are codes of this package where a person's credentials ask.
    const foreign = ['AccessDenied', 'CredentialsRejected'];
    const thrown = Object.keys(ERRORS).filter((code) => runtime.includes(`'${code}'`) && !foreign.includes(code));
    const [, table = ''] = page.split('## Errors');
    const families = /^(?:Tenant|Workflow|Session|Cluster|Segment|Identity)/;
    for (const code of thrown.filter((name) => !families.test(name))) expect(table, code).toContain(`\`${code}\``);
    for (const [, code = ''] of table.matchAll(/^\| (`.*?) \|/gm)) {
      for (const [, name = ''] of code.matchAll(/`([A-Za-z]+)`/g)) expect(Object.keys(ERRORS)).toContain(name);
    }
  });
});
