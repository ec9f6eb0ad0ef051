import { beforeAll, describe, expect, test } from 'vitest';
import type { Demonstration } from '../../lib/cli/quickstart-demonstration.ts';
import { renderDemonstration } from '../../lib/cli/quickstart-text.ts';
import { type Ended, runCommand } from '../support/session-broker.ts';

describe('the quick start', () => {
  let ended: Ended;
  let shown: Demonstration;

  beforeAll(async () => {
    ended = await runCommand(['quickstart', '--json']);
    shown = JSON.parse(ended.stdout) as Demonstration;
  }, 30_000);

  test('succeeds, and shows its progress beside its answer', () => {
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toBe('synthesizing tenants.example.yaml with the CDK ...\n');
  });

  test('shows no key, no token and nothing that looks like one', () => {
    for (const shape of [/\b[A-Z]{4}[A-Z0-9]{16}\b/, /\beyJ/, /[A-Za-z0-9+/]{40,}={0,2}/]) {
      expect(ended.stdout + ended.stderr).not.toMatch(shape);
    }
  });

  test('shows a session that gets its name', () => {
    const { session, stacks } = shown;
    expect(stacks).toEqual(['SessionBroker-hub-acme']);
    expect(session).toMatchObject({
      tenant: 'acme',
      dispatcherRole: 'arn:aws:iam::111122223333:role/eks-agent-platform/tenants/hub-acme-tenant',
      sessionBrokerRole: 'arn:aws:iam::111122223333:role/session-broker/hub-acme-session',
    });
    expect(session.sourceIdentity).toMatch(/^agent\.acme\.[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(session.seen).toEqual([
      { eventName: 'AssumeRole', field: 'requestParameters.sourceIdentity', sourceIdentity: session.sourceIdentity },
      {
        eventName: 'GetCallerIdentity',
        field: 'userIdentity.sessionContext.sourceIdentity',
        sourceIdentity: session.sourceIdentity,
      },
    ]);
  });

  test('shows that it keeps the name down a role chain', () => {
    expect(shown.chain).toEqual({
      role: 'arn:aws:iam::111122223333:role/data/acme-documents-reader',
      seen: [
        {
          eventName: 'GetCallerIdentity',
          field: 'userIdentity.sessionContext.sourceIdentity',
          sourceIdentity: shown.session.sourceIdentity,
        },
      ],
    });
  });

  test('shows four refusals with their reasons', () => {
    const id = shown.session.sourceIdentity.split('.').at(-1);
    expect(shown.refusals.map(({ sourceIdentity, code }) => [sourceIdentity, code])).toEqual([
      [null, 'AccessDenied'],
      [`agent.globex.${id}`, 'AccessDenied'],
      [`agent.acme-2.${id}`, 'AccessDenied'],
      ['agent.acme.somebody-else', 'AccessDenied'],
    ]);
    const [first, second, third, fourth] = shown.refusals.map(({ reason }) => reason);
    expect(first).toContain('AssumeAsAgent needs sts:SourceIdentity like "agent.acme.?*", the request has none');
    expect(second).toContain(`the request has "agent.globex.${id}"`);
    expect(third).toContain(`the request has "agent.acme-2.${id}"`);
    expect(fourth).toContain('STS lets no session change its source identity');
  });

  test('shows that a tenant that is not opted in has nothing', () => {
    expect(shown.notOptedIn).toEqual({
      tenant: 'globex',
      code: 'ParameterAccessDenied',
      absentParameter: '/eks-agent-platform/hub/session-broker/globex/session_role_arn',
    });
  });

  test('says all of it in a screenful, with colour only where it is wanted', () => {
    const text = renderDemonstration(shown, false);
    expect(text.split('\n').length).toBeLessThanOrEqual(40);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(150);
    expect(text).not.toContain('\u001b');
    expect(renderDemonstration(shown, true)).toContain('\u001b[1m');
    for (const { tried, code } of shown.refusals) expect(text).toMatch(new RegExp(`✗ ${tried}.*${code}`));
  });
});
