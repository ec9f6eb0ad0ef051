import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../local/fixture.ts';
import { EVERYTHING } from '../support/configurations.ts';
import { synthesize, type Templates } from '../support/synthesize.ts';
import { cfnLint, hasPythonTools } from './python-tools.ts';

const EXAMPLE = readFileSync(join(import.meta.dirname, '..', '..', 'tenants.example.yaml'), 'utf8');

test.skipIf(!hasPythonTools)('cfn-lint finds nothing in the templates, and finds what is broken in one', async () => {
  const folder = temporaryFolder();
  const write = (templates: Templates, prefix: string): readonly string[] =>
    // CDK deletes the stack of a template without resources, and hands nothing to CloudFormation.
    [...templates]
      .filter(([, { Resources }]) => Resources !== undefined)
      .map(([stack, template]) => {
        const file = join(folder, `${prefix}-${stack}.template.json`);
        writeFileSync(file, JSON.stringify(template));
        return file;
      });
  const sound = [...write(synthesize(EXAMPLE), 'example'), ...write(synthesize(EVERYTHING), 'everything')];
  const broken = join(folder, 'broken.template.json');
  writeFileSync(
    broken,
    readFileSync(sound[0] ?? '', 'utf8').replace('"MaxSessionDuration":3600', '"MaxSessionDuration":60'),
  );
  expect(sound).toHaveLength(3);

  expect(await cfnLint('us-west-2', [...sound, broken])).toEqual([
    { file: broken, rule: 'E3034', message: '60 is less than the minimum of 3600' },
  ]);
});
