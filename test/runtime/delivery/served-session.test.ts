import { afterEach, expect, test, vi } from 'vitest';
import { ANSWERS } from '../../../lib/runtime/delivery/endpoint-answers.ts';
import { createAnswering } from '../../../lib/runtime/delivery/served-session.ts';
import { CREDENTIALS, sessionOf } from './fixture.ts';

const EXPIRATION = CREDENTIALS.expiration.getTime();

afterEach(() => {
  vi.useRealTimers();
});

/** What a session answers that had credentials, and now waits for STS without end, at a time. */
async function whileRenewalHangs(time: number, hadCredentials = true) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let held = hadCredentials ? CREDENTIALS : undefined;
  const log: string[] = [];
  const session = sessionOf({ current: () => held, credentials: () => new Promise(() => {}) });
  const answer = createAnswering(
    session,
    (line) => log.push(line),
    () => time,
  );
  const first = hadCredentials ? answer() : undefined;
  held = undefined;
  const late = Promise.resolve(answer());
  await vi.advanceTimersByTimeAsync(900);
  return { first, late: await late, log };
}

test('while a renewal hangs, clients get what they got before', async () => {
  const { first, late, log } = await whileRenewalHangs(EXPIRATION - 1);
  expect(late).toBe(first);
  expect(log).toEqual(['answered 200 for agent.acme.s1: new credentials are not there after 900 milliseconds']);
});

test('while a renewal hangs, clients get nothing that has expired', async () => {
  expect((await whileRenewalHangs(EXPIRATION)).late).toBe(ANSWERS.unavailable);
});

test('while the first credentials hang, clients are told to ask again', async () => {
  expect((await whileRenewalHangs(EXPIRATION - 1, false)).late).toBe(ANSWERS.unavailable);
});

test('an answer is made once for all clients of the same credentials', () => {
  const answer = createAnswering(sessionOf(), () => {});
  expect(answer()).toBe(answer());
});
