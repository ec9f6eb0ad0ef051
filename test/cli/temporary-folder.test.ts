import { existsSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../lib/cli/temporary-folder.ts';
import { rejectionOf } from '../support/refusal.ts';

test('a temporary folder is there until it is disposed of', async () => {
  const folder = await temporaryFolder();
  expect(existsSync(folder.path)).toBe(true);
  await folder[Symbol.asyncDispose]();
  expect(existsSync(folder.path)).toBe(false);
});

test('fails where none can be made, and says what to set', async () => {
  vi.stubEnv('TMPDIR', '/dev/null/nowhere');
  const refusal = await rejectionOf(temporaryFolder());
  vi.unstubAllEnvs();
  expect(refusal.code).toBe('UsageInvalid');
  expect(refusal.message).toBe(
    'temporary folder must be writable: "/dev/null/nowhere" is not; set TMPDIR to one that is',
  );
});
