import { afterEach, beforeEach, vi } from 'vitest';

/** Nothing of the machine's own AWS settings reaches a test of the file that calls this. */
export function isolateEnvironment(): void {
  beforeEach(() => {
    for (const name of Object.keys(process.env)) {
      if (/^(?:AWS|SESSION_BROKER|FAB)_/.test(name)) vi.stubEnv(name, undefined);
    }
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });
}
