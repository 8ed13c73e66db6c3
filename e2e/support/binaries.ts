import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import {
  isOtherVersion,
  kubernetesVersion,
  versionFlags,
  writeModule,
} from './kubernetes-version.ts';

interface Source {
  /** The folder of the go.mod, below e2e/. */
  readonly module: string;
  readonly package: string;
}

const KUBERNETES = 'binaries/kubernetes';

/** A program of the end-to-end tests that is built from Go sources. */
export type BinaryName =
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kubectl'
  | 'kubelet'
  | 'sandbox'
  | 'etcd'
  | 'registry'
  | 'crane'
  | 'kubeconform'
  | 'gator'
  | 'kustomize'
  | 'helm'
  | 'helm3'
  | 'actionlint'
  | 'toxiproxy'
  | 'cert-manager'
  | 'oracle'
  | 'containerd-oracle';

const SOURCES: Readonly<Record<BinaryName, Source>> = {
  'kube-apiserver': { module: KUBERNETES, package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  'kube-controller-manager': {
    module: KUBERNETES,
    package: 'k8s.io/kubernetes/cmd/kube-controller-manager',
  },
  kubectl: { module: KUBERNETES, package: 'k8s.io/kubernetes/cmd/kubectl' },
  kubelet: { module: KUBERNETES, package: 'k8s.io/kubernetes/cmd/kubelet' },
  sandbox: { module: 'node/sandbox', package: '.' },
  etcd: { module: 'binaries/etcd', package: 'go.etcd.io/etcd/server/v3' },
  registry: {
    module: 'binaries/registry',
    package: 'github.com/distribution/distribution/v3/cmd/registry',
  },
  crane: {
    module: 'binaries/crane',
    package: 'github.com/google/go-containerregistry/cmd/crane',
  },
  kubeconform: {
    module: 'binaries/kubeconform',
    package: 'github.com/yannh/kubeconform/cmd/kubeconform',
  },
  gator: {
    module: 'binaries/gator',
    package: 'github.com/open-policy-agent/gatekeeper/v3/cmd/gator',
  },
  helm: { module: 'binaries/helm', package: 'helm.sh/helm/v4/cmd/helm' },
  helm3: { module: 'binaries/helm3', package: 'helm.sh/helm/v3/cmd/helm' },
  actionlint: {
    module: 'binaries/actionlint',
    package: 'github.com/rhysd/actionlint/cmd/actionlint',
  },
  kustomize: {
    module: 'binaries/kustomize',
    package: 'sigs.k8s.io/kustomize/kustomize/v5',
  },
  toxiproxy: {
    module: 'binaries/toxiproxy',
    package: 'github.com/Shopify/toxiproxy/v2/cmd/server',
  },
  'cert-manager': { module: 'binaries/cert-manager', package: '.' },
  oracle: { module: 'oracle', package: '.' },
  'containerd-oracle': { module: 'containerd', package: '.' },
};

/** What a node runs, which not every machine can. */
export const NODE_BINARIES: readonly BinaryName[] = ['kubelet', 'sandbox'];

const BINARY_NAMES: readonly BinaryName[] = (Object.keys(SOURCES) as BinaryName[]).filter(
  (name) => !NODE_BINARIES.includes(name),
);

const E2E_DIRECTORY = dirname(import.meta.dirname);

/** Programs of the version that `E2E_KUBERNETES` names; the others are of one version always. */
const OF_VERSION: ReadonlySet<BinaryName> = new Set(['kube-apiserver', 'kube-controller-manager']);

/** Where built programs and the logs of the last run are kept, outside the checkout. */
export function cacheDirectory(): string {
  return process.env['TAGPIN_E2E_CACHE'] ?? join(homedir(), '.cache', 'tagpin-e2e');
}

/**
 * The path of one program: in `KUBEBUILDER_ASSETS` when that has it, else in the cache, under a
 * hash of everything it is built from. It need not exist before `buildBinaries()`.
 */
export function binaryPath(name: BinaryName): string {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  if (assets !== undefined && existsSync(join(assets, name))) return join(assets, name);
  if (isOfOtherVersion(name)) return join(versionDirectory(), name);
  const { module } = SOURCES[name];
  const folder = `${basename(module)}-${sourceHash(module, goFlags(name))}`;
  return join(cacheDirectory(), folder, name);
}

function isOfOtherVersion(name: BinaryName): boolean {
  return OF_VERSION.has(name) && isOtherVersion();
}

function versionDirectory(): string {
  return join(cacheDirectory(), `kubernetes-${kubernetesVersion()}`);
}

/** The folder of the go.mod that a program is built from; that of another version is written first. */
async function moduleOf(name: BinaryName): Promise<string> {
  if (!isOfOtherVersion(name)) return join(E2E_DIRECTORY, SOURCES[name].module);
  const folder = join(versionDirectory(), 'module');
  await writeModule(folder);
  return folder;
}

function goFlags(name: BinaryName): readonly string[] {
  const variables = OF_VERSION.has(name) ? ` ${versionFlags()}` : '';
  // There is no go.sum yet of a module that was written.
  const mode = isOfOtherVersion(name) ? ['-mod=mod'] : [];
  return ['-trimpath', '-buildvcs=false', '-ldflags', `-s -w${variables}`, ...mode];
}

/**
 * Builds what is missing, one after the other: a build of kube-apiserver fills every core alone.
 *
 * @throws Error with the command that mends it, when Go is missing, too old or does not build
 */
export async function buildBinaries(names: readonly BinaryName[] = BINARY_NAMES): Promise<void> {
  for (const name of names) {
    const path = binaryPath(name);
    if (existsSync(path)) continue;
    const module = await moduleOf(name);
    await requireGo(name, module);
    await build(name, path, module);
  }
}

async function build(name: BinaryName, path: string, module: string): Promise<void> {
  const source = SOURCES[name];
  const started = performance.now();
  process.stderr.write(`e2e: building ${name} (once; kept in ${dirname(path)})\n`);
  await mkdir(dirname(path), { recursive: true });
  // A name of our own until it is whole: a second run beside this one must not start half a file.
  const partial = `${path}.${process.pid}.partial`;
  const result = await go(module, ['build', ...goFlags(name), '-o', partial, source.package]);
  if (result.exitCode !== 0) {
    await rm(partial, { force: true });
    throw new Error(
      `Cannot build ${name}: go build ended with ${result.exitCode}\n${result.output}` +
        `Try it by hand: cd ${module} && go build ${source.package}`,
    );
  }
  await rename(partial, path);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stderr.write(`e2e: built ${name} in ${seconds} s\n`);
}

/** `go list` in the module: the go command itself refuses a module that asks for a newer Go. */
async function requireGo(name: BinaryName, module: string): Promise<void> {
  const wanted = /^go (\S+)$/m.exec(readFileSync(join(module, 'go.mod'), 'utf8'))?.[1] ?? 'unknown';
  const result = await go(module, ['list', '-m']);
  if (result.exitCode === 0) return;
  const archive = `go${wanted}.linux-${process.arch === 'x64' ? 'amd64' : process.arch}.tar.gz`;
  throw new Error(
    `Cannot build ${name}: Go ${wanted} or later is needed, and "go list" answered:\n` +
      `${result.output.trimEnd()}\n` +
      `An older Go (1.21 or later) fetches the right one by itself:  export GOTOOLCHAIN=auto\n` +
      `Without Go:  curl -fsSL https://go.dev/dl/${archive} | tar -C /usr/local -xz && ` +
      `export PATH=/usr/local/go/bin:$PATH`,
  );
}

interface GoResult {
  readonly exitCode: number;
  readonly output: string;
}

function go(module: string, args: readonly string[]): Promise<GoResult> {
  const child = spawn('go', args, {
    cwd: module,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: 127, output: `${error.message}\n` }));
    child.once('close', (code) => resolve({ exitCode: code ?? 1, output }));
  });
}

function sourceHash(module: string, flags: readonly string[]): string {
  const hash = createHash('sha256').update(flags.join(' '));
  for (const file of globSync(['go.mod', 'go.sum', '**/*.go'], {
    cwd: join(E2E_DIRECTORY, module),
  }).toSorted()) {
    hash.update(`\0${file}\0`).update(goFile(module, file));
  }
  return hash.digest('hex').slice(0, 12);
}

function goFile(module: string, file: string): string {
  return readFileSync(join(E2E_DIRECTORY, module, file), 'utf8');
}
