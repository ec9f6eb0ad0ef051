import { describe, expect, test } from 'vitest';
import { FINDINGS, type FindingCode } from '../../lib/doctor/findings.ts';
import { isolateEnvironment } from '../runtime/support/isolation.ts';
import { SCENARIOS } from './scenarios.ts';
import { HEALTHY, World } from './world.ts';

isolateEnvironment();

describe('a healthy deployment', () => {
  test('gives a note and nothing else', async () => {
    const world = await World.start();
    const { findings, notChecked, tenants } = await world.report();
    expect(findings.map(({ code, severity }) => [code, severity])).toEqual([['NamesFree', 'note']]);
    expect(notChecked).toEqual([]);
    expect(tenants.map(({ tenant, optIn }) => [tenant, optIn])).toEqual([
      ['acme', 'in'],
      ['globex', 'never'],
    ]);
  });

  test('says of bound names what is not known of them', async () => {
    const world = await World.start(
      HEALTHY.replace('        models:', '        roleSessionName: bound\n        models:'),
    );
    const [note, ...others] = (await world.report()).findings;
    expect([note?.code, note?.severity, others]).toEqual(['NamesBound', 'note', []]);
    expect(note?.fix.configuration).toEqual({ path: 'clusters.hub.tenants.acme.roleSessionName', value: 'free' });
  });
});

describe('a finding', () => {
  test.each(SCENARIOS)('$code is the only one where $because, and its fix makes it go away', async (scenario) => {
    const { code, severity, yaml, arrange, spoil, owner, options, isByHand } = scenario;
    const world = await World.start(yaml, arrange, options);
    await spoil?.(world);

    const findings = await world.findings();
    expect(findings.map((found) => [found.code, found.severity, found.evidence])).toEqual([
      [code, severity, expect.any(String)],
    ]);
    expect(await world.offline()).toEqual(findings);

    await owner?.(world);
    for (const { fix } of findings) {
      if (isByHand) expect([fix.commands, fix.statements, fix.configuration]).toEqual([[], [], undefined]);
      else await world.apply(fix);
    }
    expect(await world.offline()).toEqual(isByHand ? findings : []);
  });

  /** Of which the files of this folder show that they come, and go, each for itself. */
  const SHOWN_ELSEWHERE: readonly (readonly [FindingCode, string])[] = [
    ['RegionNotEnabled', 'error'],
    ['CallerLacksAssumeRole', 'error'],
    ['NamesFree', 'note'],
    ['NamesBound', 'note'],
    ['ReadFailed', 'warning'],
  ];

  test('is shown here in each severity that it may have', () => {
    const shown = [...SCENARIOS.map(({ code, severity }) => [code, severity]), ...SHOWN_ELSEWHERE].map(String);
    const possible = Object.entries(FINDINGS).flatMap(([code, { severities }]) =>
      severities.map((severity) => String([code, severity])),
    );
    expect([...new Set(shown)].sort()).toEqual(possible.sort());
  });
});
