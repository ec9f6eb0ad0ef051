import { describe, expect, it } from 'vitest';
import { nearest } from '../lib/nearest.ts';

const KEYS = ['attribution', 'tenantRole', 'models', 'tags', 'eks', 'chainTo', 'callerPolicy'];

describe('the nearest known word', () => {
  it.each([
    ['attributon', 'attribution'],
    ['Attribution', 'attribution'],
    ['tenant_role', 'tenantRole'],
    ['tenant-role', 'tenantRole'],
    ['tenantrole', 'tenantRole'],
    ['model', 'models'],
    ['tag', 'tags'],
    ['EKS', 'eks'],
    ['esk', 'eks'],
    ['mdoels', 'models'],
    ['chaintoo', 'chainTo'],
  ])('of %s is %s', (word, expected) => {
    expect(nearest(word, KEYS)).toBe(expected);
  });

  it('is found fast among words of which none is near', () => {
    const words = Array.from({ length: 20_000 }, (_, index) => `${index}`.padStart(60, 'x'));
    const startedAt = performance.now();
    expect(words.map((word) => nearest(word, KEYS)).filter((word) => word !== undefined)).toEqual([]);
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  it.each(['region', '', 'x', 'permissions', 'a'.repeat(1000)])('fails to be anything for %j', (word) => {
    expect(nearest(word, KEYS)).toBeUndefined();
  });
});
