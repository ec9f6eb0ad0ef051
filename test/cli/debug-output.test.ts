import { describe, expect, test } from 'vitest';
import { refuseDebugOutput } from '../../lib/cli/debug-output.ts';
import { codeOf, refusalOf } from '../support/refusal.ts';
import { runCommand } from '../support/session-broker.ts';

describe('a command under NODE_DEBUG', () => {
  test.each(['http', 'https', 'http2', 'net', 'tls', 'child_process'])('fails for %s', (part) => {
    const environment = { NODE_DEBUG: `fs,${part}` };
    expect(refusalOf(() => refuseDebugOutput({ environment }, (asked) => asked === part))).toMatchObject({
      code: 'UsageInvalid',
      message: `NODE_DEBUG must not name ${part}, by which Node writes session tokens to standard error: "fs,${part}"; unset it, or set it for the agent alone: session-broker exec ... -- env NODE_DEBUG=... COMMAND`,
    });
  });

  test('runs for what tells nothing, and without it', () => {
    expect(codeOf(() => refuseDebugOutput({ environment: {} }, (part) => part === 'fs'))).toBeUndefined();
    expect(codeOf(() => refuseDebugOutput({ environment: {} }))).toBeUndefined();
  });

  test('fails in a process before anything is sent', async () => {
    const environment = { NODE_DEBUG: 'H*P', AWS_REGION: 'us-west-2' };
    const { exitCode, stdout, stderr } = await runCommand(['env', '--tenant', 'acme', '--session', 's1'], {
      environment,
    });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^error: NODE_DEBUG must not name http, .*"H\*P".* \[UsageInvalid\]$/m);
  });
});
