import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { binaryPath } from './binaries.ts';
import { type RunningProcess, startProcess } from './child-process.ts';
import { freePort } from './free-port.ts';
import { Kubectl } from './kubectl.ts';

const run = promisify(execFile);
const GO_MODULE = join(import.meta.dirname, '..', 'binaries', 'cert-manager');
const UPSTREAM = 'github.com/cert-manager/cert-manager';

/** Defines cert-manager's kinds, and starts its controllers with the rights of an administrator. */
export async function startCertManager(
  directory: string,
  kubeconfig: string,
): Promise<RunningProcess> {
  const admin = new Kubectl(kubeconfig);
  const kinds = ['issuers', 'clusterissuers', 'certificates', 'certificaterequests'];
  const folder = await moduleFolder();
  const files = kinds.map((kind) => join(folder, 'deploy', 'crds', `cert-manager.io_${kind}.yaml`));
  // Too large for the annotation of a client-side apply.
  await admin.run(['apply', '--server-side', ...files.map((file) => `--filename=${file}`)]);
  const names = kinds.map((kind) => `customresourcedefinition/${kind}.cert-manager.io`);
  await admin.run(['wait', '--for=condition=Established', ...names]);
  const probes = `127.0.0.1:${await freePort()}`;
  return startProcess({
    name: 'cert-manager',
    directory,
    command: binaryPath('cert-manager'),
    args: [kubeconfig, probes],
    ready: async () => {
      const response = await fetch(`http://${probes}/readyz`);
      if (!response.ok) throw new Error(`/readyz answered ${response.status}`);
    },
  });
}

/** Where Go keeps the sources of the version that the program is built from; it fetches them if need be. */
async function moduleFolder(): Promise<string> {
  const download = ['mod', 'download', '-json', UPSTREAM];
  const { stdout } = await run('go', download, { cwd: GO_MODULE });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}

/** Has a Certificate issued again at once, as `cmctl renew` does. */
export async function renew(kubectl: Kubectl, certificate: string): Promise<void> {
  const condition = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'Certificate re-issuance manually triggered',
    lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
  };
  const patch = [{ op: 'add', path: '/status/conditions/-', value: condition }];
  const what = ['patch', 'certificate', certificate, '--subresource=status', '--type=json'];
  await kubectl.run([...what, `--patch=${JSON.stringify(patch)}`]);
}
