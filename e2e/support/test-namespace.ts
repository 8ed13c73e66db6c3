import { randomBytes } from 'node:crypto';

import { readEnvironment } from './environment.ts';
import { eventually } from './eventually.ts';
import { Kubectl } from './kubectl.ts';

/** What a namespace asks of tagpin: its labels under `tagpin.dev/`, without the prefix. */
export interface NamespaceLabels {
  readonly mode?: 'pin' | 'enforce' | 'warn';
  readonly level?: 'pods';
}

/** Whether this file has made one in the control plane that all files share. */
let isShared = false;

/**
 * Creates a namespace of its own for one test, and gives a kubectl that works in it. Ready once
 * its first ServiceAccount exists, without which the API server takes no Pod.
 */
export async function createNamespace(
  kubeconfig: string,
  labels: NamespaceLabels = {},
): Promise<Kubectl> {
  isShared ||= kubeconfig === readEnvironment().kubeconfig;
  const name = `e2e-${randomBytes(4).toString('hex')}`;
  const kubectl = new Kubectl(kubeconfig, name);
  await kubectl.run(['create', '--filename=-'], {
    input: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: prefixed(labels) } },
  });
  await eventually(() => kubectl.run(['get', 'serviceaccount', 'default']));
  return kubectl;
}

/** Opts a namespace in that holds objects already. */
export async function labelNamespace(kubectl: Kubectl, labels: NamespaceLabels): Promise<void> {
  const values = Object.entries(prefixed(labels)).map(([key, value]) => `${key}=${value}`);
  await kubectl.run(['label', 'namespace', kubectl.namespace ?? '', '--overwrite', ...values]);
}

/**
 * No namespace of this file, or of one before it, is opted in from now on. Controllers go on in them: a
 * ReplicaSet tries for minutes to make a Pod that was refused, and a DaemonSet has a Pod made for each
 * node that comes, which the webhook of another file would count.
 */
export async function optOut(): Promise<void> {
  if (!isShared) return;
  const admin = new Kubectl(readEnvironment().kubeconfig);
  await admin.run(['label', 'namespaces', '--selector=tagpin.dev/mode', 'tagpin.dev/mode-']);
}

function prefixed(labels: NamespaceLabels): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [`tagpin.dev/${key}`, String(value)]),
  );
}
