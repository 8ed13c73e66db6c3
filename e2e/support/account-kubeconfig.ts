import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { writeKubeconfig } from './kubeconfig.ts';
import type { Kubectl } from './kubectl.ts';

/** A kubeconfig of a new ServiceAccount, which may nothing yet, in a directory. */
export async function accountKubeconfig(
  kubectl: Kubectl,
  name: string,
  directory: string,
): Promise<string> {
  await kubectl.run(['create', 'serviceaccount', name]);
  const { stdout } = await kubectl.run(['create', 'token', name]);
  const admin = JSON.parse(readFileSync(kubectl.kubeconfig, 'utf8')) as {
    readonly clusters: readonly { readonly cluster: Readonly<Record<string, string>> }[];
  };
  const cluster = admin.clusters[0]?.cluster ?? {};
  return writeKubeconfig(join(directory, name), {
    url: cluster['server'] ?? '',
    certificateAuthority: atob(cluster['certificate-authority-data'] ?? ''),
    token: stdout.trim(),
  });
}
