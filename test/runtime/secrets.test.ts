import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { quote } from '../../lib/errors.ts';
import { redact, redactQuoted, withoutSecrets } from '../../lib/sdk/redact.ts';
import { leakFinder } from '../support/canary.ts';
import { everything } from '../support/everything.ts';
import { rejectionOf } from '../support/refusal.ts';
import {
  assumed,
  CANARIES,
  DISPATCHER,
  type FakeAnswer,
  type FakeAws,
  parameterAnswer,
  ssmError,
  startFakeAws,
  stsError,
  xml,
} from './support/fake-aws.ts';
import { isolateEnvironment } from './support/isolation.ts';
import { providerAgainst } from './support/provider.ts';

let aws: FakeAws;
beforeAll(async () => {
  aws = await startFakeAws();
});
afterAll(() => aws.close());
beforeEach(() => aws.forget());
isolateEnvironment();

const findLeak = leakFinder(CANARIES);

const echo = `The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nhost:sts\nx-amz-security-token:${DISPATCHER.sessionToken}\n'`;
const inline = `bad ${DISPATCHER.secretAccessKey} ${DISPATCHER.sessionToken} ${DISPATCHER.accessKeyId} end`;

test.each<[string, string, FakeAnswer | ((request: Parameters<typeof assumed>[0]) => FakeAnswer)]>([
  ['half of the credentials', 'AssumeRole', cutOff],
  ['credentials that the parser stumbles over', 'AssumeRole', stumbling],
  ['another source identity', 'AssumeRole', (request) => assumed(request, Date.now, { sourceIdentity: 'agent.x.y' })],
  ['an expiration in the past', 'AssumeRole', (request) => assumed(request, Date.now, { expires: 0 })],
  ['no session token', 'AssumeRole', (request) => assumed(request, Date.now, { sessionToken: null })],
  ['a signature error that repeats the request', 'AssumeRole', stsError(403, 'SignatureDoesNotMatch', echo)],
  ['an error with secrets in its first line', 'AssumeRole', stsError(403, 'AccessDenied', inline)],
  ['an error with a secret for its code', 'AssumeRole', stsError(400, DISPATCHER.secretAccessKey, 'no')],
  ['an error with a secret for its code', 'GetParameter', ssmError(400, DISPATCHER.sessionToken, 'no')],
  ['an error with secrets in a page', 'AssumeRole', { status: 502, type: 'text/html', body: inline }],
  ['an error of Systems Manager with secrets in it', 'GetParameter', ssmError(400, 'ValidationException', inline)],
  ['a parameter that is none', 'GetParameter', parameterAnswer('nothing')],
  ['no credentials at all', 'AssumeRole', xml(200, '')],
  ['silence', 'AssumeRole', 'reset'],
])('fails on %s without a secret in the error', async (_, action, answer) => {
  aws.on(action, answer);
  expect(findLeak(everything(await rejectionOf(providerAgainst(aws)())))).toBeUndefined();
});

test('fails in a credential provider without a secret in the error', async () => {
  const credentials = async () => {
    throw Object.assign(new Error(inline), { request: DISPATCHER, cause: new Error(inline) });
  };
  const shown = everything(await rejectionOf(providerAgainst(aws, { credentials })()));
  expect(findLeak(shown)).toBeUndefined();
  expect(shown).toContain('bad [redacted] [redacted] ASIA...0001 end');
});

test('a secret is cut out of a text, what identifies a role or a request is not', () => {
  const role = 'arn:aws:sts::111122223333:assumed-role/eks-agent-platform-hub-acme-tenant/pod-0123456789abcdef';
  expect(redact(`User: ${role} request c6104cbe-af31-11e0-8154-cbc7ccf896c7`)).toBe(
    `User: ${role} request c6104cbe-af31-11e0-8154-cbc7ccf896c7`,
  );
  expect(redact('AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')).toBe('AKIA...MPLE [redacted]');
  expect(redact('one\ntwo')).toBe('one');
  expect(redact('word '.repeat(200))).toHaveLength(500);
});

