import type { ExplainSettings } from '../commands/explain-settings.ts';
import type { ViaWebhookPorts } from '../explain/via-webhook.ts';
import { createClusterReader } from '../kube/client.ts';
import { createDryRuns } from '../kube/dry-runs.ts';
import { createOnboardedCluster } from '../kube/onboarding.ts';
import type { ExplainProcess } from './explain.ts';
import { findKubeconfig } from './kubeconfig.ts';

/** `tagpin explain --via-webhook`: the API server alone is asked. Throws PinError `invalid_config`. */
export function composeViaWebhook(
  settings: Pick<ExplainSettings, 'kubeconfig' | 'context'>,
  { environment, namespace }: Pick<ExplainProcess, 'environment'> & { readonly namespace: string },
): ViaWebhookPorts {
  const kubeconfig = findKubeconfig(settings, environment);
  const { readPod } = createClusterReader(kubeconfig, 'name a kubeconfig');
  return {
    create: createDryRuns(kubeconfig, namespace),
    readPod: (name) => readPod(namespace, name),
    labels: createOnboardedCluster(kubeconfig, namespace).labels,
  };
}
