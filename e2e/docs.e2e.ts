import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { type BinaryName, binaryPath } from './support/binaries.ts';
import { type Exchange, exchangesOf, timeless, typed, withOutputs } from './support/console.ts';
import { readEnvironment } from './support/environment.ts';
import { eventually } from './support/eventually.ts';
import { Kubectl } from './support/kubectl.ts';
import { type Podman, startPodman } from './support/podman.ts';
import { createPullSecret } from './support/pull-secret.ts';
import { ACCOUNT } from './support/registry.ts';
import { type Shop, startShop } from './support/shop.ts';

const ROOT = join(import.meta.dirname, '..');
const { directory: runDirectory, kubeconfig } = readEnvironment();
const NAMESPACE = 'shop';
/** Those with `console` blocks; docs/tutorial.md has a cluster of its own. */
const PAGES = [
  'README.md',
  'docs/air-gapped.md',
  'docs/ci.md',
  'docs/digests.md',
  'docs/json.md',
  'docs/on-the-node.md',
];
/** Programs of the documentation beside tagpin. */
const PROGRAMS: readonly BinaryName[] = ['kubectl', 'crane', 'gator', 'helm', 'kustomize'];
/** Writes into the pages what is shown, in place of comparing. */
const WRITES = process.env['UPDATE_DOCS'] === '1';

let directory: string;
let shop: Shop;
let podman: Podman;

beforeAll(async () => {
  directory = await mkdtemp(join(runDirectory, 'docs-'));
  shop = await startShop(directory);
  podman = await startPodman(runDirectory);
  Object.assign(process.env, shop.environment);
  await podman.run(['pull', '--quiet', '--arch=amd64', 'registry.example.com/shop/web:1.4']);
  await preparePrograms();
  await prepareNamespace();
});
/** Each page begins with the same namespace. */
beforeEach(async () => {
  const kubectl = new Kubectl(kubeconfig, NAMESPACE);
  await kubectl.run(['delete', 'deployment', '--all']);
  await lend(kubectl, 'default', []);
});
afterAll(async () => {
  await new Kubectl(kubeconfig).run([
    'delete',
    'namespace',
    NAMESPACE,
    '--ignore-not-found',
    '--wait=false',
  ]);
  await podman[Symbol.asyncDispose]();
  await shop[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

/** A folder with the program by both its names, and with the others. */
async function preparePrograms(): Promise<void> {
  const bin = join(directory, 'bin');
  await mkdir(bin);
  for (const name of ['tagpin', 'kubectl-tagpin']) {
    await symlink(join(ROOT, 'src', 'main.ts'), join(bin, name));
  }
  for (const name of PROGRAMS) await symlink(binaryPath(name), join(bin, name));
  await symlink(process.execPath, join(bin, 'node'));
  const answer = JSON.stringify({ Username: ACCOUNT.username, Secret: ACCOUNT.password });
  const helper = join(bin, 'docker-credential-demo');
  await writeFile(helper, `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
  await chmod(join(ROOT, 'src', 'main.ts'), 0o755);
}

/** The namespace of the examples, and a kubeconfig of somebody who works in it. */
async function prepareNamespace(): Promise<void> {
  const admin = new Kubectl(kubeconfig);
  await admin.run(['create', 'namespace', NAMESPACE]);
  const kubectl = new Kubectl(kubeconfig, NAMESPACE);
  await createPullSecret(kubectl, 'regcred', { host: 'private.example.com', ...ACCOUNT });
  await kubectl.run(['create', 'serviceaccount', 'builder']);
  await lend(kubectl, 'builder', ['regcred']);
  await eventually(() => kubectl.run(['get', 'serviceaccount', 'default']));
  const home = join(directory, 'home');
  await mkdir(join(home, '.kube'), { recursive: true });
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly contexts: readonly { readonly context: object }[];
  };
  const contexts = config.contexts.map((one) => ({
    ...one,
    context: { ...one.context, namespace: NAMESPACE },
  }));
  await writeFile(join(home, '.kube', 'config'), JSON.stringify({ ...config, contexts }));
}

async function lend(
  kubectl: Kubectl,
  serviceAccount: string,
  secrets: readonly string[],
): Promise<void> {
  const patch = JSON.stringify({ imagePullSecrets: secrets.map((name) => ({ name })) });
  await kubectl.run([
    'patch',
    'serviceaccount',
    serviceAccount,
    '--type=merge',
    `--patch=${patch}`,
  ]);
}

/** Types what a page shows, in a folder with the files of `e2e/docs`. */
async function ran(exchanges: readonly Exchange[]): Promise<Exchange[]> {
  const cwd = await mkdtemp(join(directory, 'work-'));
  cpSync(join(import.meta.dirname, 'docs'), cwd, { recursive: true });
  cpSync(join(import.meta.dirname, 'gator', 'template.yaml'), join(cwd, 'policy', 'template.yaml'));
  const env = {
    PATH: [join(directory, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: join(directory, 'home'),
    TZ: 'UTC',
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'node-compile'),
    DOCKER_HOST: `unix://${podman.socketPath}`,
    ...shop.environment,
  };
  const results: Exchange[] = [];
  for (const { command } of exchanges) {
    const { output } = await typed(command, { cwd, env });
    results.push({ command, output: output.replaceAll(env.HOME, '/home/me') });
  }
  return results;
}

describe('what the documentation shows', () => {
  it.each(PAGES)(
    'in %s is what is seen',
    async (name) => {
      const path = join(ROOT, name);
      const read = (): string => readFileSync(path, 'utf8');
      const seen = await ran(exchangesOf(read()));
      if (WRITES) writeFileSync(path, withOutputs(read(), seen));
      expect(seen.map(timeless)).toEqual(exchangesOf(read()).map(timeless));
      expect(seen.length).toBeGreaterThan(2);
    },
    300_000,
  );
});
