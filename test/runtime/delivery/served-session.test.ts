import { afterEach, expect, test, vi } from 'vitest';
import { ANSWERS } from '../../../lib/runtime/delivery/endpoint-answers.ts';
import { createAnswering } from '../../../lib/runtime/delivery/served-session.ts';
import { CREDENTIALS, sessionOf, waitingSession } from './fixture.ts';

afterEach(() => {
  vi.useRealTimers();
});

test('while a session waits for STS, clients are told in time to ask again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const log: string[] = [];
  const answer = createAnswering(waitingSession(), (line) => log.push(line));
  const late = Promise.resolve(answer());
  await vi.advanceTimersByTimeAsync(900);
  expect(await late).toBe(ANSWERS.unavailable);
  expect(log).toEqual(['answered 503 for agent.acme.s1: new credentials are not there after 900 milliseconds']);
});

test('clients get what the session answers, whatever time it is', async () => {
  const answer = createAnswering(
    waitingSession(async () => CREDENTIALS),
    () => {},
  );
  vi.useFakeTimers({ now: CREDENTIALS.expiration.getTime() + 1, toFake: ['Date'] });
  expect((await answer()).status).toBe(200);
});

test('an answer is made once for all clients of the same credentials', () => {
  const answer = createAnswering(sessionOf(), () => {});
  expect(answer()).toBe(answer());
});
