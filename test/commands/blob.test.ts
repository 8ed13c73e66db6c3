import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { computeDigest } from '../../src/image/digest.ts';
import { Files } from '../support/files.ts';
import { type Ended, runTagpin } from '../support/process.ts';
import { type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const TEXT = 'a layer, or anything else\n'.repeat(100_000);
const DIGEST = computeDigest(Buffer.from(TEXT));
const LONG_DIGEST = computeDigest(Buffer.from(TEXT), 'sha512');
const OTHER = computeDigest(Buffer.from('other'));

let files: Files;
let registry: ScriptedRegistry;

beforeAll(async () => {
  files = new Files();
  registry = await startRegistry([
    { when: { path: `/v2/app/blobs/${DIGEST}` }, body: TEXT },
    { when: { path: `/v2/app/blobs/${LONG_DIGEST}` }, body: TEXT },
    { when: { path: `/v2/app/blobs/${OTHER}` }, body: TEXT },
    { when: { path: `/v2/endless/blobs/${DIGEST}` }, fault: 'endless_body' },
    { status: 404 },
  ]);
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

function blob(name: string): Promise<Ended> {
  return runTagpin(['blob', name], { HOME: files.at('home') });
}

describe('tagpin blob', () => {
  it.each([
    ['sha256', DIGEST],
    ['sha512', LONG_DIGEST],
  ])('writes a blob by its %s', async (_, digest) => {
    expect(await blob(`${registry.host}/app:1@${digest}`)).toEqual({
      code: 0,
      stdout: TEXT,
      stderr: '',
    });
  });

  it('ends with 1 where the bytes have not the digest', async () => {
    const { code, stderr } = await blob(`${registry.host}/app@${OTHER}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tagpin: "[^"]*": .* \[invalid_response\]\n$/);
    expect(stderr).toContain(OTHER);
  });

  it('ends with 1 where there is none', async () => {
    const { code, stdout, stderr } = await blob(`${registry.host}/none@${DIGEST}`);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('answered 404 (not found)');
  });

  it.each(['app', 'app:1', `app@sha384:${'a'.repeat(96)}`])('ends with 2 for %s', async (name) => {
    const { code, stderr } = await blob(name);
    expect(code).toBe(2);
    expect(stderr).toContain('a blob has no tag: write REPO@sha256:');
  });

  it('stops where nobody reads any more, and vouches for nothing', async () => {
    const line = '{ "$0" "$1" blob "$2"; echo "ended with $?" >&2; } | head -c 10';
    const args = ['-c', line, process.execPath, MAIN, `${registry.host}/endless@${DIGEST}`];
    const env = { PATH: process.env['PATH'], HOME: files.at('home') };
    const { stdout, stderr } = await promisify(execFile)('sh', args, { env });
    expect(stdout).toBe(' '.repeat(10));
    expect(stderr).toMatch(/^tagpin: ".*": nobody read on, .*\nended with 1\n$/);
  });
});