test.each([
  ['a JSON Web Token', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g-5KrrU6ZFicQ'],
  ['a JSON Web Token cut short', 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIi-x'],
  ['the token of an endpoint', 'k3Jd-9f_2LmQ8xZ-pR7vT_1bYwE5nHs0-AcUoG6iKe4'],
  ['a session token in Base64 for URLs', `IQoJb3Jp-${'t0K_aZ9-'.repeat(40)}`],
  ['a session token in a URL', encodeURIComponent(DISPATCHER.sessionToken)],
  ['a session token in a URL of lower case', encodeURIComponent(DISPATCHER.sessionToken).replaceAll('%2F', '%2f')],
])('%s is cut out whole', (_, secret) => {
  expect(redact(`before ${secret} after`)).toBe('before [redacted] after');
});

test.each([
  ['a role name', 'eks-agent-platform-hub-acme-tenant-session-broker-2'],
  ['a role name as the CDK makes one', 'HubStack-AcmeSessionBrokerRole5F3A2B1C-1XKQ9Z7P3LM2N'],
  ['a role name as IAM Identity Center makes one', 'AWSReservedSSO_EksPlatformDeveloper_0123456789abcdef'],
  ['a parameter name', '/eks-agent-platform/hub/session-broker/acme-payments-production-eu/session_role_arn'],
  ['a source identity', 'agent.acme.k3Jd-9f_2LmQ8xZ-pR7vT_1bYwE5nHs0-AcUoG6iKe4'],
  ['an ARN', 'arn:aws:sts::111122223333:assumed-role/hub/k3Jd-9f_2LmQ8xZ-pR7vT_1bYwE5nHs0-AcUoG6iKe4'],
  ['a session id with a UUID', 'agent-runner-f47ac10b-58cc-4372-a567-0e02b2c3d479'],
  ['a session id with a ULID', 'session-broker-01K9ZQ4T5N8XV2M7B3C6D1E0FG-agent1'],
])('%s of 40 and more characters stays readable', (_, name) => {
  expect(name.length).toBeGreaterThanOrEqual(40);
  expect(redact(`before ${name} after`)).toBe(`before ${name} after`);
});

test('what a terminal would act on is escaped, as in every value that a message shows', () => {
  const text = 'a\u009b31m\u202e"\t\u001b[2J';
  expect(redact(text)).toBe('a\\u009b31m\\u202e"\\u0009\\u001b[2J');
  expect(redactQuoted(text)).toBe(quote(text));
});

test('fails with an answer in which what a terminal would act on is escaped', async () => {
  aws.on('AssumeRole', stsError(403, 'AccessDenied\u202e', 'no\u009b2J'));
  const error = await rejectionOf(providerAgainst(aws)());
  expect(error.message).toContain('AWS answered AccessDenied\\u202e: "no\\u009b2J"');
  expect(everything(error)).not.toMatch(/[\u007f-\uffff]/);
});

test('the user and the password of a URL are cut out', () => {
  expect(redact('at https://user:pw@sts.example.com/a@b')).toBe('at https://[redacted]@sts.example.com/a@b');
});

test('the copy of an error keeps its name, its code, its place and what identifies the request', () => {
  const original = Object.assign(new Error('first\nsecond'), {
    name: 'Throttling',
    code: 'ECONNRESET',
    $fault: 'client',
    $metadata: { requestId: 'r1' },
    $response: { body: 'secret' },
  });
  const copy = withoutSecrets(original);
  expect({ ...copy, message: copy.message, name: copy.name }).toEqual({
    name: 'Throttling',
    message: 'first',
    code: 'ECONNRESET',
    $fault: 'client',
    $metadata: { requestId: 'r1' },
  });
  expect(copy.stack).toMatch(/^Throttling: first\n\s+at .*secrets\.test\.ts/);
  expect(withoutSecrets('thrown').message).toBe('thrown');
});

/** The well-behaved answer, ended in the middle of the session token. */
/** The parser then names an end tag that is most of the secret key. */
function stumbling(request: Parameters<typeof assumed>[0]): FakeAnswer {
  const answer = assumed(request);
  return { ...answer, body: answer.body.replace('<SecretAccessKey>Qcn', '$&</') };
}

function cutOff(request: Parameters<typeof assumed>[0]): FakeAnswer {
  const answer = assumed(request);
  return { ...answer, body: answer.body.slice(0, answer.body.indexOf('</SessionToken>')) };
}
