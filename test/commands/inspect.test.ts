import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { computeDigest } from '../../src/image/digest.ts';
import { Files } from '../support/files.ts';
import { OCI } from '../support/image-store.ts';
import { type Ended, runTagpin } from '../support/process.ts';
import { type ScriptedRegistry, startRegistry } from '../support/scripted-registry.ts';

const CONFIG = JSON.stringify({ os: 'linux', architecture: 'amd64', config: { User: 'alice' } });
const CONFIG_DIGEST = computeDigest(Buffer.from(CONFIG));
const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: OCI.manifest,
  config: { mediaType: OCI.config, digest: CONFIG_DIGEST, size: CONFIG.length },
  layers: [],
});

let files: Files;
let registry: ScriptedRegistry;

beforeAll(async () => {
  files = new Files();
  registry = await startRegistry([
    {
      when: { path: '/v2/app/manifests/1' },
      headers: { 'content-type': OCI.manifest },
      body: MANIFEST,
    },
    { when: { path: `/v2/app/blobs/${CONFIG_DIGEST}` }, body: CONFIG },
    { status: 404 },
  ]);
});
afterAll(async () => {
  await files[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

/** Runs a command in a home without a docker config. */
function run(...args: readonly string[]): Promise<Ended> {
  return runTagpin(args, { HOME: files.at('home') });
}

describe('tagpin inspect', () => {
  it('shows an image, and its config by the image ID', async () => {
    const [byTag, byId] = await Promise.all([
      run('inspect', `${registry.host}/app:1`),
      run('inspect', '-o', 'json', `${registry.host}/app@${CONFIG_DIGEST}`),
    ]);
    expect(byTag).toMatchObject({ code: 0, stderr: '' });
    expect(byTag.stdout).toMatch(/^User: +alice$/m);
    expect(byId).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(byId.stdout)).toMatchObject({ kind: 'config', digest: CONFIG_DIGEST });
  });

  it('ends with 1 where there is no such image', async () => {
    const { code, stdout, stderr } = await run('inspect', `${registry.host}/app:2`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('[not_found]');
  });
});

describe('tagpin inspect and tagpin layers', () => {
  it.each([
    [['inspect', '--platform', 'linux/amd64', '--all-platforms'], 'cannot be used with'],
    [['inspect', '--platform', 'linux'], 'is no platform'],
    [['layers', '--list', '0'], 'layers are counted from 1'],
    [['layers', '--list', 'one'], 'layers are counted from 1'],
    [['layers', '--list', '1'], 'there is no layer 1: it has no layers'],
  ])('end with 2 for a mistake: %j', async (args, message) => {
    const { code, stdout, stderr } = await run(...args, `${registry.host}/app:1`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});
