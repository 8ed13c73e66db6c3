import { PinError } from '../errors.ts';
import type { DryRunAnswer } from '../explain/unexplained.ts';
import { createApiRequests } from './api-requests.ts';
import type { Kubeconfig } from './connection.ts';
import { isName } from './object-name.ts';

/**
 * Creates Pods in dry runs, in one namespace, as whoever the kubeconfig says. Throws PinError
 * `invalid_config` for what is no name of a namespace; what it gives rejects where nobody answers.
 */
export function createDryRuns(
  kubeconfig: Kubeconfig,
  namespace: string,
): (pod: object) => Promise<DryRunAnswer> {
  if (!isName(namespace)) {
    throw new PinError('invalid_config', `There is no namespace ${JSON.stringify(namespace)}`);
  }
  const ask = createApiRequests(kubeconfig);
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  return (pod) => ask({ method: 'POST', path, body: pod });
}
