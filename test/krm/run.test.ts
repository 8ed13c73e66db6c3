import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { PinError } from '../../src/errors.ts';
import { computeDigest, type Digest } from '../../src/image/digest.ts';
import { runFunction } from '../../src/krm/run.ts';
import { recordedStreams } from '../support/streams.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tagpin-krm-'));
});
afterEach(() => rm(folder, { recursive: true }));

function digestOf(reference: string): Digest {
  return computeDigest(Buffer.from(reference));
}

interface Run {
  readonly passed: boolean;
  readonly out: string;
  readonly err: string;
  readonly asked: readonly string[];
}

async function run(input: string): Promise<Run> {
  const streams = recordedStreams(input);
  const asked: string[] = [];
  const ask = async (reference: string): Promise<Digest> => {
    asked.push(reference);
    if (!reference.includes('missing')) return digestOf(reference);
    throw new PinError('not_found', `${reference} was not found`);
  };
  const openRegistries = (): Promise<typeof ask> => Promise.resolve(ask);
  const passed = await runFunction({ streams, openRegistries, skip: ['kind.local/*'] });
  return { passed, ...streams.written, asked };
}

/** A list as kustomize writes it, with a Deployment of these images. */
function listOf(images: readonly string[], spec: object = {}): string {
  const config = { apiVersion: 'tagpin.dev/v1alpha1', kind: 'Pin', spec };
  return `# kept
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web
    namespace: shop
    annotations:
      config.kubernetes.io/index: '1'
      internal.config.kubernetes.io/index: '1'
      internal.config.kubernetes.io/path: 'deploy/web.yaml'
      internal.config.kubernetes.io/id: "7"
  spec: # the template
    template:
      spec:
        containers:
${images.map((image, index) => `        - image: ${image}\n          name: "c${index}"\n`).join('')}- apiVersion: v1
  kind: ConfigMap
  metadata: {name: other}
  data: {image: "nginx:1"}
functionConfig: ${JSON.stringify(config)}
`;
}

/** The text without the results, which stand behind its kind. */
function withoutResults(text: string): string {
  return text.replace(/\nresults:\n(?: .*\n)+/, '\n');
}

const REFERENCE = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
const FILE = { path: 'deploy/web.yaml', index: 1 };

describe('runFunction(), which pins', () => {
  it('changes the images of the items, and no other byte', async () => {
    const { passed, out, err } = await run(
      listOf(['nginx:1', `b@${digestOf('b')}`, 'kind.local/a']),
    );
    expect(passed).toBe(true);
    const pinned = `nginx@${digestOf('nginx:1')}`;
    expect(withoutResults(out)).toBe(listOf([pinned, `b@${digestOf('b')}`, 'kind.local/a']));
    expect(err).toBe('');
    expect(parse(out).results).toEqual([
      {
        message: `container "c0": nginx:1 -> ${pinned}`,
        severity: 'info',
        resourceRef: REFERENCE,
        field: { path: 'spec.template.spec.containers[0].image' },
        file: FILE,
      },
      {
        message: expect.stringContaining('container "c2": kind.local/a: left alone'),
        severity: 'info',
        resourceRef: REFERENCE,
        field: {
          path: 'spec.template.spec.containers[2].image',
          currentValue: 'kind.local/a',
          proposedValue: 'kind.local/a',
        },
        file: FILE,
      },
    ]);
  });

  it('leaves all items as they are where one image fails, and says why', async () => {
    const text = listOf(['nginx:1', 'r.io/missing:1']);
    const { passed, out, err } = await run(text);
    expect(passed).toBe(false);
    expect(withoutResults(out)).toBe(text);
    expect(parse(out).results).toEqual([
      {
        message: expect.stringMatching(
          /^container "c1": r\.io\/missing:1 was not found; .*not_found/,
        ),
        severity: 'error',
        resourceRef: REFERENCE,
        field: {
          path: 'spec.template.spec.containers[1].image',
          currentValue: 'r.io/missing:1',
        },
        file: FILE,
      },
    ]);
    expect(err).toContain('tagpin: container "c1": r.io/missing:1 was not found');
  });

  it('says of an image that is no text where the list holds it', async () => {
    const { passed, out } = await run(listOf(['5']));
    expect(passed).toBe(false);
    expect(parse(out).results).toEqual([
      {
        message: expect.stringMatching(/^line 19, column 18 of the ResourceList: .* is no text$/),
        severity: 'error',
      },
    ]);
  });

  it('does as its configuration says', async () => {
    const spec = { referenceForm: 'tag-and-digest', skip: ['r.io/*'] };
    const { out, asked } = await run(listOf(['nginx:1', 'r.io/a:1', 'kind.local/a'], spec));
    expect(asked).toEqual(['nginx:1', 'kind.local/a:latest']);
    expect(out).toContain(`- image: nginx:1@${digestOf('nginx:1')}\n`);
    const comment = await run(listOf(['nginx:1'], { comment: true }));
    expect(comment.out).toContain(`- image: nginx@${digestOf('nginx:1')} # nginx:1\n`);
    const kinds = { extraKinds: ['apps/Deployment=spec.other'] };
    expect((await run(listOf(['nginx:1'], kinds))).asked).toEqual([]);
  });

  it('takes digests that are given, and asks no registry', async () => {
    const digests = [`nginx:1@${digestOf('given')}`];
    const { passed, out, asked, err } = await run(listOf(['nginx:1', 'b:1'], { digests }));
    expect({ passed, asked }).toEqual({ passed: true, asked: [] });
    expect(out).toContain(`- image: nginx@${digestOf('given')}\n`);
    expect(err).toBe('tagpin: container "c1": no digest is known for b:1\n');
  });

  it('honours a lock, which must be there', async () => {
    const lock = join(folder, 'tagpin.lock');
    await expect(run(listOf(['nginx:1'], { lock }))).rejects.toMatchObject({
      code: 'invalid_config',
      message: `The lock ${lock} cannot be read: it is not there`,
    });
    await writeFile(lock, `docker.io/library/nginx:1@${digestOf('locked')}\n`);
    const { out, asked } = await run(listOf(['nginx:1', 'b:1'], { lock }));
    expect(asked).toEqual(['b:1']);
    expect(out).toContain(`- image: nginx@${digestOf('locked')}\n`);
  });
});

describe('runFunction(), which checks', () => {
  it('changes nothing, and asks nobody', async () => {
    const text = listOf(['nginx:1', `b@${digestOf('b')}`, 'kind.local/a'], { mode: 'check' });
    const { passed, out, asked, err } = await run(text);
    expect({ passed, asked }).toEqual({ passed: false, asked: [] });
    expect(withoutResults(out)).toBe(text);
    const message = 'container <c0> uses an image without a digest <nginx:1>';
    expect(err).toBe(`tagpin: ${message}\n`);
    expect(parse(out).results).toEqual([
      {
        message,
        severity: 'error',
        resourceRef: REFERENCE,
        field: { path: 'spec.template.spec.containers[0].image', currentValue: 'nginx:1' },
        file: FILE,
      },
    ]);
  });

  it('passes what is pinned as it is', async () => {
    const text = listOf([`b@${digestOf('b')}`], { mode: 'check' });
    expect(await run(text)).toMatchObject({ passed: true, out: text, err: '' });
  });
});
