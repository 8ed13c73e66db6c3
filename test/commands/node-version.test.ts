import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { nodeFault } from '../../src/commands/node-version.ts';

describe('nodeFault()', () => {
  it.each([
    ['20.20.0', 'Node 24.12 or later is needed, and this is 20.20.0'],
    ['24.11.9', 'Node 24.12 or later is needed, and this is 24.11.9'],
    ['24.12.0', undefined],
    ['24.12.1', undefined],
    ['24.21.0', undefined],
    ['25.0.0', undefined],
    ['100.2.0', undefined],
  ])('of %s is %s', (version, fault) => {
    expect(nodeFault('>=24.12', version)).toBe(fault);
  });

  it('understands package.json', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(nodeFault(engines.node, '0.1.0')).toMatch(/^Node \d+\.\d+ or later is needed/);
    expect(nodeFault(engines.node, process.versions.node)).toBeUndefined();
  });
});
