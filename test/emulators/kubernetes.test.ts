import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { hasPythonTools, PYTHON } from './python-tools.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'examples', 'kubernetes');

/** Checks a resource against the schemas of Kubernetes and refuses a property that they do not have. */
const VALIDATE = `
import sys, yaml, kubernetes_validate
kubernetes_validate.validate(yaml.safe_load(sys.stdin), "1.37", strict=True)
`;

async function validate(resource: string): Promise<void> {
  const validation = promisify(execFile)(PYTHON, ['-c', VALIDATE]);
  validation.child.stdin?.end(resource);
  await validation;
}

describe.skipIf(!hasPythonTools)('by the schemas of Kubernetes', () => {
  test.each(['service-account.yaml', 'pod.yaml', 'verify.yaml'])('the example is right: %s', async (file) => {
    await validate(readFileSync(join(EXAMPLE, file), 'utf8'));
  });

  test.each([
    ['a property that is misspelt', /automountServiceAccountToken/, 'autoMountServiceAccountToken'],
    ['a value of another type', /runAsUser: 1000/, 'runAsUser: agent'],
  ])('it fails with %s', async (_, right, wrong) => {
    const pod = readFileSync(join(EXAMPLE, 'pod.yaml'), 'utf8');
    await expect(validate(pod.replace(right, wrong))).rejects.toThrow('ValidationError');
  });
});
