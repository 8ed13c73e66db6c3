import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { Logger } from '../../../src/log.ts';
import { createAllowFile, parseAllowFile } from '../../../src/registry/files/allow-file.ts';
import { createGuard } from '../../../src/registry/guard.ts';

let directory: string;
let file: string;
let warnings: unknown[];

const LOG: Logger = {
  info: () => {},
  warn: (fields) => void warnings.push(fields),
  error: () => {},
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tagpin-allow-'));
  file = join(directory, 'registries');
  warnings = [];
});
afterEach(() => rm(directory, { recursive: true }));

/** As kubelet swaps a mounted ConfigMap: another file takes the name. */
async function replaceBy(text: string): Promise<void> {
  const next = join(directory, 'next');
  await writeFile(next, text);
  await rename(next, file);
}

describe('parseAllowFile()', () => {
  it('reads one host a line, without comments and spaces', () => {
    const text =
      '# ours\n\n registry.corp.example \r\n*.corp.example:5000 # all\n[fc00::1]:5000\nr:*';
    expect(parseAllowFile(text, 'f')).toEqual([
      'registry.corp.example',
      '*.corp.example:5000',
      '[fc00::1]:5000',
      'r:*',
    ]);
  });

  it.each([
    'https://registry.corp.example',
    'registry.corp.example/team',
    'a.example,b.example',
    'a.example b.example',
    'r.example:port',
    'r.example:',
    '10.0.0.0/8',
    ':5000',
    '\u0000',
  ])('refuses the line %j by its number, and does not repeat it', (line) => {
    expect(() => parseAllowFile(`r.example.com\n${line}\n`, '/etc/allow')).toThrow(
      /^Cannot use line 2 of \/etc\/allow: expected HOST\[:PORT\], with \* for any text$/,
    );
  });
});

describe('createAllowFile()', () => {
  it.each([
    ['is missing', undefined],
    ['is malformed', 'https://registry.corp.example'],
  ])('refuses to start with a file that %s', async (_what, text) => {
    if (text !== undefined) await writeFile(file, text);
    expect(() => createAllowFile(file, LOG)).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: expect.stringContaining(file) }),
    );
  });

  it('opens and closes registries of the guard as the file changes', async () => {
    await writeFile(file, '# none yet\n');
    const moreRegistries = createAllowFile(file, LOG);
    const nothing = { plainHttp: [], allowRegistry: [], allowAddress: [] };
    const guard = createGuard({ ...nothing, moreRegistries });
    const url = new URL('https://r.corp.example:5000/');
    expect(() => guard.checkUrl(url)).toThrow('--allow-registry r.corp.example:5000');
    await replaceBy('*.corp.example:5000\n');
    expect(() => guard.checkUrl(url)).not.toThrow();
    await replaceBy('other.example\n');
    expect(() => guard.checkUrl(url)).toThrow('--allow-registry');
    expect(warnings).toEqual([]);
  });

  it.each([
    ['malformed', (): Promise<void> => replaceBy('https://no')],
    ['removed', (): Promise<void> => rm(file)],
  ])('keeps the last good list when the file is %s, and says so once', async (_what, spoil) => {
    await writeFile(file, 'r.corp.example');
    const list = createAllowFile(file, LOG);
    await spoil();
    expect([list(), list()]).toEqual([['r.corp.example'], ['r.corp.example']]);
    expect(warnings).toHaveLength(1);
    await replaceBy('s.corp.example');
    expect(list()).toEqual(['s.corp.example']);
  });
});
