import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SessionBrokerError } from '../../../lib/errors.ts';
import {
  type AssumeRoleAttempt,
  judgeTrust,
  type NamePattern,
  type PolicyDocument,
  policyDocument,
  type RequestContext,
  type TrustJudgement,
  type TrustWitness,
} from '../../../lib/policy/index.ts';
import { runs, SEED } from '../../support/seed.ts';
import type { Case } from '../cases.ts';
import { explain, theirs } from '../documented-differences.ts';
import { callsOf, named, namesOf, ROLE_ARN, trustPolicies } from './generated.ts';

// What the judge says is held against an evaluator that shares no code with ours. A disagreement is a fault of one of
// them, unless a row of the documented differences accounts for it. A run is repeated with
// SESSION_BROKER_SEED=<the seed that it printed>.

/** Policies per run. */
const RUNS = runs(400);

const EVERYTHING = policyDocument([{ Effect: 'Allow', Action: '*', Resource: '*' }]);

/** The IAM actions of a call, each with the condition keys that AWS documents for it. */
function casesOf(attempt: AssumeRoleAttempt, resource: PolicyDocument): readonly Case[] {
  const { operation = 'AssumeRole', requester, roleArn, roleSessionName, tags = {}, context = {} } = attempt;
  const { sourceIdentity, inheritedSourceIdentity = undefined, transitiveTagKeys = [] } = attempt;
  const name = sourceIdentity ?? inheritedSourceIdentity;
  const keys = Object.keys(tags);
  const ofSts = (isOfSts: boolean): RequestContext =>
    Object.fromEntries(Object.entries(context).filter(([key]) => /^sts:/i.test(key) === isOfSts));
  const everywhere = {
    ...ofSts(false),
    ...(inheritedSourceIdentity === undefined ? {} : { 'aws:SourceIdentity': inheritedSourceIdentity }),
  };
  const identity = name === undefined ? {} : { 'sts:SourceIdentity': name };
  const tagging = {
    ...Object.fromEntries(keys.map((key) => [`aws:RequestTag/${key}`, tags[key] ?? ''])),
    ...(keys.length === 0 ? {} : { 'aws:TagKeys': keys }),
    ...(transitiveTagKeys.length === 0 ? {} : { 'sts:TransitiveTagKeys': transitiveTagKeys }),
  };
  const decide = (action: string, ...parts: readonly RequestContext[]): Case => ({
    request: { requester, action, resource: roleArn, context: Object.assign({}, ...parts) as RequestContext },
    identity: requester.kind === 'role-session' || requester.kind === 'user' ? [EVERYTHING] : [],
    boundary: undefined,
    levels: [],
    resource,
  });
  return [
    decide(`sts:${operation}`, ofSts(true), everywhere, identity, tagging, { 'sts:RoleSessionName': roleSessionName }),
    ...(name === undefined ? [] : [decide('sts:SetSourceIdentity', everywhere, identity)]),
    ...(keys.length === 0 ? [] : [decide('sts:TagSession', everywhere, tagging)]),
  ];
}

/** Whether the independent evaluator lets a call in, with the documented differences where it is not expected to. */
function isLetIn(attempt: AssumeRoleAttempt, document: PolicyDocument, expected: boolean): boolean {
  return casesOf(attempt, document).every((example) => {
    const isAllowed = theirs(example) === 'allow';
    return isAllowed === expected ? isAllowed : explain(example).decision === 'allow';
  });
}

function matches({ operator, value }: NamePattern, name: string, { requester }: AssumeRoleAttempt): boolean {
  const userName = requester.kind === 'user' ? requester.userArn.replace(/^.*\//, '') : '<none>';
  const pattern = value.replaceAll('${aws:username}', userName);
  if (operator === 'StringEquals') return pattern === name;
  if (operator === 'StringEqualsIgnoreCase') return pattern.toLowerCase() === name.toLowerCase();
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${escaped}$`).test(name);
}

/** Requests of the small world that should not get in by what the judge says, and do. */
function* escapes({ required, pinned, ways }: TrustJudgement, document: PolicyDocument): Generator<AssumeRoleAttempt> {
  const patterns = ways.flatMap((way) => way.patterns);
  const names = namesOf(document);
  for (const [index, call] of callsOf(document).entries()) {
    if (required && isLetIn(call, document, false)) yield call;
    if (!pinned) continue;
    const foreign = names.filter((name) => !patterns.some((pattern) => matches(pattern, name, call)));
    // One name for each call, each name and each way to carry it in turn.
    const name = foreign[index % foreign.length];
    if (name === undefined) continue;
    const attempt = named(call, name, index % 3 === 0);
    if (isLetIn(attempt, document, false)) yield attempt;
  }
}

describe('the judge against an independent evaluator', () => {
  test(`is right about ${RUNS} generated trust policies`, () => {
    console.log(`differential test of the judge: SESSION_BROKER_SEED=${SEED}`);
    const outcomes: Record<string, number> = {};
    const count = (outcome: string): void => {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    };
    const judged = (document: PolicyDocument): TrustJudgement | undefined => {
      try {
        return judgeTrust(document, { roleArn: ROLE_ARN });
      } catch (error) {
        if (!(error instanceof SessionBrokerError)) throw error;
        count('refused');
        return undefined;
      }
    };
    fc.assert(
      fc.property(trustPolicies, (document) => {
        const judgement = judged(document);
        if (judgement === undefined) return;
        const { required, pinned, ways, witnesses } = judgement;
        // Every verdict against a way has a witness, but for what could be neither shown nor ruled out.
        const of = (kind: TrustWitness['kind']): number => witnesses.filter((witness) => witness.kind === kind).length;
        const against = ways.filter((way) => !way.required).length + ways.filter((way) => !way.pinned).length;
        const undecided = against - of('anonymous') - of('foreign');
        expect(undecided).toBeGreaterThanOrEqual(0);
        expect(required).toBe(of('anonymous') === 0);

        const verdict = ways.length === 0 ? 'nobody' : required ? 'required' : 'optional';
        count(`${verdict} ${pinned ? 'pinned' : 'any'}`);
        if (undecided > 0) count('not decided');
        for (const { attempt } of witnesses) {
          expect({ attempt, isLetIn: isLetIn(attempt, document, true) }).toEqual({ attempt, isLetIn: true });
        }
        expect([...escapes(judgement, document)]).toEqual([]);
      }),
      { seed: SEED, numRuns: RUNS },
    );
    console.log(`differential test of the judge: ${JSON.stringify(outcomes)}`);
    // A generator that only ever meets one outcome would prove nothing.
    const floors = { 'required pinned': 0.05, 'required any': 0.03, 'optional pinned': 0.08, 'optional any': 0.2 };
    for (const [outcome, share] of Object.entries(floors)) {
      expect(outcomes[outcome] ?? 0, outcome).toBeGreaterThan(RUNS * share);
    }
    for (const outcome of ['refused', 'not decided']) {
      expect(outcomes[outcome] ?? 0, outcome).toBeLessThan(RUNS * 0.01);
    }
  }, 300_000);
});
