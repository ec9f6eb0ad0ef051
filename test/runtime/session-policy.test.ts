import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, test } from 'vitest';
import { fromSessionBroker } from '../../lib/runtime/index.ts';
import { createSessionScope, type SessionScope, scopeKey } from '../../lib/runtime/session-policy.ts';
import { ACME_PARAMETER, ACME_ROLE, DATA_ROLE, REGION, REMOTE_ROLE, startFixture } from '../local/fixture.ts';
import { refusalOf } from '../support/refusal.ts';
import { isolateEnvironment } from './support/isolation.ts';

isolateEnvironment();

const STATEMENT = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
const DOCUMENT = { Version: '2012-10-17', Statement: [STATEMENT] };
const ARN = 'arn:aws:iam::111122223333:policy/agents/read-only';

/** A policy with one statement that is another than the good one by these elements. */
const policyWith = (elements: object) => ({ Version: '2012-10-17', Statement: [{ ...STATEMENT, ...elements }] });

/** A policy of exactly so many characters. */
const policyOf = (length: number): string => {
  const empty = JSON.stringify(policyWith({ Sid: '' }));
  return JSON.stringify(policyWith({ Sid: 'x'.repeat(length - empty.length) }));
};

/** What is said against a text, or nothing. */
const faultOf = (policy: string): string => {
  try {
    createSessionScope({ policy });
    return '';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the session policies', () => {
  test('are none if none are given', () => {
    expect(createSessionScope({})).toStrictEqual({});
    expect(createSessionScope({ policy: undefined, policyArns: undefined })).toStrictEqual({});
  });

  test('keep a text character by character', () => {
    const policy = `\t{\r\n "Statement": ${JSON.stringify([STATEMENT])}, "Version" : "2012-10-17" }\n`;
    expect(createSessionScope({ policy })).toStrictEqual({ policy });
  });

  test('hold a document as JSON, which is left as it was and may change later', () => {
    const document = structuredClone(DOCUMENT);
    const scope = createSessionScope({ policy: document });
    expect(document).toStrictEqual(DOCUMENT);
    document.Statement = [];
    expect(scope).toStrictEqual({ policy: JSON.stringify(DOCUMENT) });
  });

  test('hold what a document is written as at the one time that it is written', () => {
    let writes = 0;
    const policy = {
      toJSON: () => {
        writes += 1;
        return writes === 1 ? DOCUMENT : {};
      },
    };
    expect(createSessionScope({ policy })).toStrictEqual({ policy: JSON.stringify(DOCUMENT) });
    expect(writes).toBe(1);
  });

  test('hold managed policies in the order given, in a list of their own', () => {
    const policyArns = [
      ARN,
      'arn:aws:iam::aws:policy/ReadOnlyAccess',
      'arn:aws-cn:iam::aws:policy/job-function/Billing',
    ];
    const scope = createSessionScope({ policyArns });
    expect(scope).toStrictEqual({ policyArns: [...policyArns] });
    policyArns.pop();
    expect(scope.policyArns).toHaveLength(3);
  });

  test('cannot be changed', () => {
    const scope = createSessionScope({ policy: DOCUMENT, policyArns: [ARN] });
    expect([Object.isFrozen(scope), Object.isFrozen(scope.policyArns)]).toEqual([true, true]);
  });

  test.each([
    ['a lone statement', { Version: '2012-10-17', Statement: STATEMENT }],
    [
      'negated elements',
      policyWith({ Action: undefined, NotAction: 'iam:*', Resource: undefined, NotResource: ['x'] }),
    ],
    ['conditions', policyWith({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': false } } })],
    ['a condition operator that nobody has heard of', policyWith({ Condition: { NewOperator: { 'aws:x': 'y' } } })],
    ['the last character that STS takes', policyWith({ Sid: 'ÿ' })],
  ])('may have %s', (_, policy) => {
    expect(createSessionScope({ policy }).policy).toBe(JSON.stringify(policy));
  });

  test('may fill what STS takes to the last character, ARNs included', () => {
    expect(createSessionScope({ policy: policyOf(2048) }).policy).toHaveLength(2048);
    const scope = createSessionScope({ policy: policyOf(2048 - ARN.length), policyArns: [ARN] });
    expect(`${scope.policy}${scope.policyArns?.join('')}`).toHaveLength(2048);
  });

  test('may be ten managed policies', () => {
    const policyArns = Array.from({ length: 10 }, (_, index) => `${ARN}-${index}`);
    expect(createSessionScope({ policyArns }).policyArns).toHaveLength(10);
  });
});

describe('the session policies fail', () => {
  test.each([
    ['for a number', { policy: 5 }, 'policy must be the JSON text of a policy, or a policy document'],
    ['for null', { policy: null }, 'policy must be the JSON text of a policy, or a policy document'],
    ['for what JSON cannot hold', { policy: { Version: 1n } }, 'policy must be a document that JSON can hold'],
    ['for an ARN without a list', { policyArns: ARN }, 'policyArns must be a list of ARNs'],
  ])('%s, by a TypeError', (_, given, message) => {
    expect(() => createSessionScope(given as never)).toThrow(new TypeError(message));
  });

  test.each([
    ['', 'session policy must be the JSON text of a policy: ""; give the policy itself, not the name of its file'],
    [
      'policy.json',
      'session policy must be the JSON text of a policy: "policy.json"; give the policy itself, not the name of its file',
    ],
    ['null', 'session policy: a policy must be a JSON object: null'],
    [[], 'session policy: a policy must be a JSON object: []'],
    [
      { Statement: [STATEMENT] },
      'session policy: Version must be "2012-10-17": it is missing; write it out, in the older version policy variables are plain text',
    ],
    [{ Version: '2012-10-17' }, 'session policy, statement 1: a statement must be a JSON object: undefined'],
    [{ Version: '2012-10-17', Statement: [] }, 'session policy: Statement must have at least one statement'],
    [policyWith({ Action: undefined }), 'session policy, statement 1: must have Action or NotAction'],
    [policyWith({ Resource: undefined }), 'session policy, statement 1: must have Resource or NotResource'],
    [
      policyWith({ Sid: 'Read', Principal: '*' }),
      'session policy, Read: must not name a principal, it holds for the session alone; remove it',
    ],
    [
      policyWith({ NotPrincipal: { AWS: '111122223333' } }),
      'session policy, statement 1: must not name a principal, it holds for the session alone; remove it',
    ],
    [
      policyWith({ Sid: 'Ā' }),
      'session policy must be of the characters U+0020 to U+00FF, tab and line breaks: it has "\\u0100"; write it as a JSON escape in the text of the policy',
    ],
    [
      '\f{}',
      'session policy must be of the characters U+0020 to U+00FF, tab and line breaks: it has "\\f"; write it as a JSON escape in the text of the policy',
    ],
  ])('for the inline policy %j', (policy, message) => {
    expect(refusalOf(() => createSessionScope({ policy }))).toMatchObject({ code: 'SessionPolicyInvalid', message });
  });

  test('for every character that STS does not take, and for no other', () => {
    const codes = Array.from({ length: 0x120 }, (_, code) => code);
    const refused = codes.filter((code) => {
      const text = `${String.fromCodePoint(code)}${JSON.stringify(DOCUMENT)}`;
      return /of the characters/.test(faultOf(text));
    });
    expect(refused).toEqual(codes.filter((code) => code > 0xff || (code < 0x20 && ![0x09, 0x0a, 0x0d].includes(code))));
  });

  test.each([
    ['a policy', { policy: policyOf(2049) }, 2049, 0],
    ['a policy and ARNs', { policy: policyOf(2049 - ARN.length), policyArns: [ARN] }, 2049 - ARN.length, ARN.length],
    [
      'white space',
      { policy: `${JSON.stringify(DOCUMENT)}${' '.repeat(2000)}` },
      JSON.stringify(DOCUMENT).length + 2000,
      0,
    ],
  ])('for %s that is too long, with the numbers', (_, given, policy, policyArns) => {
    expect(refusalOf(() => createSessionScope(given))).toMatchObject({
      code: 'SessionPolicyTooLarge',
      message: `session policies must have at most 2048 characters together: the inline policy has ${policy}, the ARNs of managed policies have ${policyArns}, ${policy + policyArns} in all; give the policy as a document, which is sent without white space, or move its statements to a managed policy and name that`,
      detail: { policy, policyArns, size: policy + policyArns, limit: 2048 },
    });
  });

  test.each([
    ['a name', 'ReadOnlyAccess'],
    ['a wildcard', `${ARN}*`],
    ['a policy variable', `${ARN}\${aws:userid}`],
    ['a role', 'arn:aws:iam::111122223333:role/r'],
    ['no account', 'arn:aws:iam:::policy/p'],
    ['an unknown partition', 'arn:aws-x:iam::aws:policy/p'],
    ['an empty name', 'arn:aws:iam::aws:policy/'],
    ['a line break behind it', `${ARN}\n`],
    ['a name of 129 characters', `arn:aws:iam::aws:policy/${'x'.repeat(129)}`],
    ['longer than any', `arn:aws:iam::aws:policy/${'x'.repeat(2048)}/p`],
    ['no text', 5],
  ])('for an ARN that is %s', (_, arn) => {
    const refusal = refusalOf(() => createSessionScope({ policyArns: [ARN, arn as string] }));
    expect(refusal.code).toBe('PolicyArnInvalid');
    expect(refusal.message).toMatch(
      /^policy ARN must be the exact ARN of a managed policy, arn:<partition>:iam::<account or "aws">:policy\/<name>: .*; copy it from the IAM console or from aws iam list-policies$/,
    );
  });

  test.each([
    [
      'an empty list, which STS would take as no limit',
      [],
      'policyArns must not be an empty list, which STS takes as no limit; leave it out, or name a policy',
    ],
    [
      'eleven managed policies',
      Array.from({ length: 11 }, (_, index) => `${ARN}-${index}`),
      'policyArns must name at most 10 managed policies: 11; join some of them',
    ],
    [
      'one managed policy twice',
      [ARN, `${ARN}-2`, ARN],
      `policyArns must name each policy once: "${ARN}" appears twice; remove one`,
    ],
  ])('for %s', (_, policyArns, message) => {
    expect(refusalOf(() => createSessionScope({ policyArns }))).toMatchObject({ code: 'PolicyArnInvalid', message });
  });
});

describe('the key of session policies', () => {
  const keyOf = (scope: SessionScope): string => scopeKey(createSessionScope(scope));
  const policy = JSON.stringify(DOCUMENT);

  test('is another for all that differs', () => {
    const scopes: readonly SessionScope[] = [
      {},
      { policy },
      { policy: `${policy} ` },
      { policyArns: [ARN] },
      { policyArns: [`${ARN}-2`] },
      { policyArns: [ARN, `${ARN}-2`] },
      { policy, policyArns: [ARN] },
    ];
    expect(new Set(scopes.map(keyOf)).size).toBe(scopes.length);
  });

  test('is one for a text and the document that it is, and for managed policies in any order', () => {
    expect(scopeKey(createSessionScope({ policy: DOCUMENT }))).toBe(keyOf({ policy }));
    expect(keyOf({ policyArns: [`${ARN}-2`, ARN] })).toBe(keyOf({ policyArns: [ARN, `${ARN}-2`] }));
  });
});

test('against rules that are enforced, what a session policy leaves out is denied, also after a renewal', async () => {
  const account = await startFixture();
  const policy = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'], Resource: DATA_ROLE },
      { Effect: 'Allow', Action: 'ssm:GetParameter', Resource: '*' },
    ],
  };
  const provide = fromSessionBroker({
    session: 's1',
    tenant: 'acme',
    cluster: 'hub',
    region: REGION,
    endpoint: account.endpoint,
    credentials: account.dispatcherCredentials('hub', 'acme'),
    policy,
  });
  for (const forceRefresh of [false, true]) {
    const limited = { region: REGION, endpoint: account.endpoint, credentials: await provide({ forceRefresh }) };
    const sts = new STSClient(limited);
    const chain = (role: string) => sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 's2' }));
    expect((await chain(DATA_ROLE)).SourceIdentity).toBe('agent.acme.s1');
    await expect(chain(REMOTE_ROLE)).rejects.toThrow(
      `not authorized to perform: sts:AssumeRole on resource: ${REMOTE_ROLE}`,
    );
    // The role itself does not allow it: a session policy adds nothing.
    await expect(new SSMClient(limited).send(new GetParameterCommand({ Name: ACME_PARAMETER }))).rejects.toThrow(
      'not authorized to perform: ssm:GetParameter',
    );
  }
  const assumed = account.events().filter(({ requestParameters }) => requestParameters?.['roleArn'] === ACME_ROLE);
  expect(assumed.map(({ requestParameters }) => requestParameters?.['policy'])).toEqual(
    Array.from({ length: 2 }, () => JSON.stringify(policy)),
  );
});
