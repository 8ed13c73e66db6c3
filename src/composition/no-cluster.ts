import { PinError } from '../errors.ts';
import type { ClusterReader } from '../kube/client.ts';

type NoCluster = Omit<ClusterReader, 'readPod' | 'listPods'> & { readonly listPods: undefined };

/** Without a cluster no ServiceAccount lends anything, and a Pod that names a secret is told so. */
export const NO_CLUSTER: NoCluster = {
  readSecret: async (namespace, name) => {
    const message = `pull secret "${namespace}/${name}" is not read, as tagpin runs with --no-cluster`;
    throw new PinError('secret_unreadable', message);
  },
  readPullSecretNames: async () => [],
  listPods: undefined,
  load: async () => {},
};
