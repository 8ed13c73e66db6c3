import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { Files } from './support/files.ts';
import { runTagpin } from './support/process.ts';
import { startStaticServer } from './support/static-server.ts';

const INDEX = 'sha256:927d98197ec1141a368550822d18fa1c60bdae27b78b0c004f705f548c07814f';
const MANIFEST = 'sha256:4a1c4b21597c1b4415bdbecb28a3296c6b5e23ca4f9feeb599860a1dac6a0108';
const CONFIG = 'sha256:80d28bedfe5dec59da9ebf8e6260224ac9008ab5c11dbbe16ee3ba3e4439ac2c';

function golden(name: string): string {
  return readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8');
}

const INDEX_TEXT = golden('pause-3.2.index');
const MANIFEST_TEXT = golden('pause-amd64-3.2.manifest');
const CONFIG_TEXT = golden('pause-amd64-3.2.config');

/** Where a registry would have them. */
const TREE: Readonly<Record<string, string>> = {
  'pause/manifests/3.2': INDEX_TEXT,
  [`pause/manifests/${INDEX}`]: INDEX_TEXT,
  [`pause/manifests/${MANIFEST}`]: MANIFEST_TEXT,
  [`pause/blobs/${CONFIG}`]: CONFIG_TEXT,
  'pause/tags/list': JSON.stringify({ name: 'google-containers/pause', tags: ['3.2'] }),
  'pause-amd64/manifests/3.2': MANIFEST_TEXT,
  [`pause-amd64/manifests/${MANIFEST}`]: MANIFEST_TEXT,
  [`pause-amd64/blobs/${CONFIG}`]: CONFIG_TEXT,
};

/** Commands, and what they write; `H` stands for the host. */
const CASES: readonly (readonly [command: string, stdout: string])[] = [
  ['resolve H/pause:3.2', `H/pause@${INDEX}\n`],
  ['resolve H/pause-amd64:3.2', `H/pause-amd64@${MANIFEST}\n`],
  [`resolve --digest-only H/pause@${INDEX}`, `${INDEX}\n`],
  ['resolve --platform linux/amd64 H/pause:3.2', `H/pause@${MANIFEST}\n`],
  ['resolve --platform linux/amd64 H/pause-amd64:3.2', `H/pause-amd64@${MANIFEST}\n`],
  ['manifest H/pause:3.2', INDEX_TEXT],
  [`manifest H/pause@${MANIFEST}`, MANIFEST_TEXT],
  ['manifest --platform linux/amd64 H/pause:3.2', MANIFEST_TEXT],
  ['manifest H/pause-amd64:3.2', MANIFEST_TEXT],
  ['config H/pause:3.2', CONFIG_TEXT],
  ['config --platform linux/amd64 H/pause:3.2', CONFIG_TEXT],
  ['config H/pause-amd64:3.2', CONFIG_TEXT],
  [`blob H/pause@${CONFIG}`, CONFIG_TEXT],
  ['tags H/pause', '3.2\n'],
  [`tags H/pause@${INDEX}`, '3.2\n'],
];

const ROOT = '/google-containers/';

let files: Files;

beforeAll(() => {
  files = new Files();
  for (const [path, text] of Object.entries(TREE)) files.write(`v2${ROOT}${path}`, text);
});
afterAll(() => files[Symbol.asyncDispose]());

/** What a command writes, with `H` in place of the host. */
async function answer(command: string, host: string): Promise<object> {
  const args = command.replace('H/', `${host}${ROOT}`).split(' ');
  const { code, stdout, stderr } = await runTagpin(args, { HOME: files.at('home') });
  return { command, code, stdout: stdout.replace(`${host}${ROOT}`, 'H/'), stderr };
}

describe('real bytes on a server of plain files', () => {
  it.each([[undefined], ['application/octet-stream'], ['text/plain; charset=utf-8']])(
    'have their digests under the content type %s',
    async (contentType) => {
      await using server = await startStaticServer(files.at(''), contentType);
      const answers = await Promise.all(CASES.map(([command]) => answer(command, server.host)));
      const wanted = CASES.map(([command, stdout]) => ({ command, code: 0, stdout, stderr: '' }));
      expect(answers).toEqual(wanted);
    },
  );
});
