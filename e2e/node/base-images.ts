import { execFile } from 'node:child_process';
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { create } from 'tar';

import type { ContainerEngine } from './container-engine.ts';

const run = promisify(execFile);

/** Names of the two bases of the Dockerfile, as they are here: made of this machine's files, from no registry. */
export const BASES = {
  /** In the place of node:24: Node, npm, and a shell. */
  build: 'localhost/build:1',
  /** In the place of distroless/nodejs24: Node in /nodejs/bin, the user 65532, no shell. */
  runtime: 'localhost/runtime:1',
} as const;

const PASSWD = `root:x:0:0:root:/root:/sbin/nologin
nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin
`;

/** Makes the bases. What they hold beside Node and what it is linked to is empty. */
export async function importBases(engine: ContainerEngine): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tagpin-base-'));
  try {
    const runtime = join(folder, 'runtime');
    await makeRuntimeTree(runtime);
    const entrypoint = '--change=ENTRYPOINT ["/nodejs/bin/node"]';
    const archive = await archiveOf(runtime);
    await engine.run([
      'import',
      '--quiet',
      '--change=USER 65532',
      entrypoint,
      archive,
      BASES.runtime,
    ]);
    const build = join(folder, 'build');
    await makeBuildTree(build);
    const path = '--change=ENV PATH=/usr/local/bin:/usr/bin';
    await engine.run(['import', '--quiet', path, await archiveOf(build), BASES.build]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function archiveOf(tree: string): Promise<string> {
  const file = `${tree}.tar`;
  await create({ file, cwd: tree, preservePaths: true }, ['.']);
  return file;
}

async function makeRuntimeTree(root: string): Promise<void> {
  await makeCommonTree(root);
  await installProgram(root, process.execPath, 'nodejs/bin/node');
}

async function makeBuildTree(root: string): Promise<void> {
  await makeCommonTree(root);
  await installProgram(root, process.execPath, 'usr/local/bin/node');
  for (const program of ['/bin/sh', '/usr/bin/env']) {
    await installProgram(root, await realpath(program), join('usr', program.replace('/usr', '')));
  }
  const { stdout } = await run('/bin/sh', ['-c', 'command -v npm']);
  // …/npm/bin/npm-cli.js
  const npm = dirname(dirname(await realpath(stdout.trim())));
  await cp(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
}

async function makeCommonTree(root: string): Promise<void> {
  const directories = ['dev', 'etc', 'home/nonroot', 'proc', 'root', 'sys', 'tmp'];
  const merged = ['bin', 'lib', 'lib64'];
  for (const path of [...directories, ...merged.map((name) => join('usr', name))]) {
    await mkdir(join(root, path), { recursive: true });
  }
  for (const name of merged) await symlink(join('usr', name), join(root, name));
  await chmod(join(root, 'tmp'), 0o1777);
  await writeFile(join(root, 'etc/passwd'), PASSWD);
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
}

/** Copies a program, and the libraries that it is linked to, which lie where they lie here. */
async function installProgram(root: string, program: string, path: string): Promise<void> {
  const target = join(root, path);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(program, target);
  await chmod(target, 0o755);
  const { stdout } = await run('ldd', [program]);
  for (const [library] of stdout.matchAll(/(?<=\s)\/\S+/g)) {
    const place = resolve(root, `.${library}`);
    await mkdir(dirname(place), { recursive: true });
    await copyFile(library, place);
  }
}
