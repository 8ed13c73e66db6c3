import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

import type { Kubeconfig } from '../kube/connection.ts';

/** What a person says of the cluster that is meant. */
interface Named {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

/** Of a process that serves: the file that was named, or undefined for the ServiceAccount of its Pod. */
export function namedKubeconfig({ kubeconfig }: Pick<Named, 'kubeconfig'>): Kubeconfig | undefined {
  return kubeconfig === undefined ? undefined : { files: [kubeconfig] };
}

/** As kubectl finds it (k8s.io/client-go tools/clientcmd, ClientConfigLoadingRules). */
export function findKubeconfig(
  { kubeconfig, context }: Named,
  environment: Readonly<Record<string, string | undefined>>,
): Kubeconfig {
  const listed = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const inHome = join(homedir(), '.kube', 'config');
  const there = (listed.length === 0 ? [inHome] : listed).filter((file) => existsSync(file));
  const fallback = there.length === 0 ? [inHome] : there;
  return { files: kubeconfig === undefined ? fallback : [kubeconfig], context };
}
