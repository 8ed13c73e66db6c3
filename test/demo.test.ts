import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';

const MAIN = join(import.meta.dirname, '..', 'e2e', 'demo', 'main.ts');

describe('npm run demo', () => {
  it('pins a Deployment with one request a tag, names the typo, and ends well', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN], { timeout: 100_000 });
    expect(stdout.match(/image: \S+@sha256:[0-9a-f]{64}$/gm)).toHaveLength(3);
    expect(stdout.match(/^- HEAD /gm)).toHaveLength(3);
    expect(stdout).toMatch(/for container "typo": \S+ answered 404 \(not found\)/);
    expect(stdout).toMatch(/^- tagpin_images_total\{outcome="pinned".*\} 3$/m);
  });
});
