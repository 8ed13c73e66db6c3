import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { binaryPath } from './binaries.ts';
import type { Kubectl } from './kubectl.ts';

const run = promisify(execFile);

/** A chart of one object, whose image is a value. */
export class Chart {
  readonly #folder: string;
  readonly #kubectl: Kubectl;

  private constructor(folder: string, kubectl: Kubectl) {
    this.#folder = folder;
    this.#kubectl = kubectl;
  }

  /** @param template an object that has `{{ .Values.image }}` for its image */
  static async of(kubectl: Kubectl, template: object): Promise<Chart> {
    const folder = await mkdtemp(join(tmpdir(), 'tagpin-chart-'));
    await mkdir(join(folder, 'templates'));
    const chart = { apiVersion: 'v2', name: 'web', version: '1.0.0' };
    // JSON is YAML.
    await writeFile(join(folder, 'Chart.yaml'), JSON.stringify(chart));
    await writeFile(join(folder, 'templates', 'object.yaml'), JSON.stringify(template));
    return new Chart(folder, kubectl);
  }

  /** Installs the release `web`, or upgrades it, with this image. */
  upgrade(image: string): Promise<void> {
    return this.#helm('upgrade', '--install', 'web', this.#folder, `--set=image=${image}`);
  }

  rollback(revision: number): Promise<void> {
    return this.#helm('rollback', 'web', String(revision));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }

  async #helm(...args: readonly string[]): Promise<void> {
    const { kubeconfig, namespace = '' } = this.#kubectl;
    const where = [`--kubeconfig=${kubeconfig}`, `--namespace=${namespace}`];
    await helm([...args, ...where], this.#folder);
  }
}

/**
 * What the real helm prints.
 *
 * @param home where it may remember things; nothing of other runs comes into this one
 * @param binary Helm 4, or Helm 3
 * @throws Error with what it said where it fails
 */
export async function helm(
  args: readonly string[],
  home: string,
  binary: 'helm' | 'helm3' = 'helm',
): Promise<string> {
  const homes = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  const env = { ...process.env, ...homes };
  const { stdout } = await run(binaryPath(binary), args, { env, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
