import { chmod, copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { create } from 'tar';

import { binaryPath } from '../support/binaries.ts';
import { pushImage } from '../support/image.ts';
import type { Registry } from '../support/registry.ts';
import { TestImage } from '../support/test-image.ts';

/** An image that a node can run: its first version writes `version 1`, moved once `version 2`. */
export async function runnableImage(registry: Registry): Promise<TestImage> {
  const layer = await sandboxArchive();
  let version = 0;
  return TestImage.pushedBy(registry, (target) => {
    version += 1;
    const config = { Entrypoint: ['/sandbox'], Env: [`VERSION=${version}`] };
    return pushImage(target, { layer, config, architecture: ARCHITECTURE });
  });
}

/** As Go calls what Node calls x64. */
const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch;

async function sandboxArchive(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'tagpin-sandbox-'));
  try {
    await copyFile(binaryPath('sandbox'), join(folder, 'sandbox'));
    await chmod(join(folder, 'sandbox'), 0o755);
    const file = join(folder, 'layer.tar');
    await create({ file, cwd: folder, portable: true }, ['sandbox']);
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
