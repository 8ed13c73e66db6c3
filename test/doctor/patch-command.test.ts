import { execFileSync } from 'node:child_process';

import { describe, expect, it } from '@jest/globals';

import { patchCommand } from '../../src/doctor/patch-command.ts';

describe('patchCommand()', () => {
  it('brings a patch through the shell whole', () => {
    const patch = [{ op: 'add', path: '/a', value: "'x' in y" }] as const;
    const words = patchCommand('kind', 'name', patch).replace(
      /^kubectl/,
      String.raw`printf '%s\n'`,
    );
    const last = execFileSync('sh', ['-c', words]).toString().trimEnd().split('\n').at(-1);
    expect(last).toBe(`--patch=${JSON.stringify(patch)}`);
  });
});
