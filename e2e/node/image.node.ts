import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { list } from 'tar';

import { SUMMARIES } from '../../src/commands/summaries.ts';
import { buildBinaries, NODE_BINARIES } from '../support/binaries.ts';
import { type RunningProcess, startProcess } from '../support/child-process.ts';
import { readEnvironment } from '../support/environment.ts';
import { pinsOf } from '../support/pins.ts';
import { listenFlags, ON_THIS_MACHINE, readOperations } from '../support/serving.ts';
import { TestImage } from '../support/test-image.ts';
import { createNamespace } from '../support/test-namespace.ts';
import { type PodTemplate, workload } from '../support/workload.ts';
import { BASES } from './base-images.ts';
import { buildImage, IMAGE } from './built-image.ts';
import { ChartOnNode } from './chart-on-node.ts';
import { ContainerEngine } from './container-engine.ts';
import { nodeProblem } from './runtime.ts';

const environment = readEnvironment();
const { directory, registry, webhook } = environment;
const CHECKOUT = join(import.meta.dirname, '..', '..');
const problem = await nodeProblem();
const BUILD_TIMEOUT_MS = 1_800_000;
/** Where the node gets it. */
const REPOSITORY = `${registry.host}/built/tagpin`;

/** As the Deployment has it; the user is that of the image. Nothing can be written, not even in /tmp. */
const CONFINED = [
  'run',
  '--rm',
  '--network=host',
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop=all',
  '--security-opt=no-new-privileges',
];

let engine: ContainerEngine;
let server: RunningProcess | undefined;

/** In the image: how each command's `--help` ended, and its first line. A container for each takes its time. */
const HELPS = `
  const [commands, [program, ...words]] = process.argv.slice(1).map(JSON.parse);
  for (const command of commands) {
    const args = [...words, command, '--help'];
    const { status, stdout } = require('node:child_process').spawnSync(program, args);
    console.log(status + ' ' + String(stdout).split('\\n')[0]);
  }`;

/** What the image is asked to run, after its entry point. */
function tagpin(...args: readonly string[]): Promise<string> {
  return engine.run([...CONFINED, IMAGE, ...args]);
}

/** Path and, of a package.json, the text. */
async function filesOf(image: string): Promise<ReadonlyMap<string, string>> {
  const file = join(directory, 'image.tar');
  const container = (await engine.run(['create', image])).trim();
  await engine.run(['export', `--output=${file}`, container]);
  await engine.run(['rm', container]);
  const files = new Map<string, string>();
  await list({
    file,
    onReadEntry: (entry) => {
      if (entry.type === 'Directory') return;
      files.set(entry.path, '');
      if (!entry.path.endsWith('package.json')) return;
      entry.on('data', (chunk: Buffer) => {
        files.set(entry.path, (files.get(entry.path) ?? '') + chunk.toString());
      });
    },
  });
  return files;
}

interface Package {
  readonly name: string;
  readonly version: string;
}

function nameOf({ name, version }: Package): string {
  return `${name}@${version}`;
}

/** Where a package is installed, in another one's folder too: not what a package keeps for itself. */
const INSTALLED = /^app\/(?:node_modules\/(?:@[^/]+\/)?[^/]+\/)+package\.json$/;

if (problem !== undefined) process.stderr.write(`no image is built: ${problem}\n`);
const describeImage = problem === undefined ? describe : describe.skip;

