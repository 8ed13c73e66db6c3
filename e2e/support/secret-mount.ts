import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Kubectl } from './kubectl.ts';

/**
 * A folder as a kubelet mounts a Secret: each version is a folder of its own, and a link that leads to the
 * newest is replaced, so that nobody reads half of one
 * (https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/volume/util/atomic_writer.go).
 */
export class SecretMount {
  readonly #kubectl: Kubectl;
  readonly #secret: string;
  readonly #directory: string;
  #version = 0;

  /** @param directory made by the first {@link update} */
  constructor(kubectl: Kubectl, secret: string, directory: string) {
    this.#kubectl = kubectl;
    this.#secret = secret;
    this.#directory = directory;
  }

  path(key: string): string {
    return join(this.#directory, key);
  }

  /** The Secret as it is now; a kubelet does so after up to a minute. */
  async update(): Promise<void> {
    const { data } = await this.#kubectl.get<{ data: Record<string, string> }>(
      'secret',
      this.#secret,
    );
    this.#version += 1;
    const folder = `..${this.#version}`;
    await mkdir(this.path(folder), { recursive: true });
    for (const [key, value] of Object.entries(data)) {
      await writeFile(join(this.path(folder), key), Buffer.from(value, 'base64'), { mode: 0o600 });
    }
    await symlink(folder, this.path('..data_tmp'));
    await rename(this.path('..data_tmp'), this.path('..data'));
    if (this.#version > 1) return;
    for (const key of Object.keys(data)) await symlink(join('..data', key), this.path(key));
  }
}
