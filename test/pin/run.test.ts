import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { PinError } from '../../src/errors.ts';
import { computeDigest, type Digest } from '../../src/image/digest.ts';
import { runPin } from '../../src/pin/run.ts';
import type { PinOptions } from '../../src/pin/usage.ts';
import { applyDiff } from '../support/diff.ts';
import { recordedStreams } from '../support/streams.ts';

let folder: string;
let lockPath: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagpin-pin-'));
  lockPath = join(folder, 'tagpin.lock');
});
afterEach(() => rm(folder, { recursive: true }));

/** The digest that the registry of these tests has for a reference. */
function digestOf(reference: string, generation = 0): Digest {
  return computeDigest(Buffer.from(`${reference}#${generation}`));
}

const NONE: Omit<PinOptions, 'paths'> = {
  dryRun: false,
  output: undefined,
  referenceForm: 'digest',
  comment: false,
  update: false,
  from: [],
  set: [],
  fromAnyTag: false,
  skip: ['localhost:*/*'],
  lock: undefined,
  check: false,
  extraKind: [],
  helmValues: false,
  format: 'text',
};

interface Run {
  readonly passed: boolean;
  readonly out: string;
  readonly err: string;
  readonly asked: readonly string[];
}

interface Registry {
  readonly input?: string;
  readonly generation?: number;
}

function uninterrupted<T>(work: () => Promise<T>): Promise<T> {
  return work();
}

async function run(
  paths: readonly string[],
  options: Partial<PinOptions> = {},
  { input = '', generation = 0 }: Registry = {},
): Promise<Run> {
  const streams = recordedStreams(input);
  const asked: string[] = [];
  const ask = async (reference: string): Promise<Digest> => {
    asked.push(reference);
    if (!reference.includes('missing')) return digestOf(reference, generation);
    throw new PinError('not_found', `${reference} was not found`);
  };
  const openRegistries = (): Promise<typeof ask> => Promise.resolve(ask);
  const ports = { streams, openRegistries, uninterrupted };
  const passed = await runPin({ ...NONE, ...options, paths }, ports);
  return { passed, ...streams.written, asked };
}

function pod(...images: readonly string[]): string {
  const containers = images.map(
    (image, index) => `  - {name: c${index}, x: [],\n     image: ${image}\n    }\n`,
  );
  return `kind: Pod\napiVersion: v1\nspec:\n  containers:\n${containers.join('')}`;
}

/** A Pod with one container, whose image ends its line. */
function plain(image: string): string {
  return `kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - name: a\n    image: ${image}\n`;
}

