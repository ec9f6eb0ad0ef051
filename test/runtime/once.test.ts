import { expect, test, vi } from 'vitest';
import { once } from '../../lib/runtime/once.ts';

test('a failure is forgotten, also one before anything is awaited', async () => {
  const run = vi
    .fn(async () => 'made')
    .mockImplementationOnce(() => {
      throw new Error('at once');
    });
  const get = once(run);
  await expect(get()).rejects.toThrow('at once');
  expect(await get()).toBe('made');
  expect(await get()).toBe('made');
  expect(run).toHaveBeenCalledTimes(2);
});

test('a result is forgotten by whoever had that one, not by those who come late', async () => {
  const get = once(async () => ({}));
  const first = await get();
  get.forget(first);
  expect(get.made()).toBeUndefined();
  const second = await get();
  expect(second).not.toBe(first);
  get.forget(first);
  expect(await get()).toBe(second);
});
