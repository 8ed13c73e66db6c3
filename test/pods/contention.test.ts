import { describe, expect, it } from '@jest/globals';

import type { NamedPod } from '../../src/admission/ports.ts';
import { createContention } from '../../src/pods/contention.ts';

const FUSE = 6;

describe('createContention()', () => {
  const one: NamedPod = { namespace: 'shop', ownerUid: 'u-1', name: 'db-1', content: '{}' };

  it('forgets the Pods that were made longest ago, and keeps 10,000', () => {
    const isContended = createContention(() => 0);
    for (let time = 1; time < FUSE; time += 1) isContended(one, true);
    const others = (count: number): void => {
      for (let index = 0; index < count; index += 1) {
        isContended({ ...one, name: `other-${index}` }, true);
      }
    };
    others(9999);
    expect(isContended(one, false)).toBe(true);
    others(10_000);
    expect(isContended(one, false)).toBe(false);
  });

  it('keeps no name that is longer than any that there is', () => {
    const isContended = createContention(() => 0);
    const long = { ...one, name: 'x'.repeat(254) };
    const told = Array.from({ length: 2 * FUSE }, () => isContended(long, true));
    expect(told).not.toContain(true);
  });
});