async function put(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

function read(path: string): Promise<string> {
  return readFile(path, 'utf8');
}

describe('tagpin pin', () => {
  it('pins files in place, asks once for each tag, and says what it did', async () => {
    const one = await put('one.yaml', pod('nginx', 'r.io/a:1'));
    const two = await put('two.yaml', pod('docker.io/library/nginx:latest', `b@${digestOf('b')}`));
    const { passed, out, err, asked } = await run([folder]);
    expect(passed).toBe(true);
    expect(asked).toEqual(['nginx:latest', 'r.io/a:1']);
    expect(await read(one)).toBe(
      pod(`nginx@${digestOf('nginx:latest')}`, `r.io/a@${digestOf('r.io/a:1')}`),
    );
    expect(await read(two)).toBe(
      pod(`docker.io/library/nginx@${digestOf('nginx:latest')}`, `b@${digestOf('b')}`),
    );
    expect(out).toBe('');
    expect(err).toContain(`${one}:6:13: nginx -> nginx@sha256:`);
    expect(err).toContain('4 images in 2 files: 3 pinned, 1 already pinned\n');
  });

  describe('with a link that leads out of the folder', () => {
    let outside: string;
    let checkout: string;
    let link: string;
    const text = pod('nginx:1');
    const pinned = pod(`nginx@${digestOf('nginx:1')}`);

    beforeEach(async () => {
      outside = await put('outside.yaml', text);
      checkout = join(folder, 'checkout');
      await mkdir(checkout);
      await put('checkout/a.yaml', text);
      link = join(checkout, 'link.yaml');
      await symlink(outside, link);
    });

    it('changes nothing outside, says so, and does the rest', async () => {
      const { passed, err } = await run([checkout]);
      expect(passed).toBe(true);
      expect(await read(outside)).toBe(text);
      expect(await read(join(checkout, 'a.yaml'))).toBe(pinned);
      expect(err).toContain(`${link}:1:1: leads out of the folder, and is left alone`);
    });

    it.each<[string, Partial<PinOptions>]>([
      ['a lock', { lock: 'tagpin.lock' }],
      ['an output folder', { output: 'out' }],
      ['--dry-run', { dryRun: true }],
    ])('neither reads nor writes it with %s', async (_, options) => {
      const { output, lock } = options;
      const { passed, out } = await run([checkout], {
        ...options,
        ...(output !== undefined && { output: join(folder, output) }),
        ...(lock !== undefined && { lock: lockPath }),
      });
      expect(passed).toBe(true);
      expect(await read(outside)).toBe(text);
      expect(out).not.toContain('link.yaml');
      const there = await readdir(folder, { recursive: true });
      expect(there.filter((path) => path.includes('link'))).toEqual(['checkout/link.yaml']);
    });

    it('is in the report for programs', async () => {
      const { out } = await run([checkout], { format: 'json' });
      const { files } = JSON.parse(out) as { files: { file: string }[] };
      expect(files.find(({ file }) => file === link)).toMatchObject({
        failed: false,
        changed: false,
        notes: [{ line: 1, column: 1, message: expect.stringContaining('leads out') }],
      });
    });

    it('follows one that was named itself, and one that stays inside', async () => {
      await symlink('a.yaml', join(checkout, 'same.yaml'));
      expect((await run([link, checkout])).passed).toBe(true);
      expect(await read(outside)).toBe(pinned);
      expect(await read(join(checkout, 'same.yaml'))).toBe(pinned);
      expect((await lstat(link)).isSymbolicLink()).toBe(true);
    });

    it.each([
      ['a file', 'a.yaml', 'outside.yaml'],
      ['a folder', 'sub', 'elsewhere'],
    ])('writes through no link of the output folder to %s outside', async (_, name, target) => {
      const manifests = join(folder, 'manifests');
      const output = join(folder, 'out');
      await Promise.all(
        ['manifests/sub', 'out', 'elsewhere'].map((path) =>
          mkdir(join(folder, path), { recursive: true }),
        ),
      );
      await put('manifests/a.yaml', text);
      await put('manifests/sub/b.yaml', text);
      await put('manifests/c.yaml', text);
      await symlink(join(folder, target), join(output, name));
      const { passed, err } = await run([manifests], { output });
      expect(passed).toBe(false);
      expect(err).toContain(' leads out of the folder\n');
      expect(await read(outside)).toBe(text);
      expect(await readdir(join(folder, 'elsewhere'))).toEqual([]);
      expect(await read(join(output, 'c.yaml'))).toBe(pinned);
    });
  });

  it.each(['text', 'json', 'yaml'] as const)('moves no cursor: %s', async (format) => {
    const image = String.raw`"nginx:1\u202e\e[2J"`;
    await put('a\u202e\u001b[2J\n.yaml', plain(image).replace('name: a', 'name: "b\\u202e"'));
    const { passed, out, err } = await run([folder], { format });
    expect(passed).toBe(false);
    expect(err + out).toContain('202e');
    expect((err + out).replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    expect(err.split('\n')).toHaveLength(3);
  });

  it('writes nothing to a file of which one image fails, and goes on with the others', async () => {
    const text = pod('nginx:1', 'r.io/missing:1');
    const bad = await put('bad.yaml', text);
    const good = await put('good.yaml', pod('nginx:1'));
    const broken = await put('template.yaml', '{{- if .x }}\na: b\n{{- end }}\n');
    const { passed, err } = await run([folder]);
    expect(passed).toBe(false);
    expect(await read(bad)).toBe(text);
    expect(await read(good)).toBe(pod(`nginx@${digestOf('nginx:1')}`));
    expect(err).toContain(`${bad}:9:13: container "c1": r.io/missing:1 was not found`);
    expect(err).toContain('[not_found]');
    expect(err).toContain(`${broken}:1:3: it looks like a template`);
    expect(err).toContain('1 pinned, 1 not written, 1 failed; 2 of 3 files left as they were');
  });

  it('names a read-only file, and writes the others', async () => {
    const closed = await put('closed.yaml', pod('nginx:1'));
    await chmod(closed, 0o444);
    const open = await put('open.yaml', pod('nginx:1'));
    const { passed, err } = await run([folder]);
    expect(passed).toBe(false);
    expect(err).toContain(`${closed} is read-only`);
    expect(err).not.toContain(`${closed}:6`);
    expect(err).toContain('1 pinned, 1 not written; 1 of 2 files left as they were');
    expect(await read(closed)).toBe(pod('nginx:1'));
    expect(await read(open)).toContain('@sha256:');
    expect((await readdir(folder)).toSorted()).toEqual(['closed.yaml', 'open.yaml']);
  });

  it('says of Helm values what they cannot tell', async () => {
    const file = await put('values.yaml', 'image: {repository: r.io/a, tag: "1"}\n');
    const { passed, err } = await run([file], { helmValues: true });
    expect(passed).toBe(true);
    expect(err).toContain('helm template CHART | tagpin check --strict -');
    expect((await run([file])).err).not.toContain('helm');
  });

  it('prints a diff, and writes nothing', async () => {
    const text = pod('nginx:1');
    const file = await put('a.yaml', text);
    const { passed, out } = await run([file], { dryRun: true, lock: lockPath });
    expect(passed).toBe(true);
    expect(await read(file)).toBe(text);
    expect(applyDiff(text, out)).toBe(pod(`nginx@${digestOf('nginx:1')}`));
    expect(await readdir(folder)).toEqual(['a.yaml']);
  });

  it('writes all files to a folder of their own', async () => {
    await put('a.yaml', pod('nginx:1'));
    await put('b.yaml', 'kind: ConfigMap\n');
    const output = join(folder, 'out');
    const { passed } = await run([folder], { output });
    expect(passed).toBe(true);
    expect(await read(join(folder, 'a.yaml'))).toBe(pod('nginx:1'));
    expect(await read(join(output, 'a.yaml'))).toBe(pod(`nginx@${digestOf('nginx:1')}`));
    expect(await read(join(output, 'b.yaml'))).toBe('kind: ConfigMap\n');
  });

  it('works in a pipe, which stays empty where anything fails', async () => {
    const good = await run(['-'], {}, { input: pod('nginx:1') });
    expect(good).toMatchObject({ passed: true, out: pod(`nginx@${digestOf('nginx:1')}`) });
    const bad = await run(['-'], {}, { input: pod('missing:1') });
    expect(bad).toMatchObject({ passed: false, out: '' });
  });

  it('reports to programs', async () => {
    const file = await put('a.yaml', pod('nginx:1', 'missing'));
    const { out } = await run([file], { format: 'json' });
    expect(JSON.parse(out)).toMatchObject({
      files: [
        {
          file,
          failed: true,
          changed: false,
          images: [
            { image: 'nginx:1', outcome: 'not_written', line: 6, path: '/spec/containers/0/image' },
            { image: 'missing', outcome: 'failed', reason: 'not_found' },
          ],
        },
      ],
    });
  });

  it('sets the digest of a kustomization, and keeps its tag', async () => {
    const file = await put('kustomization.yaml', 'images:\n- name: nginx\n  newTag: "1"\n');
    await run([file]);
    const pinned = `images:\n- name: nginx\n  newTag: "1"\n  digest: ${digestOf('nginx:1')}\n`;
    expect(await read(file)).toBe(pinned);
    await run([file], { update: true }, { generation: 1 });
    expect(await read(file)).toBe(pinned.replace(digestOf('nginx:1'), digestOf('nginx:1', 1)));
  });
});

describe('tagpin pin --comment, --update', () => {
  const old = digestOf('nginx:1');
  const next = digestOf('nginx:1', 1);

  it.each<[string, string, Partial<PinOptions>, string]>([
    ['keeps the tag behind the image', 'nginx:1', { comment: true }, `nginx@${old} # nginx:1`],
    ['before another comment', 'nginx:1 # it', { comment: true }, `nginx@${old} # nginx:1 # it`],
    ['not twice', 'nginx:1 # nginx:1', { comment: true }, `nginx@${old} # nginx:1`],
    [
      'in the place of an older tag',
      'nginx:1 # nginx:0',
      { comment: true },
      `nginx@${old} # nginx:1`,
    ],
    [
      'not where the reference keeps it',
      'nginx:1',
      { comment: true, referenceForm: 'tag-and-digest' },
      `nginx:1@${old}`,
    ],
  ])('%s', async (...[, before, options, after]) => {
    const file = await put('a.yaml', plain(before));
    expect((await run([file], options)).passed).toBe(true);
    expect(await read(file)).toBe(plain(after));
  });

  it('says where no comment can stand', async () => {
    const file = await put(
      'a.json',
      '{"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"image":"a"}]}}',
    );
    const { err } = await run([file], { comment: true });
    expect(err).toContain('no comment can stand here');
    expect(JSON.parse(await read(file))).toBeDefined();
  });

  it('says where a comment tells of another tag', async () => {
    const file = await put('a.yaml', plain('nginx:1 # 0.9'));
    expect((await run([file])).err).toContain('tells of the tag 0.9, not 1');
  });

  it.each([
    ['the reference', `nginx:1@${old}`, `nginx:1@${next}`],
    ['our comment', `nginx@${old} # nginx:1`, `nginx@${next} # nginx:1`],
    ['the comment of another tool', `nginx@${old} # 1 # x`, `nginx@${next} # 1 # x`],
  ])('pins again by the tag in %s', async (_, before, after) => {
    const file = await put('a.yaml', plain(before));
    expect((await run([file], {}, { generation: 1 })).asked).toEqual([]);
    expect(await read(file)).toBe(plain(before));
    expect((await run([file], { update: true }, { generation: 1 })).asked).toEqual(['nginx:1']);
    expect(await read(file)).toBe(plain(after));
  });

  it.each([
    ['nothing', ''],
    ['a remark', ' # do not touch'],
    ['a word', ' # proxy'],
    ['the tag of another image', ' # apache:1'],
  ])('says that the tag is not known from %s', async (_, comment) => {
    const text = plain(`nginx@${old}${comment}`);
    const file = await put('a.yaml', text);
    const { passed, err, asked } = await run([file], { update: true });
    expect({ passed, asked }).toEqual({ passed: true, asked: [] });
    expect(err).toContain('neither the reference, nor a comment, nor the lock tells its tag');
    expect(await read(file)).toBe(text);
  });
});

describe('tagpin pin --from, --set', () => {
  const [given, other] = [digestOf('given'), digestOf('other')];

  it('takes digests, asks nobody, and lists what did not fit', async () => {
    const file = await put('a.yaml', pod('r.io/app', 'r.io/app:1', 'r.io/app:2', 'sidecar:1'));
    const build = { results: { images: [{ name: 'r.io/app:1', digest: other }] } };
    const from = [await put('build.json', JSON.stringify(build)), '-'];
    const input = `r.io/app@${given}\n`;
    const set = [`r.io/unused=${given}`];
    const { passed, err, asked } = await run([file], { from, set }, { input });
    expect({ passed, asked }).toEqual({ passed: true, asked: [] });
    expect(await read(file)).toBe(
      pod(`r.io/app@${given}`, `r.io/app@${other}`, 'r.io/app:2', 'sidecar:1'),
    );
    expect(err).toContain(`unused: r.io/unused@${given} (--set) fits no image`);
    expect(err).toContain('no digest is known for r.io/app:2');
    expect(err).toContain('no digest is known for sidecar:1');
  });

  it('pins any tag, and any pin before, on request', async () => {
    const file = await put('a.yaml', pod('r.io/app:2', `r.io/app@${other}`));
    await run([file], { set: [`r.io/app=${given}`], fromAnyTag: true, update: true });
    expect(await read(file)).toBe(pod(`r.io/app@${given}`, `r.io/app@${given}`));
  });

  it('refuses a file without a digest', async () => {
    const file = await put('a.yaml', pod('a'));
    await expect(run([file], { from: ['-'] })).rejects.toMatchObject({
      code: 'invalid_config',
      message: '- holds no digest',
    });
  });
});

describe('tagpin pin --lock', () => {
  it('writes a lock, honours it, and refreshes it on request', async () => {
    const file = await put('a.yaml', plain('nginx:1'));
    const first = await run([file], { lock: lockPath });
    expect(first).toMatchObject({ passed: true, asked: ['nginx:1'] });
    const line = `docker.io/library/nginx:1@${digestOf('nginx:1')}\n`;
    expect(await read(lockPath)).toContain(line);

    await put('b.yaml', plain('nginx:1'));
    const second = await run([folder], { lock: lockPath }, { generation: 1 });
    expect(second).toMatchObject({ passed: true, asked: [] });
    expect(await read(join(folder, 'b.yaml'))).toBe(plain(`nginx@${digestOf('nginx:1')}`));

    // The files hold digests alone: the lock knows their tag.
    const third = await run([folder], { lock: lockPath, update: true }, { generation: 1 });
    expect(third).toMatchObject({ passed: true, asked: ['nginx:1'] });
    expect(await read(file)).toBe(plain(`nginx@${digestOf('nginx:1', 1)}`));
    expect(await read(lockPath)).toContain(digestOf('nginx:1', 1));
    expect(await read(lockPath)).not.toContain(line);
  });

  it('is checked without a registry, and nothing is written', async () => {
    const file = await put('a.yaml', plain('nginx:1'));
    const missing = await run([file], { lock: lockPath, check: true });
    expect(missing).toMatchObject({ passed: false, asked: [] });
    expect(missing.err).toContain('the lock lags: it has no digest for nginx:1');
    expect(await readdir(folder)).toEqual(['a.yaml']);

    await run([file], { lock: lockPath });
    expect(await run([file], { lock: lockPath, check: true })).toMatchObject({ passed: true });

    await put('a.yaml', plain(`nginx:1@${digestOf('other')}`));
    const differs = await run([file], { lock: lockPath, check: true });
    expect(differs.passed).toBe(false);
    expect(differs.err).toContain('the lock has another digest');
  });

  it('is compared with the registry where both are asked for', async () => {
    const file = await put('a.yaml', plain('nginx:1'));
    await run([file], { lock: lockPath });
    const options = { lock: lockPath, check: true, update: true };
    expect(await run([file], options)).toMatchObject({ passed: true, asked: ['nginx:1'] });
    const moved = await run([file], options, { generation: 1 });
    expect(moved.passed).toBe(false);
    expect(moved.err).toContain(
      `it would have docker.io/library/nginx:1@${digestOf('nginx:1', 1)}`,
    );
  });

  it('is read by --from, and names what nothing uses', async () => {
    const file = await put('a.yaml', plain('nginx:1'));
    await writeFile(
      lockPath,
      `docker.io/library/nginx:1@${digestOf('x')}\nr.io/a:1@${digestOf('y')}\n`,
    );
    const { asked, err } = await run([file], { from: [lockPath] });
    expect(asked).toEqual([]);
    expect(err).toContain('unused: r.io/a:1@');
    expect(await read(file)).toBe(plain(`nginx@${digestOf('x')}`));
  });
});

describe('tagpin pin with options that contradict one another', () => {
  it.each<[readonly string[], Partial<PinOptions>, string]>([
    [[], {}, 'name a file'],
    [['-'], { from: ['-'] }, 'once'],
    [['a'], { check: true }, '--lock'],
    [['a'], { dryRun: true, output: 'b' }, '--output'],
    [['a'], { dryRun: true, check: true, lock: 'l' }, '--dry-run'],
    [['-'], { format: 'json' }, 'standard output'],
    [['a'], { fromAnyTag: true }, '--from-any-tag'],
    [['/nowhere/a'], {}, 'Cannot read /nowhere/a'],
  ])('refuses %j with %j', async (paths, options, message) => {
    await expect(run(paths, options)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining(message),
    });
  });

  it('refuses two files of one name for the same folder', async () => {
    const one = await put('a.yaml', '');
    await expect(
      run([one, `${folder}/../${folder.split('/').at(-1)}/a.yaml`], { output: 'o' }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('would both be'),
    });
  });
});
