import { readFileSync, writeFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { type BinaryName, binaryPath } from './support/binaries.ts';
import { createCertificateAuthority } from './support/certificate.ts';
import { stopAll } from './support/child-process.ts';
import { type Exchange, exchangesOf, timeless, typed, withOutputs } from './support/console.ts';
import { startControlPlane } from './support/control-plane.ts';
import { readEnvironment } from './support/environment.ts';
import { freePort } from './support/free-port.ts';
import { type InstalledReplica, startInstalledReplica } from './support/installed-replica.ts';
import { type Shop, startShop } from './support/shop.ts';
import { StandInNode } from './support/stand-in-node.ts';
import { Switch } from './support/switch.ts';

// What is done otherwise than by a reader stands on the page itself, under "How this page is tested".
const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'docs', 'tutorial.md');
/** Writes into the page what is seen, in place of comparing. */
const WRITES = process.env['UPDATE_DOCS'] === '1';
const PROGRAMS: readonly BinaryName[] = ['kubectl', 'crane'];

const directory = join(readEnvironment().directory, 'tutorial');
/** In the place of the Service. */
const service = new Switch();

let shop: Shop;
let node: StandInNode;
let servicePort: number;
let replica: InstalledReplica | undefined;

beforeAll(async () => {
  await mkdir(directory);
  shop = await startShop(directory);
  const authority = await createCertificateAuthority();
  const controlPlane = await startControlPlane(directory, authority);
  servicePort = await freePort();
  await service.listen(servicePort);
  const server = {
    start: async () => {
      replica = await startInstalledReplica({
        name: 'tagpin',
        directory,
        controlPlane,
        certificateAuthority: authority.certificate,
        settings: ['--drain-time=0s'],
        env: { ...shop.environment, ...PROXY_EXCEPTIONS },
      });
      service.pointAt(replica.port);
    },
    stop: async () => replica?.stop(),
  };
  node = await StandInNode.start({ directory, kubeconfig: controlPlane.kubeconfig, server });
  await prepareHome(controlPlane.kubeconfig);
});

afterAll(async () => {
  await node.stop();
  await service.close();
  await shop[Symbol.asyncDispose]();
  await stopAll(directory);
});

/** The proxy knows no name that is not there. */
const PROXY_EXCEPTIONS = { NO_PROXY: '127.0.0.1,registry.invalid' };

/** The programs that are typed, and the kubeconfig of whoever types. */
async function prepareHome(kubeconfig: string): Promise<void> {
  const bin = join(directory, 'bin');
  await mkdir(bin);
  await mkdir(join(directory, '.kube'));
  await copyFile(kubeconfig, join(directory, '.kube', 'config'));
  await symlink(join(ROOT, 'src', 'main.ts'), join(bin, 'tagpin'));
  await chmod(join(ROOT, 'src', 'main.ts'), 0o755);
  for (const name of PROGRAMS) await symlink(binaryPath(name), join(bin, name));
  const address = `--set webhook.url=https://127.0.0.1:${servicePort}`;
  const helm = `#!/bin/sh\n[ "$1" = install ] && set -- "$@" ${address}\nexec ${binaryPath('helm')} "$@"\n`;
  await writeFile(join(bin, 'helm'), helm, { mode: 0o755 });
}

/** What is typed in the place of a command of the page. */
function insteadOf(command: string): string {
  if (command.startsWith('kubectl port-forward ')) return ':';
  return command.replaceAll('localhost:9090', `127.0.0.1:${replica?.operationsPort}`);
}

async function ran(exchanges: readonly Exchange[]): Promise<Exchange[]> {
  const env = {
    PATH: [join(directory, 'bin'), dirname(process.execPath), process.env['PATH']].join(delimiter),
    HOME: directory,
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'node-compile'),
    ...shop.environment,
    ...PROXY_EXCEPTIONS,
  };
  const results: Exchange[] = [];
  for (const { command } of exchanges) {
    const { output } = await typed(insteadOf(command), { cwd: ROOT, env });
    results.push({ command, output });
    // What was typed has reached the node, as it will have where somebody types.
    await node.settle();
  }
  return results;
}

/** Some machines have no DNS at all. */
function withDns({ command, output }: Exchange): Exchange {
  const noDns = 'could not be looked up: DNS does not answer';
  return { command, output: output.replaceAll(noDns, 'is not known to DNS') };
}

describe('docs/tutorial.md', () => {
  it('shows what is seen, in every block', async () => {
    const read = (): string => readFileSync(PAGE, 'utf8');
    const seen = (await ran(exchangesOf(read()))).map(withDns);
    if (WRITES) writeFileSync(PAGE, withOutputs(read(), seen));
    expect(seen.map(timeless)).toEqual(exchangesOf(read()).map(timeless));
    expect(seen.length).toBeGreaterThan(40);
  });

  it('has no other blocks', () => {
    const fences = [...readFileSync(PAGE, 'utf8').matchAll(/^ *```(.+)$/gm)].map(
      ([, kind]) => kind,
    );
    expect(new Set(fences)).toEqual(new Set(['console']));
  });
});