describeImage(`the image${problem === undefined ? '' : ` (skipped: ${problem})`}`, () => {
  let files: ReadonlyMap<string, string>;

  beforeAll(async () => {
    engine = await ContainerEngine.in(directory);
    await buildImage(engine, directory);
    files = await filesOf(IMAGE);
  }, BUILD_TIMEOUT_MS);

  afterAll(async () => {
    await server?.stop();
    await engine?.[Symbol.asyncDispose]();
  });

  it('holds the built program, what it needs at run time, and nothing else', async () => {
    const base = await filesOf(BASES.runtime);
    const added = [...files.keys()].filter((path) => !base.has(path));
    const outside = added.filter((path) => !/^app\/(?:dist|node_modules)\//.test(path));
    expect(outside.toSorted()).toEqual(['app/LICENSE', 'app/package.json']);
    expect(added).toContain('app/dist/main.js');
    expect(added).not.toContain('app/node_modules/typescript/package.json');
  });

  it('has the packages of the SBOM, and no others', async () => {
    const sbom = ['run', '--silent', 'sbom'];
    const options = { cwd: CHECKOUT, maxBuffer: 16 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)('npm', sbom, options);
    const { components } = JSON.parse(stdout) as { components: Package[] };
    const installed = [...files]
      .filter(([path]) => INSTALLED.test(path))
      .map(([, text]) => JSON.parse(text) as Package);
    expect(installed.length).toBeGreaterThan(100);
    expect(new Set(installed.map(nameOf))).toEqual(new Set(components.map(nameOf)));
  });

  it('runs each command by its entry point', async () => {
    const entrypoint = await engine.run(['inspect', '--format={{json .Config.Entrypoint}}', IMAGE]);
    const words = [JSON.stringify(Object.keys(SUMMARIES)), entrypoint.trim()];
    const said = await engine.run([...CONFINED, '--entrypoint=node', IMAGE, '-e', HELPS, ...words]);
    const usages = Object.keys(SUMMARIES).map((name) => `0 Usage: tagpin ${name} [options]`);
    expect(said.trim().split('\n')).toEqual(usages.map((usage) => expect.stringContaining(usage)));
  });

  it('finds a digest', async () => {
    const image = await TestImage.ofTwoPlatforms(registry);
    expect(await tagpin('resolve', image.tagged)).toBe(`${await image.pinned()}\n`);
  });

  it('serves an API server, as nobody, without a right and without a place to write', async () => {
    server = await serve();
    const pid = await engine.run(['inspect', '--format={{.State.Pid}}', 'tagpin-serves']);
    const status = await readFile(`/proc/${pid.trim()}/status`, 'utf8');
    expect(status).toMatch(/^Uid:(\t65532){4}$/m);
    expect(status).toMatch(/^Gid:(\t65532){4}$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);

    const image = await TestImage.ofOnePlatform(registry);
    const kubectl = await createNamespace(environment.kubeconfig, { mode: 'pin' });
    await kubectl.apply(workload('Pod', { name: 'web', image: image.tagged }));
    const pod = await kubectl.get<PodTemplate>('pod', 'web');
    expect(pinsOf(pod).images).toEqual({ web: await image.pinned() });
  });

  it('ends when it is told to, with what is under way answered', async () => {
    process.kill(server!.pid, 'SIGTERM');
    expect(await server!.ended).toBe(0);
  });

  describe('by the chart, on a node', () => {
    let chart: ChartOnNode;

    beforeAll(async () => {
      await buildBinaries(NODE_BINARIES);
      await engine.run(['push', '--tls-verify=false', IMAGE, `${REPOSITORY}:1`]);
      chart = await ChartOnNode.start(environment);
    }, BUILD_TIMEOUT_MS);
    afterAll(() => chart?.[Symbol.asyncDispose]());

    it('gets ready, passes helm test, and pins', async () => {
      await chart.install(REPOSITORY, '1');
      expect(await chart.test()).toContain('Phase:          Succeeded');
      const image = await TestImage.ofOnePlatform(registry);
      const kubectl = await createNamespace(chart.kubectl.kubeconfig, { mode: 'pin' });
      await kubectl.apply(workload('Pod', { name: 'web', image: image.tagged }));
      const pod = await kubectl.get<PodTemplate>('pod', 'web');
      expect(pinsOf(pod).images).toEqual({ web: await image.pinned() });
    });
  });
});

/** `CMD` of the image with more flags, to readiness. */
async function serve(): Promise<RunningProcess> {
  const mount = join(directory, 'image-files');
  await mkdir(mount);
  const { certificateFile, keyFile, kubeconfig } = webhook;
  for (const [name, file] of Object.entries({ crt: certificateFile, key: keyFile, kubeconfig })) {
    await copyFile(file, join(mount, name));
    await chmod(join(mount, name), 0o644);
  }
  const flags = [
    'serve',
    ...listenFlags(webhook),
    '--tls-cert=/files/crt',
    '--tls-key=/files/key',
    '--kubeconfig=/files/kubeconfig',
    `--plain-http=${registry.host}`,
    ...ON_THIS_MACHINE,
  ];
  const run = [...CONFINED, '--name=tagpin-serves', `--volume=${mount}:/files:ro`, IMAGE];
  return startProcess({
    name: 'image',
    directory,
    ...engine.commandLine([...run, ...flags]),
    ready: async () => void (await readOperations(webhook, '/readyz')),
  });
}
