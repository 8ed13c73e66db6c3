import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';

import { binaryPath } from './support/binaries.ts';

describe('the workflows', () => {
  it('are right by actionlint', async () => {
    const cwd = join(import.meta.dirname, '..');
    // It fails where it has something to say.
    const { stdout } = await promisify(execFile)(binaryPath('actionlint'), ['-no-color'], { cwd });
    expect(stdout).toBe('');
  });
});
