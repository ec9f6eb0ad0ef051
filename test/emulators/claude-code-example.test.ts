import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/parse.ts';
import { assumedIdentities, commandOf, dispatcherInPod, EXAMPLES } from '../examples/dispatcher.ts';
import { startFixture, temporaryFolder } from '../local/fixture.ts';

const EXAMPLE = join(EXAMPLES, 'claude-code');
const SESSION = '01K9ZQ4T5N8XV2M7B3C6D1E0FG';
const run = promisify(execFile);

const settings = JSON.parse(readFileSync(join(EXAMPLE, 'managed-settings.json'), 'utf8')) as {
  readonly awsCredentialExport: string;
  readonly env: Readonly<Record<string, string>>;
};

test('awsCredentialExport of the managed settings prints what Claude Code documents', async () => {
  const account = await startFixture();

  const { stdout, stderr } = await run('sh', ['-c', settings.awsCredentialExport], {
    env: { ...dispatcherInPod(account, temporaryFolder()), ...settings.env, AGENT_SESSION: SESSION },
  });

  const printed = JSON.parse(stdout);
  expect(printed).toEqual({
    Credentials: {
      AccessKeyId: expect.stringMatching(/^ASIA\w+$/),
      SecretAccessKey: expect.stringMatching(/./),
      SessionToken: expect.stringMatching(/./),
      Expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    },
  });
  expect(Date.parse(printed.Credentials.Expiration)).toBeGreaterThan(Date.now());
  expect(stderr).toBe('');
  expect(assumedIdentities(account)).toEqual([`agent.acme.${SESSION}`]);
});

test('claude.sh starts claude with the session as the one source of its credentials', async () => {
  const account = await startFixture();
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'claude'), CLAUDE, { mode: 0o755 });

  const { stdout } = await run('sh', ['-c', commandOf('claude-code')], {
    cwd: EXAMPLE,
    env: dispatcherInPod(account, folder),
  });

  const { args, environment, answer } = JSON.parse(stdout);
  expect(args).toEqual(['-p', 'say hello']);
  expect(answer).toMatchObject({ AccessKeyId: expect.stringMatching(/^ASIA/), Token: expect.any(String) });
  expect(environment).toMatchObject({ CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-west-2' });
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_ARN']) {
    expect(environment).not.toHaveProperty(name);
  }
  expect(assumedIdentities(account)).toEqual([`agent.acme.${SESSION}`]);
});

test('both ways ask for models that the example configuration allows', () => {
  const config = parseConfig(
    readFileSync(join(EXAMPLES, '..', 'tenants.example.yaml'), 'utf8'),
    'tenants.example.yaml',
  );
  const [profile] = Object.keys(config.clusters[0]?.tenants[0]?.inferenceProfiles ?? {});

  expect(settings.env).toMatchObject({ ANTHROPIC_MODEL: profile, ANTHROPIC_DEFAULT_HAIKU_MODEL: profile });
  expect(readFileSync(join(EXAMPLE, 'claude.sh'), 'utf8')).toContain(`ANTHROPIC_MODEL=${profile}\n`);
});

/** Stands in for Claude Code: prints its arguments, its environment, and what the credentials endpoint answers. */
const CLAUDE = `#!${process.execPath}
const { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile } = process.env;
const token = require('node:fs').readFileSync(tokenFile, 'utf8');
fetch(uri, { headers: { Authorization: token } }).then(async (response) => {
  const answer = await response.json();
  console.log(JSON.stringify({ args: process.argv.slice(2), environment: process.env, answer }));
});
`;
