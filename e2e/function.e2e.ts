import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { binaryPath, buildBinaries } from './support/binaries.ts';
import { readEnvironment } from './support/environment.ts';
import { TestImage } from './support/test-image.ts';

const { registry } = readEnvironment();
const ROOT = join(import.meta.dirname, '..');
const BUILD_TIMEOUT_MS = 600_000;
const BUILD = ['build', '--enable-alpha-plugins', '--enable-exec', '.'];
const RUN = ['fn', 'run', '--enable-exec', '--results-dir', 'results', '.'];

/** The documentation. */
let page: string;
/** The files that it shows, by their names. */
let shown: ReadonlyMap<string, string>;
let directory: string;
let folder: string;

beforeAll(async () => {
  await buildBinaries(['kustomize']);
  page = await readFile(join(ROOT, 'docs', 'pipelines.md'), 'utf8');
  const blocks = page.matchAll(/```yaml\n# (\S+)\n([\s\S]*?)```/g);
  shown = new Map([...blocks].map(([, name = '', text = '']) => [name, text]));
  directory = await mkdtemp(join(tmpdir(), 'tagpin-function-'));
  const program = join(directory, 'tagpin');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${ROOT}/src/main.ts' "$@"\n`);
  await chmod(program, 0o755);
}, BUILD_TIMEOUT_MS);
beforeEach(async () => {
  folder = await mkdtemp(join(directory, 'app-'));
  await mkdir(join(folder, 'results'));
  await Promise.all([...shown].map(([name, text]) => put(name, text)));
});
afterAll(() => rm(directory, { recursive: true }));

function put(name: string, text: string): Promise<void> {
  return writeFile(join(folder, name), text);
}

function read(name: string): Promise<string> {
  return readFile(join(folder, name), 'utf8');
}

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function kustomize(args: readonly string[]): Promise<Ended> {
  const env = { PATH: `${directory}:${process.env['PATH']}`, HOME: directory };
  return new Promise((resolve) => {
    execFile(binaryPath('kustomize'), args, { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

function deployment(web: string, proxy: string): string {
  return `# the shop
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web # in front
        image: ${web}
      - name: proxy
        image: "${proxy}"
`;
}

function imagesIn(text: string): readonly string[] {
  return parse(text).spec.template.spec.containers.map(({ image }: { image: string }) => image);
}

describe('tagpin fn, run by kustomize', () => {
  it('is run as the documentation says', () => {
    expect(page).toContain(`\nkustomize ${BUILD.join(' ')}\n`);
    expect(page).toContain(`\nkustomize ${RUN.join(' ')}\n`);
    expect([...shown.keys()]).toEqual(['kustomization.yaml', 'pin.yaml']);
  });

  it('pins what is built, as crane says', async () => {
    const [web, proxy] = await Promise.all([
      TestImage.ofTwoPlatforms(registry),
      TestImage.ofOnePlatform(registry),
    ]);
    await put('deployment.yaml', deployment(web.tagged, proxy.tagged));
    const { code, stdout, stderr } = await kustomize(BUILD);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const pinned = [web, proxy].map(async (image) => `${image.tagged}@${await image.digest()}`);
    expect(imagesIn(stdout)).toEqual(await Promise.all(pinned));
  });

  it('writes files back, with comments, and results beside them', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const pinned = `${image.tagged}@${await image.digest()}`;
    await put('deployment.yaml', deployment(image.tagged, pinned));
    expect(await kustomize(RUN)).toMatchObject({ code: 0 });
    expect(await read('deployment.yaml')).toBe(deployment(pinned, pinned));
    expect(await read('pin.yaml')).toBe(shown.get('pin.yaml'));
    expect(parse(await read('results/results-0.yaml'))).toEqual([
      {
        message: `container "web": ${image.tagged} -> ${pinned}`,
        severity: 'info',
        resourceRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        field: { path: 'spec.template.spec.containers[0].image' },
        file: { path: 'deployment.yaml' },
      },
    ]);
  });

  it('fails where an image cannot be resolved, and writes nothing', async () => {
    const image = await TestImage.ofOnePlatform(registry);
    const text = deployment(image.tagged, `${image.name}:missing`);
    await put('deployment.yaml', text);
    const [built, run] = [await kustomize(BUILD), await kustomize(RUN)];
    expect(built).toMatchObject({ code: 1, stdout: '' });
    expect(built.stderr).toContain(`tagpin: container "proxy": ${registry.host} answered 404`);
    expect(run).toMatchObject({ code: 1 });
    expect(await read('deployment.yaml')).toBe(text);
    expect(parse(await read('results/results-0.yaml'))).toMatchObject([
      { severity: 'error', field: { currentValue: `${image.name}:missing` } },
    ]);
  });

  it('checks, by a ConfigMap as well, and refuses a key that it does not know', async () => {
    await put('deployment.yaml', deployment('nginx:1', 'redis'));
    const [head = ''] = (shown.get('pin.yaml') ?? '').split('spec:');
    const asMap = head.replace('tagpin.dev/v1alpha1', 'v1').replace('kind: Pin', 'kind: ConfigMap');
    await put('pin.yaml', `${asMap}data:\n  mode: check\n`);
    const checked = await kustomize(BUILD);
    expect(checked).toMatchObject({ code: 1, stdout: '' });
    expect(checked.stderr).toContain('container <web> uses an image without a digest <nginx:1>');
    await put('pin.yaml', `${asMap}data:\n  mode: check\n  skip: docker.io/library/*\n`);
    expect(await kustomize(BUILD)).toMatchObject({ code: 0, stderr: '' });
    await put('pin.yaml', `${asMap}data:\n  mdoe: check\n`);
    expect((await kustomize(BUILD)).stderr).toContain('"mdoe" is none of mode, referenceForm');
  });
});
