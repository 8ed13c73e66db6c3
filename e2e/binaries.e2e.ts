import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { binaryPath } from './support/binaries.ts';

const run = promisify(execFile);
const SOURCE = join(import.meta.dirname, 'support', 'binaries.ts');

describe('buildBinaries()', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tagpin-binaries-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  /** In a process of its own, which finds nothing but what stands in `directory`. */
  async function build(): Promise<string> {
    const call = `await (await import(${JSON.stringify(SOURCE)})).buildBinaries(['crane'])`;
    const env = { PATH: directory, HOME: directory, TAGPIN_E2E_CACHE: join(directory, 'cache') };
    const failure: unknown = await run(process.execPath, ['--eval', call], { env }).then(
      () => undefined,
      (error: unknown) => error,
    );
    return failure === undefined ? 'built' : (failure as { stderr: string }).stderr;
  }

  it('fails without Go, and says what to install', async () => {
    const message = await build();
    expect(message).toContain('Cannot build crane: Go 1.26.0 or later is needed');
    expect(message).toContain('export PATH=/usr/local/go/bin:$PATH');
  });

  it('fails with a Go that is too old, and says how it fetches a newer one', async () => {
    const answer = 'go: go.mod requires go >= 1.26.0 (running go 1.21.0; GOTOOLCHAIN=local)';
    await writeFile(join(directory, 'go'), `#!/bin/sh\necho '${answer}' >&2\nexit 1\n`);
    await chmod(join(directory, 'go'), 0o755);

    const message = await build();
    expect(message).toContain(answer);
    expect(message).toContain('export GOTOOLCHAIN=auto');
  });
});

describe('binaryPath()', () => {
  const { KUBEBUILDER_ASSETS: before } = process.env;

  afterEach(() => {
    if (before === undefined) delete process.env['KUBEBUILDER_ASSETS'];
    else process.env['KUBEBUILDER_ASSETS'] = before;
  });

  it('prefers a program of KUBEBUILDER_ASSETS, and builds what is not there', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tagpin-assets-'));
    await writeFile(join(directory, 'etcd'), '');
    process.env['KUBEBUILDER_ASSETS'] = directory;

    expect(binaryPath('etcd')).toBe(join(directory, 'etcd'));
    expect(binaryPath('crane')).not.toContain(directory);
    await rm(directory, { recursive: true });
  });
});
