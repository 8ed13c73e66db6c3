import { PinError } from '../errors.ts';
import type { ClusterReader } from '../kube/client.ts';

/** Without a cluster no ServiceAccount lends anything, and a Pod that names a secret is told so. */
export const NO_CLUSTER: Omit<ClusterReader, 'readPod'> = {
  readSecret: async (namespace, name) => {
    const message = `pull secret "${namespace}/${name}" is not read, as tagpin runs with --no-cluster`;
    throw new PinError('secret_unreadable', message);
  },
  readPullSecretNames: async () => [],
  load: async () => {},
};
