import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The module of the version that the tests are run with unless told otherwise. */
const KUBERNETES_MODULE: string = join(dirname(import.meta.dirname), 'binaries', 'kubernetes');

const USUAL = /k8s\.io\/kubernetes (v\S+)/.exec(
  readFileSync(join(KUBERNETES_MODULE, 'go.mod'), 'utf8'),
)?.[1];

/**
 * The version of the control plane: `E2E_KUBERNETES=v1.34.4` names one, else it is that of the module.
 *
 * @throws Error for a name that is no release
 */
export function kubernetesVersion(): string {
  const version = process.env['E2E_KUBERNETES'] ?? USUAL ?? '';
  if (/^v1\.\d+\.\d+$/.test(version)) return version;
  throw new Error(
    `E2E_KUBERNETES names a release, such as v1.34.4; it is ${JSON.stringify(version)}`,
  );
}

/** Whether it is another one than that of the module. */
export function isOtherVersion(): boolean {
  return kubernetesVersion() !== USUAL;
}

/** Whether the control plane is of this minor version, or a later one. */
export function isKubernetes(atLeast: `1.${number}`): boolean {
  const [, minor = ''] = kubernetesVersion().split('.');
  return Number(minor) >= Number(atLeast.slice(2));
}

/** Since when a Pod may have image volumes: https://kep.k8s.io/4639. */
const IMAGE_VOLUMES = { alpha: '1.31', byDefault: '1.35' } as const;

/** Whether Pods of the control plane may have image volumes: an older one knows no such field. */
export function hasImageVolumes(): boolean {
  return isKubernetes(IMAGE_VOLUMES.alpha);
}

/** What an API server is to be told so that it has what the tests use and its version has not by default. */
export function featureFlags(): string[] {
  const { alpha, byDefault } = IMAGE_VOLUMES;
  return isKubernetes(alpha) && !isKubernetes(byDefault)
    ? ['--feature-gates=ImageVolume=true']
    : [];
}

/** What makes a program tell its version, as those of a release do. */
export function versionFlags(): string {
  const version = kubernetesVersion();
  const [, minor = ''] = version.split('.');
  const variables = { gitVersion: version, gitMajor: '1', gitMinor: minor };
  return Object.entries(variables)
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
}

/**
 * Writes a module that the programs of another version can be built from. k8s.io/kubernetes names its
 * staging modules at v0.0.0: each is replaced by the release that belongs to it. What is downloaded is held
 * against the checksum database, as there is no go.sum of ours.
 *
 * @throws Error where there is no such release
 */
export async function writeModule(folder: string): Promise<void> {
  if (existsSync(join(folder, 'go.sum'))) return;
  const version = kubernetesVersion();
  const download = ['mod', 'download', '-json', `k8s.io/kubernetes@${version}`];
  const { stdout } = await run('go', download, { cwd: KUBERNETES_MODULE });
  const { GoMod } = JSON.parse(stdout) as { GoMod: string };
  const upstream = await readFile(GoMod, 'utf8');
  const staging = [...upstream.matchAll(/^\s*(k8s\.io\/[\w-]+) v0\.0\.0$/gm)];
  const release = version.replace(/^v1/, 'v0');
  const replaced = staging.map(([, name]) => `\t${name} => ${name} ${release}`);
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'go.mod'),
    `module tagpin.dev/e2e/binaries/kubernetes

${/^go \S+$/m.exec(upstream)?.[0]}

require k8s.io/kubernetes ${version}

replace (
${replaced.join('\n')}
)
`,
  );
}
